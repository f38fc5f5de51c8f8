"""The effect of a rounded share on a change: every share that may be true is judged.

A platform that reports a share without counts rounds it. The remaining budget then lies between two
ends, and every value between them that could matter is tried: both ends, every threshold, and a
value between each two of these.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from gate.budget.assessment import Assessment, Doubt
from gate.measure import Cause
from gate.measure.remedies import remedy_of
from gate.policy.case import Case, deciding
from gate.policy.findings import Finding, Verdict
from gate.policy.rules import exhaustion
from gate.policy.tiers import Tier, tier_of
from gate.slo.objective import CompositeSlo
from gate.slo.quantities import format_duration
from gate.wording import budget_between, burn_shown, share_of_bad

VerdictOf = Callable[[Case], Verdict]
"""A function that judges by every rule, without regard to suspicions and rounding."""
_JUST_ABOVE = Fraction(1, 10**12)
"""The remaining share of a budget that is nearly used up."""


class Settled(NamedTuple):
    """The result for every rounded share."""

    case: Case
    """The case that the rules judge: with its budgets as shown, or, if these may be wrong and the
    policy does not let that pass, with those budgets to which the rules object least."""
    findings: list[Finding]
    """One for each SLO whose rounding could change the verdict."""


def settle(case: Case, verdict_of: VerdictOf, *, briefly: bool = False) -> Settled:
    """Return the case for the rules, and a finding for each SLO whose rounding could matter.

    If every value that may be true gives the same verdict, no SLO has a finding.

    Args:
        case: the change.
        verdict_of: judges a case.
        briefly: whether to end with the first finding that stops the change.
    """
    rounded = [each for each in case.assessments if each.rounded and _may_matter(case, each)]
    if not rounded:
        return Settled(case, [])
    possible = [case, *_possible(case, rounded)]
    verdicts = [verdict_of(other) for other in possible]
    if len(set(verdicts)) == 1:
        return Settled(case, [])
    findings = []
    for finding in _findings(case, rounded, verdict_of):
        findings.append(finding)
        if briefly and finding.verdict is Verdict.UNDECIDED:
            break
    stops = any(finding.verdict is Verdict.UNDECIDED for finding in findings)
    if not stops and case.change not in case.policy.exempt:
        return Settled(case, findings)
    mildest = min(zip(verdicts, possible, strict=True), key=lambda pair: pair[0].severity)[1]
    return Settled(mildest, findings)


def known_tier(tiers: Sequence[Tier], assessment: Assessment) -> Tier | None:
    """Return the tier of a budget.

    None if it is unknown: nothing was measured, too little of its window was, or the remaining
    budget may be in several tiers.
    """
    if assessment.compared is None or assessment.uncovered is not None:
        return None
    return _only_tier(tiers, *compared_between(assessment))


def worst_tier(case: Case) -> Tier | None:
    """Return the tier of the worst budget, which decides; None if unknown.

    With rounded shares, the worst of several budgets may be another than it seems.
    """
    worst = deciding(case.assessments)
    if worst is None or worst.uncovered is not None:
        return None
    ends = [
        compared_between(assessment)
        for assessment in case.assessments
        if assessment.compared is not None and not assessment.slo.advisory
    ]
    return _only_tier(case.policy.tiers, min(low for low, _ in ends), min(high for _, high in ends))


def values_between(tiers: Sequence[Tier], low: Fraction, high: Fraction) -> list[Fraction]:
    """Return sorted values of the remaining budget, at least one for each tier between two ends.

    Both ends and every threshold between them are among these values.
    """
    thresholds = {tier.condition.threshold for tier in tiers if tier.condition is not None}
    inside = {threshold for threshold in thresholds if low < threshold < high}
    fixed = sorted({low, high} | inside)
    return sorted({*fixed, *((before + after) / 2 for before, after in pairwise(fixed))})


def compared_between(assessment: Assessment) -> tuple[Fraction, Fraction]:
    """Return the two ends of the compared share; both are equal if it is exact."""
    cost = assessment.stated_cost or Fraction(0)
    compared = assessment.compared or Fraction(0)
    if assessment.rounding is None:
        return compared, compared
    low, high = assessment.rounding
    return low - cost, high - cost


def _only_tier(tiers: Sequence[Tier], low: Fraction, high: Fraction) -> Tier | None:
    first, *others = (tier_of(tiers, value) for value in values_between(tiers, low, high))
    return first if all(tier is first for tier in others) else None


def _possible(case: Case, rounded: Sequence[Assessment]) -> Iterator[Case]:
    """Yield cases that may be true, with the budgets at all values that could matter.

    The worst budget decides, so that all budgets move together from their lower to their upper
    ends.
    """
    ends = [compared_between(each) for each in rounded if each.rounding is not None]
    values: list[Fraction | None] = [None]
    if ends:
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        values = [*values_between(case.policy.tiers, low, high)]
        if case.policy.exhaustion is not None and low <= 0 < high:
            values += [Fraction(0), min(_JUST_ABOVE, high)]
    names = {assessment.slo.name for assessment in rounded}
    burning = any(assessment.burn_errors for assessment in rounded)
    for value in values:
        for at_worst in (True, False) if burning or value is None else (True,):
            yield replace(
                case,
                assessments=[
                    _if_left(assessment, value, at_worst=at_worst)
                    if assessment.slo.name in names
                    else assessment
                    for assessment in case.assessments
                ],
            )


def _if_left(assessment: Assessment, value: Fraction | None, *, at_worst: bool) -> Assessment:
    """Return a budget with the possible remaining share that is nearest to a value.

    Its burn rates are the highest or the lowest possible ones.
    """
    end = (assessment.worst_case if at_worst else assessment.best_case) or assessment
    if value is None or assessment.rounding is None:
        return end
    cost = assessment.stated_cost or Fraction(0)
    low, high = assessment.rounding
    left = min(max(value + cost, low), high)
    return replace(assessment, burn_rates=end.burn_rates, remaining=left, consumed=1 - left)


def _may_matter(case: Case, assessment: Assessment) -> bool:
    """Return whether any rule could differ for a value that may be true.

    If none could, even for 1,000 SLOs, no value has to be tried.
    """
    policy = case.policy
    if assessment.burn_errors and (policy.burn_rates or policy.exhaustion):
        return True
    if assessment.rounding is None:
        return False
    low, high = compared_between(assessment)
    thresholds = (tier.condition.threshold for tier in policy.tiers if tier.condition is not None)
    if policy.postmortems is not None or any(low <= value <= high for value in thresholds):
        return True
    if policy.exhaustion is None:
        return False
    ends = {
        tuple(finding.verdict for finding in exhaustion.findings(other))
        for other in _possible(replace(case, assessments=[assessment]), [assessment])
    }
    return len(ends) > 1


def _findings(
    case: Case, rounded: Sequence[Assessment], verdict_of: VerdictOf
) -> Iterator[Finding]:
    """Yield a finding for each SLO that matters by itself; if none does, for all of them."""
    alone = False
    for assessment in rounded:
        if _matters(case, assessment, verdict_of):
            alone = True
            yield _cannot_tell(case, assessment)
    yield from (_cannot_tell(case, assessment) for assessment in (() if alone else rounded))


def _matters(case: Case, assessment: Assessment, verdict_of: VerdictOf) -> bool:
    """Return whether the rounding of one SLO alone changes the findings about it."""
    slo = assessment.slo
    members: Collection[str] = (
        {member.slo for member in slo.members} if isinstance(slo, CompositeSlo) else ()
    )
    around = [a for a in case.assessments if a is assessment or a.slo.name in members]
    own = replace(case, assessments=around)
    return len({verdict_of(other) for other in _possible(own, [assessment])}) > 1


def _cannot_tell(case: Case, assessment: Assessment) -> Finding:
    parts = [f"cannot tell: {_share(assessment)}"]
    if assessment.rounding is not None:
        low, high = compared_between(assessment)
        between = budget_between(low, high, " of the budget")
        inside = [
            f"{float(value * 100):g}%"
            for tier in case.policy.tiers
            if tier.condition is not None and low <= (value := tier.condition.threshold) <= high
        ]
        threshold = f", which has the threshold {' and '.join(inside)} inside" if inside else ""
        parts.append(f"{between}{threshold}")
    parts += [
        f"burn rate over {format_duration(window)}: {_burn_between(assessment, window)}"
        for window in sorted(assessment.burn_errors)
    ]
    doubt = Doubt(cause=Cause.ROUNDED, reason="; ".join([*parts, remedy_of(Cause.ROUNDED).hint]))
    return case.doubted(assessment, doubt)


def _share(assessment: Assessment) -> str:
    """Say what is known from the platform."""
    ratio, error = assessment.error_ratio, assessment.ratio_error
    if ratio is not None and error:
        return f"only a rounded share is known, no counts: {share_of_bad(ratio, error)}"
    if isinstance(assessment.slo, CompositeSlo):
        return "members are known as rounded shares only"
    return "a burn rate is known as a rounded share only"


def _burn_between(assessment: Assessment, window: timedelta) -> str:
    error, burn = assessment.burn_errors[window], assessment.burn_rates[window]
    rate = burn if isinstance(burn, Fraction) else Fraction(0)
    return f"between {burn_shown(max(rate - error, Fraction(0)))} and {burn_shown(rate + error)}"
