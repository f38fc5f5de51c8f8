"""The picture of how fast a budget burned."""

from datetime import UTC
from fractions import Fraction
from typing import Final

from gate import wording
from gate.analysis.report import Report, ServiceReport, words
from gate.analysis.report.html.budget import BESIDE, WHEN, amount, bad_column, mark
from gate.analysis.report.html.plot import Plot
from gate.analysis.report.html.tags import Html, element, numbers
from gate.history.past_budget import Stretch, Trace
from gate.reporters.drawing import Logarithmic
from gate.reporters.page import MUST, Column, tabulate
from gate.slo.objective import RatioSlo, SpendSlo


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
    """Return the share of good events at a burn rate of whole budgets, where there is one."""
    good = -1 if isinstance(slo, SpendSlo) else 1 - slo.budget * int(burn)
    return wording.percent(Fraction(good)) if good >= 0 else None


def burn_rate_figure(
    name: str, slo: RatioSlo | SpendSlo, trace: Trace, service: ServiceReport, report: Report
) -> Html:
    """Return the picture with what there is to be seen in it, and its numbers."""
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
    mark(plot, words.incidents_of(slo.name, service), deploys)
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
