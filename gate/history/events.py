"""The events of an SLO's history: the requests to a backend, and the series in events.

Events are counted as they are. For timeslices each slice is an event, and for an allowance the
amount spent is bad, out of the amount that it grants for the time; so the same formulas for burn
rate, incidents and remaining budget hold for all of them.
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
    """Return whether an SLO has a history; for a composite its members have one."""
    return isinstance(slo, (RatioSlo, SpendSlo))


def past_request(
    slo: RatioSlo | SpendSlo,
    span: Span,
    step: timedelta,
    *,
    max_age: timedelta,
    mean: bool = False,
) -> SeriesRequest:
    """Return the history request for an SLO.

    Args:
        slo: an SLO with a budget of its own.
        span: the time of interest; the whole step that contains its start is requested.
        step: the length of a step; for timeslices it is a whole number of slices.
        max_age: the maximum age of the newest sample.
        mean: whether the mean of its measured values is wanted, if it measures any.
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
    """Return the share of events that may be bad; for an allowance 1, as `as_events` counts."""
    return slo.budget if isinstance(slo, RatioSlo) else Fraction(1)


def as_events(slo: RatioSlo | SpendSlo, series: Series, request: SeriesRequest) -> Series:
    """Return a series whose total has `budget_share` as its bad share at most.

    For timeslices the total is the number of slices that end in each step, with those without
    events: the budget grants a share of them all. For an allowance it is the amount granted for
    each step, evenly distributed.
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
    """Return a history without its newest step if that is incomplete.

    This is for comparisons of steps, since an incomplete step has fewer events.
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
    """Return the known events of the steps that overlap a stretch of time."""
    first = max((span.start - request.span.start) // request.step, 0)
    return series.total[first : -((request.span.start - span.end) // request.step)]


def told_until(series: Series, request: SeriesRequest) -> datetime:
    """Return the end of a history, without an incomplete step that is unknown."""
    in_part = bool(request.span.length % request.step)
    return request.end_of(request.steps - 1 - (in_part and series.total[-1] is None))


def known_in(answer: SeriesAnswer, request: SeriesRequest, span: Span) -> SeriesAnswer:
    """Return the answer, or the reason if a whole stretch of time is unknown."""
    if isinstance(answer, Series):
        totals = within(answer, request, Span(span.start, told_until(answer, request)))
        if totals and all(total is None for total in totals):
            reason = "there is no data for any step of the examined time"
            return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=answer.query)
    return answer


def silence_by_chance(slo: RatioSlo | SpendSlo, *, in_runs: bool) -> bool:
    """Return whether a time without events may be chance, because few events are usual.

    Not of slices, amounts and runs: their numbers only show that data exist, so that any time
    without known data is missing.
    """
    return counts_events(slo) and not in_runs


def covered_by_steps(
    slo: RatioSlo | SpendSlo, totals: Sequence[float | None], span: Span, *, in_runs: bool
) -> StepCoverage:
    """Return the known share of a span, and its unknown parts.

    Args:
        slo: the SLO of the history.
        totals: the totals of each of the equal parts of the span, at least one.
        span: the span of the parts.
        in_runs: as in a `Series`.
    """
    by_chance = silence_by_chance(slo, in_runs=in_runs)
    present = with_data(totals, in_runs=not by_chance)
    return coverage_by_steps(present, span, fewest=FEWEST if by_chance else 0)


def past_coverage(
    slo: RatioSlo | SpendSlo, series: Series, request: SeriesRequest, span: Span
) -> StepCoverage:
    """Return the known share of a stretch of time at the end of a history.

    For slices and amounts any unknown time is missing, however short. The newest step may still be
    unknown if it is incomplete.
    """
    totals = within(series, request, Span(span.start, told_until(series, request)))
    if not totals:
        return StepCoverage(share=Fraction(1), gaps=NO_GAPS)
    return covered_by_steps(slo, totals, span, in_runs=series.in_runs)


def window_recovery(
    slo: RatioSlo | SpendSlo, assessment: Assessment, series: Series, request: SeriesRequest
) -> Recovery | None:
    """Return how the consumption of a rolling budget leaves its window; None: unknown.

    Args:
        slo: the SLO of the budget.
        assessment: the budget at the end of the history.
        series: the answer to a `past_request` for its window.
        request: the request of the series. Its first step may begin before the window; only what is
            left of the budget's own bad events, beside the other steps', is in the window still.
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
    """Return the length of each step: the newest may be incomplete."""
    ends = [request.end_of(place) for place in range(-1, request.steps)]
    return [end - start for start, end in pairwise(ends)]
