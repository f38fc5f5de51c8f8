"""Cohorts for an issue, a wiki or a comment."""

from collections.abc import Iterator

from gate.analysis.cohorts import cells, words
from gate.analysis.cohorts.result import CohortReport, ServiceCohorts
from gate.reporters import markup
from gate.reporters.escape import markdown
from gate.reporters.style import Style


def render_cohorts(report: CohortReport, _style: Style) -> str:
    """Return the report on cohorts."""
    blocks: list[str] = []
    for service in report.services:
        blocks += [*service_blocks(report, service), markup.small(words.origin(service))]
    blocks.append(markup.small(words.closing(report)))
    return markup.document(blocks)


def service_blocks(report: CohortReport, service: ServiceCohorts) -> Iterator[str]:
    """Yield what was found under one policy."""
    verdict, word = words.verdict(service)
    yield f"## {markup.SIGNS[verdict]} {word}: {markdown(service.policy.service)}"
    if said := list(words.answers(report, service)):
        yield markup.facts(said)
    if rows := cells.rows(service):
        yield markup.table(rows, cells.columns(report, service))
    if about := list(words.about(report, service)):
        yield markup.facts(about)
