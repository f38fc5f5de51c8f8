"""The report as one page of HTML without other files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from gate.analysis.anomalies.table import chart_rows, chart_table
from gate.analysis.anomalies.words import (
    anomalies_badge,
    answers,
    chart_facts,
    scope_facts,
    signal_facts,
)
from gate.analysis.backtest.words import backtest_badge
from gate.analysis.cohorts.words import cohorts_badge, cohorts_blocks
from gate.analysis.forecast.words import forecast_answer, forecast_badge, forecast_heading
from gate.analysis.incidents.words import incidents_answer, incidents_badge, incidents_blocks
from gate.analysis.report import Report, ServiceReport, words
from gate.analysis.report.html.backtest import backtest_parts
from gate.analysis.report.html.charts import control_chart, forecast_figure
from gate.analysis.report.html.tags import FITTING, Html, content, element, facts, link, table
from gate.analysis.report.html.traces import traces
from gate.policy.findings import Verdict
from gate.reporters.ansi import Style, mark_sign
from gate.reporters.budget_table import budget_table
from gate.reporters.page import DataTable, Facts

SectionContent = Callable[[ServiceReport, Report, str], Iterator[Html]]
"""A function of a service, the whole report and a prefix of ids; makes the content under a
heading."""
_SIGNS: Final = Style()


def badge(verdict: Verdict, word: str, sentence: str = "") -> Html:
    """Show the most important fact as a badge."""
    sign = element("span", mark_sign(verdict, _SIGNS), aria_hidden="true")
    return element(
        "p",
        element("strong", sign, f" {word}", class_=f"badge {verdict}"),
        *([" ", element("span", sentence)] if sentence else []),
        class_="verdict",
    )


def may_it_ship(service: ServiceReport, report: Report, _prefix: str) -> Iterator[Html]:
    """Show whether it may ship: the given change class, or each class."""
    verdict, sentence, reasons = words.standing(service, report)
    yield badge(*verdict, sentence)
    if reasons.facts:
        yield facts(reasons.facts)
    if service.policy.dashboard:
        yield element("p", "Dashboard: ", link(service.policy.dashboard))


def budgets(service: ServiceReport, _report: Report, _prefix: str) -> Iterator[Html]:
    """List every budget."""
    caption = f"The error budgets of {service.policy.service}"
    yield table(budget_table(words.rows(service)), caption)


def incidents(service: ServiceReport, _report: Report, _prefix: str) -> Iterator[Html]:
    """Show the results of the search for incidents."""
    yield badge(*incidents_badge(service.incidents), incidents_answer(service.incidents) or "")
    blocks = words.numbered(incidents_blocks(service.incidents))
    yield from content(map(_narrowed, blocks), f"Incidents of {service.policy.service}")


def _narrowed(block: DataTable | Facts) -> DataTable | Facts:
    """Return a table of incidents without their ends if it is too wide: it has their lengths."""
    if isinstance(block, Facts):
        return block
    columns = (replace(each, secondary=each.title == "End, UTC") for each in block.columns)
    return replace(block, columns=tuple(columns))


def forecasts(service: ServiceReport, report: Report, prefix: str) -> Iterator[Html]:
    """Show the forecast of each budget; a period that is over has none."""
    if report.period is not None:
        return
    yield badge(*forecast_badge(service.forecast), forecast_answer(service.forecast))
    for place, slo in enumerate(service.forecast.slos, start=1):
        name = f"{prefix}-{place}"
        yield element(
            "article",
            element("h3", slo.assessment.slo.name, id=name),
            element("p", forecast_heading(slo), class_="left"),
            *forecast_figure(slo, service, report.evaluated_at, name),
            aria_labelledby=name,
        )


def charts(service: ServiceReport, report: Report, prefix: str) -> Iterator[Html]:
    """Show the indicators that are not as usual; those in control are folded."""
    anomalies, name = service.anomalies, service.policy.service
    rows = chart_rows(anomalies)
    yield badge(*anomalies_badge(anomalies), *(answer.text for answer in answers(rows)))
    if rows:
        yield table(chart_table(rows), f"Control charts of {name}")
    span = report.incidents.span
    drawn = {
        place: control_chart(row, name, span, f"{prefix}-{place}") for place, row in enumerate(rows)
    }
    loud = [picture for place, picture in drawn.items() if rows[place].chart.worse]
    calm = [picture for place, picture in drawn.items() if not rows[place].chart.worse]
    yield element("div", *loud, class_="figures")
    signals = [fact for row in rows for fact in signal_facts(row)]
    looked_at = scope_facts(report.anomalies)
    yield facts([*signals, *chart_facts(anomalies), *looked_at])
    if calm:
        title = element("summary", f"Charts in control ({len(calm)})")
        yield element("details", title, element("div", *calm, class_="figures"))


def cohorts(service: ServiceReport, report: Report, _prefix: str) -> Iterator[Html]:
    """Show the groups that burn the budgets, if requested."""
    if report.cohorts is None:
        return
    compared = report.cohorts.services[report.services.index(service)]
    yield badge(*cohorts_badge(compared))
    blocks = cohorts_blocks(report.cohorts, compared)
    yield from content(blocks, f"Events of {service.policy.service} by {report.cohorts.by}")


def backtest(service: ServiceReport, report: Report, prefix: str) -> Iterator[Html]:
    """Show the decisions of the policy in the examined time, if requested."""
    if report.backtest is None:
        return
    replayed = report.backtest.services[report.services.index(service)]
    yield badge(*backtest_badge(replayed))
    yield from backtest_parts(replayed, report.backtest, service, f"{prefix}-line")


SECTIONS: Final[tuple[tuple[str, SectionContent], ...]] = (
    ("May it ship?", may_it_ship),
    ("Budgets", budgets),
    ("Cohorts", cohorts),
    ("Incidents", incidents),
    ("What happened", traces),
    ("Forecast", forecasts),
    ("Control charts", charts),
    ("Backtest", backtest),
)
_OF_A_PERIOD: Final = {"May it ship?": "At its end"}
"""The headings in a report on a period that is over."""
HtmlSection = tuple[str, str, list[Html]]
"""The name of the element, the heading, and the content."""
_STYLE: Final = Path(__file__).with_name("report.css")
_CARDS: Final = Path(__file__).with_name("cards.css")
"""The styles of tables that do not fit, for each of the widths of tables."""
_SIZES: Final = {"screen": 1.0, "print": 0.64}
"""The size of the text in tables, by medium."""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser fetches nothing and runs nothing, whatever the page contains."""


