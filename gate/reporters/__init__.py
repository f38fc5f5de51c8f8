"""The reporters by name: each renders a decision, or a status, as text, and does nothing else.

A new one is a module with ``render``, and ``render_status`` where it has something to say without
a verdict, and a line here; it is imported only when it is used.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from gate.reporters.style import Style

if TYPE_CHECKING:  # every command comes by here, and most of the package hangs on these
    from gate.decision.anomalies import AnomalyReport
    from gate.decision.checkup import Checkup
    from gate.decision.cohorts import CohortReport
    from gate.decision.decision import Decision
    from gate.decision.forecast import ForecastReport
    from gate.decision.incidents import IncidentReport
    from gate.decision.report import Report
    from gate.decision.review import ReviewReport
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
    "terminal": "gate.reporters.checkup",
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
    "html": "gate.reporters.html",
    "markdown": "gate.reporters.report_markdown",
    "json": "gate.reporters.report_json",
}


def render(name: str, decision: "Decision", style: Style) -> str:
    """Return the report on a decision, ended by a newline. ``name`` is one of `REPORTERS`."""
    text: str = import_module(REPORTERS[name]).render(decision, style)
    return text


def render_status(name: str, status: "Status", style: Style) -> str:
    """Return the report on the budgets alone. ``name`` is one of `STATUS_REPORTERS`."""
    text: str = import_module(REPORTERS[name]).render_status(status, style)
    return text


def render_checkup(name: str, checkup: "Checkup", style: Style) -> str:
    """Return the report on what the doctor saw. ``name`` is one of `CHECKUP_REPORTERS`."""
    text: str = import_module(CHECKUP_REPORTERS[name]).render_checkup(checkup, style)
    return text


def render_incidents(name: str, report: "IncidentReport", style: Style) -> str:
    """Return the report on incidents. ``name`` is one of `INCIDENT_REPORTERS`."""
    text: str = import_module(INCIDENT_REPORTERS[name]).render_incidents(report, style)
    return text


def render_forecast(name: str, report: "ForecastReport", style: Style) -> str:
    """Return the report on what is foretold. ``name`` is one of `FORECAST_REPORTERS`."""
    text: str = import_module(FORECAST_REPORTERS[name]).render_forecast(report, style)
    return text


def render_review(name: str, report: "ReviewReport", style: Style) -> str:
    """Return the report on a review. ``name`` is one of `REVIEW_REPORTERS`."""
    text: str = import_module(REVIEW_REPORTERS[name]).render_review(report, style)
    return text


def render_anomalies(name: str, report: "AnomalyReport", style: Style) -> str:
    """Return the report on control charts. ``name`` is one of `ANOMALY_REPORTERS`."""
    text: str = import_module(ANOMALY_REPORTERS[name]).render_anomalies(report, style)
    return text


def render_cohorts(name: str, report: "CohortReport", style: Style) -> str:
    """Return the report on cohorts. ``name`` is one of `COHORT_REPORTERS`."""
    text: str = import_module(COHORT_REPORTERS[name]).render_cohorts(report, style)
    return text


def render_report(name: str, report: "Report", style: Style) -> str:
    """Return what happened to the budgets. ``name`` is one of `REPORT_REPORTERS`."""
    text: str = import_module(REPORT_REPORTERS[name]).render_report(report, style)
    return text
