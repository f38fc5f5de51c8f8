"""Plain text as a terminal shows it: colours, widths, wrapping, and tables that fit."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

from gate.dataclass import dataclass
from gate.policy.findings import Verdict
from gate.reporters.escape import plain
from gate.reporters.page import MUST, Cell, Column, DataTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The abilities of the output device, for the terminal format."""

    width: int = 80
    """The number of columns."""
    color: bool = False
    """Whether ANSI colours may be written."""
    unicode: bool = True
    """Whether the report's own signs may be outside of ASCII."""


BOLD: Final = "1"
DIM: Final = "2"
_SIGNS: Final = {
    Verdict.ALLOW: ("✔", "+"),
    Verdict.WARN: ("▲", "!"),
    Verdict.UNDECIDED: ("?", "?"),
    Verdict.BLOCK: ("✖", "x"),
}
"""A sign in Unicode and in ASCII."""
_BADGES: Final = {
    Verdict.ALLOW: "1;30;42",
    Verdict.WARN: "1;30;43",
    Verdict.UNDECIDED: "1;97;45",
    Verdict.BLOCK: "1;97;41",
}
_COLOURS: Final = {
    Verdict.ALLOW: "32",  # green
    Verdict.WARN: "33",  # yellow
    Verdict.UNDECIDED: "95",  # bright magenta
    Verdict.BLOCK: "91",  # bright red, since plain red is hard to read on a dark background
}
_SPACE: Final = re.compile(r" +(?!UTC|[0-9]{2}:[0-9]{2})")
"""The places at which a line may break: not within 2026-11-23 20:53 UTC."""
GAP: Final = "  "
_NARROWEST: Final = 12
"""The minimum number of columns for wrapped text; numbers and most words stay whole."""


def text_width(text: str) -> int:
    """Return the columns of a text: two for each wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Pad the text with spaces, on its left if it is aligned to the right."""
    space = " " * (width - text_width(text))
    return space + text if right else text + space


def wrap(text: str, width: int) -> list[str]:
    """Break the text at spaces into lines of at most ``width`` columns.

    A longer word breaks after a comma if it has one, like a selector's matchers, otherwise
    anywhere.
    """
    lines, room = [""], max(width, _NARROWEST)
    for word in _SPACE.split(text):
        if not lines[-1] or text_width(f"{lines[-1]} {word}") <= room:
            lines[-1] = f"{lines[-1]} {word}".lstrip()
        else:
            lines.append(word)
        while text_width(lines[-1]) > room:
            fitting = _fitting(lines[-1], room)
            cut = lines[-1].rfind(",", 0, fitting) + 1 or fitting
            lines[-1:] = [lines[-1][:cut], lines[-1][cut:]]
    return lines


def hang(label: str, text: str, *, label_width: int, width: int) -> list[str]:
    """Return a label and, in a column of its own, the wrapped text."""
    head = pad(label, label_width) + GAP
    lines = wrap(text, width - text_width(head))
    return [(" " * text_width(head) if i else head) + line for i, line in enumerate(lines)]


def _fitting(text: str, width: int) -> int:
    return next(n for n in range(len(text), 0, -1) if text_width(text[:n]) <= width)


def ink(text: str, code: str, style: Style) -> str:
    """Write the text with an ANSI attribute, or unchanged without colour."""
    return f"\x1b[{code}m{text}\x1b[0m" if style.color and text.strip() else text


def badge_text(verdict: Verdict, word: str, style: Style) -> str:
    """Write the verdict as a badge."""
    sign = _SIGNS[verdict][not style.unicode]
    return ink(f" {sign} {word} " if style.color else f"{sign} {word}", _BADGES[verdict], style)


def mark_sign(verdict: Verdict, style: Style) -> str:
    """Write the sign of a verdict alone."""
    return coloured(verdict, _SIGNS[verdict][not style.unicode], style)


def coloured(verdict: Verdict, text: str, style: Style) -> str:
    """Write a text in the colour of a verdict."""
    return ink(text, _COLOURS[verdict], style)


_LEAST: Final = 12
"""The minimum number of columns for text in a column of words."""
Grid = list[list[list[str]]]
"""Rows of cells of lines."""


def text_table(table: DataTable, style: Style) -> Iterator[str]:
    """Yield the lines of the table, indented: a head, a rule, the rows.

    Columns of words wrap if the table is too wide; then the columns with the lowest ``keep`` are
    left out. Columns that must stay do so even if they do not fit.
    """
    columns, width = table.columns, style.width - len(GAP)
    grid = [
        [_lines(column, cell, width, style) for column, cell in zip(columns, row, strict=True)]
        for row in table.rows
    ]
    kept = _kept(columns, grid, width)
    widths = {place: _width(columns[place], place, grid) for place in kept}
    heads = [pad(columns[p].title, widths[p], right=columns[p].right) for p in kept]
    rule = "─" if style.unicode else "-"
    for line in (GAP.join(heads), GAP.join(rule * widths[place] for place in kept)):
        yield f"{GAP}{ink(line, DIM, style)}".rstrip()
    for row, lines in zip(table.rows, grid, strict=True):
        for texts in zip_longest(*(lines[place] for place in kept), fillvalue=""):
            padded = [
                (p, pad(text, widths[p], right=columns[p].right))
                for p, text in zip(kept, texts, strict=True)
            ]
            padded[-1] = padded[-1][0], padded[-1][1].rstrip()
            painted = [_painted(row[p], text, style) for p, text in padded]
            yield f"{GAP}{GAP.join(painted)}".rstrip()


def _painted(cell: Cell, text: str, style: Style) -> str:
    if cell.strong:
        return ink(text, BOLD, style)
    return text if cell.tone is None else coloured(cell.tone, text, style)


def _lines(column: Column[Any], cell: Cell, width: int, style: Style) -> list[str]:
    text = plain(cell.text if style.unicode or cell.ascii is None else cell.ascii)
    if column.share is None:
        return [text]
    indent = " " * (len(text) - len(text.lstrip(" ")))
    return [f"{indent}{line}" for line in wrap(text, max(_LEAST, width // column.share))]


def _kept(columns: Sequence[Column[Any]], grid: Grid, width: int) -> list[int]:
    kept = list(range(len(columns)))
    while _total(columns, kept, grid) > width:
        least = min(kept, key=lambda place: columns[place].keep)
        if columns[least].keep == MUST:
            break
        kept.remove(least)
    return kept


def _total(columns: Sequence[Column[Any]], kept: Sequence[int], grid: Grid) -> int:
    return sum(_width(columns[place], place, grid) + len(GAP) for place in kept) - len(GAP)


def _width(column: Column[Any], place: int, grid: Grid) -> int:
    cells = [line for row in grid for line in row[place]]
    return max(map(text_width, [column.title, *cells]))
