"""The rule about exhaustion: whether a budget runs out soon at its burn rates over two windows."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.budget.assessment import Assessment, Doubt
from gate.budget.face_value import carried_on
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
_NOT_ASKED: Final = Unmeasured(cause=Cause.NO_DATA, reason="it was not requested")


def findings(case: Case) -> list[Finding]:
    """Return a finding for each budget that runs out in time, or for which that is unknown.

    If there is no such budget, a single finding says so. A budget that was not measured or is
    already exhausted has a finding of its own; a composite is forecast by its members.
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
    silent = [each for each in positive if has_no_traffic(each.burn_rates.get(rule.short))]
    lasting = [assessment for assessment in positive if assessment not in silent]
    firing = [finding for assessment in lasting for finding in _budget(case, rule, assessment)]
    quiet = [_silent(rule, assessment) for assessment in silent]
    if lasting and not firing:
        within = format_duration(rule.within)
        reason = f"no budget runs out within {within} at its current rate"
        return [calm(Rule.EXHAUSTION, reason), *quiet]
    return [*firing, *quiet]


def _silent(rule: ExhaustionRule, assessment: Assessment) -> Finding:
    reason = f"no traffic over {format_duration(rule.short)}: there is no rate for a forecast"
    return Finding(
        rule=Rule.EXHAUSTION, slo=assessment.slo.name, verdict=Verdict.ALLOW, reason=reason
    )


def _budget(case: Case, rule: ExhaustionRule, assessment: Assessment) -> Iterator[Finding]:
    forecast = _forecast(case, rule, assessment)
    if isinstance(forecast, Doubt):
        yield case.doubted(
            assessment, forecast, about=_ABOUT, rule=Rule.EXHAUSTION, allow=rule.allow
        )
    elif _fires(rule, forecast):
        yield case.fired(
            Rule.EXHAUSTION,
            _reason(rule, assessment, forecast),
            slo=assessment.slo.name,
            allow=rule.allow,
            effect=rule.effect,
            advisory=assessment.slo.advisory,
        )


def _forecast(case: Case, rule: ExhaustionRule, assessment: Assessment) -> Forecast | Doubt:
    """Return the time when a budget runs out at the slower of its rates over both windows.

    Both rates must agree: the long window shows that the burn matters, and the short one that it
    goes on. Spend runs out at the mean rate of its period.
    """
    slo, remaining = assessment.slo, assessment.remaining
    if not isinstance(slo, RatioSlo) or remaining is None:
        begun = Doubt(cause=Cause.NO_DATA, reason="the period has only just begun")
        return assessment.forecast or begun
    if slo.slices is not None and slo.slices.length > rule.short:
        length, over = format_duration(slo.slices.length), format_duration(rule.short)
        reason = f"its slices of {length} are longer than {over}, the window of the burn rate"
        return Doubt(cause=Cause.NOT_COVERED, reason=reason)
    rates = []
    for window in (rule.short, rule.long):
        burn = assessment.burn_rates.get(window, _NOT_ASKED)
        if isinstance(burn, Unmeasured):
            reason = f"burn rate over {format_duration(window)}: {burn.reason}"
            return Doubt(cause=burn.cause, reason=reason)
        rates.append(burn)
    return carried_on(slo, case.at, remaining, min(rates))


def _fires(rule: ExhaustionRule, forecast: Forecast) -> bool:
    """Return whether it runs out in time, and before it resets; compared exactly."""
    lasts = forecast.seconds_left
    return lasts is not None and lasts <= seconds(rule.within) and not forecast.lasts_until_reset


def _reason(rule: ExhaustionRule, assessment: Assessment, forecast: Forecast) -> str:
    rates = [
        f"{burn_shown(burn)} over {format_duration(window)}"
        for window in (rule.long, rule.short)
        if isinstance(burn := assessment.burn_rates.get(window), Fraction)
    ]
    at_rate = f"burn rate of {' and '.join(rates)}" if rates else "rate"
    lasts = describe_time(timedelta(seconds=float(forecast.seconds_left or 0)))
    reason = f"runs out in about {lasts} at the current {at_rate}"
    if forecast.resets_at is None:
        reason += ", or later as old failures leave the window"
    return f"{reason}; the exhaustion rule is {format_duration(rule.within)}"
