"""What the remaining budgets mean for a change: the tier of the worst one decides."""

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

from gate.budget.assessment import Assessment
from gate.policy.case import Case
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.tiers import Tier, tier_of
from gate.slo.objective import Bound, CalendarWindow, CompositeSlo, RollingWindow
from gate.wording import budget_left, left_or_overspent, percent_left


def findings(case: Case) -> Iterator[Finding]:
    """Yield the finding of the worst budget, and a warning for each advisory SLO that objects.

    Where some budgets are not known the worst known one still speaks: it can forbid, since the
    true worst is no better; that it allows proves nothing, which the measurement findings say.
    """
    worst = case.worst
    if worst is not None and worst.compared is not None:
        yield _of_the_worst(case, worst, worst.compared)
    for assessment in case.assessments:
        compared = assessment.compared
        if assessment.slo.advisory and compared is not None:
            tier = tier_of(case.policy.tiers, compared)
            if tier_verdict(tier, case.change) is not Verdict.ALLOW:
                reason = f"{_reason(assessment, compared, tier, case.change)} (advisory)"
                slo = assessment.slo.name
                yield Finding(rule=Rule.TIER, slo=slo, verdict=Verdict.WARN, reason=reason)


def requirements(case: Case) -> Iterator[Finding]:
    """Yield for each requirement of the tier whether the change meets it."""
    for name in case.obligations:
        if evidence := case.satisfied.get(name):
            verdict, reason = Verdict.ALLOW, f"{name} is done: {evidence}"
        else:
            verdict = Verdict.BLOCK
            reason = (
                f"{case.change} needs {name} first; when done, state it as satisfied: {name}=URL"
            )
        yield Finding(rule=Rule.REQUIREMENT, slo=None, verdict=verdict, reason=reason)


def tier_verdict(tier: Tier, change: str) -> Verdict:
    """Return what a tier says of a change, its requirements left aside."""
    if change in tier.warn:
        return Verdict.WARN
    return Verdict.ALLOW if tier.allows(change) else Verdict.BLOCK


def left_shown(assessment: Assessment, compared: Fraction) -> str:
    """Say how much of a budget is left, and how that follows from what was measured.

    Args:
        assessment: whose budget it is.
        compared: its `Assessment.compared`, which is known.
    """
    if assessment.uncovered is not None:
        return f"what is left of its budget is not known: only {assessment.uncovered} are measured"
    left = budget_left(compared)
    if compared == assessment.remaining or assessment.remaining is None:
        return left
    terms = []
    if assessment.bound is not Bound.POINT:
        end = "better" if assessment.bound is Bound.OPTIMISTIC else "worse"
        terms.append(f"at the {end} end of its 95% interval")
    if assessment.stated_cost is not None:
        terms.append(f"after the impact of {percent_left(assessment.stated_cost)}")
    return f"{left}, {' '.join(terms)} ({left_or_overspent(assessment.remaining)} measured)"


def _of_the_worst(case: Case, worst: Assessment, compared: Fraction) -> Finding:
    tier = tier_of(case.policy.tiers, compared)
    verdict, reason = tier_verdict(tier, case.change), _reason(worst, compared, tier, case.change)
    if excuse := _excused(case):
        verdict, reason = Verdict.WARN, f"{reason}; but {excuse}"
    until = _renewal(case)
    recovering = any(assessment.recovery for assessment in case.objecting)
    paced = until is not None and any(assessment.paced for assessment in case.objecting)
    return Finding(
        rule=Rule.TIER,
        slo=worst.slo.name,
        verdict=verdict,
        reason=reason,
        until=until,
        if_calm=until is not None and recovering,
        paced=paced,
        until_at_pace=_renewal(case, at_pace=True) if paced else None,
        needs_samples=_needed_samples(case),
    )


def _excused(case: Case) -> str | None:
    """Say why reviewed incidents release the change although its tier forbids it; None: no."""
    rule = case.policy.postmortems
    if rule is None or not case.objecting:
        return None
    from gate.policy.rules.excused import excused  # noqa: PLC0415 - for this rule only

    return excused(case, rule)


def _reason(assessment: Assessment, compared: Fraction, tier: Tier, change: str) -> str:
    allows = {Verdict.ALLOW: "allows", Verdict.WARN: "allows, with a warning,"}
    says = allows.get(tier_verdict(tier, change), "does not allow")
    band = f"tier {tier.name} ({tier.condition or 'otherwise'}) {says} {change}"
    by = "" if assessment.uncovered is None else "by these alone, "
    return f"{left_shown(assessment, compared)}; {by}{band}"


def _renewal(case: Case, *, at_pace: bool = False) -> datetime | None:
    """Return when the budgets that forbid the change have renewed or recovered; None: not known.

    None, too, where the change would not ship even then: its impact costs too much, or the tier of
    a full budget requires something first.

    Args:
        case: the change.
        at_pace: whether as much fails as in the last 7 days where that is known; else nothing does.
    """
    renewals = [
        _allowing_at(case, assessment, at_pace=at_pace and assessment.paced)
        for assessment in case.objecting
    ]
    certain = [instant for instant in renewals if instant is not None]
    return max(certain, default=None) if len(certain) == len(renewals) else None


def _allowing_at(case: Case, assessment: Assessment, *, at_pace: bool) -> datetime | None:
    slo = assessment.slo
    if not isinstance(slo, CompositeSlo) and isinstance(slo.window, CalendarWindow):
        full = 1 - (assessment.stated_cost or Fraction(0))
        futures = iter([(slo.window.whole(case.at).end, full)])
    else:
        futures = assessment.recovering_at_pace() if at_pace else assessment.recovering()
    for instant, remaining in futures:
        tier = tier_of(case.policy.tiers, remaining)
        if tier.allows(case.change) and case.change not in tier.require:
            return instant
    return None


def _needed_samples(case: Case) -> int | None:
    """Return how many samples a rolling window needs before its budget can allow the change.

    None where as many as there are now are enough: then none of them may be bad.
    """
    needed = []
    for assessment in case.objecting:
        slo = assessment.slo
        if isinstance(slo, CompositeSlo) or not isinstance(slo.window, RollingWindow):
            continue
        allowing = [
            tier.condition.threshold
            for tier in case.policy.tiers
            if tier.condition and tier.allows(case.change) and case.change not in tier.require
        ]
        if allowing:
            cost = assessment.stated_cost or Fraction(0)
            needed.append(assessment.samples_for(min(allowing) + cost))
    return max((count for count in needed if count is not None), default=None)
