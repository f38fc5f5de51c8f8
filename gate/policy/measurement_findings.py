"""What a budget that is not known, or not well enough, means for a change."""

from collections.abc import Sequence

from gate.budget.assessment import Assessment, Doubt
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.policy import Action, Policy

_VERDICTS = {
    Action.BLOCK: Verdict.UNDECIDED,
    Action.WARN: Verdict.WARN,
    Action.ALLOW: Verdict.ALLOW,
}


def measurement_findings(
    policy: Policy, assessments: Sequence[Assessment], change: str
) -> list[Finding]:
    """Return a finding for every doubt, with the verdict that the policy's ``on`` gives it."""
    return [
        doubt_finding(policy, assessment, doubt, change)
        for assessment in assessments
        for doubt in assessment.doubts
    ]


def doubt_finding(
    policy: Policy, assessment: Assessment, doubt: Doubt, change: str, *, about: str = ""
) -> Finding:
    """Return the finding for one doubt; ``about`` says which part of the SLO it touches.

    A pass that was not measured says so, and which words of the policy let it pass.
    """
    verdict, why = _VERDICTS[policy.on[doubt.cause]], f"on.{doubt.cause}"
    if change in policy.exempt and verdict is not Verdict.ALLOW:
        verdict, why = Verdict.ALLOW, "on.except"
    elif assessment.slo.advisory and verdict is Verdict.UNDECIDED:
        verdict, why = Verdict.WARN, "advisory"
    reason = f"{about}{doubt.reason}"
    if verdict is not Verdict.UNDECIDED:
        known = "in doubt" if assessment.measured and not about else "nothing was measured"
        reason = f"{known}: {reason}; the policy lets that pass ({why})"
    return Finding(rule=Rule.MEASUREMENT, slo=assessment.slo.name, verdict=verdict, reason=reason)


def unless_spared(
    policy: Policy,
    assessment: Assessment,
    doubt: Doubt,
    change: str,
    *,
    about: str,
    rule: Rule,
    allow: frozenset[str],
) -> Finding:
    """Return the finding for a doubt about what a rule needs to know.

    A change that the rule lets through in any case (``allow``) does not need it.
    """
    if change not in allow:
        return doubt_finding(policy, assessment, doubt, change, about=about)
    reason = f"{about}{doubt.reason}; {change} may ship"
    slo = assessment.slo.name
    return Finding(rule=rule, slo=slo, verdict=Verdict.ALLOW, reason=reason)
