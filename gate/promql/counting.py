"""Whether an expression counts something, and how to make a count of one that nearly does."""

import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from gate.promql.grammar import (
    ADDED,
    COUNTED,
    SUMS,
    ExpressionError,
    Rules,
    Token,
    TokenKind,
    closing_bracket,
    fold_subqueries,
    reduced,
    shape_of,
    tokenize,
    write_tokens,
)
from gate.promql.selectors import fold_braces

_RENAMED: Final[Rules] = ((re.compile(r"\bN or [NZ](?= \)|$)"), "N"),)
"""Two names of one metric; unlike a sum, not to be counted over halves of a window."""
_NOT_ADDED: Final[Rules] = tuple(rule for rule in SUMS if rule[0] is not ADDED)
_LEVELS: Final[Rules] = (
    # What becomes a count when each of its selectors (S) is counted.
    (re.compile(r"\bsum \( S \)"), "N"),
    (re.compile(r"\bsum \( S or [SZ] \)"), "N"),
)
_RATE: Final = frozenset({"rate"})
_COUNTING: Final = frozenset({"increase", "sum_over_time", "count_over_time"})
_OPERATORS: Final = frozenset("+-*/%^<>=!")
_SET_OPERATORS: Final = frozenset({"and", "or", "unless", "atan2", "default", "if", "ifnot"})
_MATCHING: Final = frozenset({"on", "ignoring"})
_MANY_TO_ONE: Final = frozenset({"group_left", "group_right"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """An expression with ``$window`` that counts."""

    text: str
    rate: bool
    """It was a rate, and ``increase`` has taken the place of each ``rate``: the same, times the
    seconds of the window. https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotient:
    """One expression divided by another, perhaps taken from 1."""

    numerator: str
    denominator: str
    complement: bool
    """``1 - numerator / denominator``."""


def read_count(text: str) -> Count:
    """Return an expression as a count, if it is made of sums of ``increase`` or of ``rate``.

    Raises:
        ExpressionError: it is anything else, of which it is not known what it counts.
    """
    tokens = _tokens(text)
    rates = [place for place in range(len(tokens)) if _is_call(tokens, place, _RATE)]
    if rates and any(_is_call(tokens, place, _COUNTING) for place in range(len(tokens))):
        raise ExpressionError("it adds up a rate and a count: no number of events comes of it")
    for place in rates:
        tokens[place] = Token(TokenKind.WORD, "increase")
    if reduced(shape_of(fold_subqueries(tokens)).text, COUNTED + SUMS + _RENAMED) != "N":
        raise ExpressionError(
            "it is no count of events over the window; write a sum of increase(...), rate(...),"
            " sum_over_time(...) or count_over_time(...), each over the window"
        )
    return Count(text=write_tokens(tokens).strip(), rate=bool(rates))


def count_of_counters(text: str) -> str:
    """Return the increase of an expression that is a counter itself, or a sum of counters.

    Raises:
        ExpressionError: it is anything else; an increase cannot be taken of it.
    """
    if is_selector(text):
        return text.strip()
    tokens = _tokens(text)
    shape = shape_of(tokens)
    if reduced(shape.text, _LEVELS + SUMS + _RENAMED) != "N":
        raise ExpressionError(
            'it is neither a counter such as requests_total{code="500"} nor a sum(...) of such;'
            " write what it counts over a window, such as sum(increase(requests_total[$window]))"
        )
    for place in reversed(shape.selectors):
        tokens.insert(place.stop, Token(TokenKind.SYMBOL, "[$window])"))
        tokens.insert(place.start, Token(TokenKind.SYMBOL, "increase("))
    return write_tokens(tokens).strip()


def read_quotient(text: str) -> Quotient | None:
    """Return the two sides of a division that is all of an expression; None: it is none.

    Raises:
        ExpressionError: it cannot be cut into tokens.
    """
    tokens = _unwrapped(_tokens(text))
    operators = _operators(tokens)
    signs = [tokens[place].text for place in operators]
    if signs[:1] == ["-"] and write_tokens(tokens[: operators[0]]).strip() == "1":
        inner = read_quotient(write_tokens(tokens[operators[0] + 1 :]))
        if inner is None or inner.complement:
            return None
        return Quotient(numerator=inner.numerator, denominator=inner.denominator, complement=True)
    if signs != ["/"]:
        return None
    below = _unmatched(tokens[operators[0] + 1 :])
    if below and below[0].text.lower() in _MANY_TO_ONE:
        return None
    return Quotient(
        numerator=write_tokens(tokens[: operators[0]]).strip(),
        denominator=write_tokens(below).strip(),
        complement=False,
    )


def quotient_of_counts(text: str) -> Quotient | None:
    """Return the two sides of a division if each of them is a count; None: it is no such.

    Raises:
        ExpressionError: it cannot be cut into tokens.
    """
    quotient = read_quotient(text)
    if quotient is not None:
        with suppress(ExpressionError):
            read_count(quotient.numerator)
            read_count(quotient.denominator)
            return quotient
    return None


def rest_of(whole: str, text: str) -> str | None:
    """Return what is taken away where an expression is ``whole - rest``; None: it is not.

    Raises:
        ExpressionError: one of them cannot be cut into tokens.
    """
    tokens = _unwrapped(_tokens(text))
    operators = _operators(tokens)
    if [tokens[place].text for place in operators] != ["-"]:
        return None
    (place,) = operators
    if _squeezed(tokens[:place]) != _squeezed(_unwrapped(_tokens(whole))):
        return None
    return write_tokens(tokens[place + 1 :]).strip()


def with_absent_parts(text: str) -> str:
    """Return a count in which a part of a sum that is absent counts as 0.

    In PromQL ``a + b`` is nothing at all when b is, and nothing would look like no failure.

    Raises:
        ExpressionError: it adds up within another function, where parts cannot be told.
    """
    tokens = _tokens(text)
    summed = _without_zero(_unwrapped(tokens))
    places = _operators(summed)
    if not places or any(summed[place].text not in {"+", "-"} for place in places):
        return _one_part(tokens)
    parts = [
        f"({_one_part(summed[start + 1 : end])} or vector(0))"
        for start, end in pairwise([-1, *places, len(summed)])
    ]
    signs = [*(f" {summed[place].text} " for place in places), ""]
    return "".join(part + sign for part, sign in zip(parts, signs, strict=True))


def _one_part(tokens: list[Token]) -> str:
    """Return a count that adds up nothing but within ``sum``."""
    if reduced(shape_of(fold_subqueries(tokens)).text, COUNTED + _NOT_ADDED + _RENAMED) != "N":
        raise ExpressionError(
            "it adds up counts one of which may be absent, and then all of it is; write"
            " (sum(...) or vector(0)) + (sum(...) or vector(0))"
        )
    return write_tokens(tokens).strip()


def _without_zero(tokens: list[Token]) -> list[Token]:
    """Return an expression without ``or vector(0)`` at its end."""
    operators = _operators(tokens)
    last = operators[-1] if operators else len(tokens)
    ends = tokens[last:] and reduced(shape_of(tokens[last:]).text, SUMS) == "or Z"
    return _trimmed(tokens[:last]) if ends else tokens


def is_selector(text: str) -> bool:
    """Return whether an expression is one metric, with or without matchers.

    Raises:
        ExpressionError: it cannot be cut into tokens.
    """
    kinds = [token.kind for token in _tokens(text) if token.kind is not TokenKind.SPACE]
    return kinds in ([TokenKind.WORD], [TokenKind.BRACES], [TokenKind.WORD, TokenKind.BRACES])


def _tokens(text: str) -> list[Token]:
    return fold_braces(tokenize(text.strip()), {})[0]


def _is_call(tokens: list[Token], place: int, names: frozenset[str]) -> bool:
    if tokens[place].kind is not TokenKind.WORD or tokens[place].text not in names:
        return False
    following = [token.text for token in tokens[place + 1 : place + 3] if token.text != " "]
    return following[:1] == ["("]


def _unwrapped(tokens: list[Token]) -> list[Token]:
    """Return what is inside of brackets around all of it."""
    tokens = _trimmed(tokens)
    while tokens and tokens[0].text == "(" and closing_bracket(tokens, 0) == len(tokens) - 1:
        tokens = _trimmed(tokens[1:-1])
    return tokens


def _trimmed(tokens: list[Token]) -> list[Token]:
    start = int(bool(tokens) and tokens[0].kind is TokenKind.SPACE)
    end = len(tokens) - int(bool(tokens) and tokens[-1].kind is TokenKind.SPACE)
    return tokens[start:end]


def _squeezed(tokens: list[Token]) -> str:
    return write_tokens([token for token in tokens if token.kind is not TokenKind.SPACE])


def _operators(tokens: list[Token]) -> list[int]:
    """Return where the operators outside of all brackets stand."""
    places, place = list[int](), 0
    while place < len(tokens):
        token = tokens[place]
        if token.kind is TokenKind.SYMBOL and token.text in "([":
            place = closing_bracket(tokens, place)
        elif token.text in _OPERATORS or token.text.lower() in _SET_OPERATORS:
            places.append(place)
        place += 1
    return places


def _unmatched(tokens: list[Token]) -> list[Token]:
    """Return the divisor without ``on (...)`` or ``ignoring (...)`` before it."""
    tokens = _trimmed(tokens)
    if tokens and _is_call(tokens, 0, _MATCHING):
        opening = next(place for place, token in enumerate(tokens) if token.text == "(")
        return _trimmed(tokens[closing_bracket(tokens, opening) + 1 :])
    return tokens
