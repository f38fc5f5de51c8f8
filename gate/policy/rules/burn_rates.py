"""Whether the budget burns too fast right now."""

from collections.abc import Iterator
from fractions import Fraction

from gate.budget.assessment import Assessment, Doubt
from gate.measure import Unmeasured
from gate.policy.case import Case, calm
from gate.policy.findings import Finding, Rule
from gate.policy.rule_settings import BurnRateRule
from gate.slo.quantities import format_duration
from gate.wording import burn_shown


def findings(case: Case) -> list[Finding]:
    """Return a finding for every pair of windows that fires or is not known.

    Where there is none, a single finding says so. A pair fires only when both its windows burn at
    its rate: a window that is known to burn slower settles it, whatever the other does.
    """
    burning = [assessment for assessment in case.assessments if assessment.burn_rates]
    firing = [
        finding
        for rule in case.policy.burn_rates
        for assessment in burning
        for finding in _pair(case, rule, assessment)
    ]
    measured = any(assessment.measured for assessment in burning)
    if case.policy.burn_rates and measured and not firing:
        return [calm(Rule.BURN_RATE, "no burn-rate rule fires")]
    return firing


def _pair(case: Case, rule: BurnRateRule, assessment: Assessment) -> Iterator[Finding]:
    burns = {window: assessment.burn_rates[window] for window in (rule.long, rule.short)}
    if any(isinstance(burn, Fraction) and burn < rule.rate for burn in burns.values()):
        return
    measured = " and ".join(
        f"{burn_shown(burn)} over {format_duration(window)}"
        for window, burn in burns.items()
        if isinstance(burn, Fraction)
    )
    doubts = {window: burn for window, burn in burns.items() if isinstance(burn, Unmeasured)}
    if not doubts:
        yield case.fired(
            Rule.BURN_RATE,
            f"burning at {measured}; the rule is {float(rule.rate):g}",
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
    """Whether the budget itself was not measured for the same cause: that has a finding already."""
    return not assessment.measured and assessment.doubts[0].cause is burn.cause
