"""A control chart in text: points, the usual, and the limit that worse ones are beyond."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from gate.budget.charts.chart import Chart
from gate.budget.charts.points import Point
from gate.reporters.layout import pad, text_width
from gate.reporters.style import Style

_ROWS: Final = 7
_FARTHEST: Final = 3.0
"""How many times as far from the usual as the limit a point is drawn: what is farther stands in the
top row, so that an outage does not flatten all else."""


@dataclass(frozen=True, slots=True)
class _Signs:
    point: str
    worse: str
    limit: str
    usual: str
    axis: str


_UNICODE: Final = _Signs("•", "✖", "┄", "─", "┤")
_ASCII: Final = _Signs("o", "x", "-", ".", "|")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """Points side by side that share a column: the worst of them."""

    point: Point
    worse: bool


def plot(chart: Chart, write: Callable[[float], str], width: int, style: Style) -> list[str]:
    """Return the lines of the chart: the oldest on the left, worse above.

    Args:
        chart: what is drawn.
        write: a value as people read it, for the axis.
        width: columns that all may take.
        style: what the output can show.
    """
    signs = _UNICODE if style.unicode else _ASCII
    top = min(_top(chart), max(point.sample.value for point in chart.points) * 1.0)
    top = max(top, max(point.upper for point in chart.points))
    bottom = min(min(point.sample.value, point.centre) for point in chart.points)
    height = (top - bottom) / (_ROWS - 1) or 1.0
    labels = [write(bottom + row * height) for row in range(_ROWS)]
    label_width = max(map(text_width, labels))
    columns = list(_columns(chart, width - label_width - 2))

    def row_of(value: float) -> int:
        return min(max(round((value - bottom) / height), 0), _ROWS - 1)

    lines = []
    for row in reversed(range(_ROWS)):
        cells = "".join(_cell(column, row, row_of, signs) for column in columns)
        lines.append(f"{pad(labels[row], label_width, right=True)} {signs.axis}{cells}".rstrip())
    return lines


def _top(chart: Chart) -> float:
    return max(point.centre + _FARTHEST * (point.upper - point.centre) for point in chart.points)


def _columns(chart: Chart, room: int) -> Iterator[_Column]:
    """Put as many points into a column as it takes for all to fit."""
    worse = {id(one.point) for one in chart.watched if one.worse}
    each = -(-len(chart.points) // room)
    for first in range(0, len(chart.points), each):
        group = chart.points[first : first + each]
        out = [point for point in group if id(point) in worse]
        shown = max(out or group, key=lambda point: point.score)
        yield _Column(point=shown, worse=bool(out))


def _cell(column: _Column, row: int, row_of: Callable[[float], int], signs: _Signs) -> str:
    point = column.point
    if row_of(point.sample.value) == row:
        return signs.worse if column.worse else signs.point
    if row_of(point.upper) == row:
        return signs.limit
    return signs.usual if row_of(point.centre) == row else " "
