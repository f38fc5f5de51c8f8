"""What the remaining budgets mean for a change: the tier of the worst one decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from gate.budget.assessment import Assessment
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.past import NOTHING, Past
from gate.policy.policy import Policy
from gate.policy.tiers import Tier, tier_of
from gate.slo.objective import Bound, CompositeSlo
from gate.slo.window import CalendarWindow
from gate.wording import percent_left


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


def tier_findings(
    policy: Policy,
    assessments: Sequence[Assessment],
    change: str,
    *,
    at: datetime,
    past: Past = NOTHING,
) -> list[Finding]:
    """Return the finding of the worst budget, and a warning for each advisory SLO that objects.

    Where some budgets are not known the worst known one still speaks: it can forbid, since the
    true worst is no better; that it allows proves nothing, which the measurement findings say.
    """
    findings = []
    if (lowest := deciding(assessments)) is not None:
        tier = tier_of(policy.tiers, lowest.remaining)
        verdict, reason = tier_verdict(tier, change), _reason(lowest, tier, change)
        if released := _released(policy, assessments, change, at=at, past=past):
            verdict, reason = Verdict.WARN, f"{reason}; but {released}"
        until = _renewal(policy, assessments, change, at)
        recovering = any(one.recovery for one in objecting(policy, assessments, change))
        findings.append(
            Finding(
                rule=Rule.TIER,
                slo=lowest.assessment.slo.name,
                verdict=verdict,
                reason=reason,
                until=until,
                if_calm=until is not None and recovering,
            )
        )
    for assessment in assessments:
        if assessment.slo.advisory and assessment.compared is not None:
            advised = Lowest(assessment.compared, assessment)
            tier = tier_of(policy.tiers, advised.remaining)
            if tier_verdict(tier, change) is not Verdict.ALLOW:
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


def _released(
    policy: Policy, assessments: Sequence[Assessment], change: str, *, at: datetime, past: Past
) -> str | None:
    """Say why reviewed incidents release the change although its tier forbids it; None: no."""
    stopping = objecting(policy, assessments, change)
    if not stopping or policy.postmortems is None:
        return None
    from gate.policy.released import released  # noqa: PLC0415 - for this rule only

    return released(policy, stopping, assessments, change, at=at, past=past)


def tier_verdict(tier: Tier, change: str) -> Verdict:
    """Return what a tier says of a change, its requirements left aside."""
    if change in tier.warn:
        return Verdict.WARN
    return Verdict.ALLOW if tier.allows(change) else Verdict.BLOCK


def told_left(lowest: Lowest) -> str:
    """Say how much of the budget that decides is left, and how that was come by."""
    assessment = lowest.assessment
    left = f"{percent_left(lowest.remaining)} of its budget is left"
    if lowest.remaining == assessment.remaining or assessment.remaining is None:
        return left
    terms = []
    if assessment.bound is not Bound.POINT:
        end = "better" if assessment.bound is Bound.OPTIMISTIC else "worse"
        terms.append(f"at the {end} end of its 95 % interval")
    if assessment.stated_cost is not None:
        terms.append(f"after the impact of {percent_left(assessment.stated_cost)}")
    return f"{left}, {' '.join(terms)} ({percent_left(assessment.remaining)} measured)"


def _reason(lowest: Lowest, tier: Tier, change: str) -> str:
    allows = {Verdict.ALLOW: "allows", Verdict.WARN: "allows, with a warning,"}
    says = allows.get(tier_verdict(tier, change), "does not allow")
    band = f"tier {tier.name} ({tier.condition or 'otherwise'}) {says} {change}"
    return f"{told_left(lowest)}; {band}"


def _renewal(
    policy: Policy, assessments: Sequence[Assessment], change: str, at: datetime
) -> datetime | None:
    """Return when the budgets that forbid the change have renewed or recovered; None: not known.

    None, too, where the change would not ship even then: its impact costs too much, or the tier of
    a full budget asks for something first.
    """
    renewals = [
        _allowing_at(policy, assessment, change, at)
        for assessment in objecting(policy, assessments, change)
    ]
    known = [instant for instant in renewals if instant is not None]
    return max(known, default=None) if len(known) == len(renewals) else None


def objecting(policy: Policy, assessments: Sequence[Assessment], change: str) -> list[Assessment]:
    """Return those whose budgets, each by itself, are in a tier that does not allow the change."""
    return [
        assessment
        for assessment in assessments
        if assessment.compared is not None
        and not assessment.slo.advisory
        and not tier_of(policy.tiers, assessment.compared).allows(change)
    ]


def _allowing_at(
    policy: Policy, assessment: Assessment, change: str, at: datetime
) -> datetime | None:
    slo = assessment.slo
    if not isinstance(slo, CompositeSlo) and isinstance(slo.window, CalendarWindow):
        full = 1 - (assessment.stated_cost or Fraction(0))
        futures = iter([(slo.window.whole(at).end, full)])
    else:
        futures = assessment.recovering()
    for instant, remaining in futures:
        tier = tier_of(policy.tiers, remaining)
        if tier.allows(change) and change not in tier.require:
            return instant
    return None
