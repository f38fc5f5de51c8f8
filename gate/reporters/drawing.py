"""Pictures made of text, and the place of a value in a picture."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from gate.dataclass import dataclass
from gate.reporters.ansi import pad, text_width
from gate.reporters.page import Cell, Column
from gate.slo.objective import Span

if TYPE_CHECKING:  # `gate check` imports this module, and does not need these
    from gate.history.burn_down import BurnDown
    from gate.history.charts.chart import Chart, Point
    from gate.reporters.budget_rows import BudgetRow

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_QUARTER: Final = 91 * _DAY
_STEPS: Final = (
    *(n * timedelta(minutes=1) for n in (5, 15, 30)),
    *(n * _HOUR for n in (1, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 4, 7, 14, 21, 28, 91, 364)),
)
"""The steps between two written instants."""
_MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
_TICKS: Final = 6
"""The maximum number of instants that are written: a phone has no space for more."""
_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear scale from the lowest to the highest value."""

    low: float
    high: float
    """Above ``low``."""

    def share(self, value: float) -> float:
        """Return the height of a value: 0 at the bottom, 1 at the top."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return a few round values, the lowest first."""
        step = _round((self.high - self.low) / _LINES)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [number * step for number in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Logarithmic:
    """A scale from 0, on which both 1 and 1,000 show: by the logarithm of 1 + value."""

    high: float
    """Above 0."""

    def share(self, value: float) -> float:
        """Return the height of a value: 0 at the bottom, 1 at the top."""
        return math.log1p(value) / math.log1p(self.high)

    def ticks(self) -> list[float]:
        """Return 0 and the powers of ten from 1 on."""
        return [0.0, *(10.0**power for power in range(int(math.log10(self.high)) + 1))]


@dataclass(frozen=True, slots=True)
class Times:
    """A scale of instants from left to right."""

    span: Span

    def share(self, at: datetime) -> float:
        """Return the horizontal place of an instant: 0 at the left, 1 at the right."""
        return (at - self.span.start) / self.span.length

    def ticks(self) -> Iterator[tuple[datetime, str]]:
        """Yield a few round instants in UTC, each with its text."""
        step = next((step for step in _STEPS if self.span.length / step <= _TICKS), _STEPS[-1])
        start, end = (at.astimezone(UTC) for at in (self.span.start, self.span.end))
        at = _MONDAY - (_MONDAY - start) // step * step
        while at <= end:
            yield at, _written(at, step)
            at += step


def _written(at: datetime, step: timedelta) -> str:
    if step < _DAY and (at.hour or at.minute):
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b}" if step < _QUARTER else f"{at:%Y-%m-%d}"


def _round(step: float) -> float:
    """Return the next round number that is not smaller."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((n * power for n in (1.0, 2.0, 2.5, 5.0) if n * power >= step), 10 * power)


_LEVELS: Final = "▁▂▃▄▅▆▇█"
_TENTHS: Final = "0123456789"
"""For ASCII alone: the remaining tenths of the budget, rounded down."""
_OVERSPENT: Final = ("_", "-")
_UNKNOWN: Final = ("·", "?")


def signs(
    shares: Iterable[float | None],
    *,
    nothing: str | None = None,
    low: float = 0.0,
    ascii_only: bool = False,
) -> str:
    """Draw shares of a whole, one sign each.

    Values are rounded down: the highest sign is for at least seven eighths (nine tenths in ASCII)
    of the scale, the lowest for hardly any. A value of 0 or less and an unknown value have signs of
    their own.

    Args:
        shares: the shares; None: unknown.
        nothing: the sign for 0 or less.
        low: the share at the bottom of the scale, below 1; the top is 1.
        ascii_only: whether only ASCII can be written.
    """
    levels = _TENTHS if ascii_only else _LEVELS
    none = nothing or _OVERSPENT[ascii_only]

    def sign(share: float | None) -> str:
        if share is None:
            return _UNKNOWN[ascii_only]
        if share <= 0:
            return none
        height = max(share - low, 0) / (1 - low)
        return levels[min(int(height * len(levels)), len(levels) - 1)]

    return "".join(map(sign, shares))


def column(burn_downs: Mapping[str, "BurnDown"]) -> Column["BudgetRow"]:
    """Return a column with the burn-down of each budget, the newest on the right, or no column.

    All share the scale that the title gives, so that they can be compared: from the last full tenth
    below all of them to a whole budget.
    """
    shares = [share for each in burn_downs.values() for share in each.left if share is not None]
    low = max(math.floor(min(shares, default=0.0) * 10) / 10, 0.0)
    low = min(low, _HIGHEST_FOOT)

    def cell(row: "BudgetRow") -> Cell:
        burn_down = burn_downs.get(row.assessment.slo.name)
        left = () if burn_down is None else burn_down.left
        return Cell(text=signs(left, low=low), ascii=signs(left, low=low, ascii_only=True))

    title = f"Burn-down ({low * 100:.0f}-100%)"
    return Column(title=title, cell=cell, right=False, keep=7, drawing=True)


_HIGHEST_FOOT: Final = 0.9
"""The highest bottom of a burn-down's scale: an untouched budget is not magnified beyond it."""
_ROWS: Final = 7
_FARTHEST: Final = 3.0
"""The largest distance from the baseline, in multiples of the limit's distance, that is drawn:
points beyond it are in the top row, so that an outage does not flatten everything else."""


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
    """Adjacent points that share a column: the worst of them."""

    point: "Point"
    worse: bool


def plot(chart: "Chart", width: int, *, ascii_only: bool = False) -> list[str]:
    """Return the lines of the chart, of at most this many columns: worse above, newer on the right.

    The last line explains the signs.
    """
    signs = _ASCII if ascii_only else _UNICODE
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


def _span(chart: "Chart") -> tuple[float, float]:
    """Return the lowest and the highest value that are drawn."""
    points = chart.points
    highest = max(max(point.sample.value, point.upper) for point in points)
    farthest = max(point.centre + _FARTHEST * (point.upper - point.centre) for point in points)
    lowest = min(min(point.sample.value, point.centre) for point in points)
    return lowest, min(highest, farthest)


def _columns(chart: "Chart", room: int) -> Iterator[_Column]:
    """Return columns with as many points each as needed for all to fit."""
    worse = {id(watched.point) for watched in chart.watched if watched.worse}
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
