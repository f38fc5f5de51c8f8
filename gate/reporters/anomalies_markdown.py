"""Control charts for an issue, a wiki or a comment."""

from collections.abc import Iterator

from gate.analysis.anomalies import words
from gate.analysis.anomalies.plot import plot
from gate.analysis.anomalies.result import AnomalyReport, ServiceAnomalies
from gate.reporters import markup
from gate.reporters.escape import markdown
from gate.reporters.style import Style

_WIDTH = 80


def render_anomalies(report: AnomalyReport, style: Style) -> str:
    """Return the report on control charts."""
    blocks: list[str] = []
    for service in report.services:
        blocks += [*service_blocks(service, style), markup.small(words.origin(service))]
    blocks.append(markup.small(words.closing(report)))
    return markup.document(blocks)


def service_blocks(service: ServiceAnomalies, style: Style) -> Iterator[str]:
    """Yield the charts of one policy."""
    verdict, word = words.verdict(service)
    yield f"## {markup.SIGNS[verdict]} {word}: {markdown(service.policy.service)}"
    rows = words.rows(service)
    if rows:
        yield markup.table(rows, words.COLUMNS)
    for row in rows:
        if told := list(words.signals(row)):
            yield f"**{markdown(row.name)}**"
            yield "\n".join(["```text", *plot(row.chart, _WIDTH, style), "```"])
            yield markup.facts(told)
    if told := list(words.about(service)):
        yield markup.facts(told)
