"""A selector taken apart: its metric, and what each of its labels must be."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

from gate.promql.matchers import PLAIN_NAME, quote
from gate.promql.tokens import Kind, Token, tokenize

_NAME: Final = "__name__"
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_POSITIVE: Final = frozenset({"=", "=~"})
_REGEX: Final = frozenset({"=~", "!~"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """What one label must be."""

    label: str
    operator: str
    """``=``, ``!=``, ``=~`` or ``!~``."""
    value: str

    @property
    def text(self) -> str:
        """The matcher as PromQL."""
        label = self.label if PLAIN_NAME.fullmatch(self.label) else quote(self.label)
        return f"{label}{self.operator}{quote(self.value)}"

    def matches(self, value: str) -> bool | None:
        """Return whether a label's value fits; None: the pattern is none that Python can read.

        A pattern must fit the whole value:
        https://prometheus.io/docs/prometheus/latest/querying/basics/#instant-vector-selectors
        """
        if self.operator not in _REGEX:
            return (value == self.value) == (self.operator == "=")
        try:
            found = re.fullmatch(self.value, value) is not None
        except re.error:
            return None
        return found == (self.operator in _POSITIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A selector without a range."""

    name: str
    """The metric; empty where only matchers are given."""
    matchers: tuple[Matcher, ...]

    @classmethod
    def read(cls, text: str) -> Self:
        """Take apart one of the `Expression.selectors`."""
        found = list(_matchers(tokenize(text)))
        names = [m.value for m in found if m.label == _NAME and m.operator == "="]
        bare = re.match(r"[A-Za-z_:][A-Za-z0-9_:]*", text)
        if bare is None and not names:
            return cls(name="", matchers=tuple(found))
        rest = tuple(matcher for matcher in found if matcher.label != _NAME)
        return cls(name=bare[0] if bare else names[0], matchers=rest)

    @property
    def text(self) -> str:
        """The selector as PromQL."""
        inside = ",".join(matcher.text for matcher in self.matchers)
        return f"{self.name}{{{inside}}}" if inside or not self.name else self.name

    def only(self, matchers: Iterable[Matcher]) -> Self:
        """Return the same metric with these matchers instead."""
        return replace(self, matchers=tuple(matchers))

    def without(self, matcher: Matcher) -> Self:
        """Return the selector without one of its matchers."""
        return self.only(other for other in self.matchers if other != matcher)


def _matchers(tokens: list[Token]) -> Iterable[Matcher]:
    """Yield each ``label operator "value"``."""
    solid = [token for token in tokens if token.kind is not Kind.SPACE]
    for place, token in enumerate(solid):
        if token.kind not in {Kind.WORD, Kind.STRING}:
            continue
        signs = ""
        following = place + 1
        while following < len(solid) and solid[following].text in {"=", "!", "~"}:
            signs += solid[following].text
            following += 1
        if signs and following < len(solid) and solid[following].kind is Kind.STRING:
            label = token.text if token.kind is Kind.WORD else _unquoted(token.text)
            value = _unquoted(solid[following].text)
            yield Matcher(label=label, operator=signs, value=value)


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
