"""What the budget left covers: the canary, the time to detect, the contract's margin."""

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


def affordability(assessment: Assessment, *, headroom: bool = True) -> Iterator[Fact]:
    """Yield labelled sentences; each names the assumption behind its number.

    Args:
        assessment: of the SLO; its budget was measured.
        headroom: whether to say what the budget covers, which means little where it is blocked.
    """
    price, slo = assessment.price, assessment.slo
    if price is not None:
        if assessment.impact_stated:
            yield "impact", f"{wording.spent(price.cost)} of the budget for {_stated(price.impact)}"
        if headroom and price.largest_canary > 0:
            yield "headroom", _sentence(price)
    left = assessment.sla_remaining
    if isinstance(slo, RatioSlo) and slo.sla is not None and left is not None:
        contract = f"the contract's budget ({wording.percent(slo.sla)})"
        over = f"{contract} is overspent by {wording.overspent(left)}"
        yield "SLA", over if left < 0 else f"{wording.left(left)} left of {contract}"


def most_affordable(assessments: Sequence[Assessment]) -> str | None:
    """Say the largest canary that every budget covers; None where it covers none, or not known."""
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
    return f"{_sentence(price)} ({name})" if price.largest_canary > 0 else None


def _tightness(price: Price) -> tuple[Fraction, timedelta]:
    longest = timedelta.max if price.longest_detect is None else price.longest_detect
    return price.largest_canary, longest


def _sentence(price: Price) -> str:
    """Say the largest canary, and the longest time to notice, that what is left covers."""
    impact, largest = price.impact, price.largest_canary
    fails = f"that fails {_failing(impact)}"
    if largest == impact.canary == 1:
        return f"the budget left covers a full rollout {fails} for up to {_longest(price)}"
    within = f"a canary of up to {_share(largest)} of the traffic {fails} for"
    longest = f"or one of {wording.percent(impact.canary)} for {_longest(price)}"
    return f"the budget left covers {within} {describe_time(impact.detect)}, {longest}"


def _stated(impact: Impact) -> str:
    within = f"fails {_failing(impact)} for {describe_time(impact.detect)}"
    return f"a canary of {wording.percent(impact.canary)} of the traffic that {within}"


def _failing(impact: Impact) -> str:
    whole = impact.failures == 1
    return "every request" if whole else f"{wording.percent(impact.failures)} of its requests"


def _share(canary: Fraction) -> str:
    if canary == 1:
        return "100%"
    return wording.left(canary) if canary >= _SHOWN else "less than 0.1%"


def _longest(price: Price) -> str:
    return "any time" if price.longest_detect is None else describe_time(price.longest_detect)
