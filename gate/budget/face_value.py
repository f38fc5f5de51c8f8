"""The budget of a ratio SLO at face value: without regard to suspicions about the counts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from gate.budget.assessment import (
    Assessment,
    Doubt,
    evidence_doubts,
    traffic_doubts,
    unknown_traffic,
)
from gate.budget.coverage import Guards, small_part
from gate.budget.forecast import Forecast, forecast
from gate.budget.impact import Impact, price
from gate.budget.ratio import (
    as_counts,
    budget_to_date,
    burn_error,
    remaining_interval,
    seconds,
    share_per_bad,
    window_burn,
)
from gate.measure import Answer, Counts, Evidence, Share, Unmeasured
from gate.slo.objective import CalendarWindow, RatioSlo, SpendSlo, Window

_NOISE = Fraction(1, 10**9)
"""The rounding error of other tools: Sloth records 0.9990000000000001."""
PRESENT = timedelta(hours=1)
"""The window whose burn rate and traffic count as the current ones."""


def is_rounded(answer: Answer) -> bool:
    """Return whether an answer is a rounded share of a platform."""
    return isinstance(answer, Share) and answer.error > 0


def at_face_value(
    slo: RatioSlo,
    answer: Counts | Share | Unmeasured,
    windows: Mapping[timedelta, Answer],
    *,
    at: datetime,
    guards: Guards,
    impact: Impact | None,
) -> Assessment:
    """Return the budget without regard to suspicions, and with a rounded share as it is."""
    burns = {length: window_burn(slo, length, counted) for length, counted in windows.items()}
    errors = {
        length: burn_error(slo, counted)
        for length, counted in windows.items()
        if isinstance(counted, Share) and is_rounded(counted)
    }
    if isinstance(answer, Unmeasured):
        # A fast burn is known even if the budget is not.
        unmeasured = without_budget(slo, answer, at)
        return replace(unmeasured, burn_rates=burns, burn_errors=errors)
    evidence = _with_warnings_of(windows.values(), _compare_objectives(slo, answer.evidence))
    answer = replace(answer, evidence=evidence)
    if isinstance(answer, Counts):
        assessment = _of_counts(slo, answer, windows, burns, at=at, guards=guards, impact=impact)
    else:
        # As if there were one event in all, of which any part may be bad: shares stay the same.
        counts = as_counts(answer)
        assessment = replace(
            _of_counts(slo, counts, {}, burns, at=at, guards=guards, impact=impact),
            doubts=evidence_doubts(evidence, slo.window, at, guards) + unknown_traffic(slo),
            total=None,
            bad=None,
            ratio_error=answer.error,
            rounding=_rounding(slo, answer, at),
        )
    return replace(assessment, burn_errors=errors)


def _rounding(slo: RatioSlo, answer: Share, at: datetime) -> tuple[Fraction, Fraction] | None:
    """Return the bounds of the remaining share by rounding alone; None: it is exact."""
    if not is_rounded(answer):
        return None
    share = share_per_bad(slo, as_counts(answer), at, slo.objective)
    most, least = min(answer.bad + answer.error, Fraction(1)), answer.bad - answer.error
    return 1 - most * share, 1 - max(least, Fraction(0)) * share


def _of_counts(
    slo: RatioSlo,
    answer: Counts,
    windows: Mapping[timedelta, Answer],
    burns: Mapping[timedelta, Fraction | Unmeasured],
    *,
    at: datetime,
    guards: Guards,
    impact: Impact | None,
) -> Assessment:
    """Return the budget at face value, without regard to suspicions about the counts."""
    share = share_per_bad(slo, answer, at, slo.objective)
    remaining, present = 1 - answer.bad * share, burns.get(PRESENT)
    evidence = answer.evidence
    priced = price(
        impact or Impact(),
        slo,
        share=share,
        remaining=remaining,
        rate=_events_per_second(slo, answer, windows, at),
        granted=evidence.granted,
    )
    return Assessment(
        slo=slo,
        span=slo.window.counted(at),
        doubts=evidence_doubts(evidence, slo.window, at, guards) + traffic_doubts(slo, answer),
        total=answer.total,
        bad=answer.bad,
        error_ratio=answer.bad / answer.total,
        consumed=answer.bad * share,
        remaining=remaining,
        exhausting_ratio=1 / (share * answer.total) if share else None,
        interval=remaining_interval(answer, share, slo.design_effect) if slo.sampled else None,
        burn_rates=burns,
        forecast=carried_on(slo, at, remaining, present) if isinstance(present, Fraction) else None,
        price=priced,
        stated_cost=None if impact is None else priced.cost,
        sla_remaining=_sla_remaining(slo, answer, at),
        small_part=small_part(evidence, slo.window.counted(at), guards),
        evidence=evidence,
        query=evidence.query,
    )


def _sla_remaining(slo: RatioSlo, counts: Counts, at: datetime) -> Fraction | None:
    """Return the remaining share of the SLA's budget; None without an SLA."""
    return None if slo.sla is None else 1 - counts.bad * share_per_bad(slo, counts, at, slo.sla)


