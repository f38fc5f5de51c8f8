"""The source of rows: a table or files, their columns and their time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from gate.backends.sql.engine import Dialect, Kind, Runner, SqlColumn, SqlExpression
from gate.backends.sql.groups import Groups
from gate.backends.sql.times import within
from gate.dataclass import dataclass
from gate.errors import nearest_first
from gate.measure import Cause, MeasurementError
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label as SQL: a text of every row, empty where it has none."""

    sql: str
    columns: frozenset[str]
    """As the engine spells them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlIndicator:
    """An indicator as SQL. Conditions are true or false of every row, never NULL."""

    event: str | None
    """The condition for rows that count; None: every row."""
    bad: str | None
    """The condition for bad ones among them; None for an amount."""
    amount: str | None = None
    """The amount that a row adds."""
    amount_column: SqlColumn | None = None
    """The kind of that amount."""
    unknown: str | None = None
    """The condition for events that are bad only because something is NULL; None for an amount."""
    unset: str | None = None
    """The number of events for which an expression or the threshold is NULL."""
    measured: str | None = None
    """The number that is held against a threshold; None: the indicator has none."""
    columns: frozenset[str]
    """As the engine spells them."""


class StatementNumbers(Protocol):
    """The quantities that a statement can return; see `gate.backends.sql.statement`."""

    columns: set[str]

    @property
    def time(self) -> Span:
        """The time from the first bound to the last."""
        ...

    def value(self, sql: str) -> str:
        """Compute an expression once per row; returns the name of its result."""
        ...

    def key(self, sql: str) -> str:
        """Group by an expression; returns the name of its result."""
        ...

    def count(self, *conditions: str | None) -> str:
        """Count rows; returns the name of the number."""
        ...

    def count_values(self, sql: str, condition: str | None = None) -> str:
        """Count values; returns the name of the number."""
        ...

    def dated(self) -> str:
        """Count the rows that have a time; returns the name of the number."""
        ...

    def newest(self) -> str:
        """Ask for the newest instant of each group; returns its name."""
        ...


Faults = Callable[[Span], Mapping[str, str]]
"""Given a time, the columns that cannot be used there, and why."""
Look = Callable[[Groups, Sequence[Span]], Faults]
"""Given what a scan has left and the times that are asked about later, looks whether the rows could
be read at all; raises `MeasurementError` where they could not."""


def invalid(reason: str) -> MeasurementError:
    """Return a refusal for what the policy or the rows' content gets wrong."""
    return MeasurementError(Cause.INVALID, reason)


class RowSource(ABC):
    """The rows, as the statements of every engine ask for them.

    Names of columns are compared without regard to case, as in SQL.
    """

    engine: Runner
    columns: Mapping[str, SqlColumn]
    """By their names as the engine spells them."""
    timestamp: str
    """The column that says when."""
    moment: str
    """SQL of the time in microseconds; NULL where the time is missing or cannot be read."""
    noun: str
    """The subject of a sentence about them, with its verb: ``the logs have``."""
    lost: str
    """The remedy for rows that are missing, in the imperative."""
    look_back: timedelta
    """How far before a span it is looked whether there were rows at all."""
    optional: frozenset[str] = frozenset()
    """Columns that may be NULL in all rows of some time."""
    always: frozenset[str] = frozenset()
    """Columns that every indicator depends on."""
    faults: Mapping[str, str] = {}
    """Column -> why it cannot be used anywhere."""
    widened: "Callable[[], RowSource] | None" = None
    """Returns the same rows with every column that any of them has, also those that no indicator
    names; None: to read these costs too much, or they are not known."""
    breaks: int = 0
    """How often a row may be older than the one before it without being out of order."""

    @property
    @abstractmethod
    def notes(self) -> tuple[str, ...]:
        """The notes that every report of a count must show, after the scan."""

    @property
    def dialect(self) -> Dialect:
        """How SQL is written."""
        return self.engine.dialect

    @abstractmethod
    def relation(self, used: Iterable[str]) -> str:
        """Return the FROM part that has (at least) these columns."""

    @abstractmethod
    def chosen(self, span: Span) -> str | None:
        """Return a condition by which rows of other times are skipped, as far as they can be.

        Rows without a time are kept, unless `watch` counts them by itself. None: all are read.
        """

    @abstractmethod
    def watch(self, statement: StatementNumbers) -> Look:
        """Ask a statement for what shows whether the rows can be read; it runs afterwards."""

    @abstractmethod
    def repeatable(self, indicator: SqlIndicator) -> Callable[[Span], str]:
        """Return what writes SQL for people that gives total and bad events, or the amount."""

    @abstractmethod
    def checked(self, expression: SqlExpression) -> SqlColumn:
        """Check that an expression has a value for every row, and return what it is.

        Raises:
            MeasurementError: a column is missing, or types do not fit.
        """

    def condition(self, expression: SqlExpression) -> SqlExpression:
        """Check that an expression is true, false or unknown of every row, and return it as such.

        Raises:
            MeasurementError: a column is missing, types do not fit, or it is something else.
        """
        column = self.checked(expression)
        if column.kind is not Kind.BOOLEAN and not expression.predicate:
            raise invalid(
                f"{expression} is of type {column.type}; a condition is expected, for example"
                " status >= 500"
            )
        return expression

    def column(self, name: str) -> str:
        """Return the column's name as the engine spells it.

        Raises:
            MeasurementError: it cannot be used; or there is none, and the reason names those that
                there are, nearest first.
        """
        spelled = {column.lower(): column for column in self.columns}
        if name.lower() not in spelled:
            names = ", ".join(nearest_first(name, self.columns))
            where = self.noun.rpartition(" ")[0]
            raise invalid(f'no column "{name}" in {where}; there are: {names}')
        return name if name in self.columns else spelled[name.lower()]

    def jump(self, length: timedelta) -> str | None:  # noqa: ARG002 - for rows in order
        """Return SQL for whether a row is older than the one before it by more than a length.

        None: rows have no order.
        """
        return None

    def edge(self, span: Span) -> tuple[int, int] | None:
        """Return when the oldest and the newest row of a span happened, by a scan of its own.

        In microseconds since 1970; None: there is no row.
        """
        ((oldest, newest),) = self.engine.rows(
            f"SELECT min(_at), max(_at) FROM {self.times(span)}"  # noqa: S608 - made here
        )
        return None if oldest is None else (oldest, newest)

    def times(self, span: Span) -> str:
        """Return the FROM part that has the times of a span's rows in ``_at``, and nothing else."""
        rows = f"SELECT {self.moment} AS _at FROM {self.relation([self.timestamp])} AS rows"  # noqa: S608
        if (skipped := self.chosen(span)) is not None:
            rows += f" WHERE {skipped}"
        return f"(SELECT _at FROM ({rows}) AS rows WHERE {within(span)}) AS rows"  # noqa: S608
