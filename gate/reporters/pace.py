"""How fast a budget is used, how long it lasts, and which changes it covers."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, Final

from gate import wording
from gate.budget.assessment import Assessment
from gate.budget.face_value import PRESENT
from gate.budget.forecast import Forecast
from gate.budget.impact import Impact, Price
from gate.budget.ratio import has_no_traffic
from gate.measure import Cause, Unmeasured
from gate.reporters.page import Fact
from gate.slo.objective import RatioSlo
from gate.slo.quantities import format_duration
from gate.wording import describe_time

if TYPE_CHECKING:
    from gate.decision.trigger import Trigger


_SHOWN: Final = Fraction(1, 1000)
"""The smallest share that one decimal of a percentage can show."""


def affordability(assessment: Assessment, *, headroom: bool = True) -> Iterator[Fact]:
    """Yield labelled sentences; each names the assumption behind its number.

    Args:
        assessment: the assessment of the SLO; its budget was measured.
        headroom: whether to say what the budget covers, which means little if the change is
            blocked.
    """
    price, slo = assessment.price, assessment.slo
    if price is not None:
        if assessment.impact_stated:
            yield "impact", f"{wording.spent(price.cost)} of the budget for {_stated(price.impact)}"
        if headroom and price.largest_canary > 0 and not _is_over(assessment):
            yield "headroom", _sentence(price)
    left = assessment.sla_remaining
    if isinstance(slo, RatioSlo) and slo.sla is not None and left is not None:
        contract = f"the contract's budget ({wording.percent(slo.sla)})"
        over = f"{contract} is overspent by {wording.overspent(left)}"
        yield "SLA", over if left < 0 else f"{wording.left(left)} left of {contract}"


def most_affordable(assessments: Sequence[Assessment]) -> str | None:
    """Say the largest canary that every budget covers; None if none exists, or it is unknown."""
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
    """Say the largest canary, and the longest time to notice a failure, that the budget covers."""
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


def promises(trigger: "Trigger") -> Iterator[str]:
    """Yield for each SLO the promised cost of the change, and what its canary may take."""
    for policy in trigger.policies:
        for promise in policy.slos:
            name = f"Pre-mortem: {promise.slo} of {policy.service}:"
            expected, largest = promise.expected_cost, promise.largest_loss
            if expected is None or largest is None:
                yield f"{name} the cost of the change is unknown: {promise.reason}"
            else:
                cost = f"expected cost {_taken(expected)} of the budget"
                yield f"{name} {cost}; the canary may take {_taken(largest)} at most"


def _taken(share: Fraction) -> str:
    return "less than 0.1%" if 0 < share < _SHOWN else wording.percent_spent(share)


def _is_over(assessment: Assessment) -> bool:
    """Return whether the budget is that of a period that ends at the instant of the run."""
    span, forecast = assessment.span, assessment.forecast
    return forecast is not None and span is not None and forecast.resets_at == span.end


def forecast_facts(assessment: Assessment, remaining: Fraction) -> Iterator[Fact]:
    """Yield when the budget runs out, or why that is not known."""
    if _is_over(assessment):
        yield "forecast", "none: the period is over"
    elif assessment.forecast is not None:
        yield "forecast", forecast_sentence(assessment.forecast, remaining)
    elif isinstance(assessment.slo, RatioSlo):
        window = format_duration(PRESENT)
        not_measured = f"the burn rate over {window} was not measured"
        silent = has_no_traffic(assessment.burn_rates.get(PRESENT))
        why = f"there was no traffic in the last {window}" if silent else not_measured
        yield "forecast", f"none: {why}"


def forecast_sentence(forecast: Forecast, remaining: Fraction) -> str:
    """Say when the budget runs out and whether it lasts until it resets."""
    reset = f"the reset on {wording.instant(forecast.resets_at)}" if forecast.resets_at else None
    if remaining <= 0:
        return f"already exhausted, until {reset}" if reset else "already exhausted"
    if reset and forecast.lasts_until_reset:
        return f"lasts until {reset} at the current rate"
    if forecast.exhausted_at is None:
        return "will not run out at the current rate"
    before = f", before {reset}" if reset else ""
    return f"runs out about {wording.instant(forecast.exhausted_at)} at the current rate{before}"


def burn_rates_text(assessment: Assessment) -> str:
    """Write the burn rates; equal rates of successive windows are written once."""
    said = {doubt.reason for doubt in assessment.doubts}
    rates = [
        (format_duration(length), rate)
        for length, rate in sorted(assessment.burn_rates.items(), key=lambda item: item[0])
        if not (isinstance(rate, Unmeasured) and rate.reason in said)
    ]
    errors = {format_duration(length): error for length, error in assessment.burn_errors.items()}
    numbers = []
    for text, group in groupby(rates, key=lambda pair: _burn(pair[1], errors.get(pair[0]))):
        first, *others = (window for window, _ in group)
        if text != wording.NOTHING:
            numbers.append(f"{text} over {first}{f' to {others[-1]}' if others else ''}")
    return ", ".join([*numbers, *_no_rates(rates)])


def _burn(rate: Fraction | Unmeasured, error: Fraction | None) -> str:
    """Write a burn rate; for a rounded one, both ends."""
    if error is None or isinstance(rate, Unmeasured):
        return wording.burn(rate)
    return f"{wording.burn(max(rate - error, Fraction(0)))} to {wording.burn(rate + error)}"


def _no_rates(rates: Sequence[tuple[str, Fraction | Unmeasured]]) -> Iterator[str]:
    """Yield the windows without a burn rate, once for each cause."""
    lost: dict[Cause, list[tuple[str, Unmeasured]]] = {}
    for window, rate in rates:
        if isinstance(rate, Unmeasured):
            lost.setdefault(rate.cause, []).append((window, rate))
    for group in lost.values():
        windows, why = ", ".join(window for window, _ in group), group[0][1]
        if has_no_traffic(why):
            yield f"none over {windows} (no traffic)"
        else:
            yield f"not measured over {windows} ({why.reason})"
