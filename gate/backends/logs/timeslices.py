"""Timeslices: the span cut in equal parts, aligned to 1970-01-01T00:00Z."""

# ruff: noqa: S608 - made of names and numbers only

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gate.backends.logs.database import Database
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.statement import EPOCH, MICROSECOND, Statement
from gate.measure.counts import Answer, Cause, CountRequest, Counts, Unmeasured
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.quantities import format_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCut:
    """A request in timeslices, and the names of its numbers in the groups.

    Slices, like spans, leave their start out and include their end. Only those wholly inside the
    span count: half a slice could be bad or good for want of the other half.
    """

    slices: Slices
    first: int
    """The first whole slice, counted from 1970."""
    count: int
    """How many there are."""
    key: str
    total: str
    bad: str


def ask_for_slices(
    statement: Statement, request: CountRequest, indicator: LogIndicator
) -> SliceCut | None:
    """Group by the request's slices; None when it has none."""
    if request.slices is None:
        return None
    span, length = request.span, request.slices.length
    first = -((EPOCH - span.start) // length)
    oldest = (statement.starts[0] - EPOCH) // length - 1
    return SliceCut(
        slices=request.slices,
        first=first,
        count=max(0, (span.end - EPOCH) // length - first),
        key=statement.key(f"greatest({oldest}, (epoch_us(_at) - 1) // {length // MICROSECOND})"),
        total=statement.sum("count(*)", indicator.event),
        bad=statement.sum("count(*)", indicator.event, indicator.bad),
    )


def count_slices(
    database: Database, cuts: Sequence[SliceCut | None], answers: Sequence[Answer]
) -> list[Answer]:
    """Replace the counts of events by counts of slices, where slices are wanted."""
    return [
        _sliced(database, cut, answer) if cut and isinstance(answer, Counts) else answer
        for cut, answer in zip(cuts, answers, strict=True)
    ]


def _sliced(database: Database, cut: SliceCut, events: Counts) -> Answer:
    length, query = format_duration(cut.slices.length), events.evidence.query
    if not cut.count:
        reason = f"no whole slice of {length} fits into the window"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=query)
    judged, failed = _judged(database, cut)
    if not judged:
        reason = f"no whole slice of {length} has an event"
        return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=query)
    empty = cut.count - judged
    return Counts(
        total=Fraction(judged if cut.slices.empty is EmptySlice.LEFT_OUT else cut.count),
        bad=Fraction(failed + (empty if cut.slices.empty is EmptySlice.BAD else 0)),
        evidence=events.evidence,
    )


def _judged(database: Database, cut: SliceCut) -> tuple[int, int]:
    """Return how many slices have an event, and how many of those are bad."""
    good, parts = cut.slices.target.as_integer_ratio()  # compared as whole numbers
    ((judged, failed),) = database.query(
        f"SELECT count(*), count_if((total - bad) * {parts} < {good} * total) "
        f"FROM (SELECT sum({cut.total}) AS total, sum({cut.bad}) AS bad FROM groups "
        f"WHERE {cut.key} BETWEEN {cut.first} AND {cut.first + cut.count - 1} "
        f"GROUP BY {cut.key}) WHERE total > 0"
    )
    return judged, failed
