"""The picture of how fast a budget burned, beside the share of good events."""

from gate.budget.trace import Trace
from gate.decision.report import Report, ServiceReport
from gate.reporters import report_words as words
from gate.reporters import values
from gate.reporters.html.budget_plot import mark
from gate.reporters.html.plot import Plot
from gate.reporters.html.tables import numbers
from gate.reporters.html.tags import Html, element
from gate.reporters.scale import Logarithmic
from gate.slo.objective import RatioSlo


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
            plot.tick(values.percent(good), value)
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
