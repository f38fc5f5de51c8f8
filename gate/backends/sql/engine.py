"""The contract with an SQL engine: what it is asked, and how its SQL is written.

An engine runs one statement over all rows, which groups them by time; what is left is added up in
Python. It is asked for nothing else but the columns of the table and the types of expressions.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from gate.backends.sql.constants import EITHER
from gate.dataclass import dataclass

if TYPE_CHECKING:  # for one command only
    from gate.measure.diagnosis import CheckResult

Row = tuple[Any, ...]
"""Values as Python's: whole numbers as `int`, whatever their size; decimals as `Decimal`; NULL as
None; truth as `bool`; texts as `str`. No time is ever fetched: it is a number of microseconds."""


class Kind(StrEnum):
    """The kind of an engine's type, as far as counting needs it."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    """A number that is exact to its last digit."""
    FLOAT = "float"
    TEXT = "text"
    INSTANT = "instant"
    """A time that says by itself which instant it is, or whose zone its type says."""
    LOCAL_TIME = "local time"
    """A time of a clock whose zone only the policy can say."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlColumn:
    """A column of a table, or an expression over its columns."""

    type: str
    """The engine's own name of the type."""
    kind: Kind
    exactness: int | None = None
    """Digits behind the point that are kept; None: this is not known, or not a decimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSize:
    """The amount of data that a statement would read, as the engine estimates it."""

    bytes: int
    exact: bool
    """Whether it cannot read more than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlExpression:
    """One scalar expression over a row's columns, as the policy has it; parsed and checked."""

    role: str
    """The key in the policy: ``bad``, ``good``, ``total``, ``spent``, ``where``, ``by``."""
    text: str
    columns: frozenset[str]
    """The first name of every column that it mentions, in lower case."""
    as_text: frozenset[str]
    """Those of them that it turns into text."""
    predicate: bool = False
    """Whether it says true or false by its form, whatever type the engine has for that: ClickHouse
    gives a small number for ``status >= 500``."""
    values: frozenset[bool] = EITHER
    """The values among true and false that it may have, as far as the text alone shows them."""

    @property
    def sql(self) -> str:
        """The expression in brackets."""
        return f"({self.text})"

    def __str__(self) -> str:
        return f"{self.role}: {self.text!r}"


