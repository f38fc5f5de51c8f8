"""The pictures of control charts and of forecasts."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from gate import wording
from gate.analysis.anomalies.table import AnomalyRow
from gate.analysis.forecast import Projection, SloForecast
from gate.analysis.forecast.table import BACK
from gate.analysis.forecast.words import forecast_blocks
from gate.analysis.report import ServiceReport
from gate.analysis.report.html.budget import budget_plot, key, tier_key
from gate.analysis.report.html.plot import Plot
from gate.analysis.report.html.tags import Html, element, facts, numbers, table
from gate.dataclass import dataclass
from gate.history.burn_down import BUCKETS, Line, thin
from gate.history.calendar_forecast import carried
from gate.history.charts.chart import Chart, Point
from gate.reporters.drawing import Linear
from gate.reporters.page import MUST, Column, tabulate
from gate.slo.objective import RatioSlo, RollingWindow, Span
from gate.slo.quantities import format_duration

_BUCKETS: Final = 60
"""The number of buckets of a limit: the usual value changes little, or by the time of day."""
_ROOM: Final = 1.05
"""The space above the highest value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A day of a chart in numbers."""

    chart: Chart
    points: tuple[Point, ...]

    @property
    def highest(self) -> Point:
        """The point that is farthest above the usual value."""
        return max(self.points, key=lambda point: point.score)


def control_chart(row: AnomalyRow, service: str, span: Span, name: str) -> Html:
    """Return the figure with its caption and its numbers.

    Args:
        row: the chart.
        service: the service of the SLO.
        span: the time from left to right, as in all pictures of the examined time.
        name: the name of the element, unique on the page.
    """
    chart, points = row.chart, row.chart.points
    tops = [max(point.sample.value, point.upper) for point in points]
    scale = Linear(min(0.0, *(point.sample.value for point in points)), max(tops) * _ROOM or 1.0)
    plot = Plot(span=span, scale=scale)
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tick(chart.write(value), value)
    for run in _runs(points):
        _draw_usual(plot, run, scale.low)
    for signal in chart.worse:
        plot.stretch(Span(signal.since, signal.end), "incident")
    for run in _runs(points):
        plot.line(_line(run, [point.sample.value for point in run]), "seen")
    title = f"Control chart of {row.name} of {service}"
    caption = _caption(row)
    return element(
        "figure",
        element("p", row.name, class_="axes"),
        plot.svg(name, title, caption),
        element("figcaption", caption),
        numbers(tabulate(_days(chart), _COLUMNS), f"{title}, in numbers"),
    )


def _draw_usual(plot: Plot, points: Sequence[Point], lowest: float) -> None:
    """Draw the limits, and the expected value between them."""
    upper = _line(points, [point.upper for point in points], _BUCKETS)
    lower = _line(points, [max(point.lower, lowest) for point in points], _BUCKETS)
    plot.area(upper, lower, "usual")
    plot.line(_line(points, [point.centre for point in points], _BUCKETS), "centre")
    plot.line(upper, "limit")


def _caption(row: AnomalyRow) -> str:
    chart = row.chart
    since = wording.instant(chart.watched[0].point.sample.start)
    out = " Red stretches are worse than usual." if chart.worse else ""
    return f"Grey is the usual range, from the data before {since}; dashed is its upper limit.{out}"


def _line(points: Sequence[Point], values: Sequence[float], buckets: int = BUCKETS) -> Line:
    return tuple((points[place].sample.end, value) for place, value in thin(values, buckets))


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Yield consecutive points; each begins where the one before it ends."""
    run: list[Point] = []
    for point in points:
        if run and run[-1].sample.end < point.sample.start:
            yield run
            run = []
        run.append(point)
    yield run


def _days(chart: Chart) -> Iterator[_Day]:
    for _, points in groupby(chart.points, key=_day):
        yield _Day(chart=chart, points=tuple(points))


def _day(point: Point) -> str:
    return f"{point.sample.start.astimezone(UTC):%Y-%m-%d}"


_COLUMNS: Final[tuple[Column[_Day], ...]] = (
    Column(
        title="Day, UTC",
        cell=lambda day: _day(day.points[0]),
        right=False,
        keep=MUST,
    ),
    Column(title="Highest", cell=lambda day: day.chart.write(day.highest.sample.value), keep=8),
    Column(title="Usual", cell=lambda day: day.chart.write(day.highest.centre), keep=7),
    Column(title="Limit", cell=lambda day: day.chart.write(day.highest.upper), keep=6),
)
_LOWEST: Final = -1.0
"""The bottom of the picture, unless more is spent already: at a burn rate of 1,000 the rest would
be flat."""


