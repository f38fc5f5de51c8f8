"""HTML: every text is escaped unless it is `Html` already; tables and labelled sentences."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from gate import wording
from gate.reporters.escape import plain
from gate.reporters.page import Cell, Column, DataTable, Fact, Facts

_VOID: Final = frozenset({"meta", "link", "br"})
"""The used elements without content and end tag."""
_FLAT: Final = frozenset({"title", "desc", "text"})
"""The elements that contain no other elements."""
_HYPHENATED: Final = re.compile(
    r"[0-9][0-9A-Za-z.,:%]*(?:-[0-9A-Za-z.,:%]+)+(?: [0-9]{2}:[0-9]{2}\b)?"
)
_MINUTE_OR_WORD: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}|(?:^[▶✔▲?✖] )?\S+"
)
_ID: Final = re.compile(r"\S{1,30}-[0-9]{8}-[0-9]{4}")
"""The id of an incident of a service with a name that is short enough for a table."""
_SIGN: Final = re.compile(r"^([▶✔▲?✖]) ")
"""A sign at the start of a cell, which must not stand on a line of its own."""
_WIDE: Final = re.compile(rf"{_ID.pattern}|[0-9-]{{10}} [0-9:]{{5}}")
_WEB: Final = re.compile(r"https?://")


class Html(str):
    """Text that is HTML, without foreign text."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | bool | None) -> Html:
    """Return an element.

    Args:
        name: the name of the element.
        children: its contents, in order.
        attributes: names with ``_`` for ``-``, and ``_`` after a reserved word (``class_``). True:
            without a value; None and False: left out.
    """
    start = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Html(start)
    write = text if name in _FLAT else prose
    return Html("".join((start, *map(write, children), f"</{name}>")))


def text(foreign: str) -> Html:
    """Return a text for any place between tags or in an attribute, where it shows as itself."""
    if isinstance(foreign, Html):
        return foreign
    return Html(escape(plain(foreign)))


def prose(foreign: str) -> Html:
    """Return a text whose numbers, times and ids are not broken into two lines at hyphens."""
    if isinstance(foreign, Html):
        return foreign
    return Html(_HYPHENATED.sub(r'<span class="whole">\g<0></span>', text(foreign)))


def link(address: str) -> Html:
    """Return a web address as a link, and anything else (``javascript:``) as text."""
    return element("a", address, href=address) if _WEB.match(address) else text(address)


def _attribute(key: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'


_LONG: Final = 24
"""The number of characters from which a word may break anywhere, so that it does not widen its
table; a shorter number never breaks."""
_CHARACTER: Final = 0.52
"""About the width of a character in a table with a wide font, in rem."""
_PADDING: Final = 0.6
FITTING: Final = range(16, 140, 2)
"""The widths in rem from which tables stay tables; each has a class in the style."""
_SPARE: Final = 6
"""Columns with a lower ``keep`` are left out of the numbers of a narrow picture."""


def table(data: DataTable, caption: str, *, cards: bool = True) -> Html:
    """Return a table; if it does not fit, its secondary columns are left out.

    Args:
        data: the table.
        caption: the caption, for readers who do not see the table.
        cards: if the rest does not fit either, each row becomes a block of cells with labels.
    """
    columns = data.columns
    pressing = [place for place, column in enumerate(columns) if not column.secondary]
    everything, fewest = (_least_width(data, shown) for shown in (range(len(columns)), pressing))
    head = element("tr", *(_head(column) for column in columns))
    body = (
        element(
            "tr",
            *(_cell(column, cell, cards=cards) for column, cell in zip(columns, row, strict=True)),
        )
        for row in data.rows
    )
    written = element(
        "table",
        element("caption", caption, class_="unseen"),
        element("thead", head),
        element("tbody", *body),
        class_=f"all-{everything} from-{fewest}" if cards else f"all-{everything}",
    )
    return element("div", written, class_="wide", role="region", tabindex="0", aria_label=caption)


def _least_width(data: DataTable, shown: Sequence[int]) -> int:
    """Return the width in rem, among those in the style, of some columns without line breaks."""
    characters = 0
    for place in shown:
        column = data.columns[place]
        words = [word for row in data.rows for word in _unbroken(column, row[place].text)]
        characters += max(
            map(_room, [*(word[:_LONG] for word in column.title.split()), *words]), default=0
        )
    width = characters * _CHARACTER + len(shown) * _PADDING
    return next((fitting for fitting in FITTING if width <= fitting), FITTING[-1])


def _room(word: str) -> int:
    """Return the width of a word in characters: times and ids are mostly digits, and wide."""
    return len(word) + (len(word) // 8 if _WIDE.fullmatch(word) else 0)


def _unbroken(column: Column[Any], line: str) -> list[str]:
    """Return the unbreakable parts of a line in a cell: a whole number, otherwise each word."""
    if column.right or _ID.fullmatch(line):
        return [line]
    return [word[:_LONG] for word in _MINUTE_OR_WORD.findall(line)]


def numbers(data: DataTable, caption: str) -> Html:
    """Return the table of a picture's numbers, folded."""
    columns = tuple(replace(column, secondary=column.keep < _SPARE) for column in data.columns)
    written = table(replace(data, columns=columns), caption, cards=False)
    return element("details", element("summary", "The numbers"), written)


def content(blocks: Iterable[DataTable | Facts], caption: str) -> Iterator[Html]:
    """Yield a table, named by the caption, and labelled sentences around it."""
    for block in blocks:
        yield facts(block.facts) if isinstance(block, Facts) else table(block, caption)


def facts(given: Iterable[Fact]) -> Html:
    """List labelled sentences; a label with several sentences is written once."""
    parts = []
    for label, group in groupby(given, key=itemgetter(0)):
        sentences = (element("dd", text) for _, text in group)
        parts.append(element("div", element("dt", label), *sentences))
    return element("dl", *parts)


def _head(column: Column[Any]) -> Html:
    long = any(len(word) > _LONG for word in column.title.split())
    kinds = {"number": column.right, "extra": column.secondary, "long": long}
    return element("th", column.title, scope="col", class_=_classes(kinds))


def _cell(column: Column[Any], cell: Cell, *, cards: bool) -> Html:
    whole = bool(_WIDE.fullmatch(cell.text))
    kinds = {
        "number": column.right,
        "extra": column.secondary,
        "whole": whole,
        "nothing": cards and cell.text == wording.NOTHING,
        "long": not whole and any(len(word) > _LONG for word in cell.text.split()),
        f"tone {cell.tone}": cell.tone is not None,
    }
    return element(
        "td",
        text(cell.text) if whole else _SIGN.sub("\\1\u00a0", cell.text),
        class_=_classes(kinds),
        data_label=column.title if cards else None,
    )


def _classes(kinds: Mapping[str, bool]) -> str | None:
    return " ".join(kind for kind, there in kinds.items() if there) or None
