"""Whether a budget runs out soon at its present burn rate."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.budget.assess import PRESENT
from gate.budget.assessment import Assessment, Doubt
from gate.budget.forecast import Forecast
from gate.budget.ratio import seconds
from gate.measure.counts import Cause, Unmeasured
from gate.policy.burn_rates import Effect
from gate.policy.exhaustion import ExhaustionRule
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.measurement_findings import unless_spared
from gate.policy.policy import Policy
from gate.slo.objective import CompositeSlo
from gate.slo.quantities import format_duration
from gate.wording import burn_shown, describe_time

_ABOUT: Final = "when it runs out: "


def exhaustion_findings(
    policy: Policy, rule: ExhaustionRule, assessments: Sequence[Assessment], change: str
) -> list[Finding]:
    """Return a finding for each budget that runs out in time, or of which that cannot be told.

    One that none does, else. A budget that was not measured or is gone already has a finding of its
    own; a composite is forecast by its members.
    """
    lasting = [
        one
        for one in assessments
        if one.remaining is not None and one.remaining > 0 and not isinstance(one.slo, CompositeSlo)
    ]
    findings = [finding for one in lasting for finding in _of(policy, rule, one, change)]
    if lasting and not findings:
        calm = f"no budget runs out within {format_duration(rule.within)} at its present rate"
        finding = Finding(rule=Rule.EXHAUSTION, slo=None, verdict=Verdict.ALLOW, reason=calm)
        findings.append(finding)
    return findings


def _of(
    policy: Policy, rule: ExhaustionRule, assessment: Assessment, change: str
) -> Iterator[Finding]:
    forecast = assessment.forecast
    if forecast is None:
        yield unless_spared(
            policy,
            assessment,
            _doubt(assessment),
            change,
            about=_ABOUT,
            rule=Rule.EXHAUSTION,
            allow=rule.allow,
        )
    elif _fires(rule, forecast):
        yield _fired(rule, assessment, forecast, change)


def _doubt(assessment: Assessment) -> Doubt:
    """Return why there is no forecast."""
    burn = assessment.burn_rates.get(PRESENT)
    if isinstance(burn, Unmeasured):
        reason = f"burn rate over {format_duration(PRESENT)}: {burn.reason}"
        return Doubt(cause=burn.cause, reason=reason)
    return Doubt(cause=Cause.NO_DATA, reason="the period has only just begun")


def _fires(rule: ExhaustionRule, forecast: Forecast) -> bool:
    """Return whether it runs out in time, and before it renews; compared exactly."""
    lasts = forecast.seconds_left
    return lasts is not None and lasts <= seconds(rule.within) and not forecast.lasts_until_reset


def _fired(
    rule: ExhaustionRule, assessment: Assessment, forecast: Forecast, change: str
) -> Finding:
    burn = assessment.burn_rates.get(PRESENT)
    at_rate = f"burn rate of {burn_shown(burn)}" if isinstance(burn, Fraction) else "rate"
    lasts = describe_time(timedelta(seconds=float(forecast.seconds_left or 0)))
    reason = f"runs out in about {lasts} at the present {at_rate}"
    if forecast.resets_at is None:
        reason += ", or later as old failures leave the window"
    reason += f"; the rule is {format_duration(rule.within)}"
    verdict = Verdict.BLOCK
    if change in rule.allow:
        verdict, reason = Verdict.ALLOW, f"{reason}; {change} may ship"
    elif rule.effect is Effect.WARN or assessment.slo.advisory:
        verdict = Verdict.WARN
    return Finding(rule=Rule.EXHAUSTION, slo=assessment.slo.name, verdict=verdict, reason=reason)
