"""PromQL cut into tokens, well enough to find its selectors and our placeholders.

A full parser is the server's; this one must only never mistake a string for anything else.
Grammar: https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class ExpressionError(ValueError):
    """An expression of the policy that cannot be used; its text is one sentence."""


class Kind(StrEnum):
    """What a token is."""

    STRING = "string"
    WINDOW = "window"
    LABELS = "labels"
    WORD = "word"
    NUMBER = "number"
    SPACE = "space"
    SYMBOL = "symbol"
    STEP = "step"
    """The second part of a subquery's range: ``:5m``, or only ``:``."""
    BRACES = "braces"
    """A whole ``{...}``; `fold_braces` makes these."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its text."""

    kind: Kind
    text: str


_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<window>\$window\b)
    |(?P<labels>\$labels\b)
    |(?P<step>:\s*(?:[0-9]\w*)?(?=\s*\]))
    |(?P<word>[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<number>[0-9][0-9A-Za-z_.]*)
    |(?P<space>(?:\s+|\#[^\n]*)+)
    |(?P<symbol>.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def tokenize(text: str) -> list[Token]:
    """Cut an expression into tokens; comments and white space become one space.

    Raises:
        ExpressionError: a quote or bracket has no partner, or a placeholder is not known.
    """
    tokens = []
    for match in _TOKEN.finditer(text):
        kind = Kind(str(match.lastgroup))
        tokens.append(Token(kind, " " if kind is Kind.SPACE else match.group()))
    _check_symbols(tokens)
    return tokens


def _check_symbols(tokens: list[Token]) -> None:
    # A part that is not closed would swallow the parts after it in the same query.
    expected: list[str] = []
    for text in (token.text for token in tokens if token.kind is Kind.SYMBOL):
        if text == "$":
            raise ExpressionError("only $window and $labels can stand for something else")
        if text in "\"'`":
            raise ExpressionError(f"a quote {text} is not closed")
        if text in _CLOSING:
            expected.append(_CLOSING[text])
        elif text in _CLOSING.values() and (not expected or expected.pop() != text):
            raise ExpressionError(f"{text} closes nothing")
    if expected:
        raise ExpressionError(f"a closing {expected[-1]} is missing")


def join(tokens: list[Token]) -> str:
    """Write tokens as text again."""
    return "".join(token.text for token in tokens)


def closing(tokens: list[Token], opening: int) -> int:
    """Return the index of the bracket that closes the one at ``opening``; `tokenize` made sure."""
    depth, index = 1, opening
    while depth:
        index += 1
        if tokens[index].kind is Kind.SYMBOL:
            depth += (tokens[index].text in "([{") - (tokens[index].text in ")]}")
    return index
