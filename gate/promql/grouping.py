"""A count grouped by labels: each ``sum`` keeps them, and an absent part hides no other part.

A count is a sum of increases, each with a factor. It is split into these and written anew:
``(sum(a) or vector(0)) + sum(b)`` by labels would lose every group that only ``a`` has.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass
from gate.promql.expression import Expression
from gate.promql.grammar import (
    ExpressionError,
    Token,
    TokenKind,
    closing_bracket,
    shape_of,
    tokenize,
    write_tokens,
)
from gate.promql.selectors import PLAIN_NAME, fold_braces, quote

_TERM: Final = "gate_term"
"""The label that separates the terms of a sum until they are added up."""
_CALLS: Final = frozenset({"increase", "sum_over_time", "count_over_time"})
_GROUPING: Final = frozenset({"by", "without"})
_COUNT: Final = r"histogram_count \( sum \( increase \( R \) \) \)"
_NATIVE: Final = re.compile(
    rf"{_COUNT}|\( histogram_fraction \( \S+ , \S+ , sum \( increase \( R \) \) \)"
    rf" \* {_COUNT} > = 0 \)(?P<zero> or vector \( 0 \))?"
)
"""The forms that `gate.promql.buckets` writes."""
_UNFIT: Final = (
    "it cannot be grouped by labels: that takes sums of increase(...), sum_over_time(...) or"
    " count_over_time(...), each of one selector over [$window]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """A count by labels."""

    pieces: tuple[str, ...]
    """The pieces of the text between the placeholders ``$window``."""
    zero: bool
    """Whether it contains ``or vector(0)`` itself, so that an empty result means 0."""


@dataclass(frozen=True, slots=True)
class _Term:
    """An increase with its factor."""

    weight: Fraction
    call: str

    def times(self, factor: Fraction) -> "_Term":
        return _Term(self.weight * factor, self.call)

    def grouped(self, grouping: str) -> str:
        factor = "" if self.weight == 1 else f"{float(self.weight)!r} * "
        return f"{factor}sum {grouping} ({self.call})"


def group_by(expression: Expression, labels: Sequence[str]) -> Grouped:
    """Return a count that gives one series per combination of values of the labels.

    Raises:
        ExpressionError: it is not a sum of increases, whose groups are unknown.
    """
    return _grouped(expression, f"by ({_written(labels)})")


def group_without(expression: Expression, labels: Sequence[str]) -> Grouped:
    """Return a count that gives one series per combination of all labels except these.

    Raises:
        ExpressionError: as of `group_by`.
    """
    return _grouped(expression, f"without ({_written(labels)})")


def _written(labels: Sequence[str]) -> str:
    return ", ".join(name if PLAIN_NAME.fullmatch(name) else quote(name) for name in labels)


def _grouped(expression: Expression, grouping: str) -> Grouped:
    tokens = fold_braces(tokenize(expression.over("$window")), {})[0]
    if native := _NATIVE.fullmatch(shape_of(tokens).text):
        return _native(tokens, grouping, zero=native["zero"] is not None)
    reader = _Reader(tokens)
    terms = reader.read()
    text = terms[0].grouped(grouping) if len(terms) == 1 else _added(terms, grouping)
    return Grouped(pieces=tuple(text.split("$window")), zero=reader.zero)


def _native(tokens: Sequence[Token], grouping: str, *, zero: bool) -> Grouped:
    """Group a native histogram: each of its sums keeps the labels."""
    if any(token.text.lower() in _GROUPING for token in tokens):
        raise ExpressionError(_UNFIT)
    text = "".join(f"sum {grouping}" if token.text == "sum" else token.text for token in tokens)
    text = text.rpartition(" or ")[0] if zero else text
    return Grouped(pieces=tuple(text.split("$window")), zero=zero)


def _added(terms: Sequence[_Term], grouping: str) -> str:
    parts = [
        f'label_replace({term.grouped(grouping)},"{_TERM}",{quote(str(place))},"","")'
        for place, term in enumerate(terms)
    ]
    apart = grouping if grouping.startswith("by") else f"{grouping[:-1]}, {_TERM})"
    return f"sum {apart} ({' or '.join(parts)})"


class _Reader:
    """Reads a count from its tokens, with one method for each rule of its grammar."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = [token for token in tokens if token.kind is not TokenKind.SPACE]
        self._place = 0
        self.zero = False

    def read(self) -> list[_Term]:
        terms = list(self._union())
        if self._place < len(self._tokens):
            raise ExpressionError(_UNFIT)
        return terms

    def _union(self) -> Iterator[_Term]:
        yield from self._sum()
        while self._takes("or"):
            for text in ("vector", "(", "0", ")"):
                self._expect(text)
            self.zero = True

    def _sum(self) -> Iterator[_Term]:
        yield from self._product()
        while (minus := self._takes("-")) or self._takes("+"):
            yield from (term.times(Fraction(-1 if minus else 1)) for term in self._product())

    def _product(self) -> list[_Term]:
        if self._next.kind is not TokenKind.NUMBER:
            return list(self._factor())
        try:
            weight = Fraction(self._next.text)
        except ValueError:
            raise ExpressionError(_UNFIT) from None
        self._place += 1
        self._expect("*")
        return [term.times(weight) for term in self._factor()]

    def _factor(self) -> Iterator[_Term]:
        if self._takes("sum"):
            self._skip_grouping()
            yield from self._bracketed()
            self._skip_grouping()
        elif self._next.text == "(":
            yield from self._bracketed()
        else:
            yield self._call()

    def _bracketed(self) -> Iterator[_Term]:
        self._expect("(")
        yield from self._union()
        self._expect(")")

    def _call(self) -> _Term:
        start = self._place
        if self._next.text not in _CALLS:
            raise ExpressionError(_UNFIT)
        self._place += 1
        if self._next.text != "(":
            raise ExpressionError(_UNFIT)
        end = closing_bracket(self._tokens, self._place)
        inside = [token.kind for token in self._tokens[self._place + 1 : end]]
        window = [TokenKind.SYMBOL, TokenKind.WINDOW, TokenKind.SYMBOL]
        if inside not in ([*of, *window] for of in _SELECTORS):
            raise ExpressionError(_UNFIT)
        self._place = end + 1
        return _Term(Fraction(1), write_tokens(self._tokens[start : self._place]))

    def _skip_grouping(self) -> None:
        if self._next.text.lower() in _GROUPING:
            self._place = closing_bracket(self._tokens, self._place + 1) + 1

    @property
    def _next(self) -> Token:
        return self._tokens[self._place] if self._place < len(self._tokens) else _END

    def _takes(self, text: str) -> bool:
        fits = self._next.text.lower() == text
        self._place += fits
        return fits

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise ExpressionError(_UNFIT)


_END: Final = Token(TokenKind.SPACE, "")
_SELECTORS: Final = ([TokenKind.WORD], [TokenKind.BRACES], [TokenKind.WORD, TokenKind.BRACES])
