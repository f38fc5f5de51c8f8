"""What the remaining budget can pay for: the canary, the time to detect, the contract's margin."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from gate.budget.assessment import Assessment
from gate.budget.impact import Impact, Price
from gate.budget.timeslices import describe_time
from gate.reporters import values
from gate.slo.objective import RatioSlo

_SHOWN: Final = Fraction(1, 1000)
"""The smallest share that one decimal of a percentage can show."""


def payable(assessment: Assessment) -> Iterator[tuple[str, str]]:
    """Yield labelled sentences; each names the assumption behind its number."""
    price, slo = assessment.price, assessment.slo
    if price is not None:
        if assessment.impact_stated:
            yield "impact", f"{values.spent(price.cost)} of the budget for {_stated(price.impact)}"
        yield "pays for", _canary(price)
    if isinstance(slo, RatioSlo) and slo.sla is not None:
        left, sla = values.left(assessment.sla_remaining), values.percent(slo.sla)
        yield "SLA", f"{left} left of the contract's budget ({sla})"


def _stated(impact: Impact) -> str:
    return f"a canary of {values.percent(impact.canary)}, {_assumption(impact)}"


def _assumption(impact: Impact) -> str:
    return f"if {_failing(impact)} for {describe_time(impact.detect)}"


def _failing(impact: Impact) -> str:
    return "all of it fails" if impact.failures == 1 else f"{values.percent(impact.failures)} fails"


def _canary(price: Price) -> str:
    largest, assumption = price.largest_canary, _assumption(price.impact)
    if largest <= 0:
        return f"no canary at all ({assumption})"
    return f"canary of up to {_share(largest)} of the traffic ({assumption}), {_longest(price)}"


def _share(canary: Fraction) -> str:
    if canary == 1:
        return "100 %"
    return values.left(canary) if canary >= _SHOWN else "less than 0.1 %"


def _longest(price: Price) -> str:
    canary = values.percent(price.impact.canary)
    if price.longest_detect is None:
        return f"or of {canary} for any time"
    return f"or of {canary} for {describe_time(price.longest_detect)}"
