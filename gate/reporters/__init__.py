"""The reporters by name: each renders a decision, or a status, as text, and does nothing else.

A new one is a module with ``render`` and ``render_status`` and a line here; it is imported only
when it is used.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from gate.decision.decision import Decision
from gate.decision.status import Status
from gate.reporters.style import Style

__all__ = ["REPORTERS", "Style", "render", "render_status"]

REPORTERS: Final[Mapping[str, str]] = {
    "terminal": "gate.reporters.terminal",
    "markdown": "gate.reporters.markdown",
    "json": "gate.reporters.json",
}


def render(name: str, decision: Decision, style: Style) -> str:
    """Return the report on a decision, with a newline at its end. ``name`` is a key above."""
    text: str = import_module(REPORTERS[name]).render(decision, style)
    return text


def render_status(name: str, status: Status, style: Style) -> str:
    """Return the report on the budgets alone, with a newline at its end."""
    text: str = import_module(REPORTERS[name]).render_status(status, style)
    return text
