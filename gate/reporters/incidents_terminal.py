"""Incidents for a terminal: a table, what is known of each, and what they come to."""

from collections.abc import Iterator

from gate.analysis.incidents import words
from gate.analysis.incidents.result import IncidentReport, ServiceIncidents
from gate.policy.findings import Verdict
from gate.reporters import ink
from gate.reporters.column import Column
from gate.reporters.escape import plain
from gate.reporters.layout import GAP
from gate.reporters.listing import listing
from gate.reporters.prose import facts, finish
from gate.reporters.style import Style


def render_incidents(report: IncidentReport, style: Style) -> str:
    """Return the report on incidents."""
    lines: list[str] = []
    for service in report.services:
        lines += [*_service(service, style), ""]
    lines += facts([*words.unfelt(report), *words.closing(report)], style)
    return finish(lines, style)


def _service(service: ServiceIncidents, style: Style) -> Iterator[str]:
    verdict, word = words.verdict(service)
    name = ink.ink(plain(service.policy.service), ink.BOLD, style)
    yield f"{ink.badge(verdict, word, style)}{GAP}{name}"
    yield ""
    if service.explained:
        yield from _table(service, style)
        yield ""
    told = [*words.explanations(service), *words.about(service), *words.origin(service)]
    yield from facts(told, style)


def _table(service: ServiceIncidents, style: Style) -> Iterator[str]:
    def paint(column: Column[words.IncidentRow], row: words.IncidentRow, text: str) -> str:
        if column is words.KNOWN and not row.explained.records:
            return ink.coloured(Verdict.BLOCK, text, style)
        return text

    yield from listing(words.rows(service), words.COLUMNS, style, paint)
