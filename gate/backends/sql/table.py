"""The rows of one table of an SQL engine."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from gate.backends.sql.constants import SqlExpression
from gate.backends.sql.engine import Dialect, Engine, Kind, Row, SqlColumn
from gate.backends.sql.groups import Groups
from gate.backends.sql.rows import Faults, Look, RowSource, SqlIndicator, StatementNumbers, invalid
from gate.backends.sql.settings import NUMBER_FORMATS, TableSettings
from gate.backends.sql.times import microseconds
from gate.measure import Cause, MeasurementError
from gate.slo.objective import Span
from gate.slo.quantities import format_size

_MONTH: Final = timedelta(days=30)


class Meter:
    """Runs statements, each of which may read at most a number of bytes."""

    def __init__(self, engine: Engine, most: int | None) -> None:
        """Take the engine, and the most bytes; None: no limit."""
        self._engine, self._most = engine, most

    @property
    def dialect(self) -> Dialect:
        """The engine's dialect of SQL."""
        return self._engine.dialect

    def rows(self, statement: str) -> list[Row]:
        """Run a statement, unless the engine expects to read too much.

        Raises:
            MeasurementError: it would read too much, or fails.
        """
        size = None if self._most is None else self._engine.size(statement)
        if size is not None and self._most is not None and size.bytes > self._most:
            about = "" if size.exact else "about "
            raise MeasurementError(
                Cause.BACKEND_ERROR,
                f"the statement would read {about}{format_size(size.bytes)}, and max_scan allows"
                f" {format_size(self._most)}; choose a shorter window, or raise max_scan",
            )
        return self._engine.rows(statement)


