"""The past of each budget: its pictures, how fast it burned, and how to read both."""

from collections.abc import Iterator
from datetime import UTC
from fractions import Fraction
from typing import Final

from gate import wording
from gate.analysis.report import Report, ServiceReport, budget_history
from gate.analysis.report.html.budget import (
    BESIDE,
    WHEN,
    amount,
    bad_column,
    burn_down_figure,
    mark,
)
from gate.analysis.report.html.consumption import consumption_figures
from gate.analysis.report.html.plot import Plot
from gate.analysis.report.html.tags import Html, element, facts, numbers
from gate.budget.assessment import Assessment
from gate.history.past_budget import Stretch, Trace
from gate.reporters.budgets import details, left
from gate.reporters.drawing import Logarithmic
from gate.reporters.page import MUST, Column, tabulate
from gate.slo.objective import RatioSlo, SpendSlo


def traces(service: ServiceReport, report: Report, prefix: str) -> Iterator[Html]:
    """Show the past of each budget."""
    yield element("p", " ".join(_how_to_read(service, report)), class_="reading")
    for place, assessment in enumerate(service.assessments, start=1):
        name = f"{prefix}-{place}"
        parts = [
            element("h3", assessment.slo.name, id=name),
            element("p", *_left(assessment), class_="left"),
            element("div", *_figures(name, assessment, service, report), class_="figures"),
            element("details", element("summary", "More about it"), facts(details(assessment))),
        ]
        yield element("article", *parts, aria_labelledby=name)


def _how_to_read(service: ServiceReport, report: Report) -> Iterator[str]:
    """Yield the meaning of the marks and lines that the figures have."""
    traces, start = service.traces.values(), report.incidents.span.start
    late = any(trace.left and trace.left[0][0] > start for trace in traces)
    threshold = wording.exact(report.incidents.threshold)
    sentences = {
        "All pictures of an SLO have the same time axis.": True,
        "Red stretches with a number are incidents.": bool(service.incidents.annotated),
        "Strokes below a picture are deploys.": bool(service.deploys),
        "Grey stretches have no data.": late or any(trace.unknown for trace in traces),
        "The burn rate is drawn over an hour (thin) and over a day (bold). At 1 the budget lasts"
        f" exactly one window; from {threshold} on (dashed) it may be an incident.": any(
            trace.fast for trace in traces
        ),
        "Filled bars are incidents, outlined bars everything else.": bool(service.consumption),
    }
    return (sentence for sentence, there in sentences.items() if there)


def _left(assessment: Assessment) -> Iterator[str]:
    overspent = assessment.compared is not None and assessment.compared < 0
    of = "" if assessment.uncovered or overspent else " of the budget left"
    yield element("strong", left(assessment))
    yield f"{of} ({budget_history.promised(assessment.slo)})"


def _figures(
    name: str, assessment: Assessment, service: ServiceReport, report: Report
) -> Iterator[Html]:
    slo, trace = assessment.slo, service.traces.get(assessment.slo.name)
    span = report.incidents.span
    if trace is None:
        yield element("p", budget_history.missing(service, slo), class_="missing")
        return
    if not trace.left or not assessment.measured:
        yield element("p", budget_history.no_burn_down(assessment), class_="missing")
    if trace.left:
        yield burn_down_figure(name, slo, trace, service, span)
    if trace.fast and isinstance(slo, RatioSlo | SpendSlo):
        yield burn_rate_figure(name, slo, trace, service, report)
    else:
        yield element("p", budget_history.missing(service, slo), class_="missing")
    if slo.name in service.consumption:
        yield from consumption_figures(name, slo, service.consumption[slo.name], service, span)


def _burned(trace: Trace) -> str:
    """Say how fast the budget burned."""
    rates = [(rate, at) for at, rate in trace.fast if rate is not None]
    if not rates:
        return "There was no traffic, and so no burn rate."
    peak, at = max(rates)
    when = f" on {wording.day(at)} at {at.astimezone(UTC):%H:%M} UTC" if peak else ""
    return f"The highest burn rate over an hour was {_burn(peak)}{when}."


def _burn(rate: float | None) -> str:
    return wording.burn(None if rate is None else wording.shown(rate))


def _good(stretch: Stretch) -> str:
    if stretch.total is None or stretch.bad is None or not stretch.total:
        return wording.NOTHING
    return wording.left(1 - wording.shown(stretch.bad) / wording.shown(stretch.total), 3)


_PEAK: Final[Column[Stretch]] = Column(
    title="Highest burn 1h", cell=lambda stretch: _burn(stretch.peak), keep=MUST
)
_GOOD: Final[Column[Stretch]] = Column(title="Good", cell=_good, keep=6)


def _columns(slo: RatioSlo | SpendSlo) -> tuple[Column[Stretch], ...]:
    if isinstance(slo, SpendSlo):
        return (WHEN, _PEAK, bad_column(slo))
    total = Column[Stretch](
        title=_counted(slo).capitalize(), cell=lambda stretch: amount(stretch.total), keep=4
    )
    return (WHEN, _PEAK, _GOOD, bad_column(slo), total)


def _counted(slo: RatioSlo) -> str:
    return "events" if slo.slices is None else "slices"


def _good_at(slo: RatioSlo | SpendSlo, burn: float) -> str | None:
    """Return the share of good events at a burn rate of whole budgets; None below 0."""
    good = -1 if isinstance(slo, SpendSlo) else 1 - slo.budget * int(burn)
    return wording.percent(Fraction(good)) if good >= 0 else None


def burn_rate_figure(
    name: str, slo: RatioSlo | SpendSlo, trace: Trace, service: ServiceReport, report: Report
) -> Html:
    """Return the figure with its caption and its numbers."""
    span, threshold = report.incidents.span, report.incidents.threshold
    rates = [rate for _, rate in (*trace.fast, *trace.slow) if rate is not None]
    scale = Logarithmic(max([*rates, float(threshold)]) * 1.2)
    plot = Plot(span=span, scale=scale)
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tick(f"{value:,.0f}", value, right=False)
        good = _good_at(slo, value)
        if good is not None:
            plot.tick(good, value)
    plot.level(float(threshold), "limit")
    for lost in trace.unknown:
        plot.lose(lost)
    deploys = [deploy.time for deploy in service.deploys]
    mark(plot, budget_history.incidents_of(slo.name, service), deploys)
    plot.line(trace.fast, "thin")
    plot.line(trace.slow, "main")
    caption = _burned(trace)
    what = "Burn rate" if isinstance(slo, SpendSlo) else "Burn rate and share of good events"
    title = f"{what} of {slo.name} of {service.policy.service}"
    right = () if isinstance(slo, SpendSlo) else (element("span", f"Good {_counted(slo)}"),)
    return element(
        "figure",
        element("p", "Burn rate (logarithmic)", *right, class_="axes"),
        plot.svg(f"{name}-burn", title, caption, BESIDE),
        element("figcaption", caption),
        numbers(tabulate(trace.stretches, _columns(slo)), f"{title}, in numbers"),
    )
