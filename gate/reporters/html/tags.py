"""Writing HTML: every text is escaped unless it is `Html` already."""

import re
from html import escape
from typing import Final

from gate.reporters.escape import plain

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
    return Html(escape(plain(foreign)).replace(" %", "&nbsp;%"))  # no line ends within 99.9 %


def link(address: str) -> Html:
    """Return a web address as a link, and anything else (``javascript:``) as text."""
    return element("a", address, href=address) if _WEB.match(address) else text(address)


def _attribute(key: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'
