"""An expression in PromQL, made ready to be asked: labels filled in, selectors found."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.promql.matchers import add_matchers, fold_braces, matchers
from gate.promql.tokens import ExpressionError, Kind, Token, join, tokenize

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
class Expression:
    """An expression of the policy."""

    pieces: tuple[str, ...]
    """The text around each ``$window``."""
    selectors: tuple[str, ...]
    """Every different selector in it, without range."""
    additive: bool
    """Whether the values over two halves of a window add up to the value over the whole."""
    union: bool
    """Whether parts of it may be missing (``a or b``: a metric that was renamed)."""

    def over(self, window: str) -> str:
        """Write it for a window such as ``300s``."""
        return window.join(self.pieces)


def read_expression(
    text: str, labels: Mapping[str, str] | None, *, gauge: bool = False
) -> Expression:
    """Read an expression with ``$window``, or a bare selector, whose increase is then summed up.

    Args:
        text: PromQL.
        labels: take the place of ``$labels``; are added to a bare selector that has none.
        gauge: the expression is a value at an instant, so that any form will do.

    Raises:
        ExpressionError: it is neither, or cannot be cut into tokens.
    """
    tokens, bare = _read(text, labels or {})
    if bare is not None:
        return _of_selector("".join(bare), gauge=gauge)
    if not gauge and not any(token.kind is Kind.WINDOW for token in tokens):
        raise ExpressionError(
            "it has neither $window nor is it a bare selector; write for example"
            ' sum(increase(requests_total{code="500"}[$window])) or requests_total{code="500"}'
        )
    shape = shape_of(tokens)
    found = (join(tokens[place.start : place.stop]) for place in shape.selectors)
    return Expression(
        pieces=_pieces(tokens),
        selectors=tuple(dict.fromkeys(found)),
        additive=reduced(shape.text, COUNTED + SUMS) == "N",
        union=" or " in shape.text,
    )


def read_selector(text: str, labels: Mapping[str, str]) -> tuple[str, str]:
    """Read a bare selector, and return its name and its ``{...}``, empty where it has none.

    Raises:
        ExpressionError: it is something else, or has no name before its braces.
    """
    _, bare = _read(text, labels)
    if bare is None or not bare[0]:
        raise ExpressionError("a metric's name is expected here, with or without {...}")
    return bare


def _read(text: str, labels: Mapping[str, str]) -> tuple[list[Token], tuple[str, str] | None]:
    """Cut an expression into tokens with its labels filled in; take a bare selector apart."""
    tokens, had_labels = fold_braces(tokenize(text.strip()), labels)
    tokens = _trim(tokens)
    return tokens, _bare_selector(tokens, "" if had_labels else matchers(labels))


def _of_selector(selector: str, *, gauge: bool) -> Expression:
    return Expression(
        pieces=(selector,) if gauge else (f"sum(increase({selector}[", "]))"),
        selectors=(selector,),
        additive=not gauge,
        union=False,
    )


def _trim(tokens: list[Token]) -> list[Token]:
    return [
        token
        for index, token in enumerate(tokens)
        if token.kind is not Kind.SPACE or 0 < index < len(tokens) - 1
    ]


def _bare_selector(tokens: list[Token], written: str) -> tuple[str, str] | None:
    kinds = [token.kind for token in tokens if token.kind is not Kind.SPACE]
    if kinds not in ([Kind.WORD], [Kind.BRACES], [Kind.WORD, Kind.BRACES]):
        return None
    name = tokens[0].text if kinds[0] is Kind.WORD else ""
    braces = tokens[-1].text if kinds[-1] is Kind.BRACES else ""
    return name, add_matchers(braces, written) if written else braces


def _pieces(tokens: list[Token]) -> tuple[str, ...]:
    pieces, piece = list[str](), list[Token]()
    for token in tokens:
        if token.kind is Kind.WINDOW:
            pieces.append(join(piece))
            piece = []
        else:
            piece.append(token)
    return (*pieces, join(piece))


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
