"""A review as a document, for programs: docs/review.md has its shape."""

from gate.analysis.review.result import ReviewReport, review_document
from gate.reporters.json import dump
from gate.reporters.style import Style


def render_review(report: ReviewReport, _style: Style) -> str:
    """Return the report's document, indented."""
    return dump(review_document(report))
