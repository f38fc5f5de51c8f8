"""The reporters by name: each renders a decision, or a status, as text, and does nothing else.

A new one is a module with ``render``, and ``render_status`` where it has something to say without
a verdict, and a line here; it is imported only when it is used.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gate.reporters.style import Style

if TYPE_CHECKING:  # every command comes by here, and most of the package hangs on these
    from gate.analysis.anomalies.result import AnomalyReport
    from gate.analysis.cohorts.result import CohortReport
    from gate.analysis.doctor.result import Checkup
    from gate.analysis.forecast.result import ForecastReport
    from gate.analysis.incidents.result import IncidentReport
    from gate.analysis.report.result import Report
    from gate.analysis.review.result import ReviewReport
    from gate.decision.decision import Decision
    from gate.decision.status import Status

__all__ = [
    "ANOMALY_REPORTERS",
    "CHECKUP_REPORTERS",
    "COHORT_REPORTERS",
    "FORECAST_REPORTERS",
    "INCIDENT_REPORTERS",
    "REPORTERS",
    "REPORT_REPORTERS",
    "REVIEW_REPORTERS",
    "STATUS_REPORTERS",
    "Style",
    "render",
    "render_anomalies",
    "render_checkup",
    "render_cohorts",
    "render_forecast",
    "render_incidents",
    "render_report",
    "render_review",
    "render_status",
]

STATUS_REPORTERS: Final[Mapping[str, str]] = {
    "terminal": "gate.reporters.terminal",
    "markdown": "gate.reporters.markdown",
    "json": "gate.reporters.json",
}
REPORTERS: Final[Mapping[str, str]] = {
    **STATUS_REPORTERS,
    "junit": "gate.reporters.junit",
    "sarif": "gate.reporters.sarif",
    "github": "gate.reporters.github",
    "gitlab": "gate.reporters.gitlab",
    "codequality": "gate.reporters.codequality",
    "dotenv": "gate.reporters.dotenv",
}
CHECKUP_REPORTERS: Final[Mapping[str, str]] = {
    "terminal": "gate.analysis.doctor.words",
    "json": "gate.reporters.checkup_json",
}
COHORT_REPORTERS: Final[Mapping[str, str]] = {
    "terminal": "gate.reporters.cohorts_terminal",
    "markdown": "gate.reporters.cohorts_markdown",
    "json": "gate.reporters.cohorts_json",
}
INCIDENT_REPORTERS: Final[Mapping[str, str]] = {
    "terminal": "gate.reporters.incidents_terminal",
    "markdown": "gate.reporters.incidents_markdown",
    "json": "gate.reporters.incidents_json",
}
FORECAST_REPORTERS: Final[Mapping[str, str]] = {
    "terminal": "gate.reporters.forecast_terminal",
    "markdown": "gate.reporters.forecast_markdown",
    "json": "gate.reporters.forecast_json",
}
REVIEW_REPORTERS: Final[Mapping[str, str]] = {
    "terminal": "gate.reporters.review_terminal",
    "markdown": "gate.reporters.review_markdown",
    "json": "gate.reporters.review_json",
}
ANOMALY_REPORTERS: Final[Mapping[str, str]] = {
    "terminal": "gate.reporters.anomalies_terminal",
    "markdown": "gate.reporters.anomalies_markdown",
    "json": "gate.reporters.anomalies_json",
}
REPORT_REPORTERS: Final[Mapping[str, str]] = {
    "html": "gate.analysis.report.html",
    "markdown": "gate.reporters.report_markdown",
    "json": "gate.reporters.report_json",
}


Thing = TypeVar("Thing")
Render = Callable[[str, Thing, Style], str]
"""From the name of a format, what is reported, and a style to the text, ended by a newline."""


def _render(function: str, reporters: Mapping[str, str]) -> Callable[[str, Any, Style], str]:
    """Return what calls the function of that name in the module of a format."""

    def render(name: str, thing: object, style: Style) -> str:
        text: str = getattr(import_module(reporters[name]), function)(thing, style)
        return text

    return render


render: "Render[Decision]" = _render("render", REPORTERS)
render_status: "Render[Status]" = _render("render_status", STATUS_REPORTERS)
render_checkup: "Render[Checkup]" = _render("render_checkup", CHECKUP_REPORTERS)
render_incidents: "Render[IncidentReport]" = _render("render_incidents", INCIDENT_REPORTERS)
render_forecast: "Render[ForecastReport]" = _render("render_forecast", FORECAST_REPORTERS)
render_review: "Render[ReviewReport]" = _render("render_review", REVIEW_REPORTERS)
render_anomalies: "Render[AnomalyReport]" = _render("render_anomalies", ANOMALY_REPORTERS)
render_cohorts: "Render[CohortReport]" = _render("render_cohorts", COHORT_REPORTERS)
render_report: "Render[Report]" = _render("render_report", REPORT_REPORTERS)
