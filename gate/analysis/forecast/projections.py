"""What becomes of one SLO's budget: from its history and the rates at which it burns."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.analysis.forecast.result import Course, SloForecast
from gate.budget.assess import PRESENT, carried_on
from gate.budget.assessment import Assessment
from gate.budget.forecast import Recovery, recovery
from gate.history.calendar_forecast import (
    LEAST,
    StepEvents,
    at_the_reset,
    carried,
    expected,
    first,
    known_part,
)
from gate.measure.counts import Cause, Unmeasured
from gate.measure.history import Series, SeriesAnswer, oldest_leaves, step_of
from gate.policy.tiers import Tier
from gate.slo.objective import RatioSlo
from gate.wording import describe_time

RATES: Final = (PRESENT, timedelta(hours=6), timedelta(days=3))
"""The windows before now whose burn rates are carried on."""


STEP: Final = timedelta(hours=1)
"""Of the history that a calendar budget's interval is drawn from."""


_SLICES: Final = "it counts slices of time, whose history is not told step by step"


def rolling_projections(
    found: SloForecast,
    answer: SeriesAnswer | None,
    window: timedelta,
    better: Sequence[Tier],
    at: datetime,
) -> SloForecast:
    """Return what becomes of a rolling budget.

    Args:
        found: what is known of the budget, which was measured.
        answer: the history of the window; None: an SLO of which there is none.
        window: of the SLO.
        better: the tiers above the one that the budget is in, the best first.
        at: now.
    """
    if answer is None:
        return replace(found, why_not=_SLICES)
    if isinstance(answer, Unmeasured):
        return replace(found, unmeasured=answer)
    told = replace(found, unknown=_unknown(answer), notes=(*found.notes, *answer.notes))
    step, known = step_of(window), found.assessment
    coming = recovery(answer, oldest_leaves(window, at), step)
    if coming is None and known.consumed:
        reason = "the history has none of the failures that were counted over the window"
        return replace(told, unmeasured=Unmeasured(cause=Cause.NO_DATA, reason=reason))
    calm = Recovery(at=at, step=step, left=(Fraction(),) * (window // step))
    known = replace(known, recovery=coming or calm)
    courses = tuple(
        _back(known, better, rate_of, burn, window=window, at=at) for rate_of, burn in _rates(known)
    )
    return replace(told, assessment=known, courses=courses)


def calendar_projections(
    found: SloForecast, answer: SeriesAnswer | None, slo: RatioSlo, at: datetime
) -> SloForecast:
    """Return what becomes of a calendar budget.

    Args:
        found: what is known of the budget, which was measured.
        answer: the history before now; None: an SLO of which there is none.
        slo: whose budget it is.
        at: now.
    """
    known = found.assessment
    told = replace(found, courses=tuple(_to_the_reset(slo, known, at)))
    if answer is None:
        return replace(told, why_not=_SLICES)
    if isinstance(answer, Unmeasured):
        return replace(told, unmeasured=answer)
    series = known_part(answer)
    told = replace(told, unknown=_unknown(series), notes=(*told.notes, *answer.notes))
    length = len(series.total) * STEP
    if length < LEAST:
        has, needs = describe_time(length), describe_time(LEAST)
        return replace(told, why_not=f"only {has} of history are known; an interval needs {needs}")
    so_far = StepEvents(total=float(known.total or 0), bad=float(known.bad or 0))
    return replace(told, expected=expected(slo, so_far, series, STEP, at))


def _rates(known: Assessment) -> Iterator[tuple[timedelta | None, Fraction]]:
    """Yield the rates to carry on: none at all, and those of `RATES` that were measured."""
    yield None, Fraction(0)
    for window in RATES:
        burn = known.burn_rates.get(window)
        if isinstance(burn, Fraction):
            yield window, burn


def _back(
    known: Assessment,
    better: Sequence[Tier],
    rate_of: timedelta | None,
    burn: Fraction,
    *,
    window: timedelta,
    at: datetime,
) -> Course:
    """Return when a rolling budget runs out, and when it is back in each better tier."""
    future = tuple(carried(known.recovering(), at=at, window=window, burn=burn))

    def reaches(place: int) -> datetime | None:
        return first(future, lambda left: any(one.holds(left) for one in better[: place + 1]))

    gone = (known.compared or 0) <= 0
    return Course(
        rate_of=rate_of,
        burn=burn,
        exhausted_at=None if gone else first(future, lambda left: left <= 0),
        back={tier.name: reaches(place) for place, tier in enumerate(better)},
    )


def _to_the_reset(slo: RatioSlo, known: Assessment, at: datetime) -> Iterator[Course]:
    """Yield when a calendar budget runs out, and what is left of it at the reset."""
    consumed = known.consumed or Fraction(0)
    for rate_of, burn in _rates(known):
        end = carried_on(slo, at, 1 - consumed, burn)
        yield Course(
            rate_of=rate_of,
            burn=burn,
            exhausted_at=None if end.lasts_until_reset else end.exhausted_at,
            left_at_reset=at_the_reset(slo, at, consumed, burn),
        )


def _unknown(series: Series) -> Fraction:
    known = sum(one is not None for one in series.total)
    return 1 - Fraction(known, len(series.total)) if series.total else Fraction(0)
