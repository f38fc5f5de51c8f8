"""The future of one budget from its history, and how much may still fail."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from gate.analysis.forecast import Affordable, Projection, SloForecast
from gate.budget.assessment import Assessment
from gate.budget.face_value import PRESENT, carried_on
from gate.budget.forecast import PACE, Recovery, affordable_failures
from gate.budget.ratio import budget_to_date, seconds, slices_in
from gate.history.calendar_forecast import (
    LEAST,
    StepEvents,
    at_the_reset,
    carried,
    expected,
    first,
    known_part,
)
from gate.history.events import as_events, whole_steps, window_recovery
from gate.measure import Cause, Unmeasured
from gate.measure.history import Series, SeriesAnswer, SeriesRequest, unknown_share
from gate.policy.tiers import Tier
from gate.slo.objective import RatioSlo, RollingWindow, SpendSlo
from gate.wording import describe_time


def affordable(
    assessment: Assessment, better: Sequence[Tier], *, at: datetime, until: datetime | None
) -> Affordable | None:
    """Return how many failures per hour are possible; None if unknown.

    Args:
        assessment: a measured budget; a rolling one with its recovery.
        better: the tiers above its present one.
        at: the present instant.
        until: the date; None: the reset, or one window from now.
    """
    slo, now = assessment.slo, assessment.compared
    if not isinstance(slo, RatioSlo | SpendSlo) or now is None:
        return None
    share = _share_of_one(slo, assessment.total or Fraction(0), at)
    rolling = isinstance(slo.window, RollingWindow)
    whole = slo.window.whole(at)
    end = at + whole.length if rolling else whole.end
    last = end if until is None else min(until, end)
    future = list(assessment.recovering()) if rolling else [(last, now)]
    if share is None or not any(instant <= last for instant, _ in future):
        return None

    def rate(threshold: Fraction) -> Fraction | None:
        return affordable_failures(future, now, at=at, until=last, threshold=threshold, share=share)

    return Affordable(
        until=last,
        at_reset=not rolling and last == end,
        rate=rate(Fraction(0)),
        back={
            tier.name: rate(tier.condition.threshold)
            for tier in better
            if tier.condition is not None
        },
        what=_what(slo),
    )


def _share_of_one(slo: RatioSlo | SpendSlo, total: Fraction, at: datetime) -> Fraction | None:
    """Return the share of the budget that one more bad event spends; None without any event.

    For a calendar budget by events, the future traffic is assumed to be proportional to the past;
    for one that grows with its events, it is assumed to be zero, so that more is affordable in the
    end.
    """
    if isinstance(slo, SpendSlo):
        return 1 / slo.allowance
    whole, counted = slo.window.whole(at).length, slo.window.counted(at).length
    if slo.slices is not None:
        return 1 / (slo.budget * slices_in(whole, slo.slices.length))
    part = Fraction(1) if budget_to_date(slo) else seconds(counted) / seconds(whole)
    return part / (slo.budget * total) if total else None


def _what(slo: RatioSlo | SpendSlo) -> str:
    if isinstance(slo, SpendSlo):
        return slo.unit or "units"
    return "failures" if slo.slices is None else "bad slices"


class SloPast(NamedTuple):
    """The request for an SLO's history, and its answer."""

    request: SeriesRequest
    answer: SeriesAnswer


RATES: Final = (PRESENT, timedelta(hours=6), timedelta(days=3), PACE)
"""The windows before now whose burn rates are extrapolated."""
_ALLOWANCE: Final = "spend is projected at these rates only, without an interval"


