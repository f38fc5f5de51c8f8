"""Timeslices: which of them a stretch of time has, and how many are bad, together and by step.

Slices hang on the clock, as steps do: each lies between two whole multiples of its length since
1970. A stretch has those that end in it, so that each belongs to exactly one of two neighbours; the
newest, which has not ended yet, to none.
"""

# ruff: noqa: S608 - made of names and numbers only

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from gate.backends.logs.database import Database
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.statement import EPOCH, MICROSECOND, Statement, microseconds
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest, Counts, Unmeasured
from gate.measure.history import clock_start
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from gate.slo.quantities import format_duration


def with_whole_slices(request: CountRequest) -> CountRequest:
    """Return the request with all of the slice in which its span begins: that ends in the span."""
    if request.slices is None:
        return request
    start = clock_start(request.span.start, request.slices.length)
    return replace(request, span=Span(start, request.span.end))


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCut:
    """The slices that end in a span, and the names of their numbers in the groups."""

    slices: Slices
    span: Span
    key: str
    """Which slice, counted from 1970."""
    total: str
    bad: str

    @property
    def numbers(self) -> range:
        """Those that end in the span, counted from 1970."""
        return range(
            (self.span.start - EPOCH) // self.slices.length,
            (self.span.end - EPOCH) // self.slices.length,
        )

    def ending(self, start: datetime, end: datetime) -> int:
        """Return how many slices end after one instant and not after another."""
        length = self.slices.length
        return (end - EPOCH) // length - (start - EPOCH) // length

    def told(self, judged: int, failed: int, slices: int) -> tuple[int, int]:
        """Return how many slices count and how many of them are bad, with the empty ones.

        Args:
            judged: those with an event.
            failed: of these, the bad ones.
            slices: how many there are.
        """
        empty = slices - judged
        return (
            judged if self.slices.empty is EmptySlice.LEFT_OUT else slices,
            failed + (empty if self.slices.empty is EmptySlice.BAD else 0),
        )

    def judged(
        self, database: Database, step: timedelta | None = None
    ) -> Mapping[int, tuple[int, int]]:
        """Return how many slices have an event, and how many of those are bad.

        By step, from 0, in which they end; None: all together, as those of step 0.
        """
        good, parts = self.slices.target.as_integer_ratio()  # compared as whole numbers
        length, place = self.slices.length // MICROSECOND, "0"
        if step is not None:
            since = f"(slice + 1) * {length} - {microseconds(self.span.start) + 1}"
            place = f"({since}) // {step // MICROSECOND}"
        rows = database.query(
            f"SELECT {place}, count(*), count_if((total - bad) * {parts} < {good} * total) "
            f"FROM (SELECT {self.key} AS slice, sum({self.total}) AS total, sum({self.bad}) AS bad "
            f"FROM groups WHERE {self.key} BETWEEN {self.numbers.start} AND {self.numbers.stop - 1}"
            " GROUP BY 1) WHERE total > 0 GROUP BY 1"
        )
        return {int(place): (judged, failed) for place, judged, failed in rows}


def ask_for_slices(
    statement: Statement, span: Span, slices: Slices | None, indicator: LogIndicator
) -> SliceCut | None:
    """Group by slices; None where there are none. The span begins with a slice."""
    if slices is None:
        return None
    return SliceCut(
        slices=slices,
        span=span,
        key=statement.clock_key(slices.length),
        total=statement.sum("count(*)", indicator.event),
        bad=statement.sum("count(*)", indicator.event, indicator.bad),
    )


def in_slices(database: Database, cut: SliceCut | None, answer: Answer) -> Answer:
    """Return the count of slices in the place of a count of events, where slices are wanted."""
    if cut is None or not isinstance(answer, Counts):
        return answer
    length, query = format_duration(cut.slices.length), answer.evidence.query
    slices = len(cut.numbers)
    if not slices:
        reason = f"no slice of {length} ends in the window"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=query)
    judged, failed = cut.judged(database).get(0, (0, 0))
    if not judged:
        reason = f"no slice of {length} that ends in the window has an event"
        return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=query)
    total, bad = cut.told(judged, failed, slices)
    return Counts(total=Fraction(total), bad=Fraction(bad), evidence=answer.evidence)
