"""The documents themselves, for programs."""

import json

from gate.decision.decision import Decision
from gate.decision.document import to_document
from gate.decision.status import Status, status_document
from gate.reporters.style import Style


def render(decision: Decision, _style: Style) -> str:
    """Return the decision's document, indented."""
    return dump(to_document(decision))


def render_status(status: Status, _style: Style) -> str:
    """Return the status's document, indented."""
    return dump(status_document(status))


def dump(document: dict[str, object]) -> str:
    """Write a document as JSON."""
    # ASCII, so that no console encoding and no lone surrogate in a file name can break it.
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
