"""The picture of how a budget came down, with the tiers as bands."""

from gate.budget.trace import Trace
from gate.decision.report import ServiceReport
from gate.reporters import report_words as words
from gate.reporters.html.budget_plot import budget_plot, mark
from gate.reporters.html.tables import numbers
from gate.reporters.html.tags import Html, element
from gate.reporters.scale import Linear
from gate.slo.window import Span


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
