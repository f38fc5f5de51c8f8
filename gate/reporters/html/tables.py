"""Tables and labelled sentences as HTML."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeVar

from gate.reporters.column import Column
from gate.reporters.details import Fact
from gate.reporters.html.tags import Html, element

T = TypeVar("T")

_MANY: Final = 9
"""More columns stand closer together."""


def table(
    rows: Sequence[T], columns: Sequence[Column[T]], caption: str, *, cards: bool = False
) -> Html:
    """Return a table that scrolls by itself where it is too wide.

    Args:
        rows: what the cells are made of.
        columns: all are shown.
        caption: what the table is, for those who do not see it.
        cards: on a phone each row becomes a block with a line for each cell.
    """
    kinds = [*(["cards"] if cards else []), *(["dense"] if len(columns) > _MANY else [])]
    head = element("tr", *(_head(column) for column in columns))
    body = (element("tr", *(_cell(column, row, cards=cards) for column in columns)) for row in rows)
    written = element(
        "table",
        element("caption", caption, class_="unseen"),
        element("thead", head),
        element("tbody", *body),
        class_=" ".join(kinds) or None,
    )
    return element("div", written, class_="wide", role="region", tabindex="0", aria_label=caption)


def numbers(rows: Sequence[T], columns: Sequence[Column[T]], caption: str) -> Html:
    """Return the table of the numbers of a picture, folded."""
    return element("details", element("summary", "The numbers"), table(rows, columns, caption))


def facts(given: Iterable[Fact]) -> Html:
    """List labelled sentences; a label with several of them is said once."""
    parts = []
    for label, group in groupby(given, key=itemgetter(0)):
        told = (element("dd", text) for _, text in group)
        parts.append(element("div", element("dt", label), *told))
    return element("dl", *parts)


def _head(column: Column[T]) -> Html:
    return element("th", column.title, scope="col", class_=_kind(column))


def _cell(column: Column[T], row: T, *, cards: bool) -> Html:
    label = column.title if cards else None
    return element("td", column.cell(row), class_=_kind(column), data_label=label)


def _kind(column: Column[T]) -> str | None:
    return "number" if column.right else None
