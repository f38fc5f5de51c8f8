"""The documents themselves, for programs."""

import json

from gate.decision.checkup import Checkup, checkup_document
from gate.decision.decision import Decision
from gate.decision.document import to_document
from gate.decision.status import Status, status_document
from gate.reporters.style import Style


def render(decision: Decision, _style: Style) -> str:
    """Return the decision's document, indented."""
    return _dump(to_document(decision))


def render_status(status: Status, _style: Style) -> str:
    """Return the status's document, indented."""
    return _dump(status_document(status))


def render_checkup(checkup: Checkup, _style: Style) -> str:
    """Return the checkup's document, indented."""
    return _dump(checkup_document(checkup))


def _dump(document: dict[str, object]) -> str:
    # ASCII, so that no console encoding and no lone surrogate in a file name can break it.
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
