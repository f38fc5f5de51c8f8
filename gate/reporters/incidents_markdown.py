"""Incidents for an issue, a wiki or a comment."""

from collections.abc import Iterator

from gate.analysis.incidents import words
from gate.analysis.incidents.result import IncidentReport, ServiceIncidents
from gate.reporters import markup
from gate.reporters.escape import markdown
from gate.reporters.style import Style


def render_incidents(report: IncidentReport, _style: Style) -> str:
    """Return the report on incidents."""
    blocks: list[str] = []
    for service in report.services:
        blocks += [*service_blocks(service), markup.small(words.origin(service))]
    if report.unfelt:
        blocks.append(markup.facts(words.unfelt(report)))
    blocks.append(markup.small(words.closing(report)))
    return markup.document(blocks)


def service_blocks(service: ServiceIncidents) -> Iterator[str]:
    """Yield what was found under one policy."""
    verdict, word = words.verdict(service)
    yield f"## {markup.SIGNS[verdict]} {word}: {markdown(service.policy.service)}"
    rows = words.rows(service)
    if rows:
        yield markup.table(rows, words.COLUMNS)
    if told := [*words.explanations(service), *words.about(service)]:
        yield markup.facts(told)
