"""The report as one page of HTML that needs nothing beside itself."""

from gate.decision.report import Report
from gate.reporters.html.page import page
from gate.reporters.style import Style


def render_report(report: Report, _style: Style) -> str:
    """Return the page."""
    return page(report)
