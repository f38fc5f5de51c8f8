"""What the pictures of budgets have in common: tiers as bands, and the marks of what happened."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.budget.incidents import Incident
from gate.decision.report import ServiceReport
from gate.policy.tiers import Tier, bands
from gate.reporters import report_words as words
from gate.reporters.html.plot import Plot
from gate.reporters.scale import Linear
from gate.slo.window import Span

_CLOSE: Final = 0.16
"""Of the width: two numbers that would touch are written as one."""
_LONGEST: Final = 24
"""Characters of a tier's name; all of it stands elsewhere."""
_LOWEST: Final = 0.09
"""Of the height: a lower band has no room for its name."""


def budget_plot(span: Span, scale: Linear, service: ServiceReport) -> Plot:
    """Return a picture of shares of a budget, with the tiers as bands."""
    plot = Plot(span=span, scale=scale)
    _draw_bands(plot, scale, service)
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tick(words.share(value, 0), value)
    return plot


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


def _draw_bands(plot: Plot, scale: Linear, service: ServiceReport) -> None:
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
