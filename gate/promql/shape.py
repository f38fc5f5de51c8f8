"""What an expression does, whatever the names in it: its shape, and what shapes reduce to."""

import re
from dataclasses import dataclass
from typing import Final

from gate.promql.tokens import Kind, Token

_GROUPING: Final = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_KEYWORDS: Final = frozenset(
    {"and", "or", "unless", "offset", "bool", "atan2", "inf", "nan"}
    # MetricsQL's: https://docs.victoriametrics.com/metricsql/
    | {"default", "if", "ifnot", "limit", "keep_metric_names"}
)
Rules = tuple[tuple[re.Pattern[str], str], ...]
"""What is reduced to what, over and over."""
# What may be counted over two halves and added up, reduced step by step to one N.
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
    Kind.BRACES: "b",
    Kind.WINDOW: "$",
    Kind.NUMBER: "n",
    Kind.STRING: "s",
    Kind.STEP: ":",
}
_PARTS: Final = re.compile(
    r"(?P<grouping>g\([^()]*\))|(?P<selector>w(?![(g])b?|b)(?P<range>\[\$[^\]]*\])?|.", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An expression without its names: what is done, and to how many selectors."""

    text: str
    """Selectors are S, or R with a range of ``$window``; grouping is left out; blanks between."""
    selectors: tuple[range, ...]
    """Where in the tokens each S or R stands, without its range."""


def shape_of(tokens: list[Token]) -> Shape:
    """Return the shape of an expression whose braces are folded."""
    places = [place for place, token in enumerate(tokens) if token.kind is not Kind.SPACE]
    shape, selectors = list[str](), list[range]()
    for match in _PARTS.finditer("".join(_code(tokens[place]) for place in places)):
        if match["selector"]:
            last = match.start("range") if match["range"] else match.end()
            selectors.append(range(places[match.start()], places[last - 1] + 1))
            shape.append("R" if match["range"] else "S")
        elif not match["grouping"]:
            # A range over anything but a selector is written out, so that no rule fits it.
            # Keywords and aggregations may be written in capitals.
            shape.append(tokens[places[match.start()]].text.lower())
    return Shape(text=" ".join(shape), selectors=tuple(selectors))


def _code(token: Token) -> str:
    """Return one character per token, so that a regular expression can walk over them."""
    if token.kind is not Kind.WORD:
        return _CODES.get(token.kind, token.text)
    word = token.text.lower()
    return "g" if word in _GROUPING else "k" if word in _KEYWORDS else "w"


def reduced(shape: str, rules: Rules) -> str:
    """Return what is left of a shape when no rule fits it any more."""
    before = ""
    while shape != before:
        before = shape
        for pattern, short in rules:
            shape = pattern.sub(short, shape)
    return shape


def fold_subqueries(tokens: list[Token]) -> list[Token]:
    """Write ``function(...)[$window:5m]``, of values at instants, as one selector with a range."""
    done, groups = list[Token](), dict[int, int]()
    opened: list[int] = []
    for token in (token for token in tokens if token.kind is not Kind.SPACE):
        if token.text == "(":
            opened.append(len(done))
        elif token.text == ")":
            groups[len(done)] = opened.pop()
        done.append(token)
        start = groups.get(len(done) - 5)
        kinds = [token.kind for token in done[-4:]]
        if start is None or kinds != [Kind.SYMBOL, Kind.WINDOW, Kind.STEP, Kind.SYMBOL]:
            continue
        if all(token.kind is not Kind.WINDOW for token in done[start:-4]):
            called = done[start - 1].kind is Kind.WORD  # the last one, where the group is the first
            done[start - called : -4] = [Token(Kind.BRACES, "{}")]
    return done
