"""The report for a terminal, or for a log that a person reads."""

from collections.abc import Iterator, Sequence
from functools import partial

from gate import wording
from gate.budget.assessment import Assessment
from gate.decision.decision import Decision, PolicyDecision
from gate.decision.status import Status
from gate.policy.findings import Verdict
from gate.reporters import ink, spark, summary
from gate.reporters.budgets import COLUMNS, REMAINING
from gate.reporters.column import Column
from gate.reporters.details import details
from gate.reporters.escape import plain
from gate.reporters.layout import GAP, text_width, wrap
from gate.reporters.prose import facts, finish, prose
from gate.reporters.style import Style
from gate.reporters.table import table


def render(decision: Decision, style: Style) -> str:
    """Return the report on a decision."""
    lines: list[str] = []
    if len(decision.policies) > 1:
        lines += [*_headline(decision, decision.verdict, summary.overall(decision), style), ""]
    for decided in decision.policies:
        lines += _policy(decided, decision, style)
    lines += facts(list(summary.closing(decision)), style)
    return finish(lines, style)


def render_status(status: Status, style: Style) -> str:
    """Return the report on the budgets alone."""
    lines: list[str] = []
    for known in status.policies:
        lines += [ink.ink(plain(known.policy.service), ink.BOLD, style), ""]
        drawn = spark.column(known.burn_downs, style) if known.burn_downs else ink.bar(style)
        lines += _budgets(known.assessments, known.assessments, style, drawn)
        lines += facts([("Policy", summary.provenance(known.source))], style)
        lines.append("")
    at = wording.exact_instant(status.evaluated_at)
    lines += facts([("Evaluated", at), ("By", f"gate {status.tool_version}")], style)
    return finish(lines, style)


def _policy(decided: PolicyDecision, decision: Decision, style: Style) -> Iterator[str]:
    yield from _headline(decision, decided.verdict, summary.subject(decided), style)
    yield ""
    yield from facts(list(summary.facts(decided, decision)), style)
    yield ""
    yield from _budgets(decided.assessments, summary.in_question(decided), style, ink.bar(style))
    dashboard = decided.policy.dashboard
    more = [("Dashboard", dashboard)] if dashboard else []
    yield from facts([*more, *summary.origin(decided)], style)
    yield ""


def _headline(decision: Decision, verdict: Verdict, text: str, style: Style) -> Iterator[str]:
    word, subject = summary.verdict_word(verdict, decision), plain(text)
    badge = ink.badge(verdict, word, style)
    if text_width(f"    {word}{GAP}{subject}") <= style.width:
        yield f"{badge}{GAP}{ink.ink(subject, ink.BOLD, style)}"
        return
    yield badge
    yield from (f"{GAP}{ink.ink(line, ink.BOLD, style)}" for line in wrap(subject, prose(style)))


def _budgets(
    known: Sequence[Assessment],
    closer: Sequence[Assessment],
    style: Style,
    drawn: Column[Assessment],
) -> Iterator[str]:
    """Write all budgets as a table, a column of which draws them, and of some the details."""
    place = COLUMNS.index(REMAINING)
    columns = (*COLUMNS[: place + 1], drawn, *COLUMNS[place + 1 :])
    rule, paint = "─" if style.unicode else "-", partial(ink.cell, style=style)
    lines = table(known, columns, style.width - len(GAP), rule=rule, paint=paint)
    head = [ink.ink(line, ink.DIM, style) for line in lines[:2]]
    yield from (f"{GAP}{line}".rstrip() for line in [*head, *lines[2:]])
    for one in closer:
        yield ""
        yield f"{GAP}{ink.ink(plain(one.slo.name), ink.BOLD, style)}"
        yield from facts(list(details(one)), style, GAP)
    yield ""
