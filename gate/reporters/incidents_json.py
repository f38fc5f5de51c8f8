"""Incidents as a document, for programs: docs/incidents.md has its shape."""

from gate.analysis.incidents.result import IncidentReport, incidents_document
from gate.reporters.json import dump
from gate.reporters.style import Style


def render_incidents(report: IncidentReport, _style: Style) -> str:
    """Return the report's document, indented."""
    return dump(incidents_document(report))
