"""The report as one page of HTML that needs nothing beside itself."""

from gate.analysis.report.html.page import page
from gate.analysis.report.result import Report
from gate.reporters.style import Style


def render_report(report: Report, _style: Style) -> str:
    """Return the page."""
    return page(report)
