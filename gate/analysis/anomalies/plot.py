"""A control chart in text: points, the usual, and the limit that worse ones are beyond."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from gate.history.charts.chart import Chart, Point
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


def plot(chart: Chart, width: int, style: Style) -> list[str]:
    """Return the lines of the chart, of so many columns at most: worse above, newer on the right.

    The last says what the signs mean.
    """
    signs = _UNICODE if style.unicode else _ASCII
    bottom, top = _span(chart)
    height = (top - bottom) / (_ROWS - 1)
    labels = [chart.write(bottom + row * height) for row in range(_ROWS)]
    label_width = max(map(text_width, labels))
    columns = list(_columns(chart, width - label_width - 2))

    def row_of(value: float) -> int:
        return min(max(round((value - bottom) / height), 0), _ROWS - 1)

    lines = []
    for row in reversed(range(_ROWS)):
        cells = "".join(_cell(column, row, row_of, signs) for column in columns)
        lines.append(f"{pad(labels[row], label_width, right=True)} {signs.axis}{cells}".rstrip())
    legend = f"{signs.limit} limit  {signs.usual} usual  {signs.worse} out of control"
    return [*lines, f"{' ' * (label_width + 2)}{legend}"]


def _span(chart: Chart) -> tuple[float, float]:
    """Return the lowest and the highest value that are drawn."""
    points = chart.points
    highest = max(max(point.sample.value, point.upper) for point in points)
    farthest = max(point.centre + _FARTHEST * (point.upper - point.centre) for point in points)
    lowest = min(min(point.sample.value, point.centre) for point in points)
    return lowest, min(highest, farthest)


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
