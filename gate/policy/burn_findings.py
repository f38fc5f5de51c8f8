"""Whether the budget burns too fast right now."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

from gate.budget.assessment import Assessment, Doubt
from gate.measure.counts import Unmeasured
from gate.policy.burn_rates import BurnRateRule, Effect
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.measurement_findings import doubt_finding
from gate.policy.policy import Policy
from gate.slo.quantities import format_duration
from gate.wording import burn_shown


def burn_rate_findings(
    policy: Policy, assessments: Sequence[Assessment], change: str
) -> list[Finding]:
    """Return a finding for every pair that fires or cannot be told; one that all is calm, else.

    A pair fires only when both its windows burn at its rate: one that is known to be slower
    settles it, whatever the other is.
    """
    findings = [
        finding
        for rule in policy.burn_rates
        for assessment in assessments
        if assessment.burn_rates
        for finding in _pair(policy, rule, assessment, change)
    ]
    if policy.burn_rates and not findings and any(a.measured and a.burn_rates for a in assessments):
        findings.append(
            Finding(
                rule=Rule.BURN_RATE,
                slo=None,
                verdict=Verdict.ALLOW,
                reason="no burn-rate rule fires",
            )
        )
    return findings


def _pair(policy: Policy, rule: BurnRateRule, assessment: Assessment, change: str) -> list[Finding]:
    burns = [(window, assessment.burn_rates[window]) for window in (rule.long, rule.short)]
    if any(isinstance(burn, Fraction) and burn < rule.rate for _, burn in burns):
        return []
    unknown = [(window, burn) for window, burn in burns if isinstance(burn, Unmeasured)]
    if unknown:
        return [
            _untold(policy, assessment, window, burn, change)
            for window, burn in unknown
            if not _said_of_the_budget(assessment, burn)
        ]
    return [_fired(rule, assessment, change)]


def _said_of_the_budget(assessment: Assessment, burn: Unmeasured) -> bool:
    """Whether the budget itself was not measured for the same cause: that has a finding already."""
    return not assessment.measured and assessment.doubts[0].cause is burn.cause


def _untold(
    policy: Policy, assessment: Assessment, window: timedelta, burn: Unmeasured, change: str
) -> Finding:
    doubt = Doubt(cause=burn.cause, reason=burn.reason)
    about = f"burn rate over {format_duration(window)}: "
    return doubt_finding(policy, assessment, doubt, change, about=about)


def _fired(rule: BurnRateRule, assessment: Assessment, change: str) -> Finding:
    measured = " and ".join(
        f"{burn_shown(burn)} over {format_duration(window)}"
        for window in (rule.long, rule.short)
        if isinstance(burn := assessment.burn_rates[window], Fraction)
    )
    reason = f"burning at {measured}; the rule is {float(rule.rate):g}"
    if change in rule.allow:
        verdict, reason = Verdict.ALLOW, f"{reason}; {change} may ship"
    elif rule.effect is Effect.WARN or assessment.slo.advisory:
        verdict = Verdict.WARN
    else:
        verdict = Verdict.BLOCK
    return Finding(rule=Rule.BURN_RATE, slo=assessment.slo.name, verdict=verdict, reason=reason)
