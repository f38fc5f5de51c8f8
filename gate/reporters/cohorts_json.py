"""Cohorts as a document, for programs: docs/cohorts.md has its shape."""

from gate.analysis.cohorts.result import CohortReport, cohorts_document
from gate.reporters.json import dump
from gate.reporters.style import Style


def render_cohorts(report: CohortReport, _style: Style) -> str:
    """Return the report's document, indented."""
    return dump(cohorts_document(report))
