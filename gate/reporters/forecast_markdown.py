"""A forecast for an issue, a wiki or a comment."""

from collections.abc import Iterator

from gate.analysis.forecast import words
from gate.analysis.forecast.result import ForecastReport, ServiceForecast
from gate.reporters import markup
from gate.reporters.escape import markdown
from gate.reporters.style import Style


def render_forecast(report: ForecastReport, _style: Style) -> str:
    """Return the report on what is foretold."""
    blocks: list[str] = []
    for service in report.services:
        blocks += [*service_blocks(service), markup.small(words.origin(service))]
    blocks.append(markup.small(words.closing(report)))
    return markup.document(blocks)


def service_blocks(service: ServiceForecast) -> Iterator[str]:
    """Yield what is foretold under one policy."""
    verdict, word = words.verdict(service)
    yield f"## {markup.SIGNS[verdict]} {word}: {markdown(service.policy.service)}"
    for one in service.slos:
        yield f"**{markdown(one.assessment.slo.name)}**: {markdown(words.heading(one))}"
        if one.courses:
            yield markup.table(one.courses, words.columns(one))
        if told := list(words.about(one)):
            yield markup.facts(told)
