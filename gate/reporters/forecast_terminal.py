"""A forecast for a terminal: for each SLO what is left, and a table of what becomes of it."""

from collections.abc import Iterator

from gate.analysis.forecast import words
from gate.analysis.forecast.result import ForecastReport, ServiceForecast
from gate.reporters import ink
from gate.reporters.escape import plain
from gate.reporters.layout import GAP
from gate.reporters.listing import listing
from gate.reporters.prose import facts, finish
from gate.reporters.style import Style


def render_forecast(report: ForecastReport, style: Style) -> str:
    """Return the report on what is foretold."""
    lines: list[str] = []
    for service in report.services:
        lines += [*_service(service, style), ""]
    lines += facts(list(words.closing(report)), style)
    return finish(lines, style)


def _service(service: ServiceForecast, style: Style) -> Iterator[str]:
    verdict, word = words.verdict(service)
    name = ink.ink(plain(service.policy.service), ink.BOLD, style)
    yield f"{ink.badge(verdict, word, style)}{GAP}{name}"
    for one in service.slos:
        yield ""
        name = ink.ink(plain(one.assessment.slo.name), ink.BOLD, style)
        yield f"{GAP}{name}: {plain(words.heading(one))}"
        if one.courses:
            yield from listing(one.courses, words.columns(one), style)
        if told := list(words.about(one)):
            yield from facts(told, style)
    yield ""
    yield from facts(words.origin(service), style)
