"""What happened to each budget: its pictures, and once for all of them how to read these."""

from collections.abc import Iterator

from gate import wording
from gate.analysis.report import Report, ServiceReport, words
from gate.analysis.report.html.budget import burn_down_figure
from gate.analysis.report.html.burn_rate import burn_rate_figure
from gate.analysis.report.html.consumption import consumption_figures
from gate.analysis.report.html.tags import Html, element, facts
from gate.budget.assessment import Assessment
from gate.reporters.budgets import details, left
from gate.slo.objective import (
    RatioSlo,
    SpendSlo,
)


def traces(service: ServiceReport, report: Report, prefix: str) -> Iterator[Html]:
    """Show what happened to each budget."""
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
    """Yield what the marks and lines in the pictures are, of those that there are."""
    traces, start = service.traces.values(), report.incidents.span.start
    late = any(trace.left and trace.left[0][0] > start for trace in traces)
    threshold = wording.exact(report.incidents.threshold)
    sentences = {
        "All pictures of an SLO have the same time axis.": True,
        "Red stretches with a number are incidents.": bool(service.incidents.annotated),
        "Strokes below a picture are deploys.": bool(service.deploys),
        "Nothing is known of grey stretches.": late or any(trace.unknown for trace in traces),
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
    yield f"{of} ({words.promised(assessment.slo)})"


def _figures(
    name: str, assessment: Assessment, service: ServiceReport, report: Report
) -> Iterator[Html]:
    slo, trace = assessment.slo, service.traces.get(assessment.slo.name)
    span = report.incidents.span
    if trace is None:
        yield element("p", words.missing(service, slo), class_="missing")
        return
    if not trace.left or not assessment.measured:
        yield element("p", words.no_burn_down(assessment), class_="missing")
    if trace.left:
        yield burn_down_figure(name, slo, trace, service, span)
    if trace.fast and isinstance(slo, RatioSlo | SpendSlo):
        yield burn_rate_figure(name, slo, trace, service, report)
    else:
        yield element("p", words.missing(service, slo), class_="missing")
    if slo.name in service.consumption:
        yield from consumption_figures(name, slo, service.consumption[slo.name], service, span)