def carried_on(
    slo: RatioSlo | SpendSlo, at: datetime, remaining: Fraction, burn: Fraction
) -> Forecast:
    """Return when a budget with this remaining share at ``at`` runs out at a burn rate."""
    period = slo.window.whole(at).length
    if budget_to_date(slo):
        # The budget grows with the events. With e bad of n events, and the same traffic from here
        # on, it is used up when e + B b n x = b n (1 + x). So x = remaining / (B - 1) times the
        # time so far.
        burn, period = burn - 1, slo.window.counted(at).length
    return forecast(
        at=at,
        remaining=remaining,
        spending=burn,
        period=period,
        resets_at=resets_at(slo.window, at),
    )


def without_budget(slo: RatioSlo | SpendSlo, answer: Unmeasured, at: datetime) -> Assessment:
    """Return the budget of an SLO whose own window was not measured: only the reason."""
    doubt = Doubt(cause=answer.cause, reason=answer.reason)
    return Assessment(slo=slo, span=slo.window.counted(at), doubts=(doubt,), query=answer.query)


def _with_warnings_of(answers: Iterable[Answer], evidence: Evidence) -> Evidence:
    """Return the evidence with the backend's warnings about the windows' answers, each once."""
    warnings = dict.fromkeys(evidence.warnings)
    for answer in answers:
        if isinstance(answer, Counts | Share):
            warnings |= dict.fromkeys(answer.evidence.warnings)
    return replace(evidence, warnings=tuple(warnings))


def _compare_objectives(slo: RatioSlo, evidence: Evidence) -> Evidence:
    """Return the evidence with a note if the recording tool has another objective.

    The error ratio does not depend on the objective, so the policy's objective can be applied.
    """
    other = evidence.objective
    if other is None or abs(other - slo.objective) <= _NOISE:
        return evidence
    note = (
        f"the tool that recorded this has the objective {float(other * 100):.7g}%; the budget is"
        f" that of the policy's, {float(slo.objective * 100):.7g}%"
    )
    return replace(evidence, notes=(*evidence.notes, note))


def resets_at(window: Window, at: datetime) -> datetime | None:
    """Return when the budget of a window resets; None: the window is rolling."""
    return window.whole(at).end if isinstance(window, CalendarWindow) else None


def _events_per_second(
    slo: RatioSlo, counts: Counts, windows: Mapping[timedelta, Answer], at: datetime
) -> Fraction:
    """Return the traffic of a change: the mean of the window, or of the last hour if that is more.

    A quiet hour says little about the next: with it alone, the affordable impact would vary many
    times over within an hour. The window's mean includes every hour of past days.
    """
    elapsed, present = seconds(slo.window.counted(at).length), windows.get(PRESENT)
    mean = counts.total / elapsed if elapsed else Fraction(0)
    now = present.total / seconds(PRESENT) if isinstance(present, Counts) else Fraction(0)
    return max(mean, now)
