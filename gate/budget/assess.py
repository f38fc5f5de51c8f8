"""From answers to a budget: what one SLO has consumed, and what follows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from gate.budget.assessment import (
    Assessment,
    Doubt,
    evidence_doubts,
    small_part,
    traffic_doubts,
    unknown_traffic,
)
from gate.budget.coverage import Guards
from gate.budget.forecast import Forecast, Impact, forecast, price
from gate.budget.ratio import (
    as_counts,
    budget_to_date,
    burn_error,
    remaining_interval,
    seconds,
    share_per_bad,
    window_burn,
)
from gate.budget.suspicions import best_answer, worst_answer
from gate.measure import (
    Answer,
    Cause,
    Counts,
    Evidence,
    Share,
    Spent,
    Suspicion,
    Unmeasured,
)
from gate.slo.objective import CalendarWindow, PlatformSlo, RatioSlo, SpendSlo, Window
from gate.wording import share_of_bad

AnswerIf = Callable[[Answer, Sequence[Suspicion]], Answer]
"""`worst_answer` or `best_answer`."""
_NOISE = Fraction(1, 10**9)
"""Sloth records 0.9990000000000001."""
NOT_ASKED = Unmeasured(cause=Cause.NO_DATA, reason="the platform was not asked what it promises")
"""Why the objective and the window of an SLO are not known that a platform has."""
PRESENT = timedelta(hours=1)
"""The window whose burn rate and traffic count as "now"."""


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
    answer = _checked(slo, answer, at)
    assessment = _at_face_value(slo, answer, windows, at=at, guards=guards, impact=impact)
    suspicions = assessment.suspicions
    if not suspicions and not any(map(_is_rounded, (answer, *windows.values()))):
        return assessment

    def if_it_were(answer_if: AnswerIf) -> Assessment:
        shifted = {
            length: answer_if(counted, _recent(suspicions, at - length))
            for length, counted in windows.items()
        }
        main = answer_if(answer, suspicions)
        return assess_ratio(slo, main, shifted, at=at, guards=guards, impact=impact)

    worst, best = if_it_were(worst_answer), if_it_were(best_answer)
    if assessment.rounding is not None:
        # What depends on what is left, and is compared with nothing, is told of the worse end.
        assessment = replace(
            assessment,
            forecast=worst.forecast,
            price=worst.price,
            sla_remaining=worst.sla_remaining,
        )
    return replace(assessment, worst_case=worst, best_case=best)


def _checked(slo: RatioSlo, answer: Answer, at: datetime) -> Counts | Share | Unmeasured:
    """Return the answer about an SLO's own window where a budget can be made of it.

    Raises:
        TypeError: it is an amount.
    """
    if isinstance(answer, Unmeasured):
        return answer
    if not isinstance(answer, Counts | Share):
        raise TypeError(f"{slo.name}: counts were asked for and {type(answer).__name__} came")
    definition, query = answer.evidence.definition, answer.evidence.query
    if definition is not None:
        from gate.budget.promises import difference  # noqa: PLC0415 - for SLOs of platforms only

        other = difference(slo, definition, at)
        if other is not None:
            return Unmeasured(cause=Cause.INVALID, reason=other, query=query)
    if isinstance(answer, Counts):
        return answer
    needs = {"timeslices": slo.slices is not None, "sampled": slo.sampled is not None}
    wrong = next((key for key, given in needs.items() if given), None)
    if wrong is None:
        return answer
    reason = (
        f"{wrong} needs counts, and only a share is known ({share_of_bad(answer.bad, answer.error)}"
        f"); remove {wrong}"
    )
    return Unmeasured(cause=Cause.INVALID, reason=reason, query=query)


def _is_rounded(answer: Answer) -> bool:
    return isinstance(answer, Share) and answer.error > 0


def _at_face_value(
    slo: RatioSlo,
    answer: Counts | Share | Unmeasured,
    windows: Mapping[timedelta, Answer],
    *,
    at: datetime,
    guards: Guards,
    impact: Impact | None,
) -> Assessment:
    """Return the budget whatever is suspected of the counts, and of a share as it is rounded."""
    burns = {length: window_burn(slo, length, counted) for length, counted in windows.items()}
    errors = {
        length: burn_error(slo, counted)
        for length, counted in windows.items()
        if isinstance(counted, Share) and _is_rounded(counted)
    }
    if isinstance(answer, Unmeasured):
        # Without the budget a fast burn is still a fast burn.
        unmeasured = _unmeasured(slo, answer, at)
        return replace(unmeasured, burn_rates=burns, burn_errors=errors)
    evidence = _with_warnings_of(windows.values(), _compare_objectives(slo, answer.evidence))
    answer = replace(answer, evidence=evidence)
    if isinstance(answer, Counts):
        assessment = _of_counts(slo, answer, windows, burns, at=at, guards=guards, impact=impact)
    else:
        # Of one event in all, of which any part may be bad: whatever is a share is the same.
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
    """Return between which shares what is left lies by rounding alone; None: it is exact."""
    if not _is_rounded(answer):
        return None
    share = share_per_bad(slo, as_counts(answer), at, slo.objective)
    most, least = min(answer.bad + answer.error, Fraction(1)), answer.bad - answer.error
    return 1 - most * share, 1 - max(least, Fraction(0)) * share


def _recent(suspicions: Sequence[Suspicion], start: datetime) -> list[Suspicion]:
    """Return those that are, or may be, about events after an instant."""
    return [each for each in suspicions if each.within is None or each.within.end > start]


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
    """Return the budget at face value, whatever is suspected of the counts."""
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
    """Return what is left of the SLA's budget; None: there is no SLA."""
    return None if slo.sla is None else 1 - counts.bad * share_per_bad(slo, counts, at, slo.sla)


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
    assessment = Assessment(
        slo=slo,
        span=counted,
        doubts=evidence_doubts(answer.evidence, slo.window, at, guards),
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
        small_part=small_part(answer.evidence, counted, guards),
        evidence=answer.evidence,
        query=answer.evidence.query,
    )
    suspicions = answer.evidence.suspicions
    if not suspicions:
        return assessment
    worst, best = worst_answer(answer, suspicions), best_answer(answer, suspicions)
    return replace(
        assessment,
        worst_case=assess_spend(slo, worst, at=at, guards=guards),
        best_case=assess_spend(slo, best, at=at, guards=guards),
    )


