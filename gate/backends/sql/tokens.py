"""The tokens of an expression, whose boundaries every engine must agree on.

A text that two programs may tokenize differently is refused: the gate checks the tokens of its own
parser, and the engine runs those of its own. So a text cannot end for one of them and continue for
the other.
"""

import re
from collections.abc import Iterator
from typing import Final

from gate.dataclass import dataclass

_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\r\n]+)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)
    | (?P<string>'(?:[^'\\\0]|''|\\[^'\0])*')      # a backslash is never before its last quote
    | (?P<double>"(?:[^"\\\0]|"")+")
    | (?P<back>`(?:[^`\\\0]|``)+`)
    | (?P<operator>[-+*/<>=~!@\#%^&|?:]+)
    | (?P<sign>[(),.\[\]])""",
    re.VERBOSE,
)
_COMMENTS: Final = ("--", "/*", "*/", "//")
_NOT_BEFORE_MINUS: Final = frozenset("~!@#%^&|?")
"""Signs after which PostgreSQL takes a - or + for a part of the operator."""
DEEPEST: Final = 40
"""The deepest nesting of brackets."""
_MOST: Final = 4_000
"""The most words and signs."""
_MOST_INDICES: Final = 60
"""The most brackets of indices and lists; sqlglot takes ten seconds for 900 in a row."""
_LONGEST_RUN: Final = 10
"""The most characters of an operator in a message."""
_CLOSING: Final = {"(": ")", "[": "]"}
_COMMON: Final = frozenset(
    {"=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "||", "::"}
)
_OF_JSON: Final = frozenset({"->", "->>", "#>", "#>>", "@>", "<@", "?", "?|", "?&"})
_OPERATORS: Final = {
    "clickhouse": _COMMON | {"==", "<=>"},
    "postgres": _COMMON | _OF_JSON | {"~", "~*", "!~", "!~*"},
    "spark": _COMMON | {"==", "<=>"},
}
_QUOTES: Final = {
    "clickhouse": {"double", "back"},
    "postgres": {"double"},
    "spark": {"back"},
}
"""The quotes of names. In Spark a setting decides whether text in double quotes is a name."""


class TokenError(Exception):
    """A text that is not an expression, or that engines may read differently; it has the remedy."""

    def __init__(self, reason: str, place: int) -> None:
        super().__init__(reason)
        self.place = place
        """The position in the text, from 0."""


@dataclass(frozen=True, slots=True)
class SqlToken:
    """A word or sign."""

    kind: str
    """``word``, ``number``, ``string``, ``name`` (in quotes), ``operator`` or ``sign``."""
    text: str
    place: int
    """The start of the token, from 0."""

    @property
    def lower(self) -> str:
        """The text of a word without quotes in lower case; for other tokens the text."""
        return self.text.lower() if self.kind == "word" else self.text

    def is_sign(self, *signs: str) -> bool:
        """Return whether it is one of these brackets, points and commas."""
        return self.kind == "sign" and self.text in signs


def tokens_of(text: str, dialect: str) -> list[SqlToken]:
    """Split an expression into tokens.

    Args:
        text: the text in the policy.
        dialect: ``clickhouse``, ``postgres`` or ``spark``.

    Raises:
        TokenError: the engines may read a part of it differently.
    """
    tokens, open_, indices = list[SqlToken](), list[SqlToken](), 0
    for token in _split(text, dialect):
        before = tokens[-1] if tokens else None
        _check_pair(before, token)
        tokens.append(token)
        if token.is_sign(*_CLOSING):
            open_.append(token)
        elif token.is_sign(*_CLOSING.values()):
            _close(open_, token)
        indices += token.is_sign("[")
        if len(open_) > DEEPEST or len(tokens) > _MOST or indices > _MOST_INDICES:
            raise TokenError("it is too long or nested too deeply; write less", token.place)
    if open_:
        raise TokenError(f"{open_[-1].text} is never closed", open_[-1].place)
    if not tokens:
        raise TokenError("it is empty; write a condition such as status >= 500", 0)
    return tokens


def _close(open_: list[SqlToken], token: SqlToken) -> None:
    if not open_ or _CLOSING[open_.pop().text] != token.text:
        raise TokenError(f"{token.text} closes nothing; remove it", token.place)


def _split(text: str, dialect: str) -> Iterator[SqlToken]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise TokenError(_strange(text, place), place)
        kind = match.lastgroup
        if kind in {"double", "back"}:
            if kind not in _QUOTES[dialect]:
                raise TokenError(_wrong_quotes(dialect), place)
            kind = "name"
        if kind == "string" and dialect == "spark" and "''" in match[0][1:-1]:
            raise TokenError(_TWO_TEXTS, place)
        if kind == "operator":
            yield from _operators(match[0], place, dialect)
        elif kind != "blank":
            yield SqlToken(kind, match[0], place)
        place = match.end()


def _operators(run: str, place: int, dialect: str) -> Iterator[SqlToken]:
    for comment in _COMMENTS:
        if comment in run:
            reason = "it holds a comment; write it in YAML, after a #, and - - with a space"
            raise TokenError(reason, place + run.index(comment))
    allowed = _OPERATORS[dialect]
    if run[:-1] in allowed and run[-1] in "-+" and not _NOT_BEFORE_MINUS & set(run):
        yield SqlToken("operator", run[:-1], place)
        run, place = run[-1], place + len(run) - 1
    if run not in allowed:
        listed = " ".join(sorted(allowed))
        raise TokenError(f"{run[:_LONGEST_RUN]} is not among the operators: {listed}", place)
    yield SqlToken("operator", run, place)


def _check_pair(before: SqlToken | None, token: SqlToken) -> None:
    """Raise an error for two neighbours that together mean something else."""
    if before is None:
        return
    touching = before.place + len(before.text) == token.place
    first, second = before.kind, token.kind
    if first == second == "string":
        raise TokenError("two texts follow each other; join them with ||", token.place)
    if touching and second in {"string", "name"} and first in {"word", "number", "string", "name"}:
        reason = "a quote follows a word; put a space between them, and use no prefix such as E''"
        raise TokenError(reason, before.place)
    if touching and first == "number" and second in {"word", "name"}:
        raise TokenError("a number is followed by a letter; write digits only", before.place)
    if second == "number" and before.is_sign("."):
        raise TokenError("a number begins with a point; write 0.5", before.place)


_TWO_TEXTS: Final = (
    "a doubled quote is a quote for Spark from 4.3 on, and the end of one text and the start of"
    " another for those before; match it with _ (LIKE 'it_s')"
)
_NAME_IN_QUOTES: Final = "a name in quotes is empty, does not end, or has a backslash"
_STRANGE: Final = {
    "'": (
        "a text in quotes does not end here for every engine; double a quote within it (it''s, but"
        " in Spark LIKE 'it_s'), and put no backslash before a quote"
    ),
    '"': _NAME_IN_QUOTES,
    "`": _NAME_IN_QUOTES,
    ";": "it is more than one expression; remove the semicolon",
    "$": "it holds a parameter; write the value itself",
    "{": "it holds a brace, which no condition needs; write the value itself",
}


def _strange(text: str, place: int) -> str:
    sign = text[place]
    if not sign.isascii():
        return f"{sign!r} is outside of quotes; put the name in quotes"
    return _STRANGE.get(sign, f"{sign!r} is not a part of an expression; remove it")


def _wrong_quotes(dialect: str) -> str:
    if dialect == "spark":
        return "double quotes mean a text or a name by a setting; write 'text', and `name`"
    return 'backticks quote nothing here; write "name"'
