"""The report as a document, for programs: docs/report.md has its shape."""

from gate.analysis.report.result import Report, report_document
from gate.reporters.json import dump
from gate.reporters.style import Style


def render_report(report: Report, _style: Style) -> str:
    """Return the report's document, indented."""
    return dump(report_document(report))
