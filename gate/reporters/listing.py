"""A table as it stands in a terminal's report: indented, its head dimmed."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from gate.reporters import ink
from gate.reporters.column import Column
from gate.reporters.layout import GAP
from gate.reporters.style import Style
from gate.reporters.table import Paint, table

T = TypeVar("T")


def plainly(_column: Column[T], _row: T, text: str) -> str:
    """Colour nothing."""
    return text


def listing(
    rows: Sequence[T], columns: Sequence[Column[T]], style: Style, paint: Paint[T] = plainly
) -> Iterator[str]:
    """Yield the lines of a table; see `gate.reporters.table`."""
    rule, width = "─" if style.unicode else "-", style.width - len(GAP)
    lines = table(rows, columns, width, rule=rule, paint=paint)
    head = [ink.ink(line, ink.DIM, style) for line in lines[:2]]
    yield from (f"{GAP}{line}".rstrip() for line in [*head, *lines[2:]])
