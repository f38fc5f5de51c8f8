"""What the remaining budget can pay for: the canary, the time to detect, the contract's margin."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate import wording
from gate.budget.assessment import Assessment
from gate.budget.forecast import Impact, Price
from gate.reporters.page import Fact
from gate.slo.objective import RatioSlo
from gate.wording import describe_time

_SHOWN: Final = Fraction(1, 1000)
"""The smallest share that one decimal of a percentage can show."""


def affordability(assessment: Assessment) -> Iterator[Fact]:
    """Yield labelled sentences; each names the assumption behind its number."""
    price, slo = assessment.price, assessment.slo
    if price is not None:
        if assessment.impact_stated:
            yield "impact", f"{wording.spent(price.cost)} of the budget for {_stated(price.impact)}"
        yield "pays for", _canary(price)
    left = assessment.sla_remaining
    if isinstance(slo, RatioSlo) and slo.sla is not None and left is not None:
        contract = f"the contract's budget ({wording.percent(slo.sla)})"
        over = f"{contract} is overspent by {wording.overspent(left)}"
        yield "SLA", over if left < 0 else f"{wording.left(left)} left of {contract}"


def most_affordable(assessments: Sequence[Assessment]) -> str | None:
    """Say the largest canary that every budget can pay for; None where not all are known."""
    if not all(assessment.measured and not assessment.uncovered for assessment in assessments):
        return None
    priced = [
        (assessment.price, assessment.slo.name)
        for assessment in assessments
        if assessment.price is not None and not assessment.slo.advisory
    ]
    if not priced:
        return None
    price, name = min(priced, key=lambda price_and_name: _tightness(price_and_name[0]))
    return f"{_canary(price)} ({name})"


def _tightness(price: Price) -> tuple[Fraction, timedelta]:
    longest = timedelta.max if price.longest_detect is None else price.longest_detect
    return price.largest_canary, longest


def _canary(price: Price) -> str:
    """Say the largest canary, and the longest time to notice, that what is left can pay for."""
    impact, largest = price.impact, price.largest_canary
    stated, failing = wording.percent(impact.canary), _failing(impact)
    if largest <= 0:
        return "no canary at all"
    if largest == impact.canary == 1:
        return f"a canary of {stated} of the traffic, {failing} for up to {_longest(price)}"
    within = f"{failing} for {describe_time(impact.detect)}"
    longest = f"or of {stated} for {_longest(price)}"
    return f"a canary of up to {_share(largest)} of the traffic, {within}, {longest}"


def _stated(impact: Impact) -> str:
    within = f"{_failing(impact)} for {describe_time(impact.detect)}"
    return f"a canary of {wording.percent(impact.canary)}, {within}"


def _failing(impact: Impact) -> str:
    whole = impact.failures == 1
    return "all of it failing" if whole else f"{wording.percent(impact.failures)} of it failing"


def _share(canary: Fraction) -> str:
    if canary == 1:
        return "100%"
    return wording.left(canary) if canary >= _SHOWN else "less than 0.1%"


def _longest(price: Price) -> str:
    return "any time" if price.longest_detect is None else describe_time(price.longest_detect)
