"""The shortest form of a page: the main facts of each section, and the next command."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from gate.policy.findings import Verdict
from gate.reporters import page_terminal
from gate.reporters.ansi import GAP, Style
from gate.reporters.page import (
    Block,
    Fact,
    Facts,
    Folded,
    Marks,
    Output,
    Page,
    Section,
    ShellCommand,
)

_MOST_ALIKE: Final = 2
"""The maximum number of facts of one label; a note about more would take as many words."""


def render(output: Output, style: Style) -> str:
    """Return for each section its headline, and the headings of its parts or its first block.

    The command at the end of the page, if there is one, follows below. Blank lines separate
    sections only.
    """
    brief = Output(page=lambda: _brief_page(output.page()), document=output.document)
    lines = page_terminal.render(brief, style).rstrip().splitlines()
    return "".join(
        f"{line}\n" for line, after in pairwise([*lines, ""]) if line or not after.startswith(GAP)
    )


def _brief_page(page: Page) -> Page:
    sections = tuple(_brief_section(section) for section in page.sections)
    commands = tuple(block for block in page.closing if isinstance(block, ShellCommand))
    return replace(page, introduction=(), sections=sections, closing=commands)


def _brief_section(section: Section) -> Section:
    summaries = tuple(_summaries(section))
    blocks = [_brief_block(block) for block in section.blocks if not isinstance(block, Folded)]
    return replace(section, blocks=(Facts(summaries),) if summaries else tuple(blocks[:1]))


def _summaries(section: Section) -> Iterator[Fact]:
    """Yield the summaries in the headings of the parts, as for an SLO's forecast."""
    for part in section.blocks:
        if isinstance(part, Section) and part.tail.startswith(": "):
            yield part.title, part.tail.removeprefix(": ")


def _brief_block(block: Block) -> Block:
    if isinstance(block, Facts):
        return replace(block, facts=tuple(_firsts(block)))
    if isinstance(block, Marks):
        return Marks(tuple(mark for mark in block.marks if mark.verdict is not Verdict.ALLOW))
    return block


def _firsts(facts: Facts) -> Iterator[Fact]:
    """Yield the facts of each leading label: two, or the first and the number of the others."""
    texts: dict[str, list[str]] = {}
    for label, text in facts.facts:
        if facts.leading is None or label in facts.leading:
            texts.setdefault(label, []).append(text)
    for label, said in texts.items():
        shown = said if len(said) <= _MOST_ALIKE else [f"{said[0]} (and {len(said) - 1} more)"]
        yield from ((label, text) for text in shown)
