"""What the remaining budget can pay for: the canary, the time to detect, the contract's margin."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from gate import wording
from gate.budget.assess import PRESENT
from gate.budget.assessment import Assessment
from gate.budget.forecast import Forecast
from gate.budget.impact import Impact, Price
from gate.budget.ratio import allowed_downtime
from gate.measure.counts import Unmeasured
from gate.reporters import budgets
from gate.slo.objective import CompositeSlo, Denominator, RatioSlo
from gate.slo.quantities import format_duration
from gate.slo.window import CalendarWindow
from gate.wording import describe_time

_SHOWN: Final = Fraction(1, 1000)
"""The smallest share that one decimal of a percentage can show."""


def payable(assessment: Assessment) -> Iterator[tuple[str, str]]:
    """Yield labelled sentences; each names the assumption behind its number."""
    price, slo = assessment.price, assessment.slo
    if price is not None:
        if assessment.impact_stated:
            yield "impact", f"{wording.spent(price.cost)} of the budget for {_stated(price.impact)}"
        yield "pays for", canary(price)
    if isinstance(slo, RatioSlo) and slo.sla is not None:
        left, sla = wording.left(assessment.sla_remaining), wording.percent(slo.sla)
        yield "SLA", f"{left} left of the contract's budget ({sla})"


def canary(price: Price) -> str:
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
        return "100 %"
    return wording.left(canary) if canary >= _SHOWN else "less than 0.1 %"


def _longest(price: Price) -> str:
    return "any time" if price.longest_detect is None else describe_time(price.longest_detect)


Fact = tuple[str, str]
"""A label and what stands behind it."""


_DENOMINATORS: Final = {
    Denominator.PERIOD: "against the whole period",
    Denominator.TO_DATE: "against the events so far",
}


def details(assessment: Assessment) -> Iterator[Fact]:
    """Yield everything worth telling, most pressing first; nothing for what does not apply."""
    label = "in doubt" if assessment.measured else "not measured"
    for doubt in assessment.doubts:
        yield label, f"{budgets.cause(doubt.cause)}: {doubt.reason}"
    yield "window", ", ".join(_window(assessment))
    if assessment.remaining is not None:
        yield "left", ", ".join(_left(assessment, assessment.remaining))
        yield from _forecast(assessment, assessment.remaining)
        yield from payable(assessment)
    if told := _burn_rates(assessment):
        yield "burn rates", told
    for note in assessment.evidence.notes if assessment.evidence else ():
        yield "note", note


def _window(assessment: Assessment) -> Iterator[str]:
    slo, span, evidence = assessment.slo, assessment.span, assessment.evidence
    if isinstance(slo, CompositeSlo):
        yield "as its parts: " + " + ".join(
            f"{wording.exact(m.weight)} x {m.slo}" for m in slo.members
        )
        return
    yield str(slo.window)
    if span is not None:
        yield f"{wording.instant(span.start)} to {wording.instant(span.end)}"
    if isinstance(slo, RatioSlo):
        yield from _method(slo)
    if evidence is not None and evidence.coverage is not None:
        yield f"{budgets.coverage(assessment)} has data"
    if evidence is not None and evidence.newest is not None:
        yield f"newest sample {wording.instant(evidence.newest)}"


def _method(slo: RatioSlo) -> Iterator[str]:
    if slo.slices is not None:
        length, target = format_duration(slo.slices.length), wording.percent(slo.slices.target)
        yield f"{length} slices with {target} good"
    elif isinstance(slo.window, CalendarWindow):
        yield _DENOMINATORS[slo.denominator]


def _left(assessment: Assessment, remaining: Fraction) -> Iterator[str]:
    slo = assessment.slo
    yield f"{wording.left(remaining)} (consumed {wording.spent(assessment.consumed)})"
    if assessment.error_ratio is not None:
        yield f"error ratio {wording.spent(assessment.error_ratio, 3)}"
    if isinstance(slo, RatioSlo) and slo.slices and assessment.span:
        allowed = allowed_downtime(slo.window.whole(assessment.span.end).length, slo.budget)
        yield f"{wording.downtime(remaining, allowed)} of {describe_time(allowed)} left"
    if assessment.interval:
        low, high = map(wording.left, assessment.interval)
        yield f"95 % interval from {low} to {high}"
    if assessment.compared != remaining:
        yield f"{wording.left(assessment.compared)} held against the tiers"


def _forecast(assessment: Assessment, remaining: Fraction) -> Iterator[Fact]:
    if assessment.forecast is not None:
        yield "forecast", forecast_sentence(assessment.forecast, remaining)
    elif isinstance(assessment.slo, RatioSlo):
        window = format_duration(PRESENT)
        yield "forecast", f"none, since the burn rate over {window} was not measured"


def forecast_sentence(forecast: Forecast, remaining: Fraction) -> str:
    """Say when the budget runs out and whether it lasts until it renews."""
    reset = f"the reset on {wording.instant(forecast.resets_at)}" if forecast.resets_at else None
    if remaining <= 0:
        return f"exhausted already, until {reset}" if reset else "exhausted already"
    if reset and forecast.lasts_until_reset:
        return f"lasts until {reset} at the present rate"
    if forecast.exhausted_at is None:
        return "not exhausted at the present rate"
    before = f", before {reset}" if reset else ""
    return f"exhausted about {wording.instant(forecast.exhausted_at)} at the present rate{before}"


def _burn_rates(assessment: Assessment) -> str:
    said = {doubt.reason for doubt in assessment.doubts}
    rates = sorted(assessment.burn_rates.items(), key=lambda item: item[0])
    return ", ".join(
        f"{format_duration(length)} not measured ({rate.reason})"
        if isinstance(rate, Unmeasured)
        else f"{format_duration(length)}={wording.burn(rate)}"
        for length, rate in rates
        if not (isinstance(rate, Unmeasured) and rate.reason in said)
    )
