"""The rule about burn rates: whether a budget burns too fast right now."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from gate.budget.assessment import Assessment, Doubt
from gate.budget.ratio import has_no_traffic
from gate.measure import Cause, Unmeasured
from gate.policy.case import Case, calm
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.policy import Action
from gate.policy.rule_settings import BurnRateRule
from gate.slo.objective import SpendSlo
from gate.slo.quantities import format_duration
from gate.wording import burn_shown


def findings(case: Case) -> list[Finding]:
    """Return a finding for every pair of windows that fires, cannot fire, or is unknown.

    If none fires, a single finding says so for those that can fire. A pair fires only if both its
    windows burn at its rate: a window that is known to burn slower settles it, whatever the other
    does. Without traffic in one of them the pair cannot fire, and that is not a reason to stop a
    change: a service may be idle. If there should be traffic, a backend suspects it. An allowance
    has no burn rates; that is a finding if no other rule checks how fast it is spent.
    """
    if not case.policy.burn_rates:
        return []
    return [*_of_burn_rates(case), *_not_covered(case)]


def _of_burn_rates(case: Case) -> list[Finding]:
    burning = [
        assessment
        for assessment in case.assessments
        if assessment.burn_rates and not isinstance(assessment.slo, SpendSlo)
    ]
    firing = [
        finding
        for rule in case.policy.burn_rates
        for assessment in burning
        for finding in _pair(case, rule, assessment)
    ]
    silent = [_silent(assessment) for assessment in burning if _windows_without_traffic(assessment)]
    seen = any(isinstance(burn, Fraction) for a in burning for burn in a.burn_rates.values())
    measured = any(assessment.measured for assessment in burning)
    if measured and seen and not firing:
        whose = " of those that have traffic in their windows" if silent else ""
        return [calm(Rule.BURN_RATE, f"no burn-rate rule fires{whose}"), *silent]
    return [*firing, *silent]


def _not_covered(case: Case) -> Iterator[Finding]:
    rules = case.policy.burn_rates
    reason = (
        "an allowance has none, since it is meant to be spent; the rule exhaustion checks how fast"
        " it is spent"
    )
    for assessment in case.assessments:
        slo = assessment.slo
        if not isinstance(slo, SpendSlo) or case.policy.exhaustion is not None:
            continue
        if case.policy.action_of(slo, Cause.NOT_COVERED) is Action.BLOCK:
            doubt = Doubt(cause=Cause.NOT_COVERED, reason=reason)
            allow = frozenset.intersection(*(rule.allow for rule in rules))
            about, rule = "burn rates: ", Rule.BURN_RATE
            yield case.doubted(assessment, doubt, about=about, rule=rule, allow=allow)
        else:
            # Most policies with an allowance have burn-rate rules, too: a permanent warning would
            # not help them.
            said, rule = f"not checked: burn rates: {reason}", Rule.MEASUREMENT
            yield Finding(
                rule=rule,
                slo=slo.name,
                verdict=Verdict.ALLOW,
                reason=said,
                cause=Cause.NOT_COVERED,
            )


def _silent(assessment: Assessment) -> Finding:
    windows = " and ".join(map(format_duration, _windows_without_traffic(assessment)))
    reason = f"no traffic over {windows}: there is no burn rate, and no rule on it can fire"
    return Finding(
        rule=Rule.BURN_RATE, slo=assessment.slo.name, verdict=Verdict.ALLOW, reason=reason
    )


def _windows_without_traffic(assessment: Assessment) -> list[timedelta]:
    return sorted(window for window, burn in assessment.burn_rates.items() if has_no_traffic(burn))


def _pair(case: Case, rule: BurnRateRule, assessment: Assessment) -> Iterator[Finding]:
    burns = {window: assessment.burn_rates[window] for window in (rule.long, rule.short)}
    if any(isinstance(burn, Fraction) and burn < rule.rate for burn in burns.values()):
        return
    measured = " and ".join(
        f"{burn_shown(burn)} over {format_duration(window)}"
        for window, burn in burns.items()
        if isinstance(burn, Fraction)
    )
    if any(map(has_no_traffic, burns.values())):
        return
    doubts = {window: burn for window, burn in burns.items() if isinstance(burn, Unmeasured)}
    if not doubts:
        yield case.fired(
            Rule.BURN_RATE,
            f"burning at {measured}; the burn-rate rule is {float(rule.rate):g}",
            slo=assessment.slo.name,
            allow=rule.allow,
            effect=rule.effect,
            advisory=assessment.slo.advisory,
        )
    for window, burn in doubts.items():
        if not _said_of_the_budget(assessment, burn):
            doubt = Doubt(cause=burn.cause, reason=burn.reason)
            about = f"burn rate over {format_duration(window)}: "
            yield case.doubted(assessment, doubt, about=about)


def _said_of_the_budget(assessment: Assessment, burn: Unmeasured) -> bool:
    """Whether the budget itself was not measured for the same cause: that already has a finding."""
    return not assessment.measured and assessment.doubts[0].cause is burn.cause
