"""A format that is a module and a line in a registry: the headings of a page, and its labels."""

from collections.abc import Iterator

from gate.reporters import Style
from gate.reporters.page import DataTable, Facts, Folded, Output, Section


def render(output: Output, style: Style) -> str:
    lines = [line for section in output.page().sections for line in outline(section)]
    return "\n".join([*lines, f"{style.width} columns", ""])


def outline(section: Section, depth: int = 0) -> Iterator[str]:
    yield f"{'  ' * depth}{section.title}"
    for block in section.blocks:
        if isinstance(block, Section):
            yield from outline(block, depth + 1)
        elif isinstance(block, Folded):
            for folded in block.sections:
                yield from outline(folded, depth + 1)
        elif isinstance(block, Facts):
            yield f"{'  ' * depth}- {', '.join(dict.fromkeys(label for label, _ in block.facts))}"
        elif isinstance(block, DataTable):
            titles = ", ".join(column.title for column in block.columns)
            yield f"{'  ' * depth}| {titles}: {len(block.rows)}"
