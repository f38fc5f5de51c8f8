"""What else is known of one SLO's budget, as labelled sentences not yet escaped for any format."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from gate.budget.assess import PRESENT
from gate.budget.assessment import Assessment
from gate.budget.forecast import Forecast
from gate.budget.timeslices import allowed_downtime, describe_time
from gate.reporters import budgets, values
from gate.reporters.payable import payable
from gate.slo.duration import format_duration
from gate.slo.measurement import Unmeasured
from gate.slo.objective import CompositeSlo, Denominator, RatioSlo
from gate.slo.window import CalendarWindow

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
            f"{values.exact(m.weight)} x {m.slo}" for m in slo.members
        )
        return
    yield str(slo.window)
    if span is not None:
        yield f"{values.instant(span.start)} to {values.instant(span.end)}"
    if isinstance(slo, RatioSlo):
        yield from _method(slo)
    if evidence is not None and evidence.coverage is not None:
        yield f"{budgets.coverage(assessment)} has data"
    if evidence is not None and evidence.newest is not None:
        yield f"newest sample {values.instant(evidence.newest)}"


def _method(slo: RatioSlo) -> Iterator[str]:
    if slo.slices is not None:
        length, target = format_duration(slo.slices.length), values.percent(slo.slices.target)
        yield f"{length} slices with {target} good"
    elif isinstance(slo.window, CalendarWindow):
        yield _DENOMINATORS[slo.denominator]


def _left(assessment: Assessment, remaining: Fraction) -> Iterator[str]:
    slo = assessment.slo
    yield f"{values.left(remaining)} (consumed {values.spent(assessment.consumed)})"
    if assessment.error_ratio is not None:
        yield f"error ratio {values.spent(assessment.error_ratio, 3)}"
    if isinstance(slo, RatioSlo) and slo.slices and assessment.span:
        allowed = allowed_downtime(slo.window.whole(assessment.span.end).length, slo.budget)
        yield f"{values.downtime(remaining, allowed)} of {describe_time(allowed)} left"
    if assessment.interval:
        low, high = map(values.left, assessment.interval)
        yield f"95 % interval from {low} to {high}"
    if assessment.compared != remaining:
        yield f"{values.left(assessment.compared)} held against the tiers"


def _forecast(assessment: Assessment, remaining: Fraction) -> Iterator[Fact]:
    if assessment.forecast is not None:
        yield "forecast", forecast_sentence(assessment.forecast, remaining)
    elif isinstance(assessment.slo, RatioSlo):
        window = format_duration(PRESENT)
        yield "forecast", f"none, since the burn rate over {window} was not measured"


def forecast_sentence(forecast: Forecast, remaining: Fraction) -> str:
    """Say when the budget runs out and whether it lasts until it renews."""
    reset = f"the reset on {values.instant(forecast.resets_at)}" if forecast.resets_at else None
    if remaining <= 0:
        return f"exhausted already, until {reset}" if reset else "exhausted already"
    if reset and forecast.lasts_until_reset:
        return f"lasts until {reset} at the present rate"
    if forecast.exhausted_at is None:
        return "not exhausted at the present rate"
    before = f", before {reset}" if reset else ""
    return f"exhausted about {values.instant(forecast.exhausted_at)} at the present rate{before}"


def _burn_rates(assessment: Assessment) -> str:
    said = {doubt.reason for doubt in assessment.doubts}
    rates = sorted(assessment.burn_rates.items(), key=lambda item: item[0])
    return ", ".join(
        f"{format_duration(length)} not measured ({rate.reason})"
        if isinstance(rate, Unmeasured)
        else f"{format_duration(length)}={values.burn(rate)}"
        for length, rate in rates
        if not (isinstance(rate, Unmeasured) and rate.reason in said)
    )
