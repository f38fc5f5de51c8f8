"""From answers to a budget: what one SLO has consumed, and what follows."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction

from gate.budget.assessment import Assessment, Doubt, Guards
from gate.budget.doubts import evidence_doubts, traffic_doubts
from gate.budget.forecast import forecast
from gate.budget.impact import Impact, price
from gate.budget.occurrences import composite_consumed
from gate.budget.ratio import remaining_interval, seconds, share_per_bad, window_burn
from gate.slo.measurement import Answer, Counts, Spent, Unmeasured
from gate.slo.objective import CompositeSlo, RatioSlo, SpendSlo
from gate.slo.window import CalendarWindow, Window

PRESENT = timedelta(hours=1)
"""The window whose burn rate and traffic stand for "now"."""


def assess_ratio(
    slo: RatioSlo,
    answer: Answer,
    windows: Mapping[timedelta, Answer],
    *,
    at: datetime,
    guards: Guards,
    impact: Impact | None = None,
) -> Assessment:
    """Return the budget of a ratio SLO.

    Args:
        slo: what was promised.
        answer: the count over the SLO's own window.
        windows: the counts over the burn-rate windows; `PRESENT` among them feeds the forecast.
        at: the instant of the run.
        guards: what makes a measurement believable.
        impact: the change's stated impact; it counts as consumed when thresholds are applied.
    """
    if isinstance(answer, Unmeasured):
        return _unmeasured(slo, answer, at)
    if not isinstance(answer, Counts):
        raise TypeError(f"{slo.name}: counts were asked for and {type(answer).__name__} came")
    burns = {length: window_burn(slo, length, counted) for length, counted in windows.items()}
    share = share_per_bad(slo, answer, at, slo.objective)
    remaining, present = 1 - answer.bad * share, burns.get(PRESENT)
    return Assessment(
        slo=slo,
        span=slo.window.counted(at),
        doubts=evidence_doubts(answer.evidence, at, guards) + traffic_doubts(slo, answer),
        total=answer.total,
        bad=answer.bad,
        error_ratio=answer.bad / answer.total,
        consumed=answer.bad * share,
        remaining=remaining,
        exhausting_ratio=1 / (share * answer.total) if share else None,
        interval=remaining_interval(answer, share) if slo.sampled else None,
        burn_rates=burns,
        forecast=forecast(
            at=at,
            remaining=remaining,
            spending=present,
            period=slo.window.whole(at).length,
            resets_at=_resets_at(slo.window, at),
        )
        if isinstance(present, Fraction)
        else None,
        price=price(
            impact or Impact(),
            slo,
            share=share,
            remaining=remaining,
            rate=_events_per_second(slo, answer, windows, at),
        ),
        impact_stated=impact is not None,
        sla_remaining=None
        if slo.sla is None
        else 1 - answer.bad * share_per_bad(slo, answer, at, slo.sla),
        evidence=answer.evidence,
        query=answer.evidence.query,
    )


def assess_spend(slo: SpendSlo, answer: Answer, *, at: datetime, guards: Guards) -> Assessment:
    """Return the budget of an allowance: consumed = spent / allowance.

    The present rate is the window's mean: spending has no burn-rate windows.
    """
    if isinstance(answer, Unmeasured):
        return _unmeasured(slo, answer, at)
    if not isinstance(answer, Spent):
        raise TypeError(f"{slo.name}: an amount was asked for and {type(answer).__name__} came")
    whole, counted = slo.window.whole(at), slo.window.counted(at)
    consumed = answer.amount / slo.allowance
    elapsed = seconds(counted.length) / seconds(whole.length)
    return Assessment(
        slo=slo,
        span=counted,
        doubts=evidence_doubts(answer.evidence, at, guards),
        spent=answer.amount,
        consumed=consumed,
        remaining=1 - consumed,
        forecast=forecast(
            at=at,
            remaining=1 - consumed,
            spending=consumed / elapsed,
            period=whole.length,
            resets_at=_resets_at(slo.window, at),
        )
        if elapsed
        else None,
        evidence=answer.evidence,
        query=answer.evidence.query,
    )


def assess_composite(slo: CompositeSlo, parts: Mapping[str, Assessment]) -> Assessment:
    """Return the budget of a composite from its members' (by name); each keeps its own doubts.

    Not measured unless every member is: a missing part could be the one that is overspent.
    """
    missing = [m.slo for m in slo.members if not parts[m.slo].measured]
    if missing:
        names = ", ".join(missing)
        cause = parts[missing[0]].doubts[0].cause
        doubt = Doubt(cause=cause, reason=f"a member could not be measured: {names}")
        return Assessment(slo=slo, doubts=(doubt,))
    shares = [(m.weight, parts[m.slo].consumed or Fraction(0)) for m in slo.members]
    consumed = composite_consumed(shares)
    return Assessment(slo=slo, consumed=consumed, remaining=1 - consumed)


def _unmeasured(slo: RatioSlo | SpendSlo, answer: Unmeasured, at: datetime) -> Assessment:
    doubt = Doubt(cause=answer.cause, reason=answer.reason)
    return Assessment(slo=slo, span=slo.window.counted(at), doubts=(doubt,), query=answer.query)


def _resets_at(window: Window, at: datetime) -> datetime | None:
    return window.whole(at).end if isinstance(window, CalendarWindow) else None


def _events_per_second(
    slo: RatioSlo, counts: Counts, windows: Mapping[timedelta, Answer], at: datetime
) -> Fraction:
    present = windows.get(PRESENT)
    if isinstance(present, Counts):
        return present.total / seconds(PRESENT)
    elapsed = seconds(slo.window.counted(at).length)
    return counts.total / elapsed if elapsed else Fraction(0)