def rolling_projections(
    forecast: SloForecast,
    slo: RatioSlo | SpendSlo,
    history: SloPast,
    better: Sequence[Tier],
    at: datetime,
) -> SloForecast:
    """Return the projections of a rolling budget.

    ``better`` are the tiers above the budget's present one, the best first.
    """
    request, answer = history
    if isinstance(answer, Unmeasured):
        return replace(forecast, unmeasured=answer)
    projected = replace(forecast, unknown=_unknown(answer), notes=(*forecast.notes, *answer.notes))
    assessment, window, step = forecast.assessment, slo.window.whole(at).length, request.step
    coming = window_recovery(slo, assessment, answer, request)
    if coming is None and assessment.consumed:
        reason = "the history has none of the failures that were counted over the window"
        return replace(projected, unmeasured=Unmeasured(cause=Cause.NO_DATA, reason=reason))
    calm = Recovery(at=at, step=step, left=(Fraction(),) * (window // step))
    assessment = replace(assessment, recovery=coming or calm)
    projections = tuple(
        _back(assessment, better, rate_of, burn, window=window, at=at)
        for rate_of, burn in _rates(assessment)
    )
    return replace(projected, assessment=assessment, projections=projections)


def calendar_projections(
    forecast: SloForecast, history: SloPast, slo: RatioSlo | SpendSlo, at: datetime
) -> SloForecast:
    """Return the projections of a calendar budget, from the history before now."""
    assessment, (request, answer) = forecast.assessment, history
    projected = replace(forecast, projections=tuple(_to_the_reset(slo, assessment, at)))
    if isinstance(answer, Unmeasured):
        return replace(projected, unmeasured=answer)
    whole, _ = whole_steps(as_events(slo, answer, request), request)
    series = known_part(whole)
    projected = replace(
        projected, unknown=_unknown(series), notes=(*projected.notes, *answer.notes)
    )
    if isinstance(slo, SpendSlo):
        return replace(projected, limitation=_ALLOWANCE)
    if slo.window.whole(at).end == at:  # a closing window at its end
        return replace(projected, limitation="the period is over")
    length = len(series.total) * request.step
    if length < LEAST:
        has, needs = describe_time(length), describe_time(LEAST)
        return replace(
            projected, limitation=f"only {has} of history are known; an interval needs {needs}"
        )
    total = assessment.total or 0
    if slo.slices is not None:
        total = slices_in(slo.window.counted(at).length, slo.slices.length)
    so_far = StepEvents(total=float(total), bad=float(assessment.bad or 0))
    return replace(projected, expected=expected(slo, so_far, series, request.step, at))


def _rates(assessment: Assessment) -> Iterator[tuple[timedelta | None, Fraction]]:
    yield None, Fraction(0)
    for window in RATES:
        burn = assessment.burn_rates.get(window)
        if isinstance(burn, Fraction):
            yield window, burn


def _back(
    assessment: Assessment,
    better: Sequence[Tier],
    rate_of: timedelta | None,
    burn: Fraction,
    *,
    window: timedelta,
    at: datetime,
) -> Projection:
    future = tuple(carried(assessment.recovering(), at=at, window=window, burn=burn))

    def reaches(place: int) -> datetime | None:
        return first(future, lambda left: any(tier.holds(left) for tier in better[: place + 1]))

    gone = (assessment.compared or 0) <= 0
    return Projection(
        rate_of=rate_of,
        burn=burn,
        exhausted_at=None if gone else first(future, lambda left: left <= 0),
        back={tier.name: reaches(place) for place, tier in enumerate(better)},
    )


def _to_the_reset(
    slo: RatioSlo | SpendSlo, assessment: Assessment, at: datetime
) -> Iterator[Projection]:
    consumed = assessment.consumed or Fraction(0)
    for rate_of, burn in _rates(assessment):
        end = carried_on(slo, at, 1 - consumed, burn)
        yield Projection(
            rate_of=rate_of,
            burn=burn,
            exhausted_at=None if end.lasts_until_reset else end.exhausted_at,
            left_at_reset=at_the_reset(slo, at, consumed, burn),
        )


def _unknown(series: Series) -> Fraction:
    return unknown_share(sum(total is not None for total in series.total), len(series.total))
