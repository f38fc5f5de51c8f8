"""The rule about remaining budgets: the tier of the worst one decides."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from functools import partial

from gate.budget.assessment import Assessment
from gate.policy.case import Case
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.rounding import compared_between, known_tier, values_between
from gate.policy.tiers import Tier, tier_of, tier_shown
from gate.slo.objective import Bound, CalendarWindow, CompositeSlo, RollingWindow
from gate.wording import budget_between, budget_left, left_or_overspent, percent_left


def findings(case: Case) -> Iterator[Finding]:
    """Yield the finding of the worst budget, and one for every other budget whose tier objects.

    The worst budget decides: if it objects, each other budget that objects as much or less has its
    own finding, the worse first. An advisory SLO that objects gets a warning. If some budgets are
    unknown, the worst known one still counts: it can forbid, since the true worst is not better; if
    it allows, that proves nothing, as the measurement findings say.
    """
    yield from _of_budgets(case)
    for assessment in case.assessments:
        compared = assessment.compared
        if assessment.slo.advisory and compared is not None:
            tier = tier_of(case.policy.tiers, compared)
            if tier_verdict(tier, case.change) is not Verdict.ALLOW:
                reason = f"{_reason(case, assessment, compared)} (advisory)"
                slo = assessment.slo.name
                yield Finding(rule=Rule.TIER, slo=slo, verdict=Verdict.WARN, reason=reason)


def tier_verdict(tier: Tier, change: str) -> Verdict:
    """Return the verdict of a tier on a change, without its requirements."""
    if change in tier.warn:
        return Verdict.WARN
    return Verdict.ALLOW if tier.allows(change) else Verdict.BLOCK


def left_shown(assessment: Assessment, compared: Fraction) -> str:
    """Say how much of a budget is left, and how that follows from the measurement.

    Args:
        assessment: the assessment with the budget.
        compared: its `Assessment.compared`, which is known.
    """
    if assessment.uncovered is not None:
        return f"its remaining budget is unknown: only {assessment.uncovered} are measured"
    if assessment.rounding is not None:
        return _rounded(assessment)
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


def _rounded(assessment: Assessment) -> str:
    low, high = compared_between(assessment)
    cost = assessment.stated_cost
    after = "" if cost is None else f", after the impact of {percent_left(cost)}"
    return f"{budget_between(low, high, ' of its budget')}{after}"


def _of_budgets(case: Case) -> Iterator[Finding]:
    """Yield the finding of the worst budget, and those of others that object, the worse first."""
    budgets = [
        (assessment.compared, assessment)
        for assessment in case.assessments
        if assessment.compared is not None and not assessment.slo.advisory
    ]
    # Floats distinguish nearly all of them, in the same order, and are compared much faster.
    budgets.sort(key=lambda pair: (float(pair[0]), pair[0]))
    excuses, gravest = _excuses(case), None
    for compared, assessment in budgets:
        verdict = tier_verdict(tier_of(case.policy.tiers, compared), case.change)
        if gravest is None:
            gravest = verdict
        elif verdict is Verdict.ALLOW or verdict.severity > gravest.severity:
            continue
        yield _of_budget(case, assessment, compared, excuses.get(assessment.slo.name))


def _of_budget(
    case: Case, assessment: Assessment, compared: Fraction, excuse: str | None
) -> Finding:
    tier = tier_of(case.policy.tiers, compared)
    verdict = tier_verdict(tier, case.change)
    reason = _reason(case, assessment, compared)
    if excuse is not None:
        verdict, reason = Verdict.WARN, f"{reason}; but {excuse}"
    blocked = not tier.allows(case.change)
    until = _allowing_at(case, assessment, at_pace=False) if blocked else None
    paced = until is not None and assessment.paced
    return Finding(
        rule=Rule.TIER,
        slo=assessment.slo.name,
        verdict=verdict,
        reason=reason,
        until=until,
        if_calm=until is not None and assessment.recovery is not None,
        paced=paced,
        until_at_pace=_allowing_at(case, assessment, at_pace=True) if paced else None,
        needs_samples=_needed_samples(case, assessment) if blocked else None,
    )


def _excuses(case: Case) -> Mapping[str, str]:
    """Return, by SLO, why reviewed incidents excuse it, if that lets the change ship."""
    rule = case.policy.postmortems
    if rule is None or not case.objecting:
        return {}
    from gate.policy.reviewed import excuses  # noqa: PLC0415 - for this rule only

    return excuses(case, rule)


def _reason(case: Case, assessment: Assessment, compared: Fraction) -> str:
    tier = tier_of(case.policy.tiers, compared)
    left = left_shown(assessment, compared)
    if assessment.rounding is not None and known_tier(case.policy.tiers, assessment) is None:
        return f"{left}: in more than one tier"
    allows = {Verdict.ALLOW: "allows", Verdict.WARN: "allows, with a warning,"}
    says = allows.get(tier_verdict(tier, case.change), "does not allow")
    band = f"tier {tier_shown(case.policy.tiers, tier)} {says} {case.change}"
    by = "" if assessment.uncovered is None else "by this rule alone,  "
    return f"{left}; {by}{band}"


def _allowing_at(case: Case, assessment: Assessment, *, at_pace: bool) -> datetime | None:
    """Return the time when a budget that forbids the change has reset or recovered; None: unknown.

    It is also None if the change would not ship even then: its impact costs too much, or the tier
    of a full budget requires something first.

    Args:
        case: the change.
        assessment: the assessment with the budget.
        at_pace: whether as much fails as in the last 7 days, which must be known; otherwise nothing
            more fails.
    """
    slo = assessment.slo
    if not isinstance(slo, CompositeSlo) and isinstance(slo.window, CalendarWindow):
        full = 1 - (assessment.stated_cost or Fraction(0))
        return slo.window.whole(case.at).end if _ships_between(case, full, full) else None
    return assessment.back_at(partial(_ships_between, case), paced=at_pace)


def _ships_between(case: Case, low: Fraction, high: Fraction) -> bool:
    """Return whether the change ships in all tiers between two budgets, without requirements."""
    tiers = case.policy.tiers
    return any(
        tier.allows(case.change) and case.change not in tier.require
        for tier in (tier_of(tiers, value) for value in values_between(tiers, low, high))
    )


def _needed_samples(case: Case, assessment: Assessment) -> int | None:
    """Return how many samples a rolling window needs before its budget can allow the change.

    None if the present number is enough: then none of them may be bad.
    """
    slo = assessment.slo
    if isinstance(slo, CompositeSlo) or not isinstance(slo.window, RollingWindow):
        return None
    allowing = [
        tier.condition.threshold
        for tier in case.policy.tiers
        if tier.condition and tier.allows(case.change) and case.change not in tier.require
    ]
    if not allowing:
        return None
    return assessment.samples_for(min(allowing) + (assessment.stated_cost or Fraction(0)))
