"""HTML: every text is escaped unless it is `Html` already; tables and labelled sentences."""

import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from gate.reporters.escape import plain
from gate.reporters.page import Cell, Column, DataTable, Fact, Facts

_VOID: Final = frozenset({"meta", "link", "br"})
"""Elements that have no content and no end tag, of those used here."""
_WEB: Final = re.compile(r"https?://")


class Html(str):
    """Text that is HTML, with nothing foreign in it."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | bool | None) -> Html:
    """Return an element.

    Args:
        name: of the element.
        children: what stands in it, one after the other.
        attributes: with ``_`` for ``-``, and one after a reserved word (``class_``). True: without
            a value; None and False: left out.
    """
    start = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Html(start)
    return Html(f"{start}{join(children)}</{name}>")


def join(children: "tuple[str, ...] | list[str]", between: str = "") -> Html:
    """Return texts and elements one after the other."""
    return Html(text(between).join(map(text, children)))


def text(foreign: str) -> Html:
    """Return a text for any place between tags or in an attribute; it shows as itself there."""
    if isinstance(foreign, Html):
        return foreign
    return Html(escape(plain(foreign)))


def link(address: str) -> Html:
    """Return a web address as a link, and anything else (``javascript:``) as text."""
    return element("a", address, href=address) if _WEB.match(address) else text(address)


def _attribute(key: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'


_MANY: Final = 9
"""More columns stand closer together."""


def table(data: DataTable, caption: str, *, cards: bool = False) -> Html:
    """Return a table that scrolls by itself where it is too wide.

    Args:
        data: the table; all of its columns are shown.
        caption: what the table is, for those who do not see it.
        cards: on a phone each row becomes a block with a line for each cell.
    """
    columns = data.columns
    kinds = [*(["cards"] if cards else []), *(["dense"] if len(columns) > _MANY else [])]
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
        class_=" ".join(kinds) or None,
    )
    return element("div", written, class_="wide", role="region", tabindex="0", aria_label=caption)


def numbers(data: DataTable, caption: str) -> Html:
    """Return the table of the numbers of a picture, folded."""
    return element("details", element("summary", "The numbers"), table(data, caption))


def content(blocks: Iterable[DataTable | Facts], caption: str) -> Iterator[Html]:
    """Yield a table, named by the caption, and labelled sentences around it."""
    for block in blocks:
        yield facts(block.facts) if isinstance(block, Facts) else table(block, caption, cards=True)


def facts(given: Iterable[Fact]) -> Html:
    """List labelled sentences; a label with several of them is said once."""
    parts = []
    for label, group in groupby(given, key=itemgetter(0)):
        sentences = (element("dd", text) for _, text in group)
        parts.append(element("div", element("dt", label), *sentences))
    return element("dl", *parts)


def _head(column: Column[Any]) -> Html:
    return element("th", column.title, scope="col", class_=_kind(column))


def _cell(column: Column[Any], cell: Cell, *, cards: bool) -> Html:
    label = column.title if cards else None
    return element("td", cell.text, class_=_kind(column), data_label=label)


def _kind(column: Column[Any]) -> str | None:
    return "number" if column.right else None