class TableRows(RowSource):
    """The rows of a table or view, of which a condition may exclude some."""

    noun = "the table has"
    lost = "see why the table has no rows of that time; what failed in it is missing from the count"
    look_back = _MONTH

    def __init__(self, engine: Engine, table: TableSettings, most: int | None) -> None:
        """Ask for the table's columns.

        Args:
            engine: the engine with the table.
            table: the rows to count.
            most: the most bytes that a statement may read; None: no limit.

        Raises:
            MeasurementError: the table does not exist, the column of the time does not fit, or the
                condition is not valid.
        """
        self.engine = Meter(engine, most)
        self._engine, self._table = engine, table
        self.columns = engine.columns(table.table)
        self._types: dict[str, SqlColumn | str] = {}
        self._from = engine.relation(table.table)
        self.timestamp = self.column(table.timestamp)
        self._time = self.columns[self.timestamp]
        self._value = self.dialect.identifier(self.timestamp)
        self.moment = self._moment()
        if table.where is not None:
            condition = self.condition(engine.parse("where", table.where)).sql
            self._from = f"(SELECT * FROM {self._from} AS rows WHERE {condition})"

    @property
    def notes(self) -> tuple[str, ...]:
        """The number of bytes that the engine has read, by its own account."""
        read = self._engine.scanned()
        return () if read is None else (f"{self._engine.name} read {format_size(read)}",)

    def _moment(self) -> str:
        name, kind, form = self.timestamp, self._time.kind, self._table.time_format
        if kind is Kind.INTEGER:
            if form is None:
                units = ", ".join(NUMBER_FORMATS)
                raise invalid(
                    f'the column "{name}" is of type {self._time.type}; set time_format to what it'
                    f" counts: {units}"
                )
            return self._microseconds_of_number(NUMBER_FORMATS[form])
        if kind not in (Kind.INSTANT, Kind.LOCAL_TIME):
            raise invalid(
                f'the column "{name}" is of type {self._time.type}, which has no time; name a'
                " column of a time, or make a view that has one"
            )
        if form is not None:
            raise invalid(
                f'time_format is for whole numbers, and "{name}" is {self._time.type}; leave it out'
            )
        zone = self._table.time_zone
        if kind is Kind.LOCAL_TIME and zone is None:
            raise invalid(f'the times in "{name}" carry no time zone; set the backend\'s time_zone')
        return self.dialect.microseconds(self._value, self._time, zone)

    def _microseconds_of_number(self, unit: int) -> str:
        """Return SQL for the time; see `NUMBER_FORMATS` for the unit."""
        number = self.dialect.to_whole(self._value)
        if unit < 0:
            return self.dialect.floor_divide(number, -unit)
        return f"({number} * {unit})" if unit > 1 else number

    def relation(self, used: Iterable[str]) -> str:  # noqa: ARG002 - an engine reads what is used
        """Return the table without rows that do not count."""
        return self._from

    def chosen(self, span: Span) -> str:
        """Return a condition on the column of the time itself, which lets the engine skip rows."""
        of_a_number = self._time.kind is Kind.INTEGER
        missing = f"{self._value} IS NULL" if of_a_number else self.dialect.timeless(self._value)
        return f"(({self._within(span)}) OR {missing})"

    def _within(self, span: Span) -> str:
        if self._time.kind is Kind.INTEGER:
            unit = NUMBER_FORMATS[self._table.time_format or ""]
            start, end = (_number(microseconds(bound), unit) for bound in (span.start, span.end))
            return f"{self._value} > {start} AND {self._value} <= {end}"
        zone, column = self._table.time_zone, (self._value, self._time)
        after = self.dialect.after(*column, span.start, zone)
        return f"{after} AND {self.dialect.until(*column, span.end, zone)}"

    def check_together(self, expressions: Sequence[SqlExpression]) -> None:
        """Request the types of the expressions whose columns exist, in one statement."""
        spelled = {name.lower() for name in self.columns}
        fitting = [part.sql for part in expressions if part.columns <= spelled]
        new = [sql for sql in dict.fromkeys(fitting) if sql not in self._types]
        if new:
            self._types |= zip(new, self._engine.types(self._from, new), strict=True)

    def checked(self, expression: SqlExpression) -> SqlColumn:
        """Return the type of an expression from the engine."""
        names = [self.column(name) for name in sorted(expression.columns)]
        self.check_together([expression])
        column = self._types[expression.sql]
        if isinstance(column, SqlColumn):
            return column
        types = ", ".join(f"{name} is {self.columns[name].type}" for name in names)
        raise invalid(f"{expression}: {column}{types and f' ({types})'}")

    def watch(self, statement: StatementNumbers) -> Look:
        """Count rows without a time, which belong to no window."""
        every, dated = statement.count(), statement.dated()

        def look(groups: Groups, times: Sequence[Span]) -> Faults:  # noqa: ARG001 - of any time
            lost = groups.total(every) - groups.total(dated)
            if lost:
                rows = f"{lost:,} rows have" if lost > 1 else "1 row has"
                raise invalid(
                    f'{rows} no time in "{self.timestamp}"; correct them, or leave them out with'
                    " where"
                )
            return _no_faults

        return look

    def repeatable(self, indicator: SqlIndicator) -> Callable[[Span], str]:
        """Return a function that writes SQL for the total and bad events, or the amount.

        For a request in timeslices it counts all events of its span.
        """
        if indicator.amount is not None:
            chosen = f"sum({indicator.amount}) AS spent"
        else:
            event = indicator.event or self.dialect.true
            total = self.dialect.count(event)
            chosen = (
                f"{total} AS total, {self.dialect.count(f'{event} AND {indicator.bad}')} AS bad"
            )
        return lambda span: (
            f"SELECT {chosen} FROM {self._from} AS rows WHERE {self._within(span)}"
            f" AND {self.moment} > {microseconds(span.start)}"
            f" AND {self.moment} <= {microseconds(span.end)}"
        )


def _no_faults(time: Span) -> Mapping[str, str]:  # noqa: ARG001 - a table's columns are in all rows
    return {}


def _number(moment: int, unit: int) -> int:
    """Return the last number of a unit that is not after a moment in microseconds."""
    return moment // unit if unit > 0 else moment * -unit - unit - 1
