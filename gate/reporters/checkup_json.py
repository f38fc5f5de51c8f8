"""What the doctor saw as a document, for programs: docs/doctor.md has its shape."""

from gate.analysis.doctor.result import Checkup, checkup_document
from gate.reporters.json import dump
from gate.reporters.style import Style


def render_checkup(checkup: Checkup, _style: Style) -> str:
    """Return the checkup's document, indented."""
    return dump(checkup_document(checkup))
