"""Cohorts for a terminal: what can be said, and a table of the numbers."""

from collections.abc import Iterator

from gate.analysis.cohorts import cells, words
from gate.analysis.cohorts.result import CohortReport, ServiceCohorts
from gate.policy.findings import Verdict
from gate.reporters import ink
from gate.reporters.column import MUST, Column
from gate.reporters.escape import plain
from gate.reporters.layout import GAP
from gate.reporters.prose import facts, finish
from gate.reporters.style import Style
from gate.reporters.table import table


def render_cohorts(report: CohortReport, style: Style) -> str:
    """Return the report on cohorts."""
    lines: list[str] = []
    for service in report.services:
        lines += [*_service(report, service, style), ""]
    lines += facts(list(words.closing(report)), style)
    return finish(lines, style)


def _service(report: CohortReport, service: ServiceCohorts, style: Style) -> Iterator[str]:
    verdict, word = words.verdict(service)
    name = ink.ink(plain(service.policy.service), ink.BOLD, style)
    yield f"{ink.badge(verdict, word, style)}{GAP}{name}"
    yield ""
    if said := list(words.answers(report, service)):
        yield from facts(said, style)
        yield ""
    if rows := cells.rows(service):
        yield from _table(report, service, rows, style)
        yield ""
    yield from facts([*words.about(report, service), *words.origin(service)], style)


def _table(
    report: CohortReport, service: ServiceCohorts, rows: list[cells.CohortRow], style: Style
) -> Iterator[str]:
    def paint(column: Column[cells.CohortRow], row: cells.CohortRow, text: str) -> str:
        if column.keep == MUST and column.right and cells.is_worse(row):
            return ink.coloured(Verdict.BLOCK, text, style)
        return text

    rule, width = "─" if style.unicode else "-", style.width - len(GAP)
    lines = table(rows, cells.columns(report, service), width, rule=rule, paint=paint)
    head = [ink.ink(line, ink.DIM, style) for line in lines[:2]]
    yield from (f"{GAP}{line}".rstrip() for line in [*head, *lines[2:]])
