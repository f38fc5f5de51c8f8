"""The past of anything that has a budget: what is asked of a history, and what it comes to.

Events are told as they are. Of timeslices the slices are the events, and of an allowance the amount
that was spent is what is bad, out of what it grants for the time; so that one mathematics tells of
all of them how fast the budget burned, what an incident took and what was left.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final, TypeGuard

from gate.budget.assessment import Assessment
from gate.budget.forecast import Recovery, recovery
from gate.measure import Cause, Unmeasured
from gate.measure.coverage import FEWEST, NO_GAPS, StepCoverage, coverage_by_steps
from gate.measure.history import (
    Measured,
    Series,
    SeriesAnswer,
    SeriesRequest,
    on_the_clock,
    with_data,
)
from gate.slo.objective import RatioSlo, Slo, Span, SpendSlo, counts_events

_FINEST: Final = timedelta(microseconds=1)


def keeps_past(slo: Slo) -> TypeGuard[RatioSlo | SpendSlo]:
    """Return whether a history can be asked about an SLO; of a composite its members are asked."""
    return isinstance(slo, (RatioSlo, SpendSlo))


def past_request(
    slo: RatioSlo | SpendSlo,
    span: Span,
    step: timedelta,
    *,
    max_age: timedelta,
    mean: bool = False,
) -> SeriesRequest:
    """Return what to ask of a history about an SLO.

    Args:
        slo: whatever has a budget of its own.
        span: the time of interest; what lies in the step that it begins in is asked for, too.
        step: how finely; of timeslices at least one slice, and a whole number of them.
        max_age: how old the newest sample may be.
        mean: whether the mean of what it measures is wanted, where it measures anything.
    """
    slices = slo.slices if isinstance(slo, RatioSlo) else None
    if slices is not None:
        step = -(-step // slices.length) * slices.length
    return SeriesRequest(
        sli=slo.sli,
        span=on_the_clock(span, step),
        step=step,
        mean=mean and slices is None and isinstance(slo, RatioSlo),
        slices=slices,
        amount=isinstance(slo, SpendSlo),
        max_age=max_age,
    )


def budget_share(slo: RatioSlo | SpendSlo) -> Fraction:
    """Return the share of the events that may be bad; of an allowance, told by `as_events`, all."""
    return slo.budget if isinstance(slo, RatioSlo) else Fraction(1)


def as_events(slo: RatioSlo | SpendSlo, series: Series, request: SeriesRequest) -> Series:
    """Return a series whose total is what `budget_share` is a share of.

    Of timeslices that is how many end in each step, those without events too: the budget grants a
    share of them all. Of an allowance it is what that grants for each step, at an even pace.
    """
    if isinstance(slo, SpendSlo):
        whole = slo.window.whole(request.span.end).length
        each = slo.allowance / (whole // _FINEST)
        granted = [float(each * (length // _FINEST)) for length in _lengths(request)]
    elif slo.slices is not None:
        granted = [float(length // slo.slices.length) for length in _lengths(request)]
    else:
        return series
    return replace(
        series,
        total=tuple(
            None if total is None else grant
            for total, grant in zip(series.total, granted, strict=True)
        ),
    )


def whole_steps(series: Series, request: SeriesRequest) -> tuple[Series, SeriesRequest]:
    """Return a history without its newest step, where that is only a part of one.

    For what compares steps with each other: less happens in a part of one.
    """
    steps = request.span.length // request.step
    if steps == request.steps:
        return series, request
    measured = series.measured
    if isinstance(measured, Measured):
        measured = Measured(sums=measured.sums[:steps], events=measured.events[:steps])
    span = Span(request.span.start, request.span.start + steps * request.step)
    return (
        replace(series, total=series.total[:steps], bad=series.bad[:steps], measured=measured),
        replace(request, span=span),
    )


def within(series: Series, request: SeriesRequest, span: Span) -> tuple[float | None, ...]:
    """Return the events of the steps that have time in common with a stretch, as far as known."""
    first = max((span.start - request.span.start) // request.step, 0)
    return series.total[first : -((request.span.start - span.end) // request.step)]


def told_until(series: Series, request: SeriesRequest) -> datetime:
    """Return the end of a history, without a part of a step of which nothing is known yet."""
    in_part = bool(request.span.length % request.step)
    return request.end_of(request.steps - 1 - (in_part and series.total[-1] is None))


def known_in(answer: SeriesAnswer, request: SeriesRequest, span: Span) -> SeriesAnswer:
    """Return the answer; one of which nothing is known in a stretch of time is none."""
    if isinstance(answer, Series):
        totals = within(answer, request, Span(span.start, told_until(answer, request)))
        if totals and all(total is None for total in totals):
            reason = "there is no data for any step of the time looked at"
            return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=answer.query)
    return answer


def silence_by_chance(slo: RatioSlo | SpendSlo, *, in_runs: bool) -> bool:
    """Return whether a time without events may be chance, where few are usual.

    Not of slices, amounts and runs: their numbers say only that there are data, so that any time of
    which nothing is known is missing.
    """
    return counts_events(slo) and not in_runs


def covered_by_steps(
    slo: RatioSlo | SpendSlo, totals: Sequence[float | None], span: Span, *, in_runs: bool
) -> StepCoverage:
    """Return how much of a span is known, and where nothing is.

    Args:
        slo: whose history it is.
        totals: of each of the equal parts of the span, at least one.
        span: what they are parts of.
        in_runs: as of a `Series`.
    """
    by_chance = silence_by_chance(slo, in_runs=in_runs)
    present = with_data(totals, in_runs=not by_chance)
    return coverage_by_steps(present, span, fewest=FEWEST if by_chance else 0)


def past_coverage(
    slo: RatioSlo | SpendSlo, series: Series, request: SeriesRequest, span: Span
) -> StepCoverage:
    """Return how much of a stretch of time at the end of a history is known.

    Of slices and amounts any time that is not known is missing, however few of them it has. Of the
    newest step, where that is only a part of one, nothing need be known yet.
    """
    totals = within(series, request, Span(span.start, told_until(series, request)))
    if not totals:
        return StepCoverage(share=Fraction(1), gaps=NO_GAPS)
    return covered_by_steps(slo, totals, span, in_runs=series.in_runs)


def window_recovery(
    slo: RatioSlo | SpendSlo, assessment: Assessment, series: Series, request: SeriesRequest
) -> Recovery | None:
    """Return how what was consumed of a rolling budget leaves its window; None: nothing is known.

    Args:
        slo: whose budget.
        assessment: the budget at the end of the history.
        series: the answer to a `past_request` for its window.
        request: what was asked. Its first step may begin before the window; only what is left of
            the budget's own bad events, beside the other steps', is in the window still.
    """
    first = series.bad[0]
    counted = assessment.spent if isinstance(slo, SpendSlo) else assessment.bad
    start = slo.window.counted(request.span.end).start
    if first and counted is not None and request.span.start < start:
        rest = float(counted) - sum(bad or 0.0 for bad in series.bad[1:])
        series = replace(series, bad=(min(max(rest, 0.0), first), *series.bad[1:]))
    leaves = slo.window.whole(request.span.end).length
    return recovery(series, request.span.start + leaves, request.step)


def _lengths(request: SeriesRequest) -> list[timedelta]:
    """Return how long each step is: the newest may be a part of one."""
    ends = [request.end_of(place) for place in range(-1, request.steps)]
    return [end - start for start, end in pairwise(ends)]
