"""A table in plain text, which leaves out columns rather than cut a number."""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Final, TypeVar

from gate.reporters.column import MUST, Column
from gate.reporters.escape import plain
from gate.reporters.layout import GAP, pad, text_width, wrap

T = TypeVar("T")
Paint = Callable[[Column[T], T, str], str]
"""Colours a cell that is already padded."""

_LEAST: Final = 12

Grid = list[list[list[str]]]
"""Rows of cells of lines."""


def table(
    rows: Sequence[T], columns: Sequence[Column[T]], width: int, *, rule: str, paint: Paint[T]
) -> list[str]:
    """Return the lines of the table: a head, a rule, the rows.

    Args:
        rows: what the cells are made of.
        columns: all columns that the table has where there is room.
        width: columns of the terminal. Columns of words wrap; then the columns of lowest ``keep``
            go. Those that must stay stay, even where they do not fit.
        rule: the sign that the line under the head is made of.
        paint: colours a padded cell.
    """
    grid = [[_lines(column, column.cell(one), width) for column in columns] for one in rows]
    kept = _kept(columns, grid, width)
    shown = [columns[place] for place in kept]
    widths = [_width(columns[place], place, grid) for place in kept]
    head = [pad(c.title, w, right=c.right) for c, w in zip(shown, widths, strict=True)]
    lines = [GAP.join(head), GAP.join(rule * size for size in widths)]
    for one, row in zip(rows, grid, strict=True):
        for cells in zip_longest(*(row[place] for place in kept), fillvalue=""):
            padded = zip(shown, widths, cells, strict=True)
            painted = [paint(c, one, pad(cell, w, right=c.right)) for c, w, cell in padded]
            lines.append(GAP.join(painted))
    return lines


def _lines(column: Column[T], text: str, width: int) -> list[str]:
    if column.share is None:
        return [plain(text)]
    return wrap(plain(text), max(_LEAST, width // column.share))


def _kept(columns: Sequence[Column[T]], grid: Grid, width: int) -> list[int]:
    kept = list(range(len(columns)))
    while _total(columns, kept, grid) > width:
        least = min(kept, key=lambda place: columns[place].keep)
        if columns[least].keep == MUST:
            break
        kept.remove(least)
    return kept


def _total(columns: Sequence[Column[T]], kept: Sequence[int], grid: Grid) -> int:
    return sum(_width(columns[place], place, grid) + len(GAP) for place in kept) - len(GAP)


def _width(column: Column[T], place: int, grid: Grid) -> int:
    cells = [line for row in grid for line in row[place]]
    return max(map(text_width, [column.title, *cells]))
