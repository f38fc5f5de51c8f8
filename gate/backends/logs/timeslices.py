"""Timeslices: the span cut in equal parts, aligned to 1970-01-01T00:00Z; one grouped scan each."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from gate.backends.logs.database import Database, Row
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.statement import Logs, Statement, widest
from gate.slo.duration import format_duration
from gate.slo.measurement import (
    Answer,
    Cause,
    CountRequest,
    Counts,
    EmptySlice,
    Slices,
    Unmeasured,
)
from gate.slo.window import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """A request whose events were counted, and the slices of its span."""

    place: int
    indicator: Indicator
    slices: Slices
    events: Counts
    span: Span
    """From the first whole slice's start to the last one's end."""


def count_slices(
    database: Database,
    logs: Logs,
    wanted: Sequence[tuple[CountRequest, Indicator]],
    answers: list[Answer],
) -> list[Answer]:
    """Replace the counts of events by counts of slices, where slices are wanted.

    Slices, like spans, leave their start out and include their end. Only those wholly inside the
    span count: half a slice could be bad or good for want of the other half.
    """
    answers = list(answers)
    lengths: dict[timedelta, list[_Cut]] = {}
    for place, ((request, indicator), answer) in enumerate(zip(wanted, answers, strict=True)):
        if request.slices is not None and isinstance(answer, Counts):
            span = whole_slices(request.span, request.slices.length)
            cut = _Cut(
                place=place, indicator=indicator, slices=request.slices, events=answer, span=span
            )
            lengths.setdefault(request.slices.length, []).append(cut)
    for length, cuts in lengths.items():
        for cut, counted in zip(cuts, _count(database, logs, length, cuts), strict=True):
            answers[cut.place] = counted
    return answers


def whole_slices(span: Span, length: timedelta) -> Span:
    """Return the part of the span that whole slices fill; empty where none fits."""
    start = -((_EPOCH - span.start) // length)
    end = (span.end - _EPOCH) // length
    return Span(_EPOCH + start * length, _EPOCH + max(start, end) * length)


def _count(database: Database, logs: Logs, length: timedelta, cuts: list[_Cut]) -> list[Answer]:
    statement = Statement(logs, widest([cut.span for cut in cuts]))
    places = [_ask(statement, cut) for cut in cuts]
    width = length // _MICROSECOND
    rows = database.query(
        f"SELECT {', '.join(statement.aggregates)} FROM {statement.rows()} "
        f"GROUP BY (epoch_us(_at) - 1) // {width}"
    )
    return [_answer(cut, rows, *place) for cut, place in zip(cuts, places, strict=True)]


def _ask(statement: Statement, cut: _Cut) -> tuple[int, int]:
    statement.use(cut.indicator)
    event, bad = cut.indicator.event, cut.indicator.bad
    return statement.count(cut.span, event), statement.count(cut.span, event, bad)


def _answer(cut: _Cut, rows: list[Row], total: int, bad: int) -> Answer:
    target, length = cut.slices.target, format_duration(cut.slices.length)
    query = cut.events.evidence.query
    every = cut.span.length // cut.slices.length
    if not every:
        reason = f"no whole slice of {length} fits into the window"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=query)
    judged = [(row[total], row[bad]) for row in rows if row[total]]
    if not judged:
        reason = f"no whole slice of {length} has an event"
        return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=query)
    # good / total < target, in whole numbers
    failed = sum((n - e) * target.denominator < target.numerator * n for n, e in judged)
    empty = every - len(judged)
    return Counts(
        total=Fraction(every if cut.slices.empty is not EmptySlice.LEFT_OUT else len(judged)),
        bad=Fraction(failed + (empty if cut.slices.empty is EmptySlice.BAD else 0)),
        evidence=cut.events.evidence,
    )
