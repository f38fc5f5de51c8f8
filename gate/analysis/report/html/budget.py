"""The burn-down of a budget as a picture, and the common parts of pictures of budgets."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

from gate import wording
from gate.analysis.report import ServiceReport, budget_history
from gate.analysis.report.html.plot import Plot
from gate.analysis.report.html.tags import Html, element, numbers
from gate.history.incidents import Incident
from gate.history.past_budget import DAY, Stretch, Trace
from gate.history.service_incidents import ServiceIncident
from gate.policy.tiers import Tier, bands, severity
from gate.reporters.drawing import Linear
from gate.reporters.page import MUST, Column, tabulate
from gate.slo.objective import CompositeSlo, RollingWindow, Slo, Span, SpendSlo


def _came_down(slo: Slo, trace: Trace) -> str:
    """Describe the burn-down."""
    (start, first), (end, last) = trace.left[0], trace.left[-1]
    then, now = (
        wording.left_or_overspent(None if share is None else wording.shown(share))
        for share in (first, last)
    )
    came = f"{_whose(slo)}: {then} on {wording.day(start)}, {now} on {wording.day(end)}"
    if not trace.compared:
        return f"{came}."
    end, last = trace.compared[-1]
    bound = wording.left_or_overspent(None if last is None else wording.shown(last))
    return (
        f"{came} as measured. The thin line is the bound that is compared with the tiers:"
        f" {bound} on {wording.day(end)}."
    )


def _whose(slo: Slo) -> str:
    """Say which budget it shows: a rolling window moves with the instant."""
    if isinstance(slo, CompositeSlo):
        return "Budget left at each instant"
    if isinstance(slo.window, RollingWindow):
        return f"Budget left at each instant, of the {slo.window} before it"
    return "Budget left at each instant, of its period"


def amount(number: float | None) -> str:
    """Write a count or an amount, if it is known."""
    return wording.amount(None if number is None else wording.shown(number))


def _when(stretch: Stretch) -> str:
    start = stretch.span.start
    whole_days = stretch.span.length > DAY / 24
    return f"{start.astimezone(UTC):%Y-%m-%d}" if whole_days else wording.minute(start)


WHEN: Final[Column[Stretch]] = Column(title="From, UTC", cell=_when, right=False, keep=MUST)


def _left_at_end(stretch: Stretch) -> str:
    share = stretch.left
    return wording.left_or_overspent(None if share is None else wording.shown(share))


_LEFT: Final[Column[Stretch]] = Column(title="Left at the end", cell=_left_at_end, keep=MUST)


def bad_column(slo: Slo) -> Column[Stretch]:
    """Return a column of the bad events or amounts that used the budget."""
    title = "Spent" if isinstance(slo, SpendSlo) else "Bad"
    return Column(title=title, cell=lambda stretch: amount(stretch.bad), keep=5)


def _left_columns(slo: Slo) -> tuple[Column[Stretch], ...]:
    counted = () if isinstance(slo, CompositeSlo) else (bad_column(slo),)
    return (WHEN, _LEFT, *counted)


BESIDE: Final = "plot both"
"""The class of pictures with a margin on both sides, so that a day has the same place in each."""
_MarkedStretch = Incident | ServiceIncident
"""The marked incidents: those of an SLO, or of the service."""
_CLOSE: Final = 0.16
"""The share of the width within which two numbers would touch, and are written as one."""
_LONGEST: Final = 24
"""The maximum number of characters of a tier's name; the full name is elsewhere on the page."""


def budget_plot(span: Span, scale: Linear, service: ServiceReport) -> Plot:
    """Return a picture of shares of a budget, with the tiers as bands."""
    plot = Plot(span=span, scale=scale)
    low, high = Fraction(scale.low), Fraction(scale.high)
    for band in bands(service.policy.tiers, low, high):
        kind = severity(service.policy.tiers, band.tier)
        plot.band(float(band.low), float(band.high), f"tier {kind}")
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tick(wording.share_left(value, 0), value)
    return plot


