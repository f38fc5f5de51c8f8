"""The formats by name: each module renders a result as text, and does nothing else.

A new format for every command is a module with ``render(output, style)`` and a line in `PAGES`; a
new one for decisions alone is a module with ``render(decision, style)`` and a line in `REPORTERS`.
A module is imported only when its format is written.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from gate.reporters.ansi import Style

if TYPE_CHECKING:  # every command imports this module, and most of the package depends on these
    from gate.decision.decision import Decision
    from gate.reporters.page import Output

__all__ = ["PAGES", "REPORTERS", "Style", "render", "render_page"]
PAGES: Final[Mapping[str, str]] = {
    "terminal": "gate.reporters.page_terminal",
    "markdown": "gate.reporters.page_markdown",
    "json": "gate.reporters.page_json",
    "brief": "gate.reporters.page_brief",
}
"""The formats of every command."""
REPORTERS: Final[Mapping[str, str]] = {
    **PAGES,
    "junit": "gate.reporters.junit",
    "sarif": "gate.reporters.sarif",
    "github": "gate.reporters.github",
    "gitlab": "gate.reporters.gitlab",
    "codequality": "gate.reporters.codequality",
    "dotenv": "gate.reporters.dotenv",
    "intoto": "gate.reporters.intoto",
}
"""The formats of a decision."""


def render_page(name: str, output: "Output", style: Style) -> str:
    """Return a result in one of the formats of every command, ended by a line break."""
    text: str = import_module(PAGES[name]).render(output, style)
    return text


def render(name: str, decision: "Decision", style: Style) -> str:
    """Return a decision in one of its formats, ended by a line break."""
    if name in PAGES:
        pages = import_module("gate.reporters.decision_page")
        return render_page(name, pages.decision_output(decision), style)
    text: str = import_module(REPORTERS[name]).render(decision, style)
    return text
