"""The report of forecasts: sentences, cells and the page."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Final

from gate import wording
from gate.analysis import examinations, question_page, seen_badge, why_unmeasured
from gate.analysis.forecast import (
    Affordable,
    ForecastReport,
    ServiceForecast,
    SloForecast,
    forecast_document,
)
from gate.analysis.forecast.table import projection_columns, when_back
from gate.history.calendar_forecast import Expected
from gate.policy.findings import Verdict
from gate.policy.rounding import compared_between
from gate.policy.rules.tiers import left_shown
from gate.reporters import summary
from gate.reporters.budgets import cause
from gate.reporters.pace import forecast_sentence
from gate.reporters.page import (
    Badge,
    DataTable,
    Fact,
    Facts,
    Output,
    Page,
    Paragraph,
    Section,
    said,
    tabulate,
)
from gate.slo.objective import CompositeSlo
from gate.wording import describe_time

_WHOLE: Final = 10
"""The failures per hour from which fractions are left out."""
_RUNS: Final = 100
"""The number of simulated futures."""


def output(report: ForecastReport) -> Output:
    """Return the report in the form that every format is written from."""
    return Output(page=partial(page, report), document=partial(forecast_document, report))


def page(report: ForecastReport) -> Page:
    """Return the page on the forecasts of every policy."""
    sections = ((forecast_section(service), service) for service in report.services)
    return question_page(
        sections,
        summary.signature(report.evaluated_at, report.tool_version),
        *examinations(report),
    )


def forecast_section(service: ServiceForecast) -> Section:
    """Return the forecasts of one policy's budgets."""
    return Section(
        title=service.policy.service,
        badge=forecast_badge(service),
        blocks=(
            Paragraph(forecast_answer(service)),
            *(
                Section(
                    title=forecast.assessment.slo.name,
                    tail=f": {forecast_heading(forecast)}",
                    blocks=said(*forecast_blocks(forecast)),
                    compact=True,
                )
                for forecast in service.slos
            ),
        ),
    )


def forecast_answer(service: ServiceForecast) -> str:
    """Say for each budget whether it lasts, the worst first."""
    groups: dict[str, list[str]] = {
        "Already exhausted": [],
        "Running out at the current rate": [],
        "May run out": [],
        "Not known": [],
        "Lasting at recent rates": [],
    }
    for forecast in service.slos:
        groups[_fate(forecast)].append(forecast.assessment.slo.name)
    return " ".join(f"{fate}: {', '.join(names)}." for fate, names in groups.items() if names)


def _fate(forecast: SloForecast) -> str:
    if forecast.gone:
        return "Already exhausted"
    if forecast.running_out:
        return "Running out at the current rate"
    if forecast.unmeasured is not None or not (forecast.projections or forecast.expected):
        return "Not known"
    return "May run out" if forecast.may_run_out else "Lasting at recent rates"


def forecast_badge(service: ServiceForecast) -> Badge:
    """Return the severity, and the prediction as a word in capitals."""
    return seen_badge(_predicted(service), [slo.reservations for slo in service.slos])


def _predicted(service: ServiceForecast) -> Badge:
    slos = service.slos
    lost = sum(slo.unmeasured is not None for slo in slos)
    beside = f", {lost} NOT KNOWN" if lost else ""
    if any(slo.gone for slo in slos):
        return Badge(Verdict.BLOCK, f"EXHAUSTED{beside}")
    if any(slo.running_out for slo in slos):
        return Badge(Verdict.WARN, f"RUNNING OUT{beside}")
    if lost:
        return Badge(Verdict.UNDECIDED, f"{lost} NOT KNOWN")
    if any(slo.may_run_out for slo in slos):
        return Badge(Verdict.WARN, "MAY RUN OUT")
    return Badge(Verdict.ALLOW, "LASTS")