def mark(
    plot: Plot, incidents: Sequence[tuple[int, _MarkedStretch]], deploys: Sequence[datetime]
) -> None:
    """Mark incidents and deploys in a picture."""
    for _, incident in incidents:
        plot.stretch(Span(incident.start, incident.end), "incident")
    for text, at in _numbers(incidents, plot.span):
        plot.head(text, at, "mark")
    plot.notches(deploys, "deploy")


def _numbers(
    incidents: Sequence[tuple[int, _MarkedStretch]], span: Span
) -> Iterator[tuple[str, datetime]]:
    """Yield the numbers of incidents; for a close group, the first and the last."""
    groups: list[list[tuple[int, _MarkedStretch]]] = []
    for number, incident in incidents:
        close = _CLOSE * span.length
        if groups and incident.start - groups[-1][-1][1].start < close:
            groups[-1].append((number, incident))
        else:
            groups.append([(number, incident)])
    for group in groups:
        (first, incident), (last, _) = group[0], group[-1]
        yield f"#{first}" if first == last else f"#{first}-{last}", max(incident.start, span.start)


def tier_key(service: ServiceReport) -> Html:
    """Return the legend of a picture's coloured bands; outside of it, where no line crosses."""
    return key(
        [
            (_named(tier), f"sample tier {severity(service.policy.tiers, tier)}")
            for tier in service.policy.tiers
        ]
    )


def key(entries: Sequence[tuple[str, str]]) -> Html:
    """Return a legend, each entry with a sample of the drawing.

    Args:
        entries: pairs of a text, and the classes of its sample in the style.
    """
    return element(
        "ul",
        *(
            element("li", element("span", class_=kind, aria_hidden="true"), text)
            for text, kind in entries
        ),
        class_="key",
    )


def _named(tier: Tier) -> str:
    name = tier.name if len(tier.name) <= _LONGEST else f"{tier.name[:_LONGEST]}…"
    return name if tier.condition is None else f"{name} {tier.condition}"


def burn_down_figure(name: str, slo: Slo, trace: Trace, service: ServiceReport, span: Span) -> Html:
    """Return the figure with its caption and its numbers.

    Args:
        name: the name of the element, unique on the page.
        slo: the SLO of the budget.
        trace: the trace, with known data.
        service: the service of the SLO.
        span: the time from left to right, as in all pictures of the SLO.
    """
    start = trace.left[0][0]
    lines = (*trace.left, *trace.compared)
    shares = [value for _, value in lines if value is not None]
    scale = Linear(min(0.0, *shares), max(1.0, *shares))
    plot = budget_plot(span, scale, service)
    lost = [stretch for stretch in trace.unknown if stretch.end > start]
    if start > span.start:
        plot.lose(Span(span.start, start), "not known")
    for stretch in lost:
        plot.lose(stretch)
    incidents = [
        (number, incident)
        for number, incident in budget_history.incidents_of(slo.name, service)
        if incident.end > span.start
    ]
    deploys = [deploy.time for deploy in service.deploys if deploy.time > span.start]
    mark(plot, incidents, deploys)
    plot.line(trace.compared, "thin")
    plot.line(trace.left, "main")
    end, left = trace.left[-1]
    if left is not None:
        plot.dot(end, left, "main")
    caption = _came_down(slo, trace)
    stretches = [stretch for stretch in trace.stretches if stretch.span.end > start]
    title = f"Burn-down of the budget of {slo.name} of {service.policy.service}"
    return element(
        "figure",
        element("p", "Budget left", class_="axes"),
        plot.svg(f"{name}-left", title, caption, BESIDE),
        tier_key(service),
        element("figcaption", caption),
        numbers(tabulate(stretches, _left_columns(slo)), f"{title}, in numbers"),
    )
