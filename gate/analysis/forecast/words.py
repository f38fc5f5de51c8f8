"""The report of forecasts: sentences, cells and the page."""

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import Final

from gate import wording
from gate.analysis import examinations, question_page, seen_badge, why_unmeasured
from gate.analysis.forecast import (
    Affordable,
    ForecastReport,
    Projection,
    ServiceForecast,
    SloForecast,
    forecast_document,
)
from gate.budget.forecast import PACE
from gate.history.calendar_forecast import Expected
from gate.policy.findings import Verdict
from gate.policy.rounding import compared_between
from gate.policy.rules.tiers import left_shown
from gate.reporters import summary
from gate.reporters.budgets import cause, forecast_sentence
from gate.reporters.page import (
    MUST,
    Badge,
    Column,
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
from gate.slo.quantities import format_duration
from gate.wording import describe_time

BACK: Final = "Back in"
"""The beginning of labels about the return of a budget to a tier."""
_NO: Final = "no"
_WHOLE: Final = 10
"""The failures per hour from which fractions are left out."""
_RUNS: Final = 100
"""The number of simulated futures."""
_MOST: Final = 0.8
"""The share of the futures in which a budget must last to count as lasting."""


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
    if _running_out(forecast):
        return "Running out at the current rate"
    if forecast.unmeasured is not None or not (forecast.projections or forecast.expected):
        return "Not known"
    return "May run out" if _may_run_out(forecast) else "Lasting at recent rates"


def forecast_badge(service: ServiceForecast) -> Badge:
    """Return the severity, and the prediction as a word in capitals."""
    return seen_badge(_predicted(service), [slo.reservations for slo in service.slos])


def _predicted(service: ServiceForecast) -> Badge:
    slos = service.slos
    lost = sum(slo.unmeasured is not None for slo in slos)
    beside = f", {lost} NOT KNOWN" if lost else ""
    if any(slo.gone for slo in slos):
        return Badge(Verdict.BLOCK, f"EXHAUSTED{beside}")
    if any(_running_out(slo) for slo in slos):
        return Badge(Verdict.WARN, f"RUNNING OUT{beside}")
    if lost:
        return Badge(Verdict.UNDECIDED, f"{lost} NOT KNOWN")
    if any(map(_may_run_out, slos)):
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
    table = tabulate(projections, _columns(forecast) if projections else ())
    return table, Facts(tuple(_about(forecast)))


def _columns(forecast: SloForecast) -> tuple[Column[Projection], ...]:
    """Return the columns of an SLO's table: the rate, when it runs out, when it recovers."""
    first = forecast.projections[0]
    return (
        Column(title="If", cell=_if, right=False, keep=MUST),
        Column(title="Burn", cell=lambda projection: wording.burn(projection.burn), keep=MUST),
        Column(title="Runs out, UTC", cell=partial(_runs_out, forecast), right=False, keep=MUST),
        *(_back(tier) for tier in first.back),
        *([_LEFT] if first.left_at_reset is not None else []),
    )


def _about(forecast: SloForecast) -> Iterator[Fact]:
    """Yield the facts outside of the table: the reset, the members, the unknown parts."""
    assessment = forecast.assessment
    remaining = assessment.remaining
    if assessment.compared is not None and assessment.compared != remaining:
        yield "Used for tiers", left_shown(assessment, assessment.compared)
    yield from _when_back(forecast)
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


def _when_back(forecast: SloForecast) -> Iterator[Fact]:
    """Yield when the budget is in each better tier at the earliest, and at the usual pace."""
    by_rate = {projection.rate_of: projection.back for projection in forecast.projections}
    for tier, earliest in by_rate.get(None, {}).items():
        if earliest is None:
            yield f"{BACK} {tier}", "not within one window, even if nothing more fails"
            continue
        paced = by_rate.get(PACE, {}).get(tier)
        when = "never" if paced is None else wording.instant(paced)
        pace = f"; at the rate of the last {format_duration(PACE)}: {when}" * (PACE in by_rate)
        yield (
            f"{BACK} {tier}",
            f"{wording.instant(earliest)} at the earliest, if nothing more fails{pace}",
        )


def _running_out(forecast: SloForecast) -> bool:
    """Return whether it runs out at the current rate, over the shortest known window."""
    rates = [projection for projection in forecast.projections if projection.rate_of is not None]
    return bool(rates) and rates[0].exhausted_at is not None


def _may_run_out(forecast: SloForecast) -> bool:
    """Return whether it runs out at some rate, or in more than one of five futures."""
    expected = forecast.expected
    if expected is not None and expected.lasting_futures < _MOST:
        return True
    return any(projection.exhausted_at is not None for projection in forecast.projections)


def _if(projection: Projection) -> str:
    if projection.rate_of is None:
        return "nothing more fails"
    return f"as in the last {format_duration(projection.rate_of)}"


def _runs_out(forecast: SloForecast, projection: Projection) -> str:
    if forecast.gone:
        return "already exhausted"
    return _minute(projection.exhausted_at)


def _back(tier: str) -> Column[Projection]:
    def cell(projection: Projection) -> str:
        return _minute(projection.back[tier])

    return Column(title=f"Back in {tier}, UTC", cell=cell, right=False, keep=5)


def _minute(at: datetime | None) -> str:
    return _NO if at is None else wording.minute(at)


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


_LEFT: Final[Column[Projection]] = Column(
    title="Left at reset", cell=lambda projection: wording.left(projection.left_at_reset), keep=MUST
)
