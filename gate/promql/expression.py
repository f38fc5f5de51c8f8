"""An expression prepared for queries, and the recording rules that can replace it."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Final

from gate.dataclass import dataclass
from gate.promql.grammar import (
    COUNTED,
    SUMS,
    ExpressionError,
    Token,
    TokenKind,
    fold_subqueries,
    reduced,
    shape_of,
    tokenize,
    write_tokens,
)
from gate.promql.selectors import add_matchers, dotted_name, fold_braces, matchers, take_name

SLICE: Final = timedelta(minutes=5)
EVERY: Final = timedelta(minutes=1)
FINGERPRINT: Final = "gate_expr"
"""The label that identifies the expression that a rule has recorded."""
_SLICE_TEXT: Final = "5m"
_DIGITS: Final = 16


def rule_name(role: str) -> str:
    """Return the name of a recorded series: ``gate:sli_bad:increase5m``."""
    return f"gate:sli_{role}:increase{_SLICE_TEXT}"


def fingerprint(expression: str) -> str:
    """Return a short hash of the expression that a rule evaluates."""
    return sha256(expression.encode()).hexdigest()[:_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression of the policy."""

    pieces: tuple[str, ...]
    """The pieces of the text between the placeholders ``$window``."""
    selectors: tuple[str, ...]
    """Every distinct selector, without its range."""
    additive: bool
    """Whether the values over two halves of a window add up to the value over the whole."""
    union: bool
    """Whether parts of it may be absent (``a or b``: a metric that was renamed)."""
    joint: bool = False
    """Whether its result is empty when one of several metrics in it is absent (``a + b``)."""

    def over(self, window: str) -> str:
        """Write the expression for a window such as ``300s``."""
        return window.join(self.pieces)


def rule_expressions(
    expressions: Mapping[str, Expression], lacking: Sequence[str] = ()
) -> dict[str, str]:
    """Return the expressions that the rules of an indicator evaluate, by role.

    The result is empty if slices do not add up to the window. Beside a total, an absent bad count
    becomes 0, so that each evaluation of a rule leaves a sample. Good events are not recorded while
    a histogram lacks the boundary that counts them.

    Args:
        expressions: the expressions by role.
        lacking: expressions that count, over ``$window``, the histograms without a boundary.
    """
    if not all(map(_adds_up, expressions.values())):
        return {}
    rules = {role: expression.over(_SLICE_TEXT) for role, expression in expressions.items()}
    every = rules.get("total", rules.get("good", ""))
    if "bad" in rules:
        rules["bad"] = f"({rules['bad']}) or on () (0 * ({every}))"
    for text in lacking:
        missing = text.replace("$window", _SLICE_TEXT)
        rules["good"] = f"({rules['good']}) unless on () ({missing})"
    return rules


def _adds_up(expression: Expression) -> bool:
    # Before Prometheus 3 both ends belong to a range: with scrapes a minute apart, a sum over
    # five minutes has six samples. increase() covers the time between them.
    return expression.additive and "_over_time" not in expression.over(_SLICE_TEXT)


def recorded_events(role: str, expression: str, labels: Mapping[str, str]) -> tuple[str, str]:
    """Return the pieces of a query, around its window, for the events that a rule has recorded."""
    selector = matchers({**labels, FINGERPRINT: fingerprint(expression)})
    return f"sum_over_time({rule_name(role)}{{{selector}}}[", f"]) / {SLICE // EVERY}"


_ARITHMETIC: Final = frozenset("+-*/%^")


def _without_window(text: str) -> ExpressionError:
    """Return the error of an expression that does not count over the window, with a correction."""
    fixed = re.search(r"\[\s*[0-9][^\]]*\]", text)
    if fixed is not None:
        message = f"{fixed[0]} is a fixed window; write [$window], the window of the SLO"
        return ExpressionError(message, place=fixed.start())
    return ExpressionError(
        "it has no $window and is not a bare selector; write for example"
        ' sum(increase(requests_total{code="500"}[$window])) or requests_total{code="500"}'
    )


def read_expression(
    text: str, labels: Mapping[str, str] | None, *, gauge: bool = False
) -> Expression:
    """Read an expression with ``$window``, or a bare selector, whose increase is then counted.

    Args:
        text: PromQL.
        labels: the matchers that replace ``$labels``, or that a bare selector without it gets.
        gauge: whether the expression is a value at an instant, so that any form is valid.

    Raises:
        ExpressionError: it is neither, or cannot be cut into tokens.
    """
    tokens, bare = _read(text, labels or {})
    if bare is not None:
        return _of_selector("".join(bare), gauge=gauge)
    if not gauge and not any(token.kind is TokenKind.WINDOW for token in tokens):
        raise _without_window(text)
    shape = shape_of(tokens)
    selectors = dict.fromkeys(
        write_tokens(tokens[place.start : place.stop]) for place in shape.selectors
    )
    return Expression(
        pieces=_pieces(tokens),
        selectors=tuple(selectors),
        additive=reduced(shape_of(fold_subqueries(tokens)).text, COUNTED + SUMS) == "N",
        union=" or " in shape.text,
        joint=len(selectors) > 1 and not _ARITHMETIC.isdisjoint(shape.text.split()),
    )


_NO_NAME: Final = "a metric's name is expected here, with or without {...}"


def read_selector(text: str, labels: Mapping[str, str]) -> tuple[str, str]:
    """Read a bare selector; return its name and its ``{...}``, empty if it has none.

    A name may contain dots, and may be in the braces: ``{"http.server.duration",a="b"}``.

    Raises:
        ExpressionError: it is something else, or has no name.
    """
    name, rest = dotted_name(text) or ("", text)
    _, bare = _read(rest or "{}", labels)
    if bare is None or (name and bare[0]):
        raise ExpressionError(_NO_NAME)
    if name or bare[0]:
        return name or bare[0], bare[1].removesuffix("{}")
    taken = take_name(bare[1])
    if taken is None:
        raise ExpressionError(_NO_NAME)
    return taken


def _read(text: str, labels: Mapping[str, str]) -> tuple[list[Token], tuple[str, str] | None]:
    """Tokenize an expression with its labels filled in; split a bare selector."""
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
        if token.kind is not TokenKind.SPACE or 0 < index < len(tokens) - 1
    ]


def _bare_selector(tokens: list[Token], written: str) -> tuple[str, str] | None:
    kinds = [token.kind for token in tokens if token.kind is not TokenKind.SPACE]
    if kinds not in ([TokenKind.WORD], [TokenKind.BRACES], [TokenKind.WORD, TokenKind.BRACES]):
        return None
    name = tokens[0].text if kinds[0] is TokenKind.WORD else ""
    braces = tokens[-1].text if kinds[-1] is TokenKind.BRACES else ""
    return name, add_matchers(braces, written) if written else braces


def _pieces(tokens: list[Token]) -> tuple[str, ...]:
    pieces, piece = list[str](), list[Token]()
    for token in tokens:
        if token.kind is TokenKind.WINDOW:
            pieces.append(write_tokens(piece))
            piece = []
        else:
            piece.append(token)
    return (*pieces, write_tokens(piece))
