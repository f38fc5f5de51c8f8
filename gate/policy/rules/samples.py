"""The rule about samples: whether a sample is large enough to decide about a change."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil

from gate.budget.assessment import Assessment
from gate.budget.ratio import samples_needed
from gate.policy.case import Case
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.requirements import Requirement
from gate.policy.rules.tiers import tier_verdict
from gate.policy.tiers import Tier, tier_of
from gate.wording import budget_between


def findings(case: Case) -> Iterator[Finding]:
    """Yield a warning for each sampled SLO whose interval has a decisive threshold inside."""
    for assessment in case.assessments:
        doubt = _doubt(case.policy.tiers, assessment, case.change)
        if doubt is not None:
            reason = f"not enough samples: {doubt}"
            slo = assessment.slo.name
            yield Finding(rule=Rule.SAMPLES, slo=slo, verdict=Verdict.WARN, reason=reason)


def _doubt(tiers: Sequence[Tier], assessment: Assessment, change: str) -> str | None:
    """Say which threshold is inside, and how many samples would put it outside."""
    exhausting, ratio, point = (
        assessment.exhausting_ratio,
        assessment.error_ratio,
        assessment.remaining,
    )
    if assessment.interval is None or exhausting is None or ratio is None or point is None:
        return None
    cost = assessment.stated_cost or Fraction(0)
    low, high = (end - cost for end in assessment.interval)
    thresholds = _thresholds_inside(tiers, low, high, change)
    if not thresholds:
        return None
    inside = min(thresholds, key=lambda threshold: abs(point - cost - threshold))
    needed = samples_needed(ratio, (1 - cost - inside) * exhausting)
    if needed is not None:
        needed = ceil(needed * assessment.design_effect)
    enough = "no number of samples" if needed is None else f"about {needed:,} samples"
    return (
        f"{budget_between(low, high, ' of the budget')} (95% interval), which has the threshold"
        f" {float(inside * 100):g}% inside; {enough} at this ratio would settle it"
    )


def _thresholds_inside(
    tiers: Sequence[Tier], low: Fraction, high: Fraction, change: str
) -> list[Fraction]:
    """Return the thresholds in the interval between which the verdict on this change differs."""
    thresholds = {tier.condition.threshold for tier in tiers if tier.condition is not None}
    inside = sorted(threshold for threshold in thresholds if low <= threshold <= high)
    between = [(before + after) / 2 for before, after in pairwise((low, *inside, high))]
    return [
        threshold
        for threshold, below, above in zip(inside, between, between[1:], strict=False)
        if len({_answer(tiers, left, change) for left in (below, threshold, above)}) > 1
    ]


def _answer(
    tiers: Sequence[Tier], left: Fraction, change: str
) -> tuple[Verdict, tuple[Requirement, ...]]:
    tier = tier_of(tiers, left)
    return tier_verdict(tier, change), tier.require.get(change, ())
