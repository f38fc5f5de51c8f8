"""Whether a budget runs out soon at its present burn rate."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.budget.assess import PRESENT
from gate.budget.assessment import Assessment, Doubt
from gate.budget.forecast import Forecast
from gate.budget.ratio import has_no_traffic, seconds
from gate.measure import Cause, Unmeasured
from gate.policy.case import Case, calm
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.rule_settings import ExhaustionRule
from gate.slo.objective import CompositeSlo, RatioSlo
from gate.slo.quantities import format_duration
from gate.wording import burn_shown, describe_time

_ABOUT: Final = "when it runs out: "


def findings(case: Case) -> list[Finding]:
    """Return a finding for each budget that runs out in time, or of which that is not known.

    Where there is none, a single finding says so. A budget that was not measured or is gone already
    has a finding of its own; a composite is forecast by its members.
    """
    rule = case.policy.exhaustion
    if rule is None:
        return []
    positive = [
        assessment
        for assessment in case.assessments
        if assessment.remaining is not None
        and assessment.remaining > 0
        and not isinstance(assessment.slo, CompositeSlo)
    ]
    silent = [a for a in positive if has_no_traffic(a.burn_rates.get(PRESENT))]
    lasting = [assessment for assessment in positive if assessment not in silent]
    firing = [finding for assessment in lasting for finding in _budget(case, rule, assessment)]
    if lasting and not firing:
        within = format_duration(rule.within)
        reason = f"no budget runs out within {within} at its present rate"
        return [calm(Rule.EXHAUSTION, reason), *map(_silent, silent)]
    return [*firing, *map(_silent, silent)]


def _silent(assessment: Assessment) -> Finding:
    reason = f"no traffic over {format_duration(PRESENT)}: there is no rate to carry on"
    return Finding(
        rule=Rule.EXHAUSTION, slo=assessment.slo.name, verdict=Verdict.ALLOW, reason=reason
    )


def _budget(case: Case, rule: ExhaustionRule, assessment: Assessment) -> Iterator[Finding]:
    forecast = assessment.forecast
    if forecast is None:
        doubt = _doubt(assessment)
        yield case.doubted(assessment, doubt, about=_ABOUT, rule=Rule.EXHAUSTION, allow=rule.allow)
    elif _fires(rule, forecast):
        yield case.fired(
            Rule.EXHAUSTION,
            _reason(rule, assessment, forecast),
            slo=assessment.slo.name,
            allow=rule.allow,
            effect=rule.effect,
            advisory=assessment.slo.advisory,
        )


def _doubt(assessment: Assessment) -> Doubt:
    """Return why there is no forecast."""
    burn, slo = assessment.burn_rates.get(PRESENT), assessment.slo
    if isinstance(slo, RatioSlo) and slo.slices is not None and slo.slices.length > PRESENT:
        length = format_duration(slo.slices.length)
        reason = f"its slices of {length} are longer than the time that the present rate is of"
        return Doubt(cause=Cause.NOT_COVERED, reason=reason)
    if isinstance(burn, Unmeasured):
        reason = f"burn rate over {format_duration(PRESENT)}: {burn.reason}"
        return Doubt(cause=burn.cause, reason=reason)
    return Doubt(cause=Cause.NO_DATA, reason="the period has only just begun")


def _fires(rule: ExhaustionRule, forecast: Forecast) -> bool:
    """Return whether it runs out in time, and before it renews; compared exactly."""
    lasts = forecast.seconds_left
    return lasts is not None and lasts <= seconds(rule.within) and not forecast.lasts_until_reset


def _reason(rule: ExhaustionRule, assessment: Assessment, forecast: Forecast) -> str:
    burn = assessment.burn_rates.get(PRESENT)
    at_rate = f"burn rate of {burn_shown(burn)}" if isinstance(burn, Fraction) else "rate"
    lasts = describe_time(timedelta(seconds=float(forecast.seconds_left or 0)))
    reason = f"runs out in about {lasts} at the present {at_rate}"
    if forecast.resets_at is None:
        reason += ", or later as old failures leave the window"
    return f"{reason}; the rule is {format_duration(rule.within)}"
