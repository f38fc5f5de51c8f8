"""Timeslices: which of them a stretch of time has, and how many are bad, together and by step.

Slices hang on the clock, as steps do: each lies between two whole multiples of its length since
1970. A stretch has those that end in it, so that each belongs to exactly one of two neighbours; the
newest, which has not ended yet, to none.
"""

# ruff: noqa: S608 - made of names and numbers only

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import accumulate
from typing import Final

from gate.backends.logs.database import Database
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.statement import Statement
from gate.backends.logs.timestamps import EPOCH, MICROSECOND, microseconds
from gate.backends.sql.engine import Row
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest, Counts, Unmeasured
from gate.measure.history import clock_start
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from gate.slo.quantities import format_duration

_FEW: Final = 32
"""Bounds of spans with which every slice is compared; among more of them slices stay apart."""


def with_whole_slices(request: CountRequest) -> CountRequest:
    """Return the request with all of the slice in which its span begins: that ends in the span."""
    if request.slices is None:
        return request
    start = clock_start(request.span.start, request.slices.length)
    return replace(request, span=Span(start, request.span.end))


class SliceCounts:
    """Which slices have an event, and which of those are bad."""

    def __init__(self, slices: Slices, rows: Sequence[Row]) -> None:
        """Take slices put together, such that no stretch that is asked about cuts through them.

        Args:
            slices: what they are, and what those without an event count as.
            rows: the number of the newest slice, counted from 1970, how many have an event, and how
                many of these are bad.
        """
        self._slices = slices
        numbers, judged, failed = zip(*sorted(rows), strict=True) if rows else ((), (), ())
        self._numbers: Sequence[int] = numbers
        self._judged, self._failed = (list(accumulate(c, initial=0)) for c in (judged, failed))

    def judged(self, span: Span) -> tuple[int, int]:
        """Return how many slices that end in a span have an event, and how many of them are bad."""
        numbers = numbers_in(span, self._slices)
        first = bisect_left(self._numbers, numbers.start)
        stop = bisect_left(self._numbers, numbers.stop)
        judged, failed = (sums[stop] - sums[first] for sums in (self._judged, self._failed))
        return judged, failed

    def counted(self, span: Span) -> tuple[int, int]:
        """Return how many slices count that end in a span, and how many of them are bad."""
        (judged, failed), slices = self.judged(span), len(numbers_in(span, self._slices))
        return (
            judged if self._slices.empty is EmptySlice.LEFT_OUT else slices,
            failed + (slices - judged if self._slices.empty is EmptySlice.BAD else 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceColumns:
    """The slices of an indicator, and the names of their numbers in the groups."""

    slices: Slices
    key: str
    """Which slice, counted from 1970."""
    total: str
    bad: str

    def count(self, database: Database, spans: Iterable[Span]) -> SliceCounts:
        """Count slices, such that each of the spans can be asked about."""
        numbers = [numbers_in(span, self.slices) for span in spans]
        bounds = sorted({bound for some in numbers for bound in (some.start, some.stop)})
        passed = " + ".join(f"(slice >= {bound})::INTEGER" for bound in bounds)
        return self._count(
            database, passed if len(bounds) <= _FEW else "slice", bounds[0], bounds[-1]
        )

    def by_step(self, database: Database, span: Span, step: timedelta) -> SliceCounts:
        """Count slices, such that each step of a span can be asked about."""
        ends = f"(slice + 1) * {self.slices.length // MICROSECOND}"
        place = f"({ends} - {microseconds(span.start) + 1}) // {step // MICROSECOND}"
        numbers = numbers_in(span, self.slices)
        return self._count(database, place, numbers.start, numbers.stop)

    def _count(self, database: Database, place: str, start: int, stop: int) -> SliceCounts:
        good, parts = self.slices.target.as_integer_ratio()  # compared as whole numbers
        rows = database.query(
            "SELECT max(slice), count(*), "
            f"count_if((total - bad) * {parts} < {good} * total)::BIGINT "
            f"FROM (SELECT {self.key} AS slice, sum({self.total}) AS total, sum({self.bad}) AS bad "
            f"FROM groups WHERE {self.key} BETWEEN {start} AND {stop - 1} GROUP BY 1) "
            f"WHERE total > 0 GROUP BY {place}"
        )
        return SliceCounts(self.slices, rows)


def numbers_in(span: Span, slices: Slices) -> range:
    """Return which slices end in a span, counted from 1970."""
    start, stop = ((bound - EPOCH) // slices.length for bound in (span.start, span.end))
    return range(start, stop)


def ask_for_slices(statement: Statement, slices: Slices, indicator: LogIndicator) -> SliceColumns:
    """Group by slices."""
    return SliceColumns(
        slices=slices,
        key=statement.clock_key(slices.length),
        total=statement.sum("count(*)", indicator.event),
        bad=statement.sum("count(*)", indicator.event, indicator.bad),
    )


def in_slices(answer: Counts, request: CountRequest, slices: Slices, counts: SliceCounts) -> Answer:
    """Return the count of slices in the place of a count of events."""
    length, query = format_duration(slices.length), answer.evidence.query
    if not numbers_in(request.span, slices):
        reason = f"no slice of {length} ends in the window"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=query)
    if not counts.judged(request.span)[0]:
        reason = f"no slice of {length} that ends in the window has an event"
        return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=query)
    total, bad = counts.counted(request.span)
    return Counts(total=Fraction(total), bad=Fraction(bad), evidence=answer.evidence)
