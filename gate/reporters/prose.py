"""Labelled sentences for a terminal, and the end of a report."""

from collections.abc import Iterator, Sequence
from typing import Final

from gate.reporters import ink
from gate.reporters.details import Fact
from gate.reporters.escape import plain
from gate.reporters.layout import GAP, hang, text_width
from gate.reporters.style import Style

_LABELS: Final = 13
"""Columns of the labels, the same in every part of the report."""
_READABLE: Final = 110
"""Longer lines of prose are hard to follow, however wide the terminal is."""


def facts(given: Sequence[Fact], style: Style, indent: str = "") -> Iterator[str]:
    """Write labelled sentences; a label that comes again is not said again."""
    label_width = max(_LABELS, *(text_width(label) for label, _ in given))
    before = None
    for label, text in given:
        shown = "" if label == before else label
        width = prose(style) - len(indent)
        first, *more = hang(shown, plain(text), label_width=label_width, width=width)
        head = ink.ink(first[:label_width], ink.DIM, style)
        yield f"{GAP}{indent}{head}{first[label_width:]}"
        yield from (f"{GAP}{indent}{line}" for line in more)
        before = label


def prose(style: Style) -> int:
    """Return how many columns a sentence may take."""
    return min(style.width, _READABLE) - len(GAP)


def finish(lines: Sequence[str], style: Style) -> str:
    """Return the lines as a report."""
    text = "\n".join([*lines, ""])
    # Foreign names may hold what an ASCII or a Windows console cannot; better escaped than a crash.
    return text if style.unicode else text.encode("ascii", "backslashreplace").decode("ascii")
