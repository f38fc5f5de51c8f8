"""The picture of a control chart: what was seen, within what is usual."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from typing import Final

from gate.analysis.anomalies.words import AnomalyRow
from gate.analysis.report.html.plot import Plot
from gate.analysis.report.html.tags import Html, element, numbers
from gate.history.charts.chart import Chart, Point
from gate.history.past_budget import BUCKETS, Line, thin
from gate.reporters.column import MUST, Column
from gate.reporters.spark import Linear
from gate.slo.window import Span

_BUCKETS: Final = 60
"""Of a limit: what is usual changes little, or by the time of day."""


_ROOM: Final = 1.05
"""Above the highest value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A day of a chart in numbers."""

    chart: Chart
    points: tuple[Point, ...]

    @property
    def highest(self) -> Point:
        """The point that is farthest above what is usual."""
        return max(self.points, key=lambda point: point.score)


def control_chart(row: AnomalyRow, service: str, name: str) -> Html:
    """Return the picture with what there is to be seen in it, and its numbers."""
    chart = row.chart
    points = chart.points
    tops = [max(point.sample.value, point.upper) for point in points]
    scale = Linear(min(0.0, *(point.sample.value for point in points)), max(tops) * _ROOM or 1.0)
    plot = Plot(span=Span(points[0].sample.start, chart.newest), scale=scale)
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tick(chart.write(value), value)
    for run in _runs(points):
        _draw_usual(plot, run, scale.low)
    for one in chart.worse:
        plot.stretch(Span(one.since, one.end), "incident")
    for run in _runs(points):
        plot.line(_line(run, [point.sample.value for point in run]), "seen")
    title = f"Control chart of {row.name} of {service}"
    caption = _caption(row)
    return element(
        "figure",
        element("p", row.name, class_="axes"),
        plot.svg(name, title, caption),
        element("figcaption", caption),
        numbers(list(_days(chart)), _COLUMNS, f"{title}, in numbers"),
    )


def _draw_usual(plot: Plot, points: Sequence[Point], lowest: float) -> None:
    """Draw the limits, and what is to be expected between them."""
    upper = _line(points, [point.upper for point in points], _BUCKETS)
    lower = _line(points, [max(point.lower, lowest) for point in points], _BUCKETS)
    plot.area(upper, lower, "usual")
    plot.line(_line(points, [point.centre for point in points], _BUCKETS), "centre")
    plot.line(upper, "limit")


def _caption(row: AnomalyRow) -> str:
    chart = row.chart
    since = f"{chart.watched[0].point.sample.start.astimezone(UTC):%Y-%m-%d %H:%M}"
    out = " Red stretches are worse than usual." if chart.worse else ""
    return f"Grey is what is usual, by all before {since} UTC; dashed is its upper limit.{out}"


def _line(points: Sequence[Point], values: Sequence[float], buckets: int = BUCKETS) -> Line:
    return tuple((points[place].sample.end, value) for place, value in thin(values, buckets))


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Yield points of which each begins where the one before it ends."""
    run: list[Point] = []
    for point in points:
        if run and run[-1].sample.end < point.sample.start:
            yield run
            run = []
        run.append(point)
    yield run


def _days(chart: Chart) -> Iterator[_Day]:
    def day(point: Point) -> str:
        return f"{point.sample.start.astimezone(UTC):%Y-%m-%d}"

    for _, points in groupby(chart.points, key=day):
        yield _Day(chart=chart, points=tuple(points))


_COLUMNS: Final[tuple[Column[_Day], ...]] = (
    Column(
        title="Day, UTC",
        cell=lambda one: f"{one.points[0].sample.start.astimezone(UTC):%Y-%m-%d}",
        right=False,
        keep=MUST,
    ),
    Column(title="Highest", cell=lambda one: one.chart.write(one.highest.sample.value), keep=8),
    Column(title="Usual", cell=lambda one: one.chart.write(one.highest.centre), keep=7),
    Column(title="Limit", cell=lambda one: one.chart.write(one.highest.upper), keep=6),
)
