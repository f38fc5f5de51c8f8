"""A table in plain text, which leaves out columns rather than cut a number."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

from gate.reporters.ansi import BOLD, DIM, GAP, Style, coloured, ink, pad, text_width, wrap
from gate.reporters.escape import plain
from gate.reporters.page import MUST, Cell, Column, DataTable

_LEAST: Final = 12
"""Columns of text that a column of words has at least."""
Grid = list[list[list[str]]]
"""Rows of cells of lines."""


def text_table(table: DataTable, style: Style) -> Iterator[str]:
    """Yield the lines of the table, indented: a head, a rule, the rows.

    Columns of words wrap where the table is too wide; then the columns of lowest ``keep`` go.
    Those that must stay stay, even where they do not fit.
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
            painted = [
                _painted(row[p], pad(text, widths[p], right=columns[p].right), style)
                for p, text in zip(kept, texts, strict=True)
            ]
            yield f"{GAP}{GAP.join(painted)}".rstrip()


def _painted(cell: Cell, text: str, style: Style) -> str:
    if cell.strong:
        return ink(text, BOLD, style)
    return text if cell.tone is None else coloured(cell.tone, text, style)


def _lines(column: Column[Any], cell: Cell, width: int, style: Style) -> list[str]:
    text = plain(cell.text if style.unicode or cell.ascii is None else cell.ascii)
    return [text] if column.share is None else wrap(text, max(_LEAST, width // column.share))


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
