"""The picture of what becomes of a budget: until a calendar budget's reset, or for a window."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from gate.analysis.forecast import words as forecast_words
from gate.analysis.forecast.result import Course, SloForecast
from gate.analysis.report import words
from gate.analysis.report.html.budget import budget_plot
from gate.analysis.report.html.tags import Html, element, facts, table
from gate.analysis.report.result import ServiceReport
from gate.history.calendar_forecast import carried
from gate.history.past_budget import BUCKETS, Line
from gate.reporters.spark import Linear
from gate.slo.objective import RatioSlo
from gate.slo.quantities import format_duration
from gate.slo.window import RollingWindow, Span

_LOWEST: Final = -1.0
"""Of the picture, unless more is gone already: at a burn rate of 1,000 all else would be flat."""


def forecast(one: SloForecast, service: ServiceReport, at: datetime, name: str) -> Iterator[Html]:
    """Yield what becomes of a budget: a picture, its numbers, and what else is to be known.

    Args:
        one: what is foretold.
        service: whose budget it is.
        at: now.
        name: of the element, unique on the page.
    """
    slo = one.assessment.slo
    if one.courses and isinstance(slo, RatioSlo):
        picture = _figure(one, slo, service, at, name)
        caption = f"What becomes of the budget of {slo.name} of {service.policy.service}"
        told = table(one.courses, forecast_words.columns(one), caption, cards=True)
        yield element("div", picture, told, class_="figures")
    if about := list(forecast_words.about(one)):
        yield facts(about)


def _figure(
    one: SloForecast, slo: RatioSlo, service: ServiceReport, at: datetime, name: str
) -> Html:
    known = float(one.assessment.compared or 0)
    here, past = (at, known), _past(slo, service)
    futures = [(here, *_future(one, course, slo, at)) for course in one.courses]
    ends = [value for line in (past, *futures) for _, value in line if value is not None]
    if one.expected is not None:
        ends += [one.expected.low, one.expected.high]
    foot = max(min(0.0, *ends), min(_LOWEST, known))
    end = _end(slo, at)
    plot = budget_plot(
        Span(past[0][0] if past else at, end), Linear(foot, max(1.0, *ends)), service
    )
    plot.line(past, "main")
    if one.expected is not None:
        high, low = ((end, max(value, foot)) for value in (one.expected.high, one.expected.low))
        plot.area((here, high), (here, low), "expected")
    for course, future in zip(one.courses, futures, strict=True):
        line = list(_above(future, foot))
        plot.line(tuple(line), "main" if course.rate_of is None else "future")
        plot.tell(_named(course), *line[-1])
    plot.dot(at, known, "main")
    title = f"Forecast of the budget of {slo.name} of {service.policy.service}"
    caption = words.foretold(one)
    return element(
        "figure",
        element("p", "Budget left", class_="axes"),
        plot.svg(f"{name}-coming", title, caption),
        element("figcaption", caption),
    )


def _past(slo: RatioSlo, service: ServiceReport) -> Line:
    """Return how a calendar budget has come down; of a rolling one only what comes is shown."""
    if isinstance(slo.window, RollingWindow) or slo.name not in service.traces:
        return ()
    return service.traces[slo.name].left


def _end(slo: RatioSlo, at: datetime) -> datetime:
    if isinstance(slo.window, RollingWindow):
        return at + slo.window.duration
    return slo.window.whole(at).end


def _future(
    one: SloForecast, course: Course, slo: RatioSlo, at: datetime
) -> Sequence[tuple[datetime, float]]:
    """Return what is left at one rate, from now on."""
    if not isinstance(slo.window, RollingWindow):
        return [(_end(slo, at), float(course.left_at_reset or 0))]
    coming = list(one.assessment.recovering())
    seen = coming[:: -max(len(coming) // BUCKETS, 1)][::-1]  # few, and the last among them
    burning = carried(seen, at=at, window=slo.window.duration, burn=course.burn)
    return [(instant, float(left)) for instant, left in burning]


def _above(line: Sequence[tuple[datetime, float]], foot: float) -> Iterator[tuple[datetime, float]]:
    """Yield the part of a line that is in the picture, down to where it leaves it."""
    before: tuple[datetime, float] | None = None
    for at, value in line:
        if value < foot and before is not None:
            part = (before[1] - foot) / (before[1] - value)
            yield before[0] + (at - before[0]) * part, foot
            return
        yield at, value
        before = at, value


def _named(course: Course) -> str:
    if course.rate_of is None:
        return "nothing more fails"
    return f"as in the last {format_duration(course.rate_of)}"
