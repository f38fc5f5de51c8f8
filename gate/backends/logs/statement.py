"""The one statement that counts for all requests of a run in a single scan."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gate.backends.logs.database import identifier
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.source import Source
from gate.backends.logs.timestamps import Timestamp, instant
from gate.slo.window import Span

_BUCKETS = 720
_SHORTEST = timedelta(minutes=5)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Logs:
    """What is read: a table and its timestamp column."""

    source: Source
    timestamp: Timestamp
    zone: str | None
    """The session's time zone; None: UTC, and timestamps must carry their own."""


@dataclass(slots=True)
class Statement:
    """Aggregates over the rows of one stretch of time; equal ones are computed once."""

    logs: Logs
    span: Span
    """The widest of the requests'."""
    aggregates: dict[str, int] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    columns: set[str] = field(default_factory=set)

    def aggregate(self, sql: str) -> int:
        """Ask for an aggregate; returns its place in the result."""
        return self.aggregates.setdefault(sql, len(self.aggregates))

    def value(self, sql: str) -> str:
        """Compute an expression once per row; returns the name of its result."""
        return f"_{self.values.setdefault(sql, len(self.values))}"

    def count(self, span: Span, *conditions: str | None) -> int:
        """Ask for the number of rows in the span for which all conditions hold; None: no matter."""
        parts = [] if self.covers_no_more_than(span) else [in_span(span)]
        parts += [self.value(condition) for condition in conditions if condition is not None]
        return self.aggregate(f"count(*) FILTER (WHERE {' AND '.join(parts) or 'true'})")

    def covers_no_more_than(self, span: Span) -> bool:
        """Return whether every row that is read is in the span for certain."""
        return span == self.span and self.logs.timestamp.plain

    def use(self, indicator: Indicator) -> None:
        """Read the indicator's columns."""
        self.columns |= indicator.columns

    def rows(self, *, numbered: bool = False) -> str:
        """Return the FROM part: the instant ``_at`` and the values of each row of the span."""
        used = sorted(self.columns | {self.logs.timestamp.column})
        parts = [f"{self.logs.timestamp.sql} AS _at"]
        parts += ["file_index AS _file"] if numbered else []
        parts += [f"{sql} AS _{place}" for sql, place in self.values.items()]
        within = in_span(self.span)
        if not self.logs.timestamp.plain:
            within = f"({within}) OR _at IS NULL"  # those are counted, and refused
        relation = self.logs.source.relation(used)
        return f"(SELECT {', '.join(parts)} FROM {relation} AS rows) WHERE {within}"

    def sql(self, *, numbered: bool = False) -> str:
        """Return the whole statement; its result is one row."""
        return f"SELECT {', '.join(self.aggregates)} FROM {self.rows(numbered=numbered)}"

    def undated(self) -> int:
        """Ask how many rows have no instant that can be read."""
        if not self.logs.timestamp.plain:
            return self.aggregate("count(*) FILTER (WHERE _at IS NULL)")
        # Apart, so that the main scan can skip by the timestamp's statistics; and this one too:
        # a Parquet file knows which of its parts hold a NULL.
        column = identifier(self.logs.timestamp.column)
        relation = self.logs.source.relation([self.logs.timestamp.column])
        return self.aggregate(f"(SELECT count(*) FROM {relation} WHERE {column} IS NULL)")


def in_span(span: Span) -> str:
    """Return the condition that a row's instant is in the span: start left out, end included."""
    return f"_at > {instant(span.start)} AND _at <= {instant(span.end)}"


def covered(span: Span) -> tuple[str, int]:
    """Return the aggregate that counts the span's equal parts with a row, and how many there are.

    720 parts, or as many as are at least five minutes long.
    """
    parts = max(1, min(_BUCKETS, span.length // _SHORTEST))
    # No part is empty for want of whole microseconds: five minutes hold enough of them.
    width = max(1, -(-(span.length // _MICROSECOND) // parts))
    first = microseconds(span.start) + 1
    return (
        f"bit_count(bitstring_agg((epoch_us(_at) - {first}) // {width}, 0, {parts - 1}) "
        f"FILTER (WHERE {in_span(span)}))",
        parts,
    )


def microseconds(moment: datetime) -> int:
    """Return the Unix time in microseconds, exactly."""
    return (moment - datetime.fromisoformat("1970-01-01T00:00:00+00:00")) // _MICROSECOND


def widest(spans: Sequence[Span]) -> Span:
    """Return the span from the first start to the last end."""
    return Span(min(span.start for span in spans), max(span.end for span in spans))
