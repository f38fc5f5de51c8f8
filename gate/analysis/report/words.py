"""The report of budgets: sentences, small charts of text, and the page."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Final

from gate import wording
from gate.analysis import seen_badge
from gate.analysis.anomalies.words import anomalies_section
from gate.analysis.backtest.words import backtest_section
from gate.analysis.cohorts.words import cohorts_section
from gate.analysis.forecast.words import forecast_section
from gate.analysis.incidents.words import incidents_section, without_impact_facts
from gate.analysis.report import Report, ServiceReport, report_document
from gate.analysis.report.budget_history import history_section
from gate.policy.case import deciding
from gate.policy.findings import Rule, Verdict
from gate.policy.judge import Judgement
from gate.policy.rounding import known_tier
from gate.policy.rules.tiers import left_shown
from gate.policy.tiers import severity, tier_of
from gate.reporters import PAGES, render_page, summary
from gate.reporters.ansi import Style
from gate.reporters.budget_rows import BudgetRow, decision_rows, status_rows
from gate.reporters.budget_table import budget_table
from gate.reporters.decision_facts import decision_facts
from gate.reporters.outlook import at_pace
from gate.reporters.page import (
    MUST,
    Badge,
    Content,
    DataTable,
    Fact,
    Facts,
    Output,
    Page,
    Paragraph,
    Section,
)
from gate.reporters.reasons import reason
from gate.slo.quantities import format_duration

FORMATS: Final[Mapping[str, str]] = {"html": "gate.analysis.report.html", **PAGES}
"""The formats of a report: those of every command, and one of its own."""
_GROUPS: Final = {
    Verdict.ALLOW: "May ship",
    Verdict.WARN: "With a warning",
    Verdict.UNDECIDED: "Undecided",
    Verdict.BLOCK: "May not ship",
}


def render_report(name: str, report: Report, style: Style) -> str:
    """Return the report in one of its formats, ended by a line break."""
    if name in PAGES:
        output = Output(page=partial(page, report), document=partial(report_document, report))
        return render_page(name, output, style)
    text: str = import_module(FORMATS[name]).render(report)
    return text


def page(report: Report) -> Page:
    """Return the page on the budgets of every policy, and on the results of each question."""
    return Page(
        title=title(report),
        introduction=(Paragraph(scope(report)),),
        sections=tuple(
            section for service in report.services for section in _sections(service, report)
        ),
        closing=report_closing(report),
    )


def _sections(service: ServiceReport, report: Report) -> Iterator[Section]:
    yield _verdict(service, report)
    section = incidents_section(service.incidents)
    yield replace(section, blocks=numbered(section.blocks))
    if report.period is None:
        yield forecast_section(service.forecast)
    yield anomalies_section(service.anomalies)
    if report.cohorts is not None:
        cohorts = report.cohorts.services[report.services.index(service)]
        yield cohorts_section(report.cohorts, cohorts)
    if report.backtest is not None:
        replayed = report.backtest.services[report.services.index(service)]
        section = backtest_section(replayed, report.backtest)
        yield replace(section, title=f"Backtest of {service.policy.service}")


def _verdict(service: ServiceReport, report: Report) -> Section:
    badge, sentence, facts = standing(service, report)
    decided = service.decided is not None
    return Section(
        title=sentence if decided else service.policy.service,
        badge=badge,
        blocks=(
            *(() if decided else (Paragraph(sentence),)),
            facts,
            budget_table(rows(service)),
            *(history_section(assessment, service) for assessment in service.assessments),
        ),
    )


def rows(service: ServiceReport) -> tuple[BudgetRow, ...]:
    """Return the rows of the table of a service's budgets, the worst first; one is marked."""
    if service.decided is not None:
        return decision_rows(service.decided)
    unmarked = status_rows(service.policy, service.assessments)
    lowest = deciding(service.assessments)
    return tuple(replace(row, decides=row.assessment is lowest) for row in unmarked)


def title(report: Report) -> str:
    """Name the report."""
    return f"Error budgets of {', '.join(service.policy.service for service in report.services)}"


def scope(report: Report) -> str:
    """Name the time of the report."""
    span, step = report.incidents.span, format_duration(report.incidents.step)
    if report.period is not None:
        period = " to ".join(map(wording.instant, (report.period.start, report.period.end)))
        return f"The period from {period}, which is over; incidents in steps of {step}"
    return f"{wording.instant(span.start)} to {wording.instant(span.end)}, in steps of {step}"


