"""A page for a terminal, or for a log that a person reads."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from gate.reporters.ansi import (
    BOLD,
    DIM,
    GAP,
    Style,
    badge_text,
    hang,
    ink,
    mark_sign,
    text_table,
    text_width,
    wrap,
)
from gate.reporters.escape import plain
from gate.reporters.page import (
    Badge,
    Block,
    DataTable,
    Fact,
    Facts,
    Folded,
    Link,
    Mark,
    Marks,
    Output,
    Page,
    Paragraph,
    Picture,
    Preformatted,
    Section,
    ShellCommand,
)

_LABELS: Final = 13
"""The number of columns for labels, the same in every part of the page."""
_WIDEST_LABELS: Final = 32
"""The maximum number of columns for the labels of marks."""
_READABLE: Final = 140
"""The maximum width of prose: longer lines are hard to follow, however wide the terminal is."""


def render(output: Output, style: Style) -> str:
    """Return the page as lines that fit the style."""
    text = "\n".join([*_lines(output.page(), style), ""])
    # Foreign names may have characters that an ASCII or Windows console lacks: escape them, do not
    # crash.
    return text if style.unicode else text.encode("ascii", "backslashreplace").decode("ascii")


def _lines(page: Page, style: Style) -> Iterator[str]:
    if page.title is not None:
        yield from _headline(page.badge, page.title, style)
        yield ""
    if page.introduction:
        yield from _blocks(page.introduction, style)
        yield ""
    for section in page.sections:
        yield from _headline(section.badge, section.title, style)
        yield ""
        yield from _blocks(section.blocks, style)
        yield ""
    yield from _blocks(page.closing, style)


def _headline(badge: Badge | None, title: str, style: Style) -> Iterator[str]:
    subject = plain(title)
    if badge is None:
        yield ink(subject, BOLD, style)
        return
    mark = badge_text(badge.verdict, badge.word, style)
    if text_width(f"    {badge.word}{GAP}{subject}") <= style.width:
        yield f"{mark}{GAP}{ink(subject, BOLD, style)}"
        return
    yield mark
    yield from (f"{GAP}{ink(line, BOLD, style)}" for line in wrap(subject, _prose(style)))


def _blocks(
    blocks: Iterable[Block], style: Style, *, indent: str = "", compact: bool = False
) -> Iterator[str]:
    """Yield the lines of blocks; consecutive blocks of facts become one list."""
    first = True
    for labelled, group in groupby(blocks, key=_is_labelled):
        alike = list(group)
        parts = (
            [_facts([fact for block in alike for fact in _facts_of(block)], style, indent)]
            if labelled
            else [_WRITERS[type(block)](block, style) for block in alike]
        )
        for part in filter(None, map(list, parts)):
            if not (first or compact):
                yield ""
            yield from part
            first = False


def _is_labelled(block: Block) -> bool:
    return isinstance(block, Facts | Link | ShellCommand)


def _facts_of(block: Block) -> Sequence[Fact]:
    if isinstance(block, Link):
        return [] if block.elsewhere else [(block.label, block.address)]
    if isinstance(block, ShellCommand):
        return [(block.label, block.text)]
    return block.facts if isinstance(block, Facts) else ()


def _paragraph(paragraph: Paragraph, style: Style) -> Iterator[str]:
    yield from (f"{GAP}{line}" for line in wrap(plain(paragraph.text), _prose(style)))


def _picture(picture: Picture, style: Style) -> Iterator[str]:
    lines = picture.draw(_prose(style) - len(GAP), not style.unicode)
    yield from (f"{GAP}{line}" for line in lines)


def _preformatted(picture: Preformatted, style: Style) -> Iterator[str]:
    text = picture.text if style.unicode else picture.ascii
    yield from (f"{GAP}{line}" for line in text.splitlines())


def _folded(folded: Folded, style: Style) -> Iterator[str]:
    pressing = [section for section in folded.sections if section.pressing]
    for place, section in enumerate(pressing):
        yield from [""] if place else []
        yield from _subsection(section, style, GAP)


def _subsection(section: Section, style: Style, indent: str = "") -> Iterator[str]:
    yield f"{GAP}{ink(plain(section.title), BOLD, style)}{plain(section.tail)}"
    yield from _blocks(section.blocks, style, indent=indent, compact=section.compact)


def _facts(facts: Sequence[Fact], style: Style, indent: str = "") -> Iterator[str]:
    """Write labelled sentences; a repeated label is written once."""
    label_width = max([_LABELS, *(text_width(label) for label, _ in facts)])
    before = None
    for label, text in facts:
        shown = "" if label == before else label
        width = _prose(style) - len(indent)
        first, *more = hang(shown, plain(text), label_width=label_width, width=width)
        head = ink(first[:label_width], DIM, style)
        yield f"{GAP}{indent}{head}{first[label_width:]}"
        yield from (f"{GAP}{indent}{line}" for line in more)
        before = label


def _marks(marks: Marks, style: Style) -> Iterator[str]:
    """Write each mark on one line, with the fault and its remedy below."""
    widest = max([_LABELS, *(text_width(plain(mark.label)) for mark in marks.marks)])
    for mark in marks.marks:
        yield from _mark(mark, style, indent=GAP, label_width=min(widest, _WIDEST_LABELS))
        for inner in mark.marks:
            yield from _mark(inner, style, indent=GAP * 2, label_width=_LABELS)
            yield from _facts(inner.facts, style, GAP * 2)
        yield from [""] if mark.marks else []


def _mark(mark: Mark, style: Style, *, indent: str, label_width: int) -> Iterator[str]:
    """Write a labelled text after a sign."""
    label, width = plain(mark.label), _prose(style) - len(indent)
    size = max(label_width, text_width(label))
    first, *more = hang(label, plain(mark.text), label_width=size, width=width)
    sign = mark_sign(mark.verdict, style)
    yield f"{indent}{sign} {ink(first[:size], BOLD, style)}{first[size:]}".rstrip()
    yield from (f"{indent}{GAP}{line}" for line in more)


def _prose(style: Style) -> int:
    """Return the number of columns for a sentence."""
    return min(style.width, _READABLE) - len(GAP)


_WRITERS: Final[Mapping[type[Block], Callable[[Any, Style], Iterable[str]]]] = {
    Paragraph: _paragraph,
    Picture: _picture,
    Preformatted: _preformatted,
    Marks: _marks,
    DataTable: text_table,
    Section: _subsection,
    Folded: _folded,
}
"""Facts, links and commands are written together, by `_facts`."""
