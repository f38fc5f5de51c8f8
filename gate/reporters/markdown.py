"""The report as a comment for GitHub or GitLab: whether, why, until when, what now; rest folded.

Whatever does not come from this program is escaped, so that it cannot break out of its place.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from gate.budget.assessment import Assessment
from gate.decision.decision import Decision, PolicyDecision
from gate.decision.status import Status
from gate.policy.findings import Verdict
from gate.reporters import summary, values
from gate.reporters.budgets import COLUMNS, Column
from gate.reporters.details import Fact, details
from gate.reporters.escape import block, code, link, markdown
from gate.reporters.style import Style

_SIGNS: Final = {
    Verdict.ALLOW: "✅",
    Verdict.WARN: "⚠️",
    Verdict.UNDECIDED: "❔",
    Verdict.BLOCK: "⛔",
}
_KEEP: Final = 3
_COLUMNS: Final = [column for column in COLUMNS if column.keep >= _KEEP]
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
    blocks.append(_small(summary.closing(decision)))
    return _document(blocks)


def render_status(status: Status, _style: Style) -> str:
    """Return the report on the budgets alone."""
    blocks: list[str] = []
    for known in status.policies:
        blocks.append(f"## Error budgets of {markdown(known.policy.service)}")
        blocks += _budgets(known.assessments)
        blocks.append(_small([("Policy", summary.provenance(known.source))]))
    at = values.exact_instant(status.evaluated_at)
    blocks.append(_small([("Evaluated", at), ("By", f"gate {status.tool_version}")]))
    return _document(blocks)


def _policy(level: str, decided: PolicyDecision, decision: Decision) -> Iterator[str]:
    yield _heading(level, decision, decided.verdict, summary.subject(decided))
    yield _facts(summary.facts(decided, decision))
    yield from _budgets(decided.assessments)
    if decided.policy.dashboard:
        yield f"Dashboard: {link(decided.policy.dashboard)}"
    yield _small(summary.origin(decided))


def _heading(level: str, decision: Decision, verdict: Verdict, text: str) -> str:
    word = summary.verdict_word(verdict, decision)
    return f"{level} {_SIGNS[verdict]} {word}: {markdown(text)}"


def _facts(facts: Iterable[Fact]) -> str:
    """List labelled sentences; a label with several of them is said once."""
    lines: list[str] = []
    for label, group in groupby(facts, key=itemgetter(0)):
        texts = [markdown(text) for _, text in group]
        lines.append(f"- **{label}:**" + (f" {texts[0]}" if len(texts) == 1 else ""))
        lines += [f"  - {text}" for text in texts if len(texts) > 1]
    return "\n".join(lines)


def _budgets(known: Sequence[Assessment]) -> Iterator[str]:
    titles = " | ".join(column.title for column in _COLUMNS)
    rules = " | ".join("---:" if column.right else ":---" for column in _COLUMNS)
    rows = (" | ".join(_cell(column, one) for column in _COLUMNS) for one in known)
    yield "\n".join(f"| {row} |" for row in (titles, rules, *rows))
    yield f"<details><summary>{_SUMMARY}</summary>"
    for one in known:
        yield f"**{markdown(one.slo.name)}**"
        yield _facts(details(one))
        if one.query is not None:
            yield block(one.query)
    yield "</details>"


def _cell(column: Column, known: Assessment) -> str:
    text = markdown(column.cell(known))
    return text.replace(" ", "&nbsp;") if column.right else text


def _small(facts: Iterable[Fact]) -> str:
    return f"<sub>{' · '.join(f'{label}: {code(text)}' for label, text in facts)}</sub>"


def _document(blocks: Iterable[str]) -> str:
    return "\n\n".join(blocks) + "\n"
