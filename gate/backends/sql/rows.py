"""The source of rows: a table or files, their columns and their time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from gate.backends.sql.constants import SqlExpression
from gate.backends.sql.engine import Dialect, Kind, Runner, SqlColumn
from gate.backends.sql.groups import Groups
from gate.backends.sql.times import within
from gate.dataclass import dataclass
from gate.errors import nearest_first
from gate.measure import Cause, MeasurementError
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label as SQL: a text of every row, empty if the row lacks it."""

    sql: str
    columns: frozenset[str]
    """The columns, as the engine spells them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlIndicator:
    """An indicator as SQL. Its conditions are true or false for every row, never NULL."""

    event: str | None
    """The condition for rows that count; None: every row counts."""
    bad: str | None
    """The condition for bad rows among them; None: for an amount."""
    amount: str | None = None
    """The amount that a row adds; None: events are counted."""
    amount_column: SqlColumn | None = None
    """The column of that amount; None: events are counted."""
    unknown: str | None = None
    """The condition for events that are bad only because a value is NULL; None: for an amount."""
    unset: str | None = None
    """The number of events for which an expression or the threshold is NULL."""
    measured: str | None = None
    """The number that is compared with a threshold; None: the indicator has none."""
    columns: frozenset[str]
    """The columns, as the engine spells them."""


class StatementNumbers(Protocol):
    """The quantities that a statement can return; see `gate.backends.sql.statement`."""

    columns: set[str]

    @property
    def time(self) -> Span:
        """The time from the first bound to the last."""
        ...

    def value(self, sql: str) -> str:
        """Compute an expression once per row; return the name of its result."""
        ...

    def key(self, sql: str) -> str:
        """Group by an expression; return the name of its result."""
        ...

    def count(self, *conditions: str | None) -> str:
        """Count rows; return the name of the number."""
        ...

    def count_values(self, sql: str, condition: str | None = None) -> str:
        """Count values; return the name of the number."""
        ...

    def dated(self) -> str:
        """Count the rows that have a time; return the name of the number."""
        ...

    def newest(self) -> str:
        """Request the newest instant of each group; return its name."""
        ...


Faults = Callable[[Span], Mapping[str, str]]
"""A function that returns, for a time, the columns that cannot be used there, and why."""
Look = Callable[[Groups, Sequence[Span]], Faults]
"""A function that checks, by the result of a scan and the times that are needed later, whether the
rows could be read at all; it raises `MeasurementError` if not."""


def invalid(reason: str) -> MeasurementError:
    """Return a refusal for an error in the policy or in the rows' content."""
    return MeasurementError(Cause.INVALID, reason)


class RowSource(ABC):
    """The source of rows, with which the statements of every engine are made.

    Names of columns are compared without regard to case, as in SQL.
    """

    engine: Runner
    columns: Mapping[str, SqlColumn]
    """The columns by name, as the engine spells them."""
    timestamp: str
    """The column of the time."""
    moment: str
    """SQL of the time in microseconds; NULL if the time is missing or cannot be read."""
    noun: str
    """The subject and the verb of a sentence about the rows: ``the logs have``."""
    lost: str
    """The remedy for missing rows, in the imperative."""
    look_back: timedelta
    """How far before a span earlier rows are searched for."""
    optional: frozenset[str] = frozenset()
    """Columns that may be NULL in all rows of some time."""
    always: frozenset[str] = frozenset()
    """Columns on which every indicator depends."""
    faults: Mapping[str, str] = {}
    """Column -> why it cannot be used anywhere."""
    widened: "Callable[[], RowSource] | None" = None
    """Returns the same rows with every column that any of them has, also those that no indicator
    names; None: to read these costs too much, or they are not known."""
    breaks: int = 0
    """How often a row may be older than the one before it and the rows still count as ordered."""

    @property
    @abstractmethod
    def notes(self) -> tuple[str, ...]:
        """The notes that every report of a count must show, after the scan."""

    @property
    def dialect(self) -> Dialect:
        """The engine's dialect of SQL."""
        return self.engine.dialect

    @abstractmethod
    def relation(self, used: Iterable[str]) -> str:
        """Return the FROM part that has (at least) these columns."""

    @abstractmethod
    def chosen(self, span: Span) -> str | None:
        """Return a condition that skips rows of other times, as far as possible.

        Rows without a time are kept, unless `watch` counts them separately. None: all rows are
        read.
        """

    @abstractmethod
    def watch(self, statement: StatementNumbers) -> Look:
        """Add the numbers that show whether the rows can be read; return a check of them."""

    @abstractmethod
    def repeatable(self, indicator: SqlIndicator) -> Callable[[Span], str]:
        """Return a function that writes SQL for people: total and bad events, or the amount."""

    @abstractmethod
    def checked(self, expression: SqlExpression) -> SqlColumn:
        """Check that an expression has a value for every row, and return its type.

        Raises:
            MeasurementError: a column is missing, or types do not fit.
        """

    def condition(self, expression: SqlExpression) -> SqlExpression:
        """Check that an expression is true, false or unknown for every row, and return it as such.

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
            MeasurementError: it cannot be used, or does not exist; the reason then names the
                existing ones, nearest first.
        """
        spelled = {column.lower(): column for column in self.columns}
        if name.lower() not in spelled:
            names = ", ".join(nearest_first(name, self.columns))
            where = self.noun.rpartition(" ")[0]
            raise invalid(f'no column "{name}" in {where}; there are: {names}')
        return name if name in self.columns else spelled[name.lower()]

    def jump(self, length: timedelta) -> str | None:  # noqa: ARG002 - for rows in order
        """Return SQL for whether a row is older than the one before it by more than a length.

        None: the rows have no order.
        """
        return None

    def edge(self, span: Span) -> tuple[int, int] | None:
        """Return the times of the oldest and the newest row of a span, by a separate scan.

        They are in microseconds since 1970; None: the span has no rows.
        """
        ((oldest, newest),) = self.engine.rows(
            f"SELECT min(_at), max(_at) FROM {self.times(span)}"  # noqa: S608 - made here
        )
        return None if oldest is None else (oldest, newest)

    def times(self, span: Span) -> str:
        """Return the FROM part with only the times of a span's rows, in ``_at``."""
        rows = f"SELECT {self.moment} AS _at FROM {self.relation([self.timestamp])} AS rows"  # noqa: S608
        if (skipped := self.chosen(span)) is not None:
            rows += f" WHERE {skipped}"
        return f"(SELECT _at FROM ({rows}) AS rows WHERE {within(span)}) AS rows"  # noqa: S608
