"""Colours and signs of the terminal report. Colour only repeats what a word already says."""

from typing import Final

from gate.budget.assessment import Assessment
from gate.policy.findings import Verdict
from gate.reporters import budgets
from gate.reporters.column import Column
from gate.reporters.style import Style

BOLD: Final = "1"
DIM: Final = "2"
_RED, _GREEN, _YELLOW, _MAGENTA = "31", "32", "33", "35"

_SIGNS: Final = {
    Verdict.ALLOW: ("✔", "+"),
    Verdict.WARN: ("▲", "!"),
    Verdict.UNDECIDED: ("?", "?"),
    Verdict.BLOCK: ("✖", "x"),
}
"""In Unicode and in ASCII."""
_BADGES: Final = {
    Verdict.ALLOW: "1;30;42",
    Verdict.WARN: "1;30;43",
    Verdict.UNDECIDED: "1;37;45",
    Verdict.BLOCK: "1;37;41",
}
_MARKS: Final = {
    Verdict.ALLOW: _GREEN,
    Verdict.WARN: _YELLOW,
    Verdict.UNDECIDED: _MAGENTA,
    Verdict.BLOCK: _RED,
}
_BAR: Final = 10


def ink(text: str, code: str, style: Style) -> str:
    """Write the text with an ANSI attribute, or as it is where there is no colour."""
    return f"\x1b[{code}m{text}\x1b[0m" if style.color and text.strip() else text


def badge(verdict: Verdict, word: str, style: Style) -> str:
    """Write the verdict so that nobody overlooks it."""
    sign = _SIGNS[verdict][not style.unicode]
    return ink(f" {sign} {word} " if style.color else f"{sign} {word}", _BADGES[verdict], style)


def mark(verdict: Verdict, style: Style) -> str:
    """Write a verdict's sign alone."""
    return coloured(verdict, _SIGNS[verdict][not style.unicode], style)


def coloured(verdict: Verdict, text: str, style: Style) -> str:
    """Write a text in a verdict's colour."""
    return ink(text, _MARKS[verdict], style)


def bar(style: Style) -> Column[Assessment]:
    """Return a column that draws what is left, never a cell too many."""
    full, empty = ("█", "░") if style.unicode else ("#", ".")

    def draw(known: Assessment) -> str:
        if known.remaining is None:
            return ""
        cells = min(max(int(known.remaining * _BAR // 1), 0), _BAR)
        return full * cells + empty * (_BAR - cells)

    return Column(title="", cell=draw, right=False, keep=0)


def cell(column: Column[Assessment], known: Assessment, text: str, style: Style) -> str:
    """Colour one cell of the budget table."""
    if column is budgets.NAME:
        return ink(text, BOLD, style)
    if column is budgets.STATUS:
        return ink(text, _trust(known), style)
    if column is budgets.REMAINING or not column.title:
        spent = known.remaining is not None and known.remaining <= 0
        return ink(text, _RED if spent else _trust(known), style)
    return text


def _trust(known: Assessment) -> str:
    if not known.measured:
        return _MAGENTA
    return _YELLOW if known.doubts else _GREEN
