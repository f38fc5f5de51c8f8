"""The shortest form of a page: what each section says first, without the details."""

from collections.abc import Iterator
from dataclasses import replace

from gate.policy.findings import Verdict
from gate.reporters import page_terminal
from gate.reporters.ansi import Style
from gate.reporters.page import Block, Fact, Facts, Folded, Marks, Output, Page, Section


def render(output: Output, style: Style) -> str:
    """Return of each section the headline, and what its parts' headings or its first block say."""
    brief = Output(page=lambda: _brief_page(output.page()), document=output.document)
    return page_terminal.render(brief, style).rstrip("\n") + "\n"


def _brief_page(page: Page) -> Page:
    sections = tuple(_brief_section(section) for section in page.sections)
    return replace(page, introduction=(), sections=sections, closing=())


def _brief_section(section: Section) -> Section:
    summaries = tuple(_summaries(section))
    blocks = [_brief_block(block) for block in section.blocks if not isinstance(block, Folded)]
    return replace(section, blocks=(Facts(summaries),) if summaries else tuple(blocks[:1]))


def _summaries(section: Section) -> Iterator[Fact]:
    """Yield what the headings of the parts say of them, as that of an SLO's forecast does."""
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
    """Yield the first fact of each leading label, and how many more have that label."""
    texts: dict[str, list[str]] = {}
    for label, text in facts.facts:
        if facts.leading is None or label in facts.leading:
            texts.setdefault(label, []).append(text)
    for label, (first, *others) in texts.items():
        yield label, f"{first} (and {len(others)} more)" if others else first
