"""Foreign text (names, reasons, addresses, queries) made harmless where it is shown.

A policy, a backend's error message or a branch name may hold anything: escape sequences that
repaint a terminal, marks that reverse the reading direction, Markdown, HTML, mentions.
"""

import re
import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The Unicode categories of controls, format marks (bidi, zero width), surrogates and line
separators."""
_NO_CHARACTERS: Final = "\ufffe\uffff"
"""Characters that XML does not allow, by https://www.w3.org/TR/xml/#charsets."""

# Hosts search the *rendered* text for mentions, references and emoji; there an entity is the
# character again. Only a space of zero width after the mark hides them. Code is left alone there.
# https://github.com/gjtorikian/html-pipeline (MentionFilter),
# https://docs.gitlab.com/user/markdown/#gitlab-specific-references
_REFERENCE: Final = r"""[@#!~%$&](?=[\w"]) | (?<=\bGH)-(?=\d) | :(?=[a-zA-Z+-][\w+-]*:)"""
_ADDRESS: Final = r"""(?<=www)\. | :(?=//)"""
_MARK: Final = r"""[\\`*_\[\]<>&|~\#@]"""
_MARKDOWN: Final = f"(?xi) (?P<reference>{_REFERENCE}) | {_ADDRESS} | {_MARK}"
_CODE: Final = r"(?m)[\\`*_\[\]<>&\"'|~#@]|^/"
"""``/`` at the start of a line is a command in a GitLab comment."""


def plain(text: str) -> str:
    r"""Return one line in which every character can be seen: other controls become ``\x1b``."""
    return "".join(map(_seen, text))


def markdown(text: str) -> str:
    """Return the text escaped for Markdown of GitHub and GitLab, so that it shows as it is.

    The result has no ``|``, ``<``, ``>``, backtick or line break, and nothing that notifies or
    links.
    """
    return re.sub(_MARKDOWN, _neutral, plain(text))


def code(text: str) -> str:
    """Return the text as inline code, safe in a table; a copy of it is the original text."""
    return f"<code>{re.sub(_CODE, _entity, plain(text))}</code>"


def block(text: str) -> str:
    """Return the text as a block of code that keeps its lines."""
    lines = "\n".join(map(plain, text.splitlines()))
    return f"<pre><code>{re.sub(_CODE, _entity, lines)}</code></pre>"


def link(address: str) -> str:
    """Return a web address as a link, and anything else (``javascript:``) as text."""
    if not re.match(r"https?://", address):
        return markdown(address)
    return f'<a href="{re.sub(_CODE, _entity, plain(address))}">{markdown(address)}</a>'


_PAINT: Final = r"(?:\x1b\[[0-9;]*m)*"
"""The colours that the gate itself writes, and that a reader of a log removes."""
_BRACKET_COMMAND: Final = re.compile(
    rf"#(?={_PAINT}#{_PAINT}(?:vso|teamcity)?{_PAINT}\[)", re.IGNORECASE
)
_FOLD: Final = re.compile(r"(?<=section_start):|(?<=section_end):|(?<=travis_fold):", re.IGNORECASE)
_START: Final = re.compile(
    rf"^(?P<before>(?:{_PAINT}\s)*{_PAINT})(?P<command>:(?={_PAINT}:))"
    rf"|^(?P<paint>{_PAINT})(?P<group>[-+~^])(?=(?P=group){{2}}(?:\s|$)(?!\s*$))"
)
_CONTROL: Final = re.compile(r"\x1b\[[0-9;]*m|[^\n\t\x20-\x7e]")


def log_text(text: str, *, paint: bool = False) -> str:
    r"""Return lines for the log of a CI job, in which no runner sees a command.

    GitHub obeys a line that begins with ``::``, after any blanks, and ``##[`` anywhere; Azure
    ``##vso[``; TeamCity ``##teamcity[``; GitLab ``section_start:``; Buildkite a line that begins
    with ``---``, ``+++``, ``~~~`` or ``^^^`` and a title. One character of each becomes its
    ``\x..``, and so do controls and invisible characters, which could hide such commands.

    Args:
        text: the text to write.
        paint: whether colours stay.
    """

    def seen(match: re.Match[str]) -> str:
        return match[0] if paint and len(match[0]) > 1 else "".join(map(_controlled, match[0]))

    lines = (_CONTROL.sub(seen, line) for line in text.split("\n"))
    return "\n".join(_FOLD.sub(_hex, _BRACKET_COMMAND.sub(_hex, _tame(line))) for line in lines)


def log_json(text: str) -> str:
    """Return the same JSON document without commands for a runner."""
    escaped = _BRACKET_COMMAND.sub(r"\\u0023", text)
    return _FOLD.sub(r"\\u003a", escaped)


def log_xml(text: str) -> str:
    """Return the same XML document without commands for a runner."""
    return _FOLD.sub("&#58;", _BRACKET_COMMAND.sub("&#35;", text))


def _tame(line: str) -> str:
    return _START.sub(
        lambda match: (
            f"{match['before'] or ''}{match['paint'] or ''}"
            f"\\x{ord(match['command'] or match['group']):02x}"
        ),
        line,
    )


def _hex(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"


def _controlled(char: str) -> str:
    return char if char == "\t" else _seen(char) if char != "\r" else "\\r"


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
