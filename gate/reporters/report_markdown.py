"""The report for an issue or a wiki, with small charts in text."""

from collections.abc import Iterator

from gate.analysis.incidents import words as incidents_words
from gate.analysis.report import words
from gate.analysis.report.result import Report, ServiceReport
from gate.analysis.report.text_chart import text_chart
from gate.budget.assessment import Assessment
from gate.reporters import (
    anomalies_markdown,
    cohorts_markdown,
    forecast_markdown,
    incidents_markdown,
    markup,
    summary,
)
from gate.reporters.escape import block, markdown
from gate.reporters.markdown import SHOWN
from gate.reporters.style import Style


def render_report(report: Report, style: Style) -> str:
    """Return the report."""
    blocks = [f"# {markdown(words.title(report))}", markdown(words.about(report))]
    for service in report.services:
        blocks += _service(service, report, style)
    if unfelt := incidents_words.unfelt(report.incidents):
        blocks.append(markup.facts(unfelt))
    blocks.append(markup.small(words.closing(report)))
    return markup.document(blocks)


def _service(service: ServiceReport, report: Report, style: Style) -> Iterator[str]:
    yield from _verdict(service, report)
    yield markup.table(service.assessments, SHOWN)
    for known in service.assessments:
        yield from _trace(known, service)
    yield from incidents_markdown.service_blocks(service.incidents)
    yield from forecast_markdown.service_blocks(service.forecast)
    yield from anomalies_markdown.service_blocks(service.anomalies, style)
    if report.cohorts is not None:
        found = report.cohorts.services[report.services.index(service)]
        yield from cohorts_markdown.service_blocks(report.cohorts, found)


def _verdict(service: ServiceReport, report: Report) -> Iterator[str]:
    if report.decision is not None and service.decided is not None:
        verdict = service.decided.verdict
        word = summary.verdict_word(verdict, report.decision)
        yield f"## {markup.SIGNS[verdict]} {word}: {markdown(summary.subject(service.decided))}"
        yield markup.facts(summary.facts(service.decided, report.decision))
        return
    verdict, word, sentence = words.standing(service)
    name = service.policy.service
    yield f"## {markup.SIGNS[verdict]} {markdown(f'{word}: {name}')}"
    yield markdown(sentence)
    yield markup.facts(words.outlook(service))


def _trace(known: Assessment, service: ServiceReport) -> Iterator[str]:
    slo, trace = known.slo, service.traces.get(known.slo.name)
    yield f"**{markdown(slo.name)}** ({markdown(words.promised(slo))})"
    if trace is None:
        yield markdown(words.missing(service, slo))
        return
    if not trace.left:
        yield markdown(words.unmeasured(known))
    felt = [incident for _, incident in words.incidents_of(slo.name, service)]
    yield block(text_chart(trace, felt, service.deploys))
