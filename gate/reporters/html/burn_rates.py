"""The picture of how fast a budget burned, beside the share of good events."""

from gate.budget.course import Course
from gate.decision.report import Report, ServiceReport
from gate.reporters import report_words as words
from gate.reporters import values
from gate.reporters.html.burn_down import incidents_of, mark
from gate.reporters.html.plot import Plot
from gate.reporters.html.scale import Logarithmic
from gate.reporters.html.tables import numbers
from gate.reporters.html.tags import Html, element
from gate.slo.objective import RatioSlo


def burn_rate_figure(
    name: str, slo: RatioSlo, course: Course, service: ServiceReport, report: Report
) -> Html:
    """Return the picture with what there is to be seen in it, and its numbers."""
    span, threshold = report.incidents.span, float(report.incidents.threshold)
    rates = [rate for _, rate in (*course.fast, *course.slow) if rate is not None]
    scale = Logarithmic(max(*rates, threshold) * 1.2)
    plot = Plot(span=span, scale=scale)
    for value in scale.ticks():
        plot.level(value, "grid")
        plot.tell(f"{value:,.0f}", at=span.start, value=value, kind="tick")
        good = 1 - slo.budget * int(value)
        if good >= 0:
            plot.tell(values.percent(good), at=span.end, value=value, kind="tick")
    plot.level(threshold, "limit")
    plot.head("burn rate", span.start, "tick")
    plot.head("good events", span.end, "tick")
    for lost in course.unknown:
        plot.stretch(lost, "lost")
    found, deploys = incidents_of(slo.name, service), [one.time for one in service.deploys]
    mark(plot, found, deploys)
    plot.line(course.fast, "thin")
    plot.line(course.slow, "main")
    caption = words.burned(course)
    title = f"Burn rate and share of good events of {slo.name}"
    return element(
        "figure",
        plot.svg(f"{name}-burn", title, caption),
        element("figcaption", caption),
        numbers(course.stretches, words.BURN_COLUMNS, f"{title}, in numbers"),
    )
