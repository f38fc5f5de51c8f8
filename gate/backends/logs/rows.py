"""Rows of logs: the parts that only files need, in addition to those of every engine."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from gate.backends.logs.database import Database, file_list, identifier, literal
from gate.backends.logs.dialect import DuckEngine
from gate.backends.logs.expressions import check_value
from gate.backends.logs.inner_numbers import InnerNumber
from gate.backends.logs.keys import ask_for_keys, missing_keys
from gate.backends.logs.source import BROKEN, EXACT, LargeNumbers, LogSource, left_out
from gate.backends.logs.timestamps import Timestamp, sql_instant, undated
from gate.backends.logs.unfinished import unfinished_lines
from gate.backends.sql.constants import SqlExpression
from gate.backends.sql.engine import Kind, SqlColumn
from gate.backends.sql.groups import Groups
from gate.backends.sql.rows import Faults, Look, RowSource, SqlIndicator, StatementNumbers
from gate.backends.sql.times import MICROSECOND
from gate.measure import Cause, MeasurementError
from gate.slo.objective import Span

_WHOLE_LOG: Final = timedelta(days=36500)
_MONTH: Final = timedelta(days=30)


class LogRows(RowSource):
    """The rows of all files."""

    noun = "the logs have"
    lost = "fetch the logs of that time; what failed in it is missing from the count"
    older: "Callable[[Span], LogRows] | None" = None
    """A function that returns the rows of another time."""

    def __init__(
        self,
        engine: DuckEngine,
        source: LogSource,
        timestamp: Timestamp,
        partial: Span | None = None,
    ) -> None:
        """Take the source of the rows.

        Args:
            engine: the engine that reads it.
            source: a table over files.
            timestamp: its column with the time.
            partial: the time whose partitions are read; None: all of them.
        """
        self.engine, self.database = engine, engine.database
        self._duckdb = engine.dialect
        self.source, self.time = source, timestamp
        self.columns = {name: self._duckdb.column(kind) for name, kind in source.types.items()}
        self.timestamp, self.moment = timestamp.column, f"epoch_us({timestamp.sql})"
        self.optional = source.optional
        self.always, self.faults = source.always, source.faults
        self.breaks = len(source.files) - 1
        self._left_out = list[str]()
        self._partial, self.look_back = partial, _WHOLE_LOG if partial is None else _MONTH

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes on the skipped lines, and on the amount of data read."""
        return (*map(left_out, self._left_out), *self.source.notes)

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes on the data read from a store, and on the days without a partition."""
        return self.source.remarks()

    def confine(self, database: Database) -> None:
        """Restrict another database to the files of these rows."""
        database.objects = self.database.objects
        database.confine(self.database.files)

    def times(self, span: Span) -> str:
        """Read other partitions if only those of a time are read, and the span is longer."""
        older, read = self.older, self._partial
        if older is None or read is None or span.start >= read.start:
            return super().times(span)
        try:
            rows = older(span)
        except MeasurementError as refusal:
            if refusal.cause is Cause.NO_DATA:
                return "(SELECT NULL::BIGINT AS _at WHERE false) AS rows"
            raise
        self.database.add(rows.database)
        return rows.times(span)

    def relation(self, used: Iterable[str]) -> str:
        """Return the FROM part that reads the files, or a part of their columns."""
        return self.source.relation(used)

    def chosen(self, span: Span) -> str | None:
        """Return a condition by which a Parquet reader can skip parts by statistics.

        Without these a filter would read every text or number a second time.
        """
        if not self.time.plain:
            return None
        column = identifier(self.timestamp)
        return f"{column} > {sql_instant(span.start)} AND {column} <= {sql_instant(span.end)}"

    def column(self, name: str) -> str:
        """Return the column's name as the files spell it."""
        return self.source.column(name)

    def checked(self, expression: SqlExpression) -> SqlColumn:
        """Bind an expression with DuckDB against an empty table of the same columns."""
        kind = check_value(self.database, expression, self.source)
        return self._duckdb.column(kind)

    def condition(self, expression: SqlExpression) -> SqlExpression:
        """Accept a text as true or false, too: ``True``, as Python writes it.

        Any other text ends the scan.
        """
        if self.checked(expression).kind is Kind.TEXT and expression.columns:
            return replace(expression, text=f"({expression.text})::BOOLEAN")
        return super().condition(expression)

    def jump(self, length: timedelta) -> str:
        """Compare rows in the order of the files; None: only the newest version of a row counts."""
        if self.source.always:
            return self.dialect.false
        return f"({self.moment} < lag({self.moment}) OVER () - {length // MICROSECOND})"

    def watch(self, statement: StatementNumbers) -> Look:
        """Count rows without a time, unfinished lines, large numbers and missing keys."""
        source, plain = self.source, self.time.plain
        large = {
            name: statement.count(_is_large(identifier(name)))
            for name in sorted(statement.columns & source.doubles)
        }
        inner = self._inner_numbers(statement.columns)
        within = {
            name: statement.count(f"({' OR '.join(number.some(_is_large) for number in numbers)})")
            for name, numbers in inner.items()
        }
        broken = statement.count(BROKEN) if source.unfinished else None
        counted = None if plain else (statement.count(), statement.dated())
        keys = ask_for_keys(source, statement)

        def look(groups: Groups, times: Sequence[Span]) -> Faults:
            lines = 0 if broken is None else groups.total(broken)
            if lines > len(source.unfinished):  # more than the last line: DuckDB names the place
                unfinished = file_list(source.unfinished)
                self.engine.rows(f"SELECT count(json) FROM read_ndjson_objects({unfinished})")
            ends = source.open_ends(statement.columns)
            self._left_out = list(unfinished_lines(self.database, ends))
            doubted = [name for name, number in large.items() if groups.total(number)]
            among = [
                n for name, count in within.items() if groups.total(count) for n in inner[name]
            ]
            if doubted or among:
                raise LargeNumbers(doubted, among)
            if counted is None:
                lost = self._without_time()
            else:
                every, dated = map(groups.total, counted)
                lost = every - dated - lines
            if lost:
                raise undated(self.database, source, self.time, lost)
            return missing_keys(self.database, keys, groups, times).faults

        return look

    def _inner_numbers(self, columns: Iterable[str]) -> dict[str, list[InnerNumber]]:
        """Return the numbers within columns that are read as doubles."""
        inner: dict[str, list[InnerNumber]] = {}
        for number in sorted(self.source.inner_doubles, key=lambda number: number.name):
            if number.column in columns:
                inner.setdefault(number.column, []).append(number)
        return inner

    def _without_time(self) -> int:
        """Count rows without a time separately: a Parquet file knows which parts have a NULL."""
        relation = self.relation([self.timestamp])
        ((number,),) = self.engine.rows(
            f"SELECT count(*) FROM {relation} WHERE {identifier(self.timestamp)} IS NULL"
        )
        return int(number)

    def repeatable(self, indicator: SqlIndicator) -> Callable[[Span], str]:
        """Return a function that writes SQL for DuckDB: total and bad events, or the amount.

        For a request in timeslices it counts all events of its span.
        """
        if indicator.amount is not None:
            chosen = f"sum({indicator.amount}) AS spent"
        else:
            event = indicator.event or "true"
            chosen = f"count_if({event}) AS total, count_if({event} AND {indicator.bad}) AS bad"
        used = sorted(indicator.columns | {self.timestamp})
        # No log has a column of the name @.
        rows = f'SELECT *, {self.time.sql} AS "@" FROM {self.source.shown(used)} AS rows'
        counted = (
            f"SET TimeZone = {literal(self.time.zone or 'UTC')}; "
            f"SELECT {chosen} FROM ({rows}) AS rows"
        )
        return lambda span: (
            f'{counted} WHERE "@" > {sql_instant(span.start)} AND "@" <= {sql_instant(span.end)}'
        )


def _is_large(column: str) -> str:
    """Return SQL for whether a double may represent several whole numbers; not 1e300."""
    return f"(abs({column}) BETWEEN {EXACT} AND 1e38)"
