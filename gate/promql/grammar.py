"""PromQL as tokens, and the shape of an expression regardless of its names."""

import re
from dataclasses import field
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.errors import TextError


class ExpressionError(TextError):
    """An expression of the policy that cannot be used; its text is one sentence."""


class TokenKind(StrEnum):
    """The kind of a token."""

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

    kind: TokenKind
    text: str
    at: int = field(default=0, compare=False)
    """The position in the expression where it begins."""


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
_KINDS: Final = {kind.value: kind for kind in TokenKind}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def tokenize(text: str) -> list[Token]:
    """Cut an expression into tokens; comments and white space become one space.

    Raises:
        ExpressionError: a quote or bracket has no partner, or a placeholder is not known.
    """
    tokens = list[Token]()
    for match in _TOKEN.finditer(text):
        kind = _KINDS[match.lastgroup or ""]
        text = " " if kind is TokenKind.SPACE else match.group()
        tokens.append(Token(kind, text, match.start()))
    _check_symbols(tokens)
    return tokens


def _variable_at(tokens: list[Token], dollar: Token) -> str:
    """Return the name after a dollar sign; empty if none follows."""
    after = tokens[tokens.index(dollar) + 1 :][:1]
    return "".join(token.text for token in after if token.kind is TokenKind.WORD)


def _check_symbols(tokens: list[Token]) -> None:
    # A part without its closing bracket would absorb the parts after it in the same query.
    opened: list[Token] = []
    for token in (token for token in tokens if token.kind is TokenKind.SYMBOL):
        text, at = token.text, token.at
        if text == "$":
            message = (
                f"`${_variable_at(tokens, token)}` is not filled in here; only $window, which is"
                " the window, and $labels can be replaced"
            )
            raise ExpressionError(message, place=at)
        if text in "\"'`":
            raise ExpressionError(f"a quote {text} is not closed", place=at)
        if text in _CLOSING:
            opened.append(token)
        elif text in _CLOSING.values() and (not opened or _CLOSING[opened.pop().text] != text):
            raise ExpressionError(f"{text} closes nothing", place=at)
    if opened:
        message = f"a closing {_CLOSING[opened[-1].text]} is missing"
        raise ExpressionError(message, place=opened[-1].at)


def write_tokens(tokens: list[Token]) -> str:
    """Write tokens as text again."""
    return "".join(token.text for token in tokens)


def closing_bracket(tokens: list[Token], opening: int) -> int:
    """Return the index of the bracket that closes the one at ``opening``, which exists."""
    depth, index = 1, opening
    while depth:
        index += 1
        if tokens[index].kind is TokenKind.SYMBOL:
            depth += (tokens[index].text in "([{") - (tokens[index].text in ")]}")
    return index


_GROUPING: Final = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_KEYWORDS: Final = frozenset(
    {"and", "or", "unless", "offset", "bool", "atan2", "inf", "nan"}
    # MetricsQL's: https://docs.victoriametrics.com/metricsql/
    | {"default", "if", "ifnot", "limit", "keep_metric_names"}
)
Rules = tuple[tuple[re.Pattern[str], str], ...]
"""Patterns and their replacements, applied until nothing changes."""


# Expressions whose counts over two halves add up, reduced step by step to one N.
# R: a selector with [$window], Z: vector(0).
COUNTED: Final[Rules] = (
    (re.compile(r"\b(?:increase|sum_over_time|count_over_time) \( R \)"), "N"),
)
ADDED: Final = re.compile(r"\bN [+-] N\b")
SUMS: Final[Rules] = (
    (re.compile(r"\bvector \( 0 \)"), "Z"),
    (re.compile(r"\bsum \( N \)"), "N"),
    (re.compile(r"(?<!\w )\( N \)"), "N"),
    (ADDED, "N"),
    (re.compile(r"\bN or Z(?= \)|$)"), "N"),
    (re.compile(r"(?<![\w*/%^] )\b[0-9.]+ \* N\b"), "N"),
)
_CODES: Final = {
    TokenKind.BRACES: "b",
    TokenKind.WINDOW: "$",
    TokenKind.NUMBER: "n",
    TokenKind.STRING: "s",
    TokenKind.STEP: ":",
}
_PARTS: Final = re.compile(
    r"(?P<grouping>g\([^()]*\))|(?P<selector>w(?![(g])b?|b)(?P<range>\[\$[^\]]*\])?|.", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An expression without its names: its operations, and the number of their selectors."""

    text: str
    """The shape: S for a selector, R for one with a range of ``$window``; blanks separate the
    words, and grouping is left out."""
    selectors: tuple[range, ...]
    """The position in the tokens of each S or R, without its range."""


def shape_of(tokens: list[Token]) -> Shape:
    """Return the shape of an expression whose braces are folded."""
    places = [place for place, token in enumerate(tokens) if token.kind is not TokenKind.SPACE]
    shape, selectors = list[str](), list[range]()
    for match in _PARTS.finditer("".join(_code(tokens[place]) for place in places)):
        if match["selector"]:
            last = match.start("range") if match["range"] else match.end()
            selectors.append(range(places[match.start()], places[last - 1] + 1))
            shape.append("R" if match["range"] else "S")
        elif not match["grouping"]:
            # The range of a subquery is written out, so that no rule matches it.
            # Keywords and aggregations may be written in capitals.
            shape.append(tokens[places[match.start()]].text.lower())
    return Shape(text=" ".join(shape), selectors=tuple(selectors))


def _code(token: Token) -> str:
    """Return one character per token, so that a regular expression can match them."""
    if token.kind is not TokenKind.WORD:
        return _CODES.get(token.kind, token.text)
    word = token.text.lower()
    return "g" if word in _GROUPING else "k" if word in _KEYWORDS else "w"


def reduced(shape: str, rules: Rules) -> str:
    """Return the rest of a shape once no rule matches it any more."""
    before = ""
    while shape != before:
        before = shape
        for pattern, short in rules:
            shape = pattern.sub(short, shape)
    return shape


def fold_subqueries(tokens: list[Token]) -> list[Token]:
    """Write ``function(...)[$window:5m]``, over instant values, as one selector with a range."""
    done, groups = list[Token](), dict[int, int]()
    opened: list[int] = []
    for token in (token for token in tokens if token.kind is not TokenKind.SPACE):
        if token.text == "(":
            opened.append(len(done))
        elif token.text == ")":
            groups[len(done)] = opened.pop()
        done.append(token)
        start = groups.get(len(done) - 5)
        kinds = [token.kind for token in done[-4:]]
        if start is None or kinds != [
            TokenKind.SYMBOL,
            TokenKind.WINDOW,
            TokenKind.STEP,
            TokenKind.SYMBOL,
        ]:
            continue
        if all(token.kind is not TokenKind.WINDOW for token in done[start:-4]):
            called = (
                done[start - 1].kind is TokenKind.WORD
            )  # the last one, where the group is the first
            done[start - called : -4] = [Token(TokenKind.BRACES, "{}")]
    return done


METRICSQL: Final = {
    "default": "; for VictoriaMetrics' `default 0`, write `or vector(0)`",
    "if": "; for VictoriaMetrics' `if`, write `and`",
    "ifnot": "; for VictoriaMetrics' `ifnot`, write `unless`",
    "keep_metric_names": "; leave it out: a sum has no name",
    "limit": "; leave it out: a sum is one series",
}
"""The PromQL to write in place of the words that only VictoriaMetrics has."""
AGGREGATIONS: Final = frozenset(
    {"sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "topk", "bottomk"}
    | {"count_values", "quantile", "limitk", "limit_ratio"}
)
