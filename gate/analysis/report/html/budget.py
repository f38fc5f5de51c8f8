"""The pictures of a budget: how it came down, and how fast it burned."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

from gate import wording
from gate.analysis.report import Report, ServiceReport, words
from gate.analysis.report.html.plot import Plot
from gate.analysis.report.html.tags import Html, element, numbers
from gate.history.incidents import Incident
from gate.history.past_budget import DAY, Stretch, Trace
from gate.history.service_incidents import ServiceIncident
from gate.policy.tiers import Tier, bands
from gate.reporters.drawing import Linear, Logarithmic
from gate.reporters.page import MUST, Column, tabulate
from gate.slo.objective import CompositeSlo, RatioSlo, RollingWindow, Slo, Span


def _came_down(slo: Slo, trace: Trace) -> str:
    """Say how the budget came down."""
    (start, first), (end, last) = trace.left[0], trace.left[-1]
    then, now = (wording.share_left(share) for share in (first, last))
    came = f"{_whose(slo)}: {then} on {wording.day(start)}, {now} on {wording.day(end)}."
    if trace.compared:
        came += " The thin line is the bound that is held against the tiers."
    return came


def _whose(slo: Slo) -> str:
    """Say of which budget it is: a rolling window moves with the instant."""
    if isinstance(slo, CompositeSlo):
        return "Budget left at each instant"
    if isinstance(slo.window, RollingWindow):
        return f"Budget left at each instant, of the {slo.window} before it"
    return "Budget left at each instant, of its period"


def _marks(*, incidents: bool, deploys: bool, lost: bool) -> str:
    """Say what the marks in a picture are."""
    sentences = {
        "Red stretches with a number are incidents.": incidents,
        "Strokes below the picture are deploys.": deploys,
        "Of grey stretches nothing is known.": lost,
    }
    return "".join(f" {sentence}" for sentence, there in sentences.items() if there)


def _burned(trace: Trace, threshold: Fraction) -> str:
    """Say how fast the budget burned."""
    rates = [(rate, at) for at, rate in trace.fast if rate is not None]
    if not rates:
        return "There was no traffic, and so no burn rate."
    peak, at = max(rates)
    when = f" on {wording.day(at)} at {at.astimezone(UTC):%H:%M} UTC" if peak else ""
    return (
        f"Burn rate over an hour (thin) and a day (bold), at most {_burn(peak)}{when}. At 1 the"
        " budget lasts exactly as long as its window;"
        f" from {wording.exact(threshold)} on (dashed) it may be an incident."
    )


def _amount(number: float | None) -> str:
    return wording.amount(None if number is None else wording.shown(number))


def _burn(rate: float | None) -> str:
    return wording.burn(None if rate is None else wording.shown(rate))


def _when(stretch: Stretch) -> str:
    start = stretch.span.start
    whole_days = stretch.span.length > DAY / 24
    return f"{start.astimezone(UTC):%Y-%m-%d}" if whole_days else wording.minute(start)


def _good(stretch: Stretch) -> str:
    if stretch.total is None or stretch.bad is None or not stretch.total:
        return wording.NOTHING
    return wording.left(1 - wording.shown(stretch.bad) / wording.shown(stretch.total), 3)


_WHEN: Final[Column[Stretch]] = Column(title="From, UTC", cell=_when, right=False, keep=MUST)
_BAD: Final[Column[Stretch]] = Column(
    title="Bad", cell=lambda stretch: _amount(stretch.bad), keep=5
)
_LEFT_COLUMNS: Final[tuple[Column[Stretch], ...]] = (
    _WHEN,
    Column(
        title="Left at the end", cell=lambda stretch: wording.share_left(stretch.left), keep=MUST
    ),
    _BAD,
)
_BURN_COLUMNS: Final[tuple[Column[Stretch], ...]] = (
    _WHEN,
    Column(title="Highest burn 1h", cell=lambda stretch: _burn(stretch.peak), keep=MUST),
    Column(title="Good", cell=_good, keep=6),
    _BAD,
    Column(title="Events", cell=lambda stretch: _amount(stretch.total), keep=4),
)
_MarkedStretch = Incident | ServiceIncident
"""What is marked: of an SLO, or of the service."""
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
    """Yield the numbers of incidents; of such as are close together the first and the last."""
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


def burn_down_figure(name: str, slo: Slo, trace: Trace, service: ServiceReport) -> Html:
    """Return the picture with what there is to be seen in it, and its numbers."""
    span = Span(trace.left[0][0], trace.left[-1][0])
    lines = (*trace.left, *trace.compared)
    shares = [value for _, value in lines if value is not None]
    scale = Linear(min(0.0, *shares), max(1.0, *shares))
    plot = budget_plot(span, scale, service)
    lost = [stretch for stretch in trace.unknown if stretch.end > span.start]
    for stretch in lost:
        plot.lose(stretch)
    incidents = [
        (number, incident)
        for number, incident in words.incidents_of(slo.name, service)
        if incident.end > span.start
    ]
    deploys = [deploy.time for deploy in service.deploys if deploy.time > span.start]
    mark(plot, incidents, deploys)
    plot.line(trace.compared, "thin")
    plot.line(trace.left, "main")
    end, left = trace.left[-1]
    if left is not None:
        plot.dot(end, left, "main")
    caption = _came_down(slo, trace) + _marks(
        incidents=bool(incidents), deploys=bool(deploys), lost=bool(lost)
    )
    stretches = [stretch for stretch in trace.stretches if stretch.span.end > span.start]
    title = f"Burn-down of the budget of {slo.name} of {service.policy.service}"
    return element(
        "figure",
        element("p", "Budget left", class_="axes"),
        plot.svg(f"{name}-left", title, caption),
        element("figcaption", caption),
        numbers(tabulate(stretches, _LEFT_COLUMNS), f"{title}, in numbers"),
    )


def burn_rate_figure(
    name: str, slo: RatioSlo, trace: Trace, service: ServiceReport, report: Report
) -> Html:
    """Return the picture with what there is to be seen in it, and its numbers."""
    span, threshold = report.incidents.span, report.incidents.threshold
    rates = [rate for _, rate in (*trace.fast, *trace.slow) if rate is not None]
    scale = Logarithmic(max([*rates, float(threshold)]) * 1.2)
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
    deploys = [deploy.time for deploy in service.deploys]
    mark(plot, words.incidents_of(slo.name, service), deploys)
    plot.line(trace.fast, "thin")
    plot.line(trace.slow, "main")
    caption = _burned(trace, threshold)
    title = f"Burn rate and share of good events of {slo.name} of {service.policy.service}"
    return element(
        "figure",
        element("p", "Burn rate (logarithmic)", element("span", "Good events"), class_="axes"),
        plot.svg(f"{name}-burn", title, caption, "plot both"),
        element("figcaption", caption),
        numbers(tabulate(trace.stretches, _BURN_COLUMNS), f"{title}, in numbers"),
    )