def forecast_figure(
    predicted: SloForecast, service: ServiceReport, at: datetime, name: str
) -> Iterator[Html]:
    """Yield the forecast of a budget: a picture, its numbers, and notes.

    Args:
        predicted: the forecast.
        service: the service of the budget.
        at: the present instant.
        name: the name of the element, unique on the page.
    """
    slo = predicted.assessment.slo
    data, about = forecast_blocks(predicted)
    if data.rows and isinstance(slo, RatioSlo):
        picture = _figure(predicted, slo, service, at, name)
        caption = f"What becomes of the budget of {slo.name} of {service.policy.service}"
        yield element("div", picture, table(data, caption), class_="figures")
    # The table has these columns, for which a terminal may be too narrow.
    yield facts(fact for fact in about.facts if not (data.rows and fact[0].startswith(BACK)))


def _figure(
    predicted: SloForecast, slo: RatioSlo, service: ServiceReport, at: datetime, name: str
) -> Html:
    left, expected = float(predicted.assessment.compared or 0), predicted.expected
    here, past = (at, left), _past(slo, service)
    futures = [
        (here, *_future(predicted, projection, slo, at)) for projection in predicted.projections
    ]
    ends = [value for line in (past, *futures) for _, value in line if value is not None]
    if expected is not None:
        ends += [expected.low, expected.high]
    foot = max(min(0.0, *ends), min(_LOWEST, left))
    end = _end(slo, at)
    plot = budget_plot(
        Span(past[0][0] if past else at, end), Linear(foot, max(1.0, *ends)), service
    )
    plot.line(past, "main")
    if expected is not None:
        high, low = ((end, max(value, foot)) for value in (expected.high, expected.low))
        plot.area((here, high), (here, low), "expected")
    for projection, future in zip(predicted.projections, futures, strict=True):
        line = list(_above(future, foot))
        plot.line(tuple(line), _kind(projection, predicted))
    plot.dot(at, left, "main")
    title = f"Forecast of the budget of {slo.name} of {service.policy.service}"
    caption = _caption_of_forecast(predicted)
    return element(
        "figure",
        element("p", "Budget left", class_="axes"),
        plot.svg(f"{name}-coming", title, caption),
        key(
            [(_named(row), f"sample line {_kind(row, predicted)}") for row in predicted.projections]
        ),
        tier_key(service),
        element("figcaption", caption),
    )


def _past(slo: RatioSlo, service: ServiceReport) -> Line:
    """Return the burn-down of a calendar budget; for a rolling one only the future is shown."""
    if isinstance(slo.window, RollingWindow) or slo.name not in service.traces:
        return ()
    return service.traces[slo.name].left


def _end(slo: RatioSlo, at: datetime) -> datetime:
    if isinstance(slo.window, RollingWindow):
        return at + slo.window.duration
    return slo.window.whole(at).end


def _future(
    predicted: SloForecast, projection: Projection, slo: RatioSlo, at: datetime
) -> Sequence[tuple[datetime, float]]:
    """Return the remaining shares at one rate, from now on."""
    if not isinstance(slo.window, RollingWindow):
        return [(_end(slo, at), float(projection.left_at_reset or 0))]
    coming = list(predicted.assessment.recovering())
    seen = coming[:: -max(len(coming) // BUCKETS, 1)][::-1]  # a few points, with the last
    burning = carried(seen, at=at, window=slo.window.duration, burn=projection.burn)
    return [(instant, float(left)) for instant, left in burning]


def _above(line: Sequence[tuple[datetime, float]], foot: float) -> Iterator[tuple[datetime, float]]:
    """Yield the part of a line in the picture, down to where it leaves it."""
    before: tuple[datetime, float] | None = None
    for at, value in line:
        if value < foot and before is not None:
            part = (before[1] - foot) / (before[1] - value)
            yield before[0] + (at - before[0]) * part, foot
            return
        yield at, value
        before = at, value


def _kind(projection: Projection, predicted: SloForecast) -> str:
    """Return the class of a line: each rate has its own dashes."""
    if projection.rate_of is None:
        return "main"
    rates = [other.rate_of for other in predicted.projections if other.rate_of is not None]
    return f"future rate-{rates.index(projection.rate_of) + 1}"


def _named(projection: Projection) -> str:
    if projection.rate_of is None:
        return "nothing more fails"
    return f"as in the last {format_duration(projection.rate_of)}"


def _caption_of_forecast(predicted: SloForecast) -> str:
    """Describe the lines of a forecast."""
    parts = ["The remaining budget if nothing more fails, and if failures continue as recently."]
    if predicted.expected is not None:
        within = predicted.expected.held.within
        parts.append(f"{within} of 100 simulated months ended within such a shaded area.")
    return " ".join(parts)
