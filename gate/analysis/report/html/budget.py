"""The pictures of a budget: how it came down, and how fast it burned."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate import wording
from gate.analysis.report import words
from gate.analysis.report.html.plot import Plot
from gate.analysis.report.html.tags import Html, element, numbers
from gate.analysis.report.result import Report, ServiceReport
from gate.history.incidents import Incident
from gate.history.past_budget import Trace
from gate.policy.tiers import Tier, bands
from gate.reporters.spark import Linear, Logarithmic
from gate.slo.objective import RatioSlo
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


def burn_down_figure(name: str, slo: str, trace: Trace, service: ServiceReport) -> Html:
    """Return the picture with what there is to be seen in it, and its numbers."""
    span = Span(trace.left[0][0], trace.left[-1][0])
    known = [value for _, value in trace.left if value is not None]
    scale = Linear(min(0.0, *known), max(1.0, *known))
    plot = budget_plot(span, scale, service)
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


def burn_rate_figure(
    name: str, slo: RatioSlo, trace: Trace, service: ServiceReport, report: Report
) -> Html:
    """Return the picture with what there is to be seen in it, and its numbers."""
    span, threshold = report.incidents.span, report.incidents.threshold
    rates = [rate for _, rate in (*trace.fast, *trace.slow) if rate is not None]
    scale = Logarithmic(max(*rates, float(threshold)) * 1.2)
    plot = Plot(span=span, scale=scale)
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tick(f"{value:,.0f}", value, right=False)
        good = 1 - slo.budget * int(value)
        if good >= 0:
            plot.tick(wording.percent(good), value)
    plot.level(float(threshold), "limit")
    for lost in trace.unknown:
        plot.lose(lost)
    found, deploys = words.incidents_of(slo.name, service), [one.time for one in service.deploys]
    mark(plot, found, deploys)
    plot.line(trace.fast, "thin")
    plot.line(trace.slow, "main")
    caption = words.burned(trace, threshold)
    title = f"Burn rate and share of good events of {slo.name} of {service.policy.service}"
    return element(
        "figure",
        element("p", "Burn rate (logarithmic)", element("span", "Good events"), class_="axes"),
        plot.svg(f"{name}-burn", title, caption, "plot both"),
        element("figcaption", caption),
        numbers(trace.stretches, words.BURN_COLUMNS, f"{title}, in numbers"),
    )
