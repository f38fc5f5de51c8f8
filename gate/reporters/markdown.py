"""The report as a comment for GitHub or GitLab: whether, why, until when, what now; rest folded.

Whatever does not come from this program is escaped, so that it cannot break out of its place.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from gate import wording
from gate.budget.assessment import Assessment
from gate.decision.decision import Decision, PolicyDecision
from gate.decision.status import Status
from gate.policy.findings import Verdict
from gate.reporters import markup, spark, summary
from gate.reporters.budgets import COLUMNS
from gate.reporters.column import Column
from gate.reporters.details import details
from gate.reporters.escape import block, link, markdown
from gate.reporters.style import Style

_KEEP: Final = 3
SHOWN: Final = [column for column in COLUMNS if column.keep >= _KEEP]
"""Those that a comment has room for; the details tell the rest."""
_SUMMARY: Final = "Windows, forecasts, burn rates, and what the budgets can pay for"


def render(decision: Decision, _style: Style) -> str:
    """Return the report on a decision."""
    blocks: list[str] = []
    several = len(decision.policies) > 1
    if several:
        blocks.append(_heading("##", decision, decision.verdict, summary.overall(decision)))
    for decided in decision.policies:
        blocks += _policy("###" if several else "##", decided, decision)
    blocks.append(markup.small(summary.closing(decision)))
    return markup.document(blocks)


def render_status(status: Status, style: Style) -> str:
    """Return the report on the budgets alone."""
    blocks: list[str] = []
    for known in status.policies:
        blocks.append(f"## Error budgets of {markdown(known.policy.service)}")
        drawn = [spark.column(known.burn_downs, style)] if known.burn_downs else []
        blocks += _budgets(known.assessments, [*SHOWN, *drawn])
        blocks.append(markup.small([("Policy", summary.provenance(known.source))]))
    at = wording.exact_instant(status.evaluated_at)
    blocks.append(markup.small([("Evaluated", at), ("By", f"gate {status.tool_version}")]))
    return markup.document(blocks)


def _policy(level: str, decided: PolicyDecision, decision: Decision) -> Iterator[str]:
    yield _heading(level, decision, decided.verdict, summary.subject(decided))
    yield markup.facts(summary.facts(decided, decision))
    yield from _budgets(decided.assessments, SHOWN)
    if decided.policy.dashboard:
        yield f"Dashboard: {link(decided.policy.dashboard)}"
    yield markup.small(summary.origin(decided))


def _heading(level: str, decision: Decision, verdict: Verdict, text: str) -> str:
    word = summary.verdict_word(verdict, decision)
    return f"{level} {markup.SIGNS[verdict]} {word}: {markdown(text)}"


def _budgets(known: Sequence[Assessment], columns: Sequence[Column[Assessment]]) -> Iterator[str]:
    yield markup.table(known, columns)
    yield f"<details><summary>{_SUMMARY}</summary>"
    for one in known:
        yield f"**{markdown(one.slo.name)}**"
        yield markup.facts(details(one))
        if one.query is not None:
            yield block(one.query)
    yield "</details>"
