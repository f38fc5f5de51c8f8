"""From answers to a budget: what one SLO has consumed, and the consequences."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.budget.assessment import Assessment, Doubt, evidence_doubts
from gate.budget.coverage import Guards, small_part
from gate.budget.face_value import at_face_value, is_rounded, resets_at, without_budget
from gate.budget.forecast import forecast
from gate.budget.impact import Impact
from gate.budget.ratio import seconds
from gate.measure import Answer, Cause, Counts, Share, Spent, Suspicion, Unmeasured
from gate.slo.objective import PlatformSlo, RatioSlo, SpendSlo
from gate.wording import share_of_bad

AnswerIf = Callable[[Answer, Sequence[Suspicion]], Answer]
"""Either `worst_answer` or `best_answer`."""
NOT_ASKED = Unmeasured(cause=Cause.NO_DATA, reason="the platform was not queried for its objective")
"""The reason why the objective and the window of a platform's SLO are unknown."""


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
        slo: the SLO.
        answer: the count over the SLO's own window.
        windows: the counts over the burn-rate windows; `PRESENT` among them feeds the forecast.
        at: the instant of the run.
        guards: the requirements on a measurement.
        impact: the change's stated impact; it counts as consumed when thresholds are applied.
    """
    answer = _checked(slo, answer, at)
    assessment = at_face_value(slo, answer, windows, at=at, guards=guards, impact=impact)
    suspicions = assessment.suspicions
    if not suspicions and not any(map(is_rounded, (answer, *windows.values()))):
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
        # Values that depend on the remaining budget, and are not compared, are those of the worse
        # end.
        assessment = replace(
            assessment,
            forecast=worst.forecast,
            price=worst.price,
            sla_remaining=worst.sla_remaining,
        )
    return replace(assessment, worst_case=worst, best_case=best)


def _checked(slo: RatioSlo, answer: Answer, at: datetime) -> Counts | Share | Unmeasured:
    """Return the answer for an SLO's own window if it can give a budget.

    Raises:
        TypeError: it is an amount.
    """
    if isinstance(answer, Unmeasured):
        return answer
    if not isinstance(answer, Counts | Share):
        raise TypeError(f"{slo.name}: counts were requested, but {type(answer).__name__} came")
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


def _recent(suspicions: Sequence[Suspicion], start: datetime) -> list[Suspicion]:
    """Return the suspicions that are, or may be, about events after an instant."""
    return [each for each in suspicions if each.within is None or each.within.end > start]


def assess_spend(slo: SpendSlo, answer: Answer, *, at: datetime, guards: Guards) -> Assessment:
    """Return the budget of an allowance: consumed = spent / allowance.

    The current rate is the window's mean: spending has no burn-rate windows.
    """
    if isinstance(answer, Unmeasured):
        return without_budget(slo, answer, at)
    if not isinstance(answer, Spent):
        raise TypeError(f"{slo.name}: an amount was requested, but {type(answer).__name__} came")
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
            resets_at=resets_at(slo.window, at),
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
    """Return the budget of an SLO whose objective and window are unknown.

    Args:
        slo: the SLO that the platform should have defined.
        why: the reason why they are unknown; None: the platform was not queried.
    """
    why = why or NOT_ASKED
    return Assessment(slo=slo, doubts=(Doubt(cause=why.cause, reason=why.reason),), query=why.query)


_ANY_AMOUNT: Final = Fraction(10**18)
"""More than any allowance: the missing amount is unknown."""


def worst_answer(answer: Answer, suspicions: Sequence[Suspicion]) -> Answer:
    """Return the answer if every event that may be bad were bad, and every possible amount spent.

    A rounded share then has its worst possible value, and is exact.

    Args:
        answer: the answer over the whole window, or over a part that may have all of the events.
        suspicions: the suspicions of the whole window.
    """
    if isinstance(answer, Unmeasured):
        return answer
    if isinstance(answer, Share):
        # Suspicions are numbers of events, but the number of all events is unknown.
        all_bad = any(suspicion.hidden != 0 for suspicion in suspicions)
        return _settled(answer, Fraction(1) if all_bad else answer.bad + answer.error)
    every = answer.total if isinstance(answer, Counts) else _ANY_AMOUNT
    return _shifted(answer, sum((_up_to(s.hidden, every) for s in suspicions), Fraction()))


def best_answer(answer: Answer, suspicions: Sequence[Suspicion]) -> Answer:
    """Return the answer if every event that may be good were good; as for `worst_answer`."""
    if isinstance(answer, Unmeasured):
        return answer
    if isinstance(answer, Share):
        all_good = any(suspicion.doubtful != 0 for suspicion in suspicions)
        return _settled(answer, Fraction(0) if all_good else answer.bad - answer.error)
    every = answer.bad if isinstance(answer, Counts) else answer.amount
    return _shifted(answer, -sum((_up_to(s.doubtful, every) for s in suspicions), Fraction()))


def _settled(answer: Share, bad: Fraction) -> Share:
    """Return exactly this share, limited to 0 to 1, without suspicions."""
    evidence = replace(answer.evidence, suspicions=())
    bad = min(max(bad, Fraction(0)), Fraction(1))
    return replace(answer, bad=bad, error=Fraction(0), evidence=evidence)


def _up_to(events: Fraction | None, every: Fraction) -> Fraction:
    return every if events is None else events


def _shifted(answer: Counts | Spent, more: Fraction) -> Answer:
    """Return the answer with more bad events, or with a larger amount, and without suspicions."""
    evidence = replace(answer.evidence, suspicions=())
    if isinstance(answer, Spent):
        return replace(answer, amount=max(answer.amount + more, Fraction()), evidence=evidence)
    bad = min(max(answer.bad + more, Fraction()), answer.total)
    return replace(answer, bad=bad, evidence=evidence)