def forecast_heading(forecast: SloForecast) -> str:
    """Say what is left now, and its effect."""
    compared = forecast.assessment.compared
    if forecast.tier is None or compared is None:
        return "not known"
    if forecast.assessment.uncovered is not None:
        return f"not known, {forecast.assessment.uncovered} measured"
    slo = forecast.assessment.slo
    left, of = wording.left_between(*compared_between(forecast.assessment)), "over"
    if compared >= 0:
        left, of = f"{left} left", "of"
    window = "" if isinstance(slo, CompositeSlo) else f" {of} {slo.window}"
    least = "" if forecast.assessment.rounding is None else " at the worse end"
    return f"{left}{window}, tier {forecast.tier.name}{least}"


def forecast_blocks(forecast: SloForecast) -> tuple[DataTable, Facts]:
    """Return the forecast of a budget at each rate, and the facts outside of the table."""
    projections = forecast.projections
    table = tabulate(projections, projection_columns(forecast) if projections else ())
    return table, Facts(tuple(_about(forecast)))


def _about(forecast: SloForecast) -> Iterator[Fact]:
    """Yield the facts outside of the table: the reset, the members, the unknown parts."""
    assessment = forecast.assessment
    remaining = assessment.remaining
    if assessment.compared is not None and assessment.compared != remaining:
        yield "Used for tiers", left_shown(assessment, assessment.compared)
    yield from when_back(forecast)
    yield from _affordable(forecast.affordable)
    if forecast.expected is not None:
        yield "At the reset", _expected(forecast.expected)
    if forecast.unmeasured is not None:
        yield "Not measured", why_unmeasured(forecast.unmeasured)
    if forecast.limitation is not None:
        yield "Limited data", forecast.limitation
    by_division = not forecast.projections and assessment.uncovered is None
    if by_division and assessment.forecast is not None and remaining is not None:
        simple = forecast_sentence(assessment.forecast, remaining)
        yield "Linear projection", f"{simple}; failures that leave the window are ignored"
    if forecast.unknown:
        yield "Unknown", f"{wording.spent(forecast.unknown)} of the history has no data"
    for reservation in forecast.reservations:
        yield "In doubt", f"{cause(reservation.cause)}: {reservation.reason}"
    yield from (("Note", note) for note in forecast.notes)


def _affordable(affordable: Affordable | None) -> Iterator[Fact]:
    """Yield how much may still fail without overspending, and for each better tier."""
    if affordable is None:
        return
    until = f"until {wording.instant(affordable.until)}{' (the reset)' * affordable.at_reset}"
    if affordable.rate is None:
        yield "Affordable", f"no more failures {until}, and even then it ends overspent"
        return
    goals = [f"{_down(affordable.rate)} {affordable.what} an hour {until} to end within budget"]
    unreachable = []
    for tier, rate in affordable.back.items():
        if rate is None:
            unreachable.append(tier)
        else:
            goals.append(f"{_down(rate)} to end in {tier}")
    beyond = f"; {' and '.join(unreachable)} cannot be reached by then" if unreachable else ""
    yield "Affordable", f"at most {', '.join(goals)}{beyond}"


def _down(rate: Fraction) -> str:
    """Write a rate rounded down: whole from ten on, otherwise with two decimals."""
    return f"{int(rate):,}" if rate >= _WHOLE else f"{int(rate * 100) / 100:g}"


def _expected(expected: Expected) -> str:
    """Say what will be left, and how often such forecasts came true."""
    low, high, middle = map(wording.shown, (expected.low, expected.high, expected.median))
    length, held = describe_time(expected.history_length), expected.held
    return (
        f"{wording.budget_between(low, high)} if the future is like the last {length}"
        f" ({wording.left_or_overspent(middle)} in the median); of {_RUNS} simulated months"
        f" {held.within} ended within such an interval and {held.worse} below it ({held.least}"
        f" within it in the worst case); the budget lasts in {_lasting(expected.lasting)}"
    )


def _lasting(share: float) -> str:
    return f"{int(share * _RUNS)} of {_RUNS}"
