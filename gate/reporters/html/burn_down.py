"""The picture of how a budget came down, with the tiers as bands."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.budget.incidents import Incident
from gate.budget.trace import Trace
from gate.decision.report import ServiceReport
from gate.policy.tiers import Tier, bands
from gate.reporters import report_words as words
from gate.reporters.html.plot import Plot
from gate.reporters.html.tables import numbers
from gate.reporters.html.tags import Html, element
from gate.reporters.scale import Linear
from gate.slo.window import Span

_CLOSE: Final = 0.05
"""Of the width: two numbers that would touch are written as one."""
_LONGEST: Final = 24
"""Characters of a tier's name; all of it stands elsewhere."""
_LOWEST: Final = 0.09
"""Of the height: a lower band has no room for its name."""


def burn_down_figure(name: str, slo: str, trace: Trace, service: ServiceReport) -> Html:
    """Return the picture with what there is to be seen in it, and its numbers."""
    span = Span(trace.left[0][0], trace.left[-1][0])
    known = [value for _, value in trace.left if value is not None]
    scale = Linear(min(0.0, *known), max(1.0, *known))
    plot = Plot(span=span, scale=scale)
    _bands(plot, scale, service)
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tick(words.share(value, 0), value)
    lost = [one for one in trace.unknown if one.end > span.start]
    for one in lost:
        plot.lose(one)
    found = [one for one in words.incidents_of(slo, service) if one[1].end > span.start]
    deploys = [one.time for one in service.deploys if one.time > span.start]
    mark(plot, found, deploys)
    plot.line(trace.left, "main")
    end, left = trace.left[-1]
    if left is not None:
        plot.dot(end, left, "main")
    caption = words.came_down(trace) + words.marks(
        incidents=bool(found), deploys=bool(deploys), lost=bool(lost)
    )
    title = f"Burn-down of the budget of {slo} of {service.policy.service}"
    return element(
        "figure",
        element("p", "Budget left", class_="axes"),
        plot.svg(f"{name}-left", title, caption),
        element("figcaption", caption),
        numbers(
            [one for one in trace.stretches if one.span.end > span.start],
            words.LEFT_COLUMNS,
            f"{title}, in numbers",
        ),
    )


def mark(plot: Plot, incidents: words.Marked, deploys: Sequence[datetime]) -> None:
    """Mark incidents and deploys in a picture."""
    for _, incident in incidents:
        plot.stretch(Span(incident.start, incident.end), "incident")
    for text, at in _numbers(incidents, plot.span):
        plot.head(text, at, "mark")
    plot.notches(deploys, "deploy")


def _numbers(incidents: words.Marked, span: Span) -> Iterator[tuple[str, datetime]]:
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
            plot.name(_named(band.tier), foot, f"name {kind}")


def _named(tier: Tier) -> str:
    name = tier.name if len(tier.name) <= _LONGEST else f"{tier.name[:_LONGEST]}…"
    return name if tier.condition is None else f"{name} {tier.condition}"
