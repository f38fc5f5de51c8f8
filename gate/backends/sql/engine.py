"""The contract with an SQL engine: its statements, and its dialect of SQL.

An engine runs one statement over all rows, which groups them by time; Python adds up the groups.
Its other tasks are the columns of the table and the types of expressions.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from gate.backends.sql.constants import SqlExpression
from gate.dataclass import dataclass

if TYPE_CHECKING:  # for one command only
    from gate.measure.diagnosis import CheckResult

Row = tuple[Any, ...]
"""Values as Python's: whole numbers as `int` of any size; decimals as `Decimal`; NULL as None;
truth values as `bool`; texts as `str`. Times are fetched as a number of microseconds."""


class Kind(StrEnum):
    """The kind of an engine's type, as far as counting needs it."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    """An exact number with decimal places."""
    FLOAT = "float"
    TEXT = "text"
    INSTANT = "instant"
    """A time that identifies an instant, by itself or by the zone of its type."""
    LOCAL_TIME = "local time"
    """A local time whose zone only the policy can give."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlColumn:
    """A column of a table, or an expression over its columns."""

    type: str
    """The engine's name of the type."""
    kind: Kind
    exactness: int | None = None
    """The digits after the decimal point; None: unknown, or not a decimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSize:
    """The amount of data that a statement would read, by the engine's estimate."""

    bytes: int
    exact: bool
    """Whether the statement cannot read more than that."""


class Dialect(ABC):
    """The SQL of an engine. Everything else is the same for all engines.

    Times are compared as numbers: microseconds since 1970, rounded down.
    """

    name: str
    """The dialect's name in sqlglot, which parses the policy's expressions."""
    true: str = "TRUE"
    false: str = "FALSE"
    computed_once: str = ""
    """The end of a sub-select that makes the engine compute its columns once for each row, however
    often the outer statement uses them. Empty: the engine does so anyway."""
    most_columns: int | None = None
    """The most columns of one statement, including the grouping columns; None: no limit."""

    @abstractmethod
    def kind(self, type_name: str) -> Kind:
        """Return the kind of one of the engine's types; for a nullable type, of the inner type."""

    @abstractmethod
    def identifier(self, name: str) -> str:
        """Quote a name."""

    @abstractmethod
    def literal(self, text: str) -> str:
        """Quote a text."""

    @abstractmethod
    def microseconds(self, value: str, column: SqlColumn, zone: tzinfo | None) -> str:
        """Return SQL for a time in whole microseconds since 1970, rounded down.

        Args:
            value: SQL of kind INSTANT or LOCAL_TIME.
            column: the column or expression of the value.
            zone: the zone of a LOCAL_TIME. A repeated hour of the clock is its second pass.
        """

    @abstractmethod
    def until(self, value: str, column: SqlColumn, moment: datetime, zone: tzinfo | None) -> str:
        """Return a condition for "at this instant or before it" that can skip partitions.

        It compares the column itself with a constant, and may be true for slightly later rows.
        """

    @abstractmethod
    def after(self, value: str, column: SqlColumn, moment: datetime, zone: tzinfo | None) -> str:
        """Return a condition for "after this instant", as `until` does."""

    def timeless(self, value: str) -> str:
        """Return a condition for rows without a time, on the column itself."""
        return f"{value} IS NULL"

    @abstractmethod
    def floor_divide(self, number: str, by: int) -> str:
        """Divide whole numbers; the result is rounded down, also below zero."""

    @abstractmethod
    def divide(self, number: str, by: int) -> str:
        """Divide a whole number that is not negative; the result is rounded down.

        For a negative number the result may be wrong, but the engine must not fail.
        """

    @abstractmethod
    def to_double(self, value: str) -> str:
        """Return a number as a floating-point one, for means only."""

    @abstractmethod
    def to_text(self, value: str, column: SqlColumn) -> str:
        """Return a value as text: NULL as the empty text, a whole float without ".0"."""

    @abstractmethod
    def fixed_point(self, value: str) -> str:
        """Return a float below 2^40 as a multiple of 2^-64, whose sums are exact."""

    def to_whole(self, value: str) -> str:
        """Return a whole number as one of 64 bits; NULL stays NULL."""
        return f"CAST({value} AS BIGINT)"

    def summable(self, value: str, column: SqlColumn) -> str:  # noqa: ARG002 - of its type
        """Return a whole number or a decimal in a type whose sum over many rows is exact.

        The type is widened if the engine's sum could wrap around, round or become NULL.
        """
        return value

    def float_sum(self, value: str) -> str:
        """Return the aggregate that adds up floats for a mean."""
        return f"sum({value})"

    def float_constant(self, number: float, column: SqlColumn) -> str:
        """Return a constant of a floating-point column's own type.

        0.1 in a column of 32 bits is at most 0.1 in the policy, but as a number of 64 bits it is
        more.
        """
        return f"CAST({self.literal(repr(number))} AS {column.type})"

    def count(self, condition: str) -> str:
        """Return the aggregate that counts the rows that satisfy a condition."""
        return f"count(CASE WHEN {condition} THEN 1 END)"

    def highest(self, value: str, condition: str) -> str:
        """Return the aggregate for the highest value of the rows that satisfy a condition.

        NULL: no row satisfies it.
        """
        return f"max(CASE WHEN {condition} THEN {value} END)"

    def distinct(self, value: str) -> str:
        """Return the aggregate that counts distinct values, without NULL."""
        return f"count(DISTINCT {value})"


class Runner(Protocol):
    """Runs statements."""

    @property
    def dialect(self) -> Dialect:
        """The engine's dialect of SQL."""
        ...

    def rows(self, statement: str) -> list[Row]:
        """Run a statement and return all of its rows.

        On a timeout, or if the run is cancelled, this asks the engine to stop.
        """
        ...


class Engine(Runner, Protocol):
    """The connection of one run. It runs one statement at a time, within the run's time limit.

    It raises `gate.measure.MeasurementError` for all errors of an engine, with the cause and a
    remedy, and never repeats values of rows in it. A possibly incomplete answer is an error.
    `Cause.INVALID` means that an expression does not fit the rows (a division by zero, a text that
    is not a number): then each indicator is measured by itself. Any other cause concerns all of
    them.
    """

    name: str
    """The engine's name for people: ``ClickHouse``."""

    def relation(self, table: str) -> str:
        """Return the FROM part that has each row of a table once, without its older versions.

        Args:
            table: the name from the policy, with or without the schema.
        """
        ...

    def columns(self, table: str) -> Mapping[str, SqlColumn]:
        """Return the columns of a table or view, by their names as the engine spells them."""
        ...

    def types(self, relation: str, expressions: Sequence[str]) -> "list[SqlColumn | str]":
        """Return the type of each expression over the rows of a relation, without reading any.

        An expression with an error has the engine's error message instead.

        Args:
            relation: the FROM part.
            expressions: SQL, checked already.
        """
        ...

    def size(self, statement: str) -> ScanSize | None:
        """Return the amount of data that the statement would read; None: no estimate."""
        ...

    def parse(self, role: str, text: str) -> SqlExpression:
        """Parse an expression of the policy, without asking the server; see `conditions`."""
        ...

    def examine(self, table: str) -> "tuple[CheckResult, ...]":
        """Return the results of ``gate doctor`` about the server and the rights of this user."""
        ...

    def scanned(self) -> int | None:
        """Return how many bytes the engine has read in this run; None: unknown."""
        ...

    def close(self) -> None:
        """Close the connection, and end all statements that still run on it."""
        ...
