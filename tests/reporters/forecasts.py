"""Forecasts of what a backend in memory remembers, and how a terminal shows them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from gate.analysis.forecast import ForecastOptions, ForecastReport
from gate.analysis.forecast.run import forecast_budgets
from gate.analysis.forecast.words import output
from gate.measure import Unmeasured
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.analysis.memory import AT, Opening, file, slo
from tests.analysis.remembered import DAY, Bad, Remembered

WIDE = Style(width=130)


def told(
    bad: Mapping[str, Bad],
    *slos: str,
    at: datetime = AT,
    lost: Mapping[str, Unmeasured] | None = None,
    notes: tuple[str, ...] = ("seen",),
) -> ForecastReport:
    backend = Remembered(bad, end=at, lost=lost or {}, notes=notes)
    asked = ForecastOptions(at=at, last=90 * DAY, timeout=timedelta(seconds=3))
    return forecast_budgets(
        [file("chat", *(slos or map(slo, bad)))], asked, open_with=Opening({"chat": backend})
    )


def terminal(report: ForecastReport) -> str:
    return render_page("terminal", output(report), WIDE)
