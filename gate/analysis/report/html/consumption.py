"""The picture of what ate a budget: the bad events of its window by the day."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from gate import wording
from gate.analysis.report import ServiceReport, words
from gate.analysis.report.html.plot import Plot
from gate.analysis.report.html.tags import Html, element, numbers
from gate.dataclass import dataclass
from gate.history.consumption import ConsumedStretch, Consumption
from gate.reporters.drawing import Linear
from gate.reporters.page import MUST, Column, tabulate
from gate.slo.objective import Slo, Span

_ROOM: Final = 1.15
"""Above the highest bar, for the number of its incident."""
_GAP: Final = 0.12
"""Of a bar's width, between it and the next."""
_HOUR: Final = timedelta(hours=1)
_CLOSE: Final = 0.06
"""Of the width: closer to the number of a costlier incident there is no room for another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A day or an hour, and what it took."""

    stretch: ConsumedStretch
    names: tuple[str, ...]
    """Of its incidents, as they are named on the page."""


def consumption_figure(name: str, slo: Slo, eaten: Consumption, service: ServiceReport) -> Html:
    """Return the picture with what there is to be seen in it, and its numbers.

    Args:
        name: of the element, unique on the page.
        slo: whose budget.
        eaten: what ate it.
        service: whose SLO it is.
    """
    numbered = words.numbers_of(slo.name, service)
    span = Span(eaten.stretches[0].span.start, eaten.stretches[-1].span.end)
    highest = max(stretch.total for stretch in eaten.stretches)
    scale = Linear(0.0, highest * _ROOM)
    plot = Plot(span=span, scale=scale, height=130)
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tick(wording.percent(wording.shown(value)), value)
    for stretch in eaten.stretches:
        _draw(plot, stretch)
    for text, at in _marks(eaten, numbered):
        plot.head(text, at, "mark")
    title = f"What ate the budget of {slo.name} of {service.policy.service}"
    caption = (
        f"{words.eaten(eaten, numbered)} Filled bars are incidents, outlined ones all else. Each"
        " bad event takes the same share of the budget as it is now."
    )
    rows = [
        _Row(stretch=stretch, names=tuple(numbered[one] for one in stretch.incidents))
        for stretch in eaten.stretches
        if stretch.total
    ]
    return element(
        "figure",
        element("p", "What ate it", element("span", "Of the budget"), class_="axes"),
        plot.svg(f"{name}-eaten", title, caption),
        element("figcaption", caption),
        numbers(tabulate(rows, _COLUMNS), f"{title}, in numbers"),
    )


def _draw(plot: Plot, stretch: ConsumedStretch) -> None:
    """Draw one bar: what is chronic at the foot, and incidents on top."""
    inset = stretch.span.length * _GAP / 2
    bar = Span(stretch.span.start + inset, stretch.span.end - inset)
    if stretch.chronic:
        plot.bar(bar, 0.0, stretch.chronic, "chronic")
    if stretch.incidents:
        plot.bar(bar, stretch.chronic, stretch.total, "eaten")


def _marks(eaten: Consumption, numbered: Mapping[str, str]) -> Iterator[tuple[str, datetime]]:
    """Yield the number of each incident over the bar that has most of it, if it has room."""
    taken: list[datetime] = []
    room = _CLOSE * (eaten.stretches[-1].span.end - eaten.stretches[0].span.start)
    for incident in eaten.incidents:
        most = max(eaten.stretches, key=lambda stretch: stretch.incidents.get(incident, 0.0))
        middle = most.span.start + most.span.length / 2
        if all(abs(middle - other) >= room for other in taken):
            taken.append(middle)
            yield numbered[incident], middle


def _share(share: float) -> str:
    return wording.spent(wording.shown(share))


_COLUMNS: Final[tuple[Column[_Row], ...]] = (
    Column(title="From, UTC", cell=lambda row: _when(row.stretch.span), right=False, keep=MUST),
    Column(title="Of the budget", cell=lambda row: _share(row.stretch.total), keep=MUST),
    Column(
        title="In incidents",
        cell=lambda row: _share(sum(row.stretch.incidents.values())),
        keep=6,
    ),
    Column(title="Which", cell=lambda row: ", ".join(row.names), right=False, keep=5),
    Column(title="Chronic", cell=lambda row: _share(row.stretch.chronic), keep=4),
)


def _when(span: Span) -> str:
    start = span.start.astimezone(UTC)
    return wording.minute(start) if span.length <= _HOUR else f"{start:%Y-%m-%d}"
