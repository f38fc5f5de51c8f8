"""The picture of how a budget came down, with the tiers as bands."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.budget.course import Course
from gate.budget.incidents import Incident
from gate.decision.report import ServiceReport
from gate.policy.tiers import Tier, bands
from gate.reporters import report_words as words
from gate.reporters.html.plot import Plot
from gate.reporters.html.scale import Linear
from gate.reporters.html.tables import numbers
from gate.reporters.html.tags import Html, element
from gate.slo.window import Span

Marked = Sequence[tuple[int, Incident]]
"""The incidents of an SLO, each with its number in the service's table."""

_CLOSE: Final = 0.05
"""Of the width: two numbers that would touch are written as one."""
_LOWEST: Final = 0.09
"""Of the height: a lower band has no room for its name."""


def burn_down_figure(name: str, slo: str, course: Course, service: ServiceReport) -> Html:
    """Return the picture with what there is to be seen in it, and its numbers."""
    span = Span(course.left[0][0], course.left[-1][0])
    known = [value for _, value in course.left if value is not None]
    scale = Linear(min(0.0, *known), max(1.0, *known))
    plot = Plot(span=span, scale=scale)
    _bands(plot, scale, service)
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tell(words.share(value), at=span.end, value=value, kind="tick")
    for lost in course.unknown:
        plot.stretch(lost, "lost")
    found = [one for one in incidents_of(slo, service) if one[1].end > span.start]
    deploys = [one.time for one in service.deploys if one.time > span.start]
    mark(plot, found, deploys)
    plot.line(course.left, "main")
    end, left = course.left[-1]
    if left is not None:
        plot.dot(end, left, "main")
    caption = words.came_down(course) + words.marks(len(found), len(deploys))
    title = f"Burn-down of the budget of {slo}"
    return element(
        "figure",
        plot.svg(f"{name}-left", title, caption),
        element("figcaption", caption),
        numbers(
            [one for one in course.stretches if one.span.end > span.start],
            words.LEFT_COLUMNS,
            f"{title}, in numbers",
        ),
    )


def incidents_of(slo: str, service: ServiceReport) -> Marked:
    """Return what an SLO felt, the oldest first."""
    return [
        (number, felt.incident)
        for number, explained in enumerate(service.incidents.explained, start=1)
        for felt in explained.episode.felt
        if felt.slo == slo
    ]


def mark(plot: Plot, incidents: Marked, deploys: Sequence[datetime]) -> None:
    """Mark incidents and deploys in a picture."""
    for _, incident in incidents:
        plot.stretch(Span(incident.start, incident.end), "incident")
    for text, at in _numbers(incidents, plot.span):
        plot.head(text, at, "mark")
    plot.notches(deploys, "deploy")


def _numbers(incidents: Marked, span: Span) -> Iterator[tuple[str, datetime]]:
    """Yield the numbers of incidents; of such as are close together the first and the last."""
    groups: list[list[tuple[int, Incident]]] = []
    for one in incidents:
        close = _CLOSE * span.length
        if groups and one[1].start - groups[-1][-1][1].start < close:
            groups[-1].append(one)
        else:
            groups.append([one])
    for group in groups:
        (first, incident), (last, _) = group[0], group[-1]
        yield f"#{first}" if first == last else f"#{first}-{last}", max(incident.start, span.start)


def _bands(plot: Plot, scale: Linear, service: ServiceReport) -> None:
    low, high = Fraction(scale.low), Fraction(scale.high)
    for band in bands(service.policy.tiers, low, high):
        foot, top = float(band.low), float(band.high)
        kind = words.severity(service.policy, band.tier)
        plot.band(foot, top, f"tier {kind}")
        if scale.share(top) - scale.share(foot) >= _LOWEST:
            plot.tell(_named(band.tier), at=plot.span.start, value=foot, kind=f"name {kind}")


def _named(tier: Tier) -> str:
    return tier.name if tier.condition is None else f"{tier.name} {tier.condition}"
