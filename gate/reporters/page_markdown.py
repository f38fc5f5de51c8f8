"""A page for GitHub or GitLab: a comment, an issue, a wiki.

Text that does not come from this program is escaped, so that it cannot change the page.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from gate.policy.findings import Verdict
from gate.reporters.ansi import Style
from gate.reporters.escape import block, code, link, markdown
from gate.reporters.page import (
    Badge,
    Block,
    Cell,
    Column,
    DataTable,
    Fact,
    Facts,
    Folded,
    Link,
    Mark,
    Marks,
    Output,
    Paragraph,
    Picture,
    Preformatted,
    Section,
    ShellCommand,
)

_SIGNS: Final = {
    Verdict.ALLOW: "✅",
    Verdict.WARN: "⚠️",
    Verdict.UNDECIDED: "❔",
    Verdict.BLOCK: "⛔",
}
_COLOURS: Final = {
    Verdict.ALLOW: "🟢",
    Verdict.WARN: "🟡",
    Verdict.UNDECIDED: "⚪",
    Verdict.BLOCK: "🔴",
}
"""The colours of the rows of a table."""
_SIGN: Final = re.compile(r"^([✔▲?✖]) ")
"""A blank that keeps a sign on the line of its text."""
_WIDTH: Final = 80
"""The number of columns of a picture."""


def render(output: Output, style: Style) -> str:
    """Return the page in Markdown; the reader's browser decides how wide it is."""
    page = output.page()
    blocks: list[str] = []
    level = "##"
    if page.title is not None:
        blocks.append(_heading("#" if page.badge is None else "##", page.badge, page.title))
        level = "##" if page.badge is None else "###"
    blocks += _blocks(page.introduction, style)
    for section in page.sections:
        blocks += _top(section, level, style)
    blocks += _blocks(page.closing, style)
    return "\n\n".join(blocks) + "\n"


def _heading(level: str, badge: Badge | None, title: str) -> str:
    return f"{level} {_headline(badge, title)}"


def _headline(badge: Badge | None, title: str) -> str:
    if badge is None:
        return markdown(title)
    return f"{_SIGNS[badge.verdict]} {markdown(f'{badge.word}: {title}')}"


def _top(section: Section, level: str, style: Style) -> Iterator[str]:
    title = section.full_title or section.title
    if not section.folded:
        yield _heading(level, section.badge, title)
        yield from _blocks(section.blocks, style)
        return
    yield f"<details><summary>{_headline(section.badge, title)}</summary>"
    yield from _blocks(section.blocks, style)
    yield "</details>"


def _blocks(blocks: Iterable[Block], style: Style) -> Iterator[str]:
    for content in blocks:
        yield from _WRITERS[type(content)](content, style)


def _section(section: Section, style: Style) -> Iterator[str]:
    yield f"**{markdown(section.title)}**{markdown(section.tail)}"
    yield from _blocks(section.blocks, style)


def _folded(folded: Folded, style: Style) -> Iterator[str]:
    yield f"<details><summary>{folded.summary}</summary>"
    yield from _blocks(folded.sections, style)
    yield from [f"<sub>{folded.note}</sub>"] if folded.note else []
    yield "</details>"


def _labelled(facts: Facts, _style: Style) -> Iterator[str]:
    yield _small(facts.facts) if facts.small else _facts(facts.facts)


def _facts(facts: Iterable[Fact]) -> str:
    """List labelled sentences; a label with several sentences is written once."""
    lines: list[str] = []
    for label, group in groupby(facts, key=itemgetter(0)):
        texts = [markdown(text) for _, text in group]
        lines.append(f"- **{label}:**" + (f" {texts[0]}" if len(texts) == 1 else ""))
        lines += [f"  - {text}" for text in texts if len(texts) > 1]
    return "\n".join(lines)


def _small(facts: Iterable[Fact]) -> str:
    parts = (
        f"{label}: {', '.join(code(text) for _, text in group)}"
        for label, group in groupby(facts, key=itemgetter(0))
    )
    return f"<sub>{' · '.join(parts)}</sub>"


def _marks(marks: Marks, _style: Style) -> Iterator[str]:
    yield "\n".join(line for mark in marks.marks for line in _mark(mark))


def _mark(mark: Mark, indent: str = "") -> Iterator[str]:
    label = f"{_SIGNS[mark.verdict]} **{markdown(mark.label)}:**"
    yield f"{indent}- {label} {markdown(mark.text)}".rstrip()
    yield from (f"{indent}  - **{name}:** {markdown(text)}" for name, text in mark.facts)
    for inner in mark.marks:
        yield from _mark(inner, f"{indent}  ")


def _table(table: DataTable, style: Style) -> Iterator[str]:
    """Write a table: a header, a rule, the rows; a reader's browser wraps or scrolls it."""
    shown = _order(table)
    columns = [table.columns[place] for place in shown]
    heads = [[column.title for column in columns], [_rule(column) for column in columns]]
    body = [
        [_cell(table.columns[place], row[place], style) for place in shown] for row in table.rows
    ]
    if table.tones:
        heads = [["", *heads[0]], [":---:", *heads[1]]]
        body = [[_COLOURS[tone], *row] for tone, row in zip(table.tones, body, strict=True)]
    yield "\n".join(f"| {' | '.join(row)} |" for row in (*heads, *body))


def _order(table: DataTable) -> list[int]:
    """Return the indices of the columns in the order of reading.

    A comment is narrow: in a table with colours, the deciding columns come first, and the rest may
    scroll.
    """
    groups: list[list[int]] = []
    for place, column in enumerate(table.columns):
        if column.beside:
            groups[-1].append(place)
        elif not column.secondary:
            groups.append([place])
    if table.tones:
        groups.sort(key=lambda group: -table.columns[group[0]].keep)
    groups.sort(key=lambda group: table.columns[group[0]].drawing)
    return [place for group in groups for place in group]


def _rule(column: Column[Any]) -> str:
    return "---:" if column.right else ":---"


def _cell(column: Column[Any], cell: Cell, style: Style) -> str:
    text = markdown(cell.text if style.unicode or cell.ascii is None else cell.ascii)
    if column.right or cell.strong:
        return text.strip().replace(" ", "&nbsp;")
    return _SIGN.sub(r"\1&nbsp;", text.strip())


def _command(command: ShellCommand, _style: Style) -> Iterator[str]:
    purpose = f" {markdown(command.purpose)}" if command.purpose else ""
    yield f"**{command.label}:** {code(command.command)}{purpose}"


def _picture(picture: Picture, style: Style) -> Iterator[str]:
    yield "\n".join(["```text", *picture.draw(_WIDTH, not style.unicode), "```"])


_WRITERS: Final[Mapping[type[Block], Callable[[Any, Style], Iterable[str]]]] = {
    Facts: _labelled,
    Paragraph: lambda paragraph, _style: [markdown(paragraph.text)],
    ShellCommand: _command,
    Link: lambda labelled, _style: [f"{labelled.label}: {link(labelled.address)}"],
    Picture: _picture,
    Preformatted: lambda picture, _style: [block(picture.text)],
    Marks: _marks,
    DataTable: _table,
    Section: _section,
    Folded: _folded,
}
