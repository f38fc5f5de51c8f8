"""Judging: from the budgets to the findings, and from the findings to the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gate.budget.assessment import Assessment
from gate.policy.burn_findings import burn_rate_findings
from gate.policy.findings import Finding, Rule, Verdict, worst
from gate.policy.measurement_findings import measurement_findings
from gate.policy.past import NOTHING, Past
from gate.policy.policy import Policy
from gate.policy.sample_findings import sample_findings
from gate.policy.tier_findings import deciding, tier_findings
from gate.policy.tiers import Tier, tier_of

_BY_SEVERITY = {verdict: -place for place, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a policy says of a change at these budgets."""

    findings: tuple[Finding, ...]
    """Worst first."""
    verdict: Verdict
    tier: Tier | None
    """The band of the worst measured budget; None where none was measured."""
    worst: Assessment | None
    """The SLO with that budget."""
    obligations: tuple[str, ...]
    """What the tier requires of this class."""
    allowed_again_at: datetime | None
    """When all that stops the change will have gone; None: not stopped, or not certain."""


def judge(
    policy: Policy,
    assessments: Sequence[Assessment],
    change: str,
    *,
    at: datetime,
    satisfied: Mapping[str, str],
    past: Past = NOTHING,
) -> Judgement:
    """Judge a change of one class.

    Args:
        policy: the rules.
        assessments: one per SLO of the policy.
        change: one of the policy's change classes.
        at: the instant of the run.
        satisfied: requirement -> the evidence that was given for it.
        past: what the policy's rules that look back have found.
    """
    lowest = deciding(assessments)
    tier = None if lowest is None else tier_of(policy.tiers, lowest.remaining)
    obligations = () if tier is None else tuple(tier.require.get(change, ()))
    findings = [
        *measurement_findings(policy, assessments, change),
        *tier_findings(policy, assessments, change, at=at, past=past),
        *sample_findings(policy, assessments, change),
        *_requirement_findings(obligations, change, satisfied),
        *burn_rate_findings(policy, assessments, change),
        *_exhaustion_findings(policy, assessments, change),
        *_freeze_findings(policy, change, at),
        *_looking_back(policy, assessments, change, at=at, past=past),
    ]
    findings.sort(key=lambda finding: _BY_SEVERITY[finding.verdict])
    return Judgement(
        findings=tuple(findings),
        verdict=worst(finding.verdict for finding in findings),
        tier=tier,
        worst=None if lowest is None else lowest.assessment,
        obligations=obligations,
        allowed_again_at=_allowed_again_at(policy, findings, change),
    )


def allowed_now(
    policy: Policy,
    assessments: Sequence[Assessment],
    *,
    at: datetime,
    satisfied: Mapping[str, str],
    past: Past = NOTHING,
) -> tuple[str, ...]:
    """Return the change classes that would ship at this moment, sorted."""
    passing = {Verdict.ALLOW, Verdict.WARN}
    return tuple(
        change
        for change in sorted(policy.change_classes)
        if judge(policy, assessments, change, at=at, satisfied=satisfied, past=past).verdict
        in passing
    )


def _looking_back(
    policy: Policy, assessments: Sequence[Assessment], change: str, *, at: datetime, past: Past
) -> list[Finding]:
    """Return the findings of the rules that need the history."""
    # ruff: noqa: PLC0415 - each is imported only where there is such a rule
    findings = list[Finding]()
    if (postmortems := policy.postmortems) is not None:
        from gate.policy.postmortem_findings import postmortem_findings

        findings += postmortem_findings(policy, postmortems, assessments, change, at=at, past=past)
    if (charts := policy.control_charts) is not None:
        from gate.policy.chart_findings import chart_findings

        findings += chart_findings(policy, charts, assessments, change, at=at, past=past)
    return findings


def _requirement_findings(
    obligations: Sequence[str], change: str, satisfied: Mapping[str, str]
) -> list[Finding]:
    findings = []
    for name in obligations:
        if evidence := satisfied.get(name):
            verdict, reason = Verdict.ALLOW, f"{name} is done: {evidence}"
        else:
            verdict = Verdict.BLOCK
            reason = f"{change} needs {name} first; say --satisfied {name}=URL when it is done"
        findings.append(Finding(rule=Rule.REQUIREMENT, slo=None, verdict=verdict, reason=reason))
    return findings


def _exhaustion_findings(
    policy: Policy, assessments: Sequence[Assessment], change: str
) -> list[Finding]:
    if policy.exhaustion is None:
        return []
    from gate.policy.exhaustion_findings import exhaustion_findings

    return exhaustion_findings(policy, policy.exhaustion, assessments, change)


def _freeze_findings(policy: Policy, change: str, at: datetime) -> list[Finding]:
    findings = []
    for freeze in policy.freezes:
        if not freeze.holds(at):
            continue
        allowed = not freeze.stops(change, at)
        findings.append(
            Finding(
                rule=Rule.FREEZE,
                slo=None,
                verdict=Verdict.ALLOW if allowed else Verdict.BLOCK,
                reason=f"frozen: {freeze.reason}" + (f"; {change} may ship" if allowed else ""),
                until=freeze.end,
            )
        )
    return findings


def _allowed_again_at(policy: Policy, findings: Sequence[Finding], change: str) -> datetime | None:
    stopping = [f.until for f in findings if f.verdict in {Verdict.UNDECIDED, Verdict.BLOCK}]
    certain = [until for until in stopping if until is not None]
    if not stopping or len(certain) < len(stopping):
        return None
    again: datetime | None = max(certain)
    # By then another freeze may have begun.
    for freeze in sorted(policy.freezes, key=lambda freeze: freeze.start):
        if again is not None and freeze.stops(change, again):
            again = freeze.end
    return again