def render(report: Report) -> str:
    """Return the page."""
    sections = list(_sections(report))
    body = element(
        "body",
        element("a", "Skip to the report", href="#report", class_="skip"),
        element("header", element("h1", words.title(report)), element("p", words.scope(report))),
        element("nav", element("ul", *_goals(sections)), aria_label="On this page"),
        element("main", *_written(sections), id="report"),
        element(
            "footer",
            facts([fact for block in words.report_closing(report) for fact in block.facts]),
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', _head(report, body), body, lang='en')}\n"


def _head(report: Report, body: Html) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", words.title(report)),
        element("style", Html("".join(_style(body)))),
    )


def _style(body: Html) -> Iterator[str]:
    """Yield the style of the page, with the widths of its tables."""
    style, cards = (path.read_text(encoding="utf-8") for path in (_STYLE, _CARDS))
    yield style
    for width in FITTING:
        if f"-{width} " in body or f'-{width}"' in body:
            for medium, size in _SIZES.items():
                place = f"{width * size:g}"
                own = cards.replace("WIDTH", str(width)).replace("MEDIA", medium)
                yield own.replace("PLACE", place)


def _written(sections: Sequence[HtmlSection]) -> Iterator[Html]:
    for name, heading, parts in sections:
        title = element("h2", heading, id=name)
        yield element("section", title, *parts, aria_labelledby=name)


def _goals(sections: Sequence[HtmlSection]) -> Iterator[Html]:
    for name, heading, _ in sections:
        yield element("li", element("a", heading, href=f"#{name}"))


def _sections(report: Report) -> Iterator[HtmlSection]:
    """Yield the name, the heading and the content of each section with content."""
    for number, service in enumerate(report.services, start=1):
        for place, (heading, section) in enumerate(SECTIONS, start=1):
            name = f"part-{number}-{place}"
            if parts := list(section(service, report, name)):
                yield name, _heading(heading, service, report), parts


def _heading(heading: str, service: ServiceReport, report: Report) -> str:
    """Name a section, with its service if there are several."""
    if report.period is not None and report.decision is None:
        heading = _OF_A_PERIOD.get(heading, heading)
    return f"{service.policy.service}: {heading}" if len(report.services) > 1 else heading