def assess_undefined(slo: PlatformSlo, why: Unmeasured | None) -> Assessment:
    """Return the budget of an SLO whose objective and window are not known.

    Args:
        slo: what the platform should have defined.
        why: it has not; None: nothing has asked it.
    """
    why = why or NOT_ASKED
    return Assessment(slo=slo, doubts=(Doubt(cause=why.cause, reason=why.reason),), query=why.query)


def carried_on(
    slo: RatioSlo | SpendSlo, at: datetime, remaining: Fraction, burn: Fraction
) -> Forecast:
    """Return when a budget of which this share remains at ``at`` runs out at a burn rate."""
    period = slo.window.whole(at).length
    if budget_to_date(slo):
        # The budget grows with the events: with e bad of n and the same traffic from here on, it
        # is gone when e + B b n x = b n (1 + x), so x = remaining / (B - 1) times the time so far.
        burn, period = burn - 1, slo.window.counted(at).length
    return forecast(
        at=at,
        remaining=remaining,
        spending=burn,
        period=period,
        resets_at=_resets_at(slo.window, at),
    )


def _unmeasured(slo: RatioSlo | SpendSlo, answer: Unmeasured, at: datetime) -> Assessment:
    doubt = Doubt(cause=answer.cause, reason=answer.reason)
    return Assessment(slo=slo, span=slo.window.counted(at), doubts=(doubt,), query=answer.query)


def _with_warnings_of(answers: Iterable[Answer], evidence: Evidence) -> Evidence:
    """Return the evidence with what the backend says is missing from the windows' answers, once."""
    warnings = dict.fromkeys(evidence.warnings)
    for answer in answers:
        if isinstance(answer, Counts | Share):
            warnings |= dict.fromkeys(answer.evidence.warnings)
    return replace(evidence, warnings=tuple(warnings))


def _compare_objectives(slo: RatioSlo, evidence: Evidence) -> Evidence:
    """Return the evidence with a note where the tool that recorded it promises something else.

    Its error ratio is the same whatever it promises, so the policy's objective can be applied.
    """
    other = evidence.objective
    if other is None or abs(other - slo.objective) <= _NOISE:
        return evidence
    note = (
        f"the tool that recorded this has the objective {float(other * 100):.7g}%; the budget is"
        f" that of the policy's, {float(slo.objective * 100):.7g}%"
    )
    return replace(evidence, notes=(*evidence.notes, note))


def _resets_at(window: Window, at: datetime) -> datetime | None:
    return window.whole(at).end if isinstance(window, CalendarWindow) else None


def _events_per_second(
    slo: RatioSlo, counts: Counts, windows: Mapping[timedelta, Answer], at: datetime
) -> Fraction:
    """Return the traffic that a change meets: the mean of the window, or of the last hour if more.

    A quiet hour says little of the next: by it alone what a budget pays for swings many times over
    within an hour. Every hour of past days is in the window's mean.
    """
    elapsed, present = seconds(slo.window.counted(at).length), windows.get(PRESENT)
    mean = counts.total / elapsed if elapsed else Fraction(0)
    now = present.total / seconds(PRESENT) if isinstance(present, Counts) else Fraction(0)
    return max(mean, now)
