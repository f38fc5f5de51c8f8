"""An expression made ready to be asked, and the recording rules that stand for one."""

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
"""The label that says which expression a rule has recorded."""


_SLICE_TEXT: Final = "5m"


_DIGITS: Final = 16


def rule_name(role: str) -> str:
    """Return the name of what is recorded: ``gate:sli_bad:increase5m``."""
    return f"gate:sli_{role}:increase{_SLICE_TEXT}"


def fingerprint(expression: str) -> str:
    """Return a short hash of what a rule evaluates."""
    return sha256(expression.encode()).hexdigest()[:_DIGITS]


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
    joint: bool = False
    """Whether its result is empty when one of several metrics in it is absent (``a + b``)."""

    def over(self, window: str) -> str:
        """Write it for a window such as ``300s``."""
        return window.join(self.pieces)


def rule_expressions(
    expressions: Mapping[str, Expression], lacking: Sequence[str] = ()
) -> dict[str, str]:
    """Return what the rules of an indicator evaluate, by role.

    Nothing where slices do not add up to the window. Beside a total, no bad events are 0, so that
    a rule that is there has a sample for every evaluation. Good events are not recorded while a
    histogram lacks the boundary that they are counted by.

    Args:
        expressions: by role.
        lacking: each counts, over ``$window``, the histograms that lack a boundary.
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
    # Both ends of a range belong to it before Prometheus 3: of scrapes a minute apart, a sum over
    # five minutes has six. increase() is that of the time between them.
    return expression.additive and "_over_time" not in expression.over(_SLICE_TEXT)


def recorded_events(role: str, expression: str, labels: Mapping[str, str]) -> tuple[str, str]:
    """Return the text around the window of a query for the events that a rule has recorded."""
    selector = matchers({**labels, FINGERPRINT: fingerprint(expression)})
    return f"sum_over_time({rule_name(role)}{{{selector}}}[", f"]) / {SLICE // EVERY}"


_ARITHMETIC: Final = frozenset("+-*/%^")


def _without_window(text: str) -> ExpressionError:
    """Say that an expression does not count over the window, and what to write."""
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
    """Read a bare selector, and return its name and its ``{...}``, empty where it has none.

    A name may have dots, and may stand in the braces: ``{"http.server.duration",a="b"}``.

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
