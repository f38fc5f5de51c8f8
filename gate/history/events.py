"""The past of anything that has a budget: what is asked of a history, and what it comes to.

Events are told as they are. Of timeslices the slices are the events, and of an allowance the amount
that was spent is what is bad, out of what it grants for the time; so that one mathematics tells of
all of them how fast the budget burned, what an incident took and what was left.
"""

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final, TypeGuard

from gate.measure.history import Series, SeriesRequest, on_the_clock
from gate.slo.objective import RatioSlo, Slo, Span, SpendSlo

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

    Of an allowance that is what it grants for each step, at an even pace over its window.
    """
    if isinstance(slo, RatioSlo):
        return series
    whole = slo.window.whole(request.span.end).length
    granted = [
        float(slo.allowance * (length // _FINEST) / (whole // _FINEST))
        for length in _lengths(request)
    ]
    return Series(
        total=tuple(
            None if amount is None else share
            for amount, share in zip(series.total, granted, strict=True)
        ),
        bad=series.bad,
        query=series.query,
        notes=series.notes,
    )


def _lengths(request: SeriesRequest) -> list[timedelta]:
    """Return how long each step is: the newest may be a part of one."""
    ends = [request.end_of(place) for place in range(-1, request.steps)]
    return [end - start for start, end in pairwise(ends)]