def standing(service: ServiceReport, report: Report) -> tuple[Badge, str, Facts]:
    """Return whether it may ship, in a sentence the reason, and more facts.

    It is about the given change class, or without one about each change class.
    """
    if report.decision is not None and service.decided is not None:
        decided, decision = service.decided, report.decision
        badge = Badge(decided.verdict, summary.verdict_word(decided.verdict, decision))
        facts = Facts(tuple(decision_facts(decided, decision)))
        return badge, summary.subject(decided), facts
    over = report.period is not None  # whether a change may ship depends on the present
    return *_standing(service), Facts(() if over else tuple(_outlook(service)))


def _standing(service: ServiceReport) -> tuple[Badge, str]:
    """Return the severity, and the reason in a sentence.

    The worst known budget puts the service in a tier; a good tier proves nothing while another
    budget is unknown.
    """
    assessments, lowest = service.assessments, deciding(service.assessments)
    lost = sum(not assessment.measured for assessment in assessments)
    reservations = [forecast.reservations for forecast in service.forecast.slos]
    gap = f"{lost} OF {len(assessments)} NOT MEASURED"
    if lowest is None or lowest.compared is None:
        return Badge(Verdict.UNDECIDED, gap), "no budget is known"
    tier, sentence = (
        known_tier(service.policy.tiers, lowest),
        f"{lowest.slo.name}: {left_shown(lowest, lowest.compared)}",
    )
    if tier is None and lowest.rounding is not None:
        return Badge(Verdict.UNDECIDED, "CANNOT TELL"), sentence
    tier = tier or tier_of(service.policy.tiers, lowest.compared)
    verdict, word = severity(service.policy.tiers, tier), tier.name.upper()
    if not lost:
        return seen_badge(Badge(verdict, word), reservations), sentence
    if verdict is Verdict.BLOCK:
        return Badge(verdict, f"{word}, {gap}"), sentence
    return Badge(Verdict.UNDECIDED, gap), f"of what is known, {sentence}"


def _outlook(service: ServiceReport) -> Iterator[Fact]:
    """Yield the change classes that may ship now, and the reasons why others may not."""
    for verdict, label in _GROUPS.items():
        alike: dict[str, list[str]] = {}
        for name, judged in service.outlook.items():
            if judged.verdict is verdict:
                alike.setdefault(_again(judged), []).append(name)
        yield from ((label, f"{', '.join(names)}{again}") for again, names in alike.items())
    # The headline already has the tier's reason; it must not be repeated for each class.
    reasons = (
        reason(finding)
        for judged in service.outlook.values()
        for finding in judged.findings
        if finding.verdict is judged.verdict is not Verdict.ALLOW and finding.rule is not Rule.TIER
    )
    yield from (("Because", reason) for reason in dict.fromkeys(reasons))
    if service.policy.owners:
        yield "Ask", ", ".join(service.policy.owners)


def _again(judged: Judgement) -> str:
    """Say when a class may ship again, if it may not now and this is known."""
    at = judged.allowed_again_at
    if at is None:
        return ""
    if judged.allowed_again_if_calm:
        return f" (again not before {wording.instant(at)}{at_pace(judged)})"
    return f" (again {wording.instant(at)})"


def report_closing(report: Report) -> tuple[Facts, ...]:
    """Return the known incidents without impact on an SLO, and the origin of the report."""
    policies = (
        fact
        for service in report.services
        for fact in (
            *summary.backend_facts(service.policy, service.assessments),
            ("Policy", summary.provenance(service.source)),
        )
    )
    looked_at = ("Examined", scope(report))
    return (
        *without_impact_facts(report.incidents),
        summary.signature(report.evaluated_at, report.tool_version, *policies, looked_at),
    )


def numbered(blocks: Iterable[Content]) -> tuple[Content | DataTable, ...]:
    """Return the results, with incidents numbered as in the pictures."""
    return tuple(_numbered(block) if isinstance(block, DataTable) else block for block in blocks)


def _numbered(table: DataTable) -> DataTable:
    """Return the table of incidents with their numbers, however narrow it is."""
    first, *others = table.columns
    return replace(table, columns=(replace(first, keep=MUST), *others))
