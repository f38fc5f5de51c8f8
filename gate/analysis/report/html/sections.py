"""The parts of the page about one service, in the order of use. One more is one more function."""

from collections.abc import Callable, Iterator
from typing import Final

from gate import wording
from gate.analysis.anomalies import words as anomalies_words
from gate.analysis.cohorts import cells as cohorts_cells
from gate.analysis.cohorts import words as cohorts_words
from gate.analysis.forecast import words as forecast_words
from gate.analysis.incidents import words as incidents_words
from gate.analysis.report import words
from gate.analysis.report.html.budget import burn_down_figure, burn_rate_figure
from gate.analysis.report.html.control_chart import control_chart
from gate.analysis.report.html.forecast import forecast
from gate.analysis.report.html.tags import Html, element, facts, link, table
from gate.analysis.report.result import Report, ServiceReport
from gate.budget.assessment import Assessment
from gate.policy.findings import Verdict
from gate.reporters import ink, summary
from gate.reporters.budgets import COLUMNS
from gate.reporters.details import details
from gate.reporters.style import Style
from gate.slo.objective import RatioSlo

Section = Callable[[ServiceReport, Report, str], Iterator[Html]]
"""From a service, the whole report and a prefix of ids to the content under a heading."""


_SIGNS: Final = Style()


def badge(verdict: Verdict, word: str, sentence: str = "") -> Html:
    """Say the most important thing so that nobody overlooks it."""
    sign = element("span", ink.mark(verdict, _SIGNS), aria_hidden="true")
    return element(
        "p",
        element("strong", sign, f" {word}", class_=f"badge {verdict}"),
        f" {sentence}",
        class_="verdict",
    )


def verdict(service: ServiceReport, report: Report, _prefix: str) -> Iterator[Html]:
    """Tell whether it may ship: the change that was asked about, or each class."""
    yield from _standing(service, report)
    if service.policy.dashboard:
        yield element("p", "Dashboard: ", link(service.policy.dashboard))


def budgets(service: ServiceReport, _report: Report, _prefix: str) -> Iterator[Html]:
    """List every budget."""
    caption = f"The error budgets of {service.policy.service}"
    yield table(service.assessments, COLUMNS, caption, cards=True)


def traces(service: ServiceReport, report: Report, prefix: str) -> Iterator[Html]:
    """Show what happened to each budget."""
    for place, known in enumerate(service.assessments, start=1):
        name = f"{prefix}-{place}"
        parts = [
            element("h3", known.slo.name, id=name),
            element("p", *_left(known), class_="left"),
            element("div", *_figures(name, known, service, report), class_="figures"),
            element("details", element("summary", "More about it"), facts(details(known))),
        ]
        yield element("article", *parts, aria_labelledby=name)


def incidents(service: ServiceReport, _report: Report, _prefix: str) -> Iterator[Html]:
    """Tell what was found, what is known of it, and what it comes to."""
    found = service.incidents
    yield badge(*incidents_words.verdict(found))
    if rows := incidents_words.rows(found):
        caption = f"Incidents of {service.policy.service}"
        yield table(rows, incidents_words.COLUMNS, caption, cards=True)
    told = [*incidents_words.explanations(found), *incidents_words.about(found)]
    if told:
        yield facts(told)


def forecasts(service: ServiceReport, report: Report, prefix: str) -> Iterator[Html]:
    """Tell what becomes of each budget."""
    yield badge(*forecast_words.verdict(service.forecast))
    for place, one in enumerate(service.forecast.slos, start=1):
        name = f"{prefix}-{place}"
        yield element(
            "article",
            element("h3", one.assessment.slo.name, id=name),
            element("p", forecast_words.heading(one), class_="left"),
            *forecast(one, service, report.evaluated_at, name),
            aria_labelledby=name,
        )


def charts(service: ServiceReport, report: Report, prefix: str) -> Iterator[Html]:
    """Show where indicators are not what they usually are; what is in control is folded."""
    found, name = service.anomalies, service.policy.service
    yield badge(*anomalies_words.verdict(found))
    rows = anomalies_words.rows(found)
    if rows:
        yield table(rows, anomalies_words.COLUMNS, f"Control charts of {name}", cards=True)
    drawn = {place: control_chart(row, name, f"{prefix}-{place}") for place, row in enumerate(rows)}
    loud = [picture for place, picture in drawn.items() if rows[place].chart.worse]
    calm = [picture for place, picture in drawn.items() if not rows[place].chart.worse]
    yield element("div", *loud, class_="figures")
    told = [fact for row in rows for fact in anomalies_words.signals(row)]
    yield facts(
        [*told, *anomalies_words.about(found), *anomalies_words.looked_at(report.anomalies)]
    )
    if calm:
        title = element("summary", f"Charts in control ({len(calm)})")
        yield element("details", title, element("div", *calm, class_="figures"))


def cohorts(service: ServiceReport, report: Report, _prefix: str) -> Iterator[Html]:
    """Tell whose events burn the budgets, where that was asked."""
    if report.cohorts is None:
        return
    found = report.cohorts.services[report.services.index(service)]
    yield badge(*cohorts_words.verdict(found))
    yield facts(cohorts_words.answers(report.cohorts, found))
    if rows := cohorts_cells.rows(found):
        caption = f"Events of {service.policy.service} by {report.cohorts.by}"
        yield table(rows, cohorts_cells.columns(report.cohorts, found), caption, cards=True)
    yield facts(cohorts_words.about(report.cohorts, found))


SECTIONS: Final[tuple[tuple[str, Section], ...]] = (
    ("May it ship?", verdict),
    ("Budgets", budgets),
    ("What happened", traces),
    ("Incidents", incidents),
    ("Forecast", forecasts),
    ("Control charts", charts),
    ("Cohorts", cohorts),
)


def _left(known: Assessment) -> Iterator[str]:
    yield element("strong", wording.left(known.remaining))
    yield f" of the budget left ({words.promised(known.slo)})"


def _figures(
    name: str, known: Assessment, service: ServiceReport, report: Report
) -> Iterator[Html]:
    slo, trace = known.slo, service.traces.get(known.slo.name)
    if trace is None or not isinstance(slo, RatioSlo):
        yield element("p", words.missing(service, slo), class_="missing")
        return
    if trace.left:
        yield burn_down_figure(name, slo.name, trace, service)
    else:
        yield element("p", words.unmeasured(known), class_="missing")
    yield burn_rate_figure(name, slo, trace, service, report)


def _standing(service: ServiceReport, report: Report) -> Iterator[Html]:
    if report.decision is not None and service.decided is not None:
        word = summary.verdict_word(service.decided.verdict, report.decision)
        yield badge(service.decided.verdict, word, summary.subject(service.decided))
        yield facts(summary.facts(service.decided, report.decision))
        return
    yield badge(*words.standing(service))
    yield facts(words.outlook(service))
