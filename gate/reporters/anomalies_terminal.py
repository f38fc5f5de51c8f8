"""Control charts for a terminal: a table, a picture of each that was out of control, and why."""

from collections.abc import Iterator

from gate.analysis.anomalies import words
from gate.analysis.anomalies.plot import plot
from gate.analysis.anomalies.result import AnomalyReport, ServiceAnomalies
from gate.policy.findings import Verdict
from gate.reporters import ink
from gate.reporters.column import Column
from gate.reporters.escape import plain
from gate.reporters.layout import GAP
from gate.reporters.prose import facts, finish, prose
from gate.reporters.style import Style
from gate.reporters.table import table


def render_anomalies(report: AnomalyReport, style: Style) -> str:
    """Return the report on control charts."""
    lines: list[str] = []
    for service in report.services:
        lines += [*_service(service, style), ""]
    lines += facts(list(words.closing(report)), style)
    return finish(lines, style)


def _service(service: ServiceAnomalies, style: Style) -> Iterator[str]:
    verdict, word = words.verdict(service)
    name = ink.ink(plain(service.policy.service), ink.BOLD, style)
    yield f"{ink.badge(verdict, word, style)}{GAP}{name}"
    yield ""
    rows = words.rows(service)
    if rows:
        yield from _table(rows, style)
        yield ""
    for row in rows:
        if told := list(words.signals(row)):
            yield from _picture(row, style)
            yield from facts(told, style)
            yield ""
    yield from facts([*words.about(service), *words.origin(service)], style)


def _picture(row: words.AnomalyRow, style: Style) -> Iterator[str]:
    yield f"{GAP}{ink.ink(plain(row.name), ink.BOLD, style)}"
    yield from (f"{GAP}{line}" for line in plot(row.chart, prose(style) - len(GAP), style))


def _table(rows: list[words.AnomalyRow], style: Style) -> Iterator[str]:
    def paint(column: Column[words.AnomalyRow], row: words.AnomalyRow, text: str) -> str:
        if column is words.STATE and row.open is not None:
            return ink.coloured(Verdict.BLOCK, text, style)
        return text

    rule, width = "─" if style.unicode else "-", style.width - len(GAP)
    lines = table(rows, words.COLUMNS, width, rule=rule, paint=paint)
    head = [ink.ink(line, ink.DIM, style) for line in lines[:2]]
    yield from (f"{GAP}{line}".rstrip() for line in [*head, *lines[2:]])
