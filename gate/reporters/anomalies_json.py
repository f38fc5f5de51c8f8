"""Control charts as a document, for programs: docs/anomalies.md has its shape."""

from gate.analysis.anomalies.result import AnomalyReport, anomalies_document
from gate.reporters.json import dump
from gate.reporters.style import Style


def render_anomalies(report: AnomalyReport, _style: Style) -> str:
    """Return the report's document, indented."""
    return dump(anomalies_document(report))
