"""Timeslices: the slices of a stretch of time, and how many are bad, together and by step.

Slices are multiples on the clock, as steps are: each lies between two whole multiples of its length
since 1970. A stretch has the slices that end in it, so that each belongs to exactly one of two
neighbours; the newest one, which has not ended yet, belongs to none.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

from gate.backends.sql.groups import Groups
from gate.backends.sql.rows import SqlIndicator
from gate.backends.sql.statement import Statement
from gate.backends.sql.times import EPOCH, MICROSECOND
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest, Counts, Unmeasured
from gate.measure.history import clock_start
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from gate.slo.quantities import format_duration


def with_whole_slices(request: CountRequest) -> CountRequest:
    """Return the request with the whole slice that contains its start and ends in the span."""
    if request.slices is None:
        return request
    start = clock_start(request.span.start, request.slices.length)
    return replace(request, span=Span(start, request.span.end))


class SliceCounts:
    """The slices with an event, and the bad ones among them."""

    def __init__(self, slices: Slices, rows: Sequence[tuple[int, int, int]]) -> None:
        """Take the slices.

        Args:
            slices: their definition, and how slices without an event count.
            rows: for each the number since 1970, the events, and the bad ones among them.
        """
        self.slices = slices
        good, parts = slices.target.as_integer_ratio()  # compared as whole numbers
        there = sorted(row for row in rows if row[1])
        self._numbers: Sequence[int] = [number for number, _, _ in there]
        failed = ((total - bad) * parts < good * total for _, total, bad in there)
        self._failed = list(accumulate(failed, initial=0))

    def judged(self, span: Span) -> tuple[int, int]:
        """Return how many slices that end in a span have an event, and how many of them are bad."""
        numbers = numbers_in(span, self.slices)
        first = bisect_left(self._numbers, numbers.start)
        stop = bisect_left(self._numbers, numbers.stop)
        return stop - first, self._failed[stop] - self._failed[first]

    def counted(self, span: Span) -> tuple[int, int]:
        """Return how many slices that end in a span count, and how many of them are bad."""
        (judged, failed), slices = self.judged(span), len(numbers_in(span, self.slices))
        return (
            judged if self.slices.empty is EmptySlice.LEFT_OUT else slices,
            failed + (slices - judged if self.slices.empty is EmptySlice.BAD else 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceColumns:
    """The slices of an indicator, and the names of their numbers in the groups."""

    slices: Slices
    newest: str
    """The newest row of a group, which determines the slice."""
    total: str
    bad: str

    def count(self, groups: Groups) -> SliceCounts:
        """Count slices, each of which has groups of its own in the scan."""
        length = self.slices.length // MICROSECOND
        places = [None if m is None else (m - 1) // length for m in groups[self.newest]]
        by_slice = groups.by(places, [self.total, self.bad])
        return SliceCounts(
            self.slices, [(number, total, bad) for number, (total, bad) in by_slice.items()]
        )


def numbers_in(span: Span, slices: Slices) -> range:
    """Return the slices that end in a span, numbered from 1970."""
    start, stop = ((bound - EPOCH) // slices.length for bound in (span.start, span.end))
    return range(start, stop)


def ask_for_slices(
    statement: Statement, slices: Slices, indicator: SqlIndicator, time: Span
) -> SliceColumns:
    """Group by slices.

    Args:
        statement: the statement.
        slices: the slices.
        indicator: the indicator that judges them.
        time: the time of the slices; it begins with one.
    """
    statement.step_key(time, slices.length)
    return SliceColumns(
        slices=slices,
        newest=statement.newest(),
        total=statement.count(indicator.event),
        bad=statement.count(indicator.event, indicator.bad),
    )


def in_slices(answer: Counts, request: CountRequest, slices: Slices, counts: SliceCounts) -> Answer:
    """Return the count of slices in place of a count of events."""
    length, query = format_duration(slices.length), answer.evidence.query
    if not numbers_in(request.span, slices):
        reason = f"no slice of {length} ends in the window"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=query)
    if not counts.judged(request.span)[0]:
        reason = f"no slice of {length} that ends in the window has an event"
        return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=query)
    total, bad = counts.counted(request.span)
    return Counts(total=Fraction(total), bad=Fraction(bad), evidence=answer.evidence)
