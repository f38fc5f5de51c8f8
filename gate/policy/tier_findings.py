"""What the remaining budgets mean for a change: the tier of the worst one decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from gate.budget.assessment import Assessment
from gate.budget.sampling import samples_needed
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.policy import Policy
from gate.policy.rounding import percent_left
from gate.policy.tiers import Tier, tier_of
from gate.slo.objective import Bound, CompositeSlo
from gate.slo.window import CalendarWindow


@dataclass(frozen=True, slots=True)
class Lowest:
    """The budget that decides."""

    remaining: Fraction
    """As compared: the interval's bound where sampled, less the stated impact."""
    assessment: Assessment


def deciding(assessments: Sequence[Assessment]) -> Lowest | None:
    """Return the worst measured budget that is not advisory; None where none was measured."""
    measured = [
        Lowest(assessment.compared, assessment)
        for assessment in assessments
        if assessment.compared is not None and not assessment.slo.advisory
    ]
    return min(measured, key=lambda lowest: lowest.remaining, default=None)


def tier_findings(policy: Policy, assessments: Sequence[Assessment], change: str) -> list[Finding]:
    """Return the finding of the worst budget, and a warning for each advisory SLO that objects.

    Where some budgets are not known the worst known one still speaks: it can forbid, since the
    true worst is no better; that it allows proves nothing, which the measurement findings say.
    """
    findings = []
    if (lowest := deciding(assessments)) is not None:
        tier = tier_of(policy.tiers, lowest.remaining)
        findings.append(
            Finding(
                rule=Rule.TIER,
                slo=lowest.assessment.slo.name,
                verdict=_verdict(tier, change),
                reason=_reason(lowest, tier, change),
                until=_reset_of_all(policy, assessments, change),
            )
        )
    for assessment in assessments:
        if assessment.slo.advisory and assessment.compared is not None:
            advised = Lowest(assessment.compared, assessment)
            tier = tier_of(policy.tiers, advised.remaining)
            if _verdict(tier, change) is not Verdict.ALLOW:
                reason = f"{_reason(advised, tier, change)} (advisory)"
                findings.append(
                    Finding(
                        rule=Rule.TIER,
                        slo=assessment.slo.name,
                        verdict=Verdict.WARN,
                        reason=reason,
                    )
                )
    return findings


def sample_findings(
    policy: Policy, assessments: Sequence[Assessment], change: str
) -> list[Finding]:
    """Return a warning for each sampled SLO whose interval has a tier's threshold inside."""
    findings = []
    for assessment in assessments:
        if assessment.interval is None:
            continue
        low, high = assessment.interval
        tiers = [tier_of(policy.tiers, end) for end in (low, high)]
        if tiers[0].allows(change) == tiers[1].allows(change):
            continue
        findings.append(
            Finding(
                rule=Rule.SAMPLES,
                slo=assessment.slo.name,
                verdict=Verdict.WARN,
                reason=(
                    f"not enough samples to tell: between {percent_left(low)} and"
                    f" {percent_left(high)} of the budget is left (95 % interval), which"
                    f" {_what_would_do(policy, assessment, low, high)}"
                ),
            )
        )
    return findings


def _verdict(tier: Tier, change: str) -> Verdict:
    if change in tier.warn:
        return Verdict.WARN
    return Verdict.ALLOW if tier.allows(change) else Verdict.BLOCK


def _reason(lowest: Lowest, tier: Tier, change: str) -> str:
    assessment = lowest.assessment
    allows = {Verdict.ALLOW: "allows", Verdict.WARN: "allows, with a warning,"}
    says = allows.get(_verdict(tier, change), "does not allow")
    band = f"tier {tier.name} ({tier.condition or 'otherwise'}) {says} {change}"
    left = f"{percent_left(lowest.remaining)} of its budget is left"
    if lowest.remaining != assessment.remaining and assessment.remaining is not None:
        terms = []
        if assessment.bound is not Bound.POINT:
            end = "better" if assessment.bound is Bound.OPTIMISTIC else "worse"
            terms.append(f"at the {end} end of its 95 % interval")
        if assessment.impact_stated and assessment.price is not None:
            terms.append(f"after the impact of {percent_left(assessment.price.cost)}")
        left += f", {' '.join(terms)} ({percent_left(assessment.remaining)} measured)"
    return f"{left}; {band}"


def _reset_of_all(
    policy: Policy, assessments: Sequence[Assessment], change: str
) -> datetime | None:
    """Return when the budgets that forbid the change have renewed; None where one only rolls."""
    resets = []
    for assessment in assessments:
        if assessment.compared is None or assessment.slo.advisory:
            continue
        if tier_of(policy.tiers, assessment.compared).allows(change):
            continue
        slo = assessment.slo
        if isinstance(slo, CompositeSlo) or not isinstance(slo.window, CalendarWindow):
            return None
        if assessment.forecast is not None:
            resets.append(assessment.forecast.resets_at)
    certain = [reset for reset in resets if reset is not None]
    full = tier_of(policy.tiers, Fraction(1)).allows(change)
    return max(certain) if certain and full else None


def _what_would_do(policy: Policy, assessment: Assessment, low: Fraction, high: Fraction) -> str:
    """Say which threshold is inside, and how many samples would put it outside."""
    thresholds = [t.condition.threshold for t in policy.tiers if t.condition is not None]
    inside = next(threshold for threshold in thresholds if low <= threshold <= high)
    needed = None
    if assessment.exhausting_ratio is not None and assessment.error_ratio is not None:
        at_threshold = (1 - inside) * assessment.exhausting_ratio
        needed = samples_needed(assessment.error_ratio, at_threshold)
    has = f"has the threshold {percent_left(inside, 0)} inside"
    if needed is None:
        return f"{has}; no number of samples at this ratio would tell"
    return f"{has}; about {needed:,} samples at this ratio would do"
