"""A forecast as a document, for programs: docs/forecast.md has its shape."""

from gate.analysis.forecast.result import ForecastReport, forecast_document
from gate.reporters.json import dump
from gate.reporters.style import Style


def render_forecast(report: ForecastReport, _style: Style) -> str:
    """Return the report's document, indented."""
    return dump(forecast_document(report))
