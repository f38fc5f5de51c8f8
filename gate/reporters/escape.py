"""Foreign text (names, reasons, addresses, queries) made harmless where it is shown.

A policy, a backend's error message or a branch name may hold anything: escape sequences that
repaint a terminal, marks that reverse the reading direction, Markdown, HTML, mentions.
"""

import re
import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of controls, format marks (bidi, zero width), surrogates, line separators."""
_NO_CHARACTERS: Final = "\ufffe\uffff"
"""Not in XML, by https://www.w3.org/TR/xml/#charsets."""

# Mentions, references and emoji are looked for in the *rendered* text, in which an entity is the
# character again; only a space of no width behind the mark hides them. Code is left alone there.
# https://github.com/gjtorikian/html-pipeline (MentionFilter),
# https://docs.gitlab.com/user/markdown/#gitlab-specific-references
_REFERENCE: Final = r"""[@#!~%$&](?=[\w"]) | (?<=\bGH)-(?=\d) | :(?=[a-zA-Z+-][\w+-]*:)"""
_ADDRESS: Final = r"""(?<=www)\. | :(?=//)"""
_MARK: Final = r"""[\\`*_\[\]<>&|~\#@]"""
_MARKDOWN: Final = re.compile(
    f"(?P<reference>{_REFERENCE}) | {_ADDRESS} | {_MARK}", re.VERBOSE | re.IGNORECASE
)
_CODE: Final = re.compile(r"[\\`*_\[\]<>&\"'|~#@]|^/", re.MULTILINE)
"""``/`` at the start of a line is a command in a GitLab comment."""


def plain(text: str) -> str:
    r"""Return one line in which every character can be seen: other controls become ``\x1b``."""
    return "".join(map(_seen, text))


def markdown(text: str) -> str:
    """Return the text for a place where GitHub and GitLab read Markdown; it shows as itself there.

    Holds no ``|``, ``<``, ``>``, backtick or line break, and nothing that notifies or links.
    """
    return _MARKDOWN.sub(_neutral, plain(text))


def code(text: str) -> str:
    """Return the text as inline code, safe in a table; copies out of it as itself."""
    return f"<code>{_CODE.sub(_entity, plain(text))}</code>"


def block(text: str) -> str:
    """Return the text as a block of code that keeps its lines."""
    lines = "\n".join(map(plain, text.splitlines()))
    return f"<pre><code>{_CODE.sub(_entity, lines)}</code></pre>"


def link(address: str) -> str:
    """Return a web address as a link, and anything else (``javascript:``) as text."""
    if not re.match(r"https?://", address):
        return markdown(address)
    return f'<a href="{_CODE.sub(_entity, plain(address))}">{markdown(address)}</a>'


def _seen(char: str) -> str:
    if char in "\n\r\t":
        return " "
    if unicodedata.category(char) not in _UNSEEN and char not in _NO_CHARACTERS:
        return char
    return char.encode("unicode_escape").decode("ascii")


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def _neutral(match: re.Match[str]) -> str:
    return _entity(match) + ("&#8203;" if match["reference"] else "")
