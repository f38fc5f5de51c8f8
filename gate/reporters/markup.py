"""The parts that a report in Markdown is put together from; every text in them is escaped."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeVar

from gate.policy.findings import Verdict
from gate.reporters.column import Column
from gate.reporters.details import Fact
from gate.reporters.escape import code, markdown

T = TypeVar("T")

SIGNS: Final = {
    Verdict.ALLOW: "✅",
    Verdict.WARN: "⚠️",
    Verdict.UNDECIDED: "❔",
    Verdict.BLOCK: "⛔",
}


def facts(given: Iterable[Fact]) -> str:
    """List labelled sentences; a label with several of them is said once."""
    lines: list[str] = []
    for label, group in groupby(given, key=itemgetter(0)):
        texts = [markdown(text) for _, text in group]
        lines.append(f"- **{label}:**" + (f" {texts[0]}" if len(texts) == 1 else ""))
        lines += [f"  - {text}" for text in texts if len(texts) > 1]
    return "\n".join(lines)


def table(rows: Sequence[T], columns: Sequence[Column[T]]) -> str:
    """Write a table: a head, a rule, the rows."""
    titles = " | ".join(column.title for column in columns)
    rules = " | ".join("---:" if column.right else ":---" for column in columns)
    cells = (" | ".join(_cell(column, one) for column in columns) for one in rows)
    return "\n".join(f"| {row} |" for row in (titles, rules, *cells))


def _cell(column: Column[T], row: T) -> str:
    text = markdown(column.cell(row))
    return text.replace(" ", "&nbsp;") if column.right else text


def small(given: Iterable[Fact]) -> str:
    """Write where a report comes from, in small print."""
    return f"<sub>{' · '.join(f'{label}: {code(text)}' for label, text in given)}</sub>"


def document(blocks: Iterable[str]) -> str:
    """Put blocks together."""
    return "\n\n".join(blocks) + "\n"
