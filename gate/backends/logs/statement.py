"""The one scan that serves all requests: rows are grouped by time, spans are sums of groups."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from datetime import datetime, timedelta

from gate.backends.logs.database import Database, file_list, identifier, literal
from gate.backends.logs.indicators import Label, LogIndicator
from gate.backends.logs.search import Search, search
from gate.backends.logs.source import BROKEN, EXACT, LargeNumbers, LogSource
from gate.backends.logs.timestamps import (
    EPOCH,
    MICROSECOND,
    Timestamp,
    microseconds,
    sql_instant,
    within,
)
from gate.backends.sql.engine import Row
from gate.dataclass import dataclass
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True)
class Logs:
    """What is read: a table and its timestamp column."""

    source: LogSource
    timestamp: Timestamp
    since: "Callable[[datetime], Logs] | None" = None
    """Returns the logs that also have the rows since an instant, where only the partitions of a
    time are read; None: all rows are."""


@dataclass(slots=True)
class Statement:
    """Groups of rows, then aggregates over the groups; equal parts are computed once.

    A group has rows between two neighbours of the bounds only, so each row is looked at once
    however many spans there are.
    """

    logs: Logs
    bounds: tuple[datetime, ...]
    """Where spans begin and end, ascending, at least two; no row outside of them is looked at."""
    columns: set[str] = field(default_factory=set)
    _values: dict[str, str] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)
    _sums: dict[str, str] = field(default_factory=dict)
    _aggregates: dict[str, int] = field(default_factory=dict)
    _search: Search = Search(passed="NULL")
    _moments: list[str] = field(default_factory=list)
    """The keys that separate what lies between different bounds."""

    def use(self, used: LogIndicator | Label) -> None:
        """Read the columns of an indicator or of a label."""
        self.columns |= used.columns

    def value(self, sql: str) -> str:
        """Compute an expression once per row; returns the name of its result."""
        return self._values.setdefault(sql, f"_v{len(self._values)}")

    def key(self, sql: str) -> str:
        """Group by an expression over ``_at`` and values; returns the name of its result.

        Rows outside of the bounds should share a key: a log can be older than any window.
        """
        return self._keys.setdefault(sql, f"_k{len(self._keys)}")

    def clock_key(self, step: timedelta) -> str:
        """Group by the stretches between whole multiples of a length since 1970, by their number.

        Each leaves its start out and includes its end.
        """
        oldest, newest = ((bound - EPOCH) // step for bound in (self.bounds[0], self.bounds[-1]))
        number = f"(epoch_us(_at) - 1) // {step // MICROSECOND}"
        return self.key(f"least({newest + 1}, greatest({oldest - 1}, {number}))")

    def cut(self, steps: Iterable[timedelta]) -> None:
        """Group so that no bound lies within a group, and no whole multiple of these steps.

        Of many bounds these must have the multiples in them where they are needed.
        """
        self.newest()
        self._search = search(self.bounds)
        self._moments = [self.key(self._search.passed)]
        if self._search.table is None:
            self._moments += [self.clock_key(step) for step in steps]

    def moments(self, database: Database, names: Sequence[str]) -> list[Row]:
        """Return what was between the bounds, in pieces of which no bound lies within one.

        Of each the Unix time of the newest row, in microseconds, and aggregates over the groups.
        The scan must have run; before it, the statement must have been `cut`.
        """
        start, end = map(microseconds, (self.bounds[0], self.bounds[-1]))
        numbers = ", ".join([f"epoch_us(max({self.newest()})) AS moment", *names])
        return database.query(
            f"SELECT {numbers} FROM groups "
            f"GROUP BY {', '.join(self._moments)} "
            f"HAVING moment > {start} AND moment <= {end} ORDER BY moment"
        )

    def rows(self) -> str:
        """Ask for the number of rows; returns the aggregate over groups that tells it."""
        return f"sum({self.sum('count(*)')})"

    def oldest(self) -> int | None:
        """Ask for the oldest row, whenever it happened; None where only some rows are read."""
        if self.logs.timestamp.plain:
            return None
        return self._ask(f"epoch_us(min({self.sum('min(_at)')}))")

    def newest(self) -> str:
        """Ask for the newest instant of each group; returns its name."""
        return self.sum("max(_at)")

    def sum(self, sql: str, *conditions: str | None) -> str:
        """Aggregate the rows of each group for which all conditions hold; returns its name."""
        names = [self.value(condition) for condition in conditions if condition is not None]
        kept = f" FILTER (WHERE {' AND '.join(names)})" if names else ""
        return self._sums.setdefault(sql + kept, f"_s{len(self._sums)}")

    def extent(self) -> tuple[int, int, int]:
        """Ask how many rows there are, and when the oldest and the newest happened.

        Whenever that was: also before and after the spans.
        """
        if not self.logs.timestamp.plain:
            oldest, newest = self.sum("min(_at)"), self.sum("max(_at)")
            parts = (f"sum({self.sum('count(_at)')})", f"min({oldest})", f"max({newest})")
        else:  # the main scan reads no other rows than those of the spans
            column = identifier(self.logs.timestamp.column)
            relation = self.logs.source.relation([self.logs.timestamp.column])
            parts = (
                f"(SELECT count({column}) FROM {relation})",
                f"(SELECT min({column}) FROM {relation})",
                f"(SELECT max({column}) FROM {relation})",
            )
        rows, oldest, newest = parts
        return self._ask(rows), self._ask(f"epoch_us({oldest})"), self._ask(f"epoch_us({newest})")

    def undated(self) -> int:
        """Ask how many rows have no instant that can be read."""
        if not self.logs.timestamp.plain:
            every, dated = self.sum("count(*)"), self.sum("count(_at)")
            broken = f" - sum({self._broken()})" if self.logs.source.unfinished else ""
            return self._ask(f"sum({every}) - sum({dated}){broken}")
        # Apart, so that the main scan can skip by the timestamp's statistics; and this one too:
        # a Parquet file knows which of its parts hold a NULL.
        column = identifier(self.logs.timestamp.column)
        relation = self.logs.source.relation([self.logs.timestamp.column])
        return self._ask(f"(SELECT count(*) FROM {relation} WHERE {column} IS NULL)")

    def run(self, database: Database) -> Row:
        """Scan, keep the groups in the table ``groups``, and return the aggregates.

        Raises:
            LargeNumbers: a column must be read otherwise.
        """
        large = {
            name: self._ask(f"bool_or({self.sum(f'bool_or({self.value(_is_large(name))})')})")
            for name in sorted(self.columns & self.logs.source.doubles)
        }
        unfinished = self.logs.source.unfinished
        broken = self._ask(f"sum({self._broken()})") if unfinished else None
        keys = [f"{sql} AS {name}" for sql, name in self._keys.items()]
        sums = [f"{sql} AS {name}" for sql, name in self._sums.items()]
        database.query(
            f"CREATE OR REPLACE TEMP TABLE groups AS SELECT {', '.join(keys + sums)} "
            f"FROM {self._rows(database)} GROUP BY ALL"
        )
        # The last makes it one row, even where all others are statements of their own.
        aggregates = ", ".join([*self._aggregates, "count(*)"])
        (row,) = database.query(f"SELECT {aggregates} FROM groups")
        if broken is not None and row[broken] > len(unfinished):
            # More than the last line: DuckDB says where.
            database.query(f"SELECT count(json) FROM read_ndjson_objects({file_list(unfinished)})")
        if doubted := [name for name, place in large.items() if row[place]]:
            raise LargeNumbers(doubted)
        return row

    def _broken(self) -> str:
        return self.sum("count(*)", BROKEN)

    def _ask(self, sql: str) -> int:
        return self._aggregates.setdefault(sql, len(self._aggregates))

    def _rows(self, database: Database) -> str:
        used = sorted(self.columns | {self.logs.timestamp.column})
        parts = [f"{self.logs.timestamp.sql} AS _at"]
        parts += [f"{sql} AS {name}" for sql, name in self._values.items()]
        rows = f"(SELECT {', '.join(parts)} FROM {self.logs.source.relation(used)} AS rows)"
        if self.logs.timestamp.plain:
            time = within(Span(self.bounds[0], self.bounds[-1]))
            rows = f"(SELECT * FROM {rows} WHERE {time})"
        # Without statistics to skip by, a filter would read every text or number a second time.
        if self._search.table is None:
            return rows
        database.query(self._search.table)
        return f"{rows} AS rows LEFT JOIN cells ON {self._search.condition}"


def _is_large(column: str) -> str:
    """Return SQL for whether a double may stand for several whole numbers; 1e300 is none."""
    return f"abs({identifier(column)}) BETWEEN {EXACT} AND 1e38"


def repeatable(logs: Logs, indicator: LogIndicator) -> Callable[[Span], str]:
    """Return what writes SQL that gives total and bad events, or the amount, with any DuckDB.

    For a request in timeslices these are all events of its span.
    """
    if indicator.amount is not None:
        chosen = f"sum({indicator.amount}) AS spent"
    else:
        event = indicator.event or "true"
        chosen = f"count_if({event}) AS total, count_if({event} AND {indicator.bad}) AS bad"
    used = sorted(indicator.columns | {logs.timestamp.column})
    # No log has a column of the name @.
    rows = f'SELECT *, {logs.timestamp.sql} AS "@" FROM {logs.source.shown(used)} AS rows'
    counted = (
        f"SET TimeZone = {literal(logs.timestamp.zone or 'UTC')}; "
        f"SELECT {chosen} FROM ({rows}) AS rows"
    )
    return lambda span: (
        f'{counted} WHERE "@" > {sql_instant(span.start)} AND "@" <= {sql_instant(span.end)}'
    )
