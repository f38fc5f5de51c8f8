"""The causes that used up a budget as a picture: the bad events of its window by day."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from gate import wording
from gate.analysis.report import ServiceReport, budget_history
from gate.analysis.report.html.budget import BESIDE
from gate.analysis.report.html.plot import Plot
from gate.analysis.report.html.tags import Html, element, numbers, table
from gate.dataclass import dataclass
from gate.history.consumption import ConsumedStretch, Consumption
from gate.history.incidents import Incident, IncidentEnding
from gate.reporters.drawing import Linear
from gate.reporters.page import MUST, Column, tabulate
from gate.slo.objective import Slo, Span, SpendSlo

_ROOM: Final = 1.15
"""The space above the highest bar, for the number of its incident."""
_GAP: Final = 0.12
"""The gap between two bars, as a share of a bar's width."""
_MOST: Final = 6
"""The maximum number of incidents with a row of their own; the table of incidents has all."""
_HOUR: Final = timedelta(hours=1)
_CLOSE: Final = 0.16
"""The share of the width within which the number of a cheaper incident is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A day or an hour, with its bad events."""

    stretch: ConsumedStretch
    names: tuple[str, ...]
    """The names of its incidents, as on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """A cause that used a part of the budget, in words."""

    name: str
    when: str
    share: float


def consumption_figures(
    name: str, slo: Slo, eaten: Consumption, service: ServiceReport, span: Span
) -> Iterator[Html]:
    """Yield the figure, with its caption and its numbers, and the causes.

    Args:
        name: the name of the element, unique on the page.
        slo: the SLO of the budget.
        eaten: the causes that used it up.
        service: the service of the SLO.
        span: the time from left to right, as in all pictures of the SLO.
    """
    title = f"What used up the budget of {slo.name} of {service.policy.service}"
    numbered = budget_history.numbers_of(slo.name, service)
    rows = [
        _Row(
            stretch=stretch, names=tuple(f"#{numbered[incident]}" for incident in stretch.incidents)
        )
        for stretch in eaten.stretches
        if stretch.total
    ]
    yield element(
        "figure",
        element("p", "Budget used", element("span", "Share of the budget"), class_="axes"),
        _plot(eaten, numbered, span).svg(
            f"{name}-eaten", title, budget_history.eaten(eaten, numbered), BESIDE
        ),
        numbers(tabulate(rows, _columns(slo)), f"{title}, in numbers"),
    )
    causes = tabulate(list(_causes(slo, eaten, service)), _CAUSES)
    yield element("div", table(causes, f"{title}: causes"), class_="causes")


def _plot(eaten: Consumption, numbered: Mapping[str, int], span: Span) -> Plot:
    begins = eaten.stretches[0].span.start
    scale = Linear(0.0, max(stretch.total for stretch in eaten.stretches) * _ROOM)
    plot = Plot(span=span, scale=scale, height=130)
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tick(wording.percent(wording.shown(value)), value)
    if begins > span.start:
        plot.lose(Span(span.start, begins), "before the window")
    for stretch in eaten.stretches:
        _draw(plot, stretch)
    for text, at in _marks(eaten, numbered, span):
        plot.head(text, at, "mark")
    return plot


def _causes(slo: Slo, eaten: Consumption, service: ServiceReport) -> Iterator[_Cause]:
    """Yield the costliest incidents, the other incidents, and the chronic part."""
    by_number = dict(budget_history.incidents_of(slo.name, service))
    numbered = budget_history.numbers_of(slo.name, service)
    shares = list(eaten.incidents.items())
    for incident, share in shares[:_MOST]:
        number = numbered[incident]
        yield _Cause(name=f"#{number}", when=_stretch(by_number[number]), share=share)
    if shares[_MOST:]:
        rest = sum(share for _, share in shares[_MOST:])
        yield _Cause(name=f"{len(shares) - _MOST} more incidents", when="", share=rest)
    yield _Cause(name=_rest(slo), when="outside incidents", share=eaten.chronic)
    if eaten.earlier:
        yield _Cause(name="Earlier", when="before the examined time", share=eaten.earlier)
    yield _Cause(name="Total", when="", share=eaten.consumed)


def _rest(slo: Slo) -> str:
    """Name the part outside of all incidents: usually most of an allowance."""
    return "Other spending" if isinstance(slo, SpendSlo) else "Other failures"


def _stretch(incident: Incident) -> str:
    open_ = incident.ending is IncidentEnding.OPEN
    return wording.stretch(incident.start, incident.end, open_=open_)


def _draw(plot: Plot, stretch: ConsumedStretch) -> None:
    """Draw one bar: the chronic part at the bottom, and incidents on top."""
    inset = stretch.span.length * _GAP / 2
    bar = Span(stretch.span.start + inset, stretch.span.end - inset)
    if stretch.chronic:
        plot.bar(bar, 0.0, stretch.chronic, "chronic")
    if stretch.incidents:
        plot.bar(bar, stretch.chronic, stretch.total, "eaten")


def _marks(
    eaten: Consumption, numbered: Mapping[str, int], span: Span
) -> Iterator[tuple[str, datetime]]:
    """Yield the number of each incident over its largest bar, if there is space."""
    taken: list[datetime] = []
    room = _CLOSE * span.length
    for incident in eaten.incidents:
        most = max(eaten.stretches, key=lambda stretch: stretch.incidents.get(incident, 0.0))
        middle = most.span.start + most.span.length / 2
        if all(abs(middle - other) >= room for other in taken):
            taken.append(middle)
            yield f"#{numbered[incident]}", middle


def _share(share: float) -> str:
    return wording.spent(wording.shown(share))


_CAUSES: Final[tuple[Column[_Cause], ...]] = (
    Column(title="What", cell=lambda cause: cause.name, right=False, keep=MUST),
    Column(title="When", cell=lambda cause: cause.when, right=False, keep=5),
    Column(title="Budget used", cell=lambda cause: _share(cause.share), keep=MUST),
)


def _columns(slo: Slo) -> tuple[Column[_Row], ...]:
    return (
        Column(title="From, UTC", cell=lambda row: _when(row.stretch.span), right=False, keep=MUST),
        Column(title="Budget used", cell=lambda row: _share(row.stretch.total), keep=MUST),
        Column(title="In", cell=lambda row: ", ".join(row.names), right=False, keep=5),
        Column(title=_rest(slo), cell=lambda row: _share(row.stretch.chronic), keep=4),
    )


def _when(span: Span) -> str:
    start = span.start.astimezone(UTC)
    return wording.minute(start) if span.length <= _HOUR else f"{start:%Y-%m-%d}"