class Dialect(ABC):
    """How an engine's SQL is written. Everything else is the same for all engines.

    A time is a number wherever it is compared: microseconds since 1970, rounded down.
    """

    name: str
    """The dialect's name in sqlglot, which parses the policy's expressions."""
    true: str = "TRUE"
    false: str = "FALSE"
    computed_once: str = ""
    """The end of a sub-select whose columns are computed once for each row, however often the
    statement around it uses them. Empty: the engine does so anyway."""
    most_columns: int | None = None
    """Most columns of one statement, those that it is grouped by included; None: any number."""

    @abstractmethod
    def kind(self, type_name: str) -> Kind:
        """Return what one of the engine's types is; of a nullable type, what is within."""

    @abstractmethod
    def identifier(self, name: str) -> str:
        """Quote a name."""

    @abstractmethod
    def literal(self, text: str) -> str:
        """Quote a text."""

    @abstractmethod
    def microseconds(self, value: str, column: SqlColumn, zone: tzinfo | None) -> str:
        """Return SQL for when it is, in whole microseconds since 1970, rounded down.

        Args:
            value: SQL of kind INSTANT or LOCAL_TIME.
            column: what the value is.
            zone: of a LOCAL_TIME. The hour that a clock goes through twice is its second pass.
        """

    @abstractmethod
    def until(self, value: str, column: SqlColumn, moment: datetime, zone: tzinfo | None) -> str:
        """Return a condition for "at this instant or before it" by which partitions are skipped.

        It compares the column itself with a constant, and may be true of a little more.
        """

    @abstractmethod
    def after(self, value: str, column: SqlColumn, moment: datetime, zone: tzinfo | None) -> str:
        """Return a condition for "after this instant", as `until`."""

    def timeless(self, value: str) -> str:
        """Return a condition for a column of a time without one, on the column itself."""
        return f"{value} IS NULL"

    @abstractmethod
    def floor_divide(self, number: str, by: int) -> str:
        """Divide whole numbers; the result is rounded down, also below zero."""

    @abstractmethod
    def divide(self, number: str, by: int) -> str:
        """Divide a whole number that is not negative; the result is rounded down.

        Where the number is negative the result may be off, but the engine must not fail.
        """

    @abstractmethod
    def to_double(self, value: str) -> str:
        """Return a number as a floating-point one, for means only."""

    @abstractmethod
    def to_text(self, value: str, column: SqlColumn) -> str:
        """Return a value as text, NULL as the empty text; a whole float without ".0"."""

    @abstractmethod
    def fixed_point(self, value: str) -> str:
        """Return a float below 2^40 as a whole number of 2^-64, whose sums are exact."""

    def to_whole(self, value: str) -> str:
        """Return a whole number as one of 64 bits; NULL stays NULL."""
        return f"CAST({value} AS BIGINT)"

    def summable(self, value: str, column: SqlColumn) -> str:  # noqa: ARG002 - of its type
        """Return a whole number or a decimal in a type whose sum over many rows is exact.

        Where the engine's own sum could wrap around, round or become NULL, it is widened here.
        """
        return value

    def float_sum(self, value: str) -> str:
        """Return the aggregate that adds up floats, of which only a mean is made."""
        return f"sum({value})"

    def float_constant(self, number: float, column: SqlColumn) -> str:
        """Return a constant of a floating-point column's own type.

        0.1 in a column of 32 bits is at most 0.1 in the policy, though as one of 64 bits it is not.
        """
        return f"CAST({self.literal(repr(number))} AS {column.type})"

    def count(self, condition: str) -> str:
        """Return the aggregate that counts the rows of which a condition is true."""
        return f"count(CASE WHEN {condition} THEN 1 END)"

    def highest(self, value: str, condition: str) -> str:
        """Return the aggregate for the highest value of the rows of which a condition is true.

        NULL: there is no such row.
        """
        return f"max(CASE WHEN {condition} THEN {value} END)"

    def distinct(self, value: str) -> str:
        """Return the aggregate that counts different values, without NULL."""
        return f"count(DISTINCT {value})"


class Runner(Protocol):
    """Runs statements."""

    @property
    def dialect(self) -> Dialect:
        """How its SQL is written."""
        ...

    def rows(self, statement: str) -> list[Row]:
        """Run a statement and return all of its rows.

        On a timeout, and where the run is cancelled, the engine is told to stop.
        """
        ...


class Engine(Runner, Protocol):
    """One run's connection. Asks one thing at a time, within the run's time limit.

    Raises `gate.measure.MeasurementError` for all that an engine can do wrong, with its cause and a
    remedy, and never repeats values of rows in it. An answer that may not be whole is an error.
    `Cause.INVALID` means that an expression does not fit the rows (a division by zero, a text that
    is not a number): then each indicator is asked alone. Any other cause is about all of them.
    """

    name: str
    """The name that people know: ``ClickHouse``."""

    def relation(self, table: str) -> str:
        """Return the FROM part that gives each row of a table once, and not its older versions.

        Args:
            table: its name as the policy has it, with or without the schema.
        """
        ...

    def columns(self, table: str) -> Mapping[str, SqlColumn]:
        """Return the columns of a table or view, by their names as the engine spells them."""
        ...

    def types(self, relation: str, expressions: Sequence[str]) -> "list[SqlColumn | str]":
        """Return what each expression is over the rows of a relation, without reading any.

        One that does not fit gives the engine's own words about it instead.

        Args:
            relation: the FROM part.
            expressions: SQL, checked already.
        """
        ...

    def size(self, statement: str) -> ScanSize | None:
        """Return what the statement would read; None: this engine cannot say it beforehand."""
        ...

    def parse(self, role: str, text: str) -> SqlExpression:
        """Parse an expression of the policy, without asking the server; see `conditions`."""
        ...

    def examine(self, table: str) -> "tuple[CheckResult, ...]":
        """Return what ``gate doctor`` says of the server and of what this user may do there."""
        ...

    def scanned(self) -> int | None:
        """Return how many bytes the engine has read in this run; None: it does not say."""
        ...

    def close(self) -> None:
        """End the connection, and what still runs on it."""
        ...
