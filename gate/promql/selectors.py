"""Selectors and their label matchers: parsed, written, and substituted for ``$labels``."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import lru_cache
from typing import Final, Self

from gate.dataclass import dataclass
from gate.promql.grammar import (
    ExpressionError,
    Token,
    TokenKind,
    closing_bracket,
    tokenize,
    write_tokens,
)

_NAME: Final = "__name__"
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_POSITIVE: Final = frozenset({"=", "=~"})
_REGEX: Final = frozenset({"=~", "!~"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMatcher:
    """The condition on one label."""

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
        """Return whether a label's value matches; None: Python cannot read the pattern.

        A pattern must fit the whole value:
        https://prometheus.io/docs/prometheus/latest/querying/basics/#instant-vector-selectors
        """
        if self.operator not in _REGEX:
            return (value == self.value) == (self.operator == "=")
        try:
            matches = re.fullmatch(self.value, value) is not None
        except re.error:
            return None
        return matches == (self.operator in _POSITIVE)


def matchers(labels: Mapping[str, str]) -> str:
    """Write ``key="value",...``; empty without labels."""
    return ",".join(
        f"{name if PLAIN_NAME.fullmatch(name) else quote(name)}={quote(value)}"
        for name, value in labels.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A selector without a range."""

    name: str
    """The metric; empty for matchers alone."""
    matchers: tuple[LabelMatcher, ...]

    _text: str | None = field(default=None, init=False, compare=False, repr=False)

    @staticmethod
    def read(text: str) -> "Selector":
        """Parse one of the `Expression.selectors`."""
        return _taken_apart(text)

    @property
    def text(self) -> str:
        """The selector as PromQL."""
        if self._text is None:
            inside = ",".join(matcher.text for matcher in self.matchers)
            text = f"{self.name}{{{inside}}}" if inside or not self.name else self.name
            object.__setattr__(self, "_text", text)  # it is in each query about the series
            return text
        return self._text

    def only(self, matchers: Iterable[LabelMatcher]) -> Self:
        """Return the same metric with these matchers instead."""
        return replace(self, matchers=tuple(matchers))

    def without(self, matcher: LabelMatcher) -> Self:
        """Return the selector without one of its matchers."""
        return self.only(other for other in self.matchers if other != matcher)


@lru_cache(maxsize=4096)
def _taken_apart(text: str) -> Selector:
    # Counts and their evidence read the same selector, before the answers and after them.
    matchers = tuple(_matchers(tokenize(text)))
    names = [m.value for m in matchers if m.label == _NAME and m.operator == "="]
    bare = METRIC_NAME.match(text)
    if bare is None and not names:
        return Selector(name="", matchers=matchers)
    rest = tuple(matcher for matcher in matchers if matcher.label != _NAME)
    return Selector(name=bare[0] if bare else names[0], matchers=rest)


def _matchers(tokens: list[Token]) -> Iterable[LabelMatcher]:
    """Yield each ``label operator "value"``."""
    solid = [token for token in tokens if token.kind is not TokenKind.SPACE]
    for place, token in enumerate(solid):
        if token.kind not in {TokenKind.WORD, TokenKind.STRING}:
            continue
        signs = ""
        following = place + 1
        while following < len(solid) and solid[following].text in {"=", "!", "~"}:
            signs += solid[following].text
            following += 1
        if signs and following < len(solid) and solid[following].kind is TokenKind.STRING:
            label = token.text if token.kind is TokenKind.WORD else _unquoted(token.text)
            value = _unquoted(solid[following].text)
            yield LabelMatcher(label=label, operator=signs, value=value)


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), text[1:-1])


_WHOLE_BOUNDARY = re.compile(r"""(?<![\w"'])le\s*=\s*["']([0-9]+)(?:\.0+)?["']""")
METRIC_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_DOTTED = re.compile(r"\s*([A-Za-z_][\w:]*(?:\.[\w:]+)+)\s*(\{.*)?", re.DOTALL)
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quote(text: str) -> str:
    """Write a string literal: https://prometheus.io/docs/prometheus/latest/querying/basics/."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def fold_braces(tokens: list[Token], labels: Mapping[str, str]) -> tuple[list[Token], bool]:
    """Make one token of every ``{...}``, with the labels in place of ``$labels``.

    Returns:
        The tokens, and whether there was any ``$labels``.

    Raises:
        ExpressionError: ``$labels`` is outside braces.
    """
    done, has_labels, index = list[Token](), False, 0
    while index < len(tokens):
        token = tokens[index]
        if token.kind is TokenKind.LABELS:
            message = "$labels belongs inside braces, as in requests_total{$labels}"
            raise ExpressionError(message, place=token.at)
        if token.kind is TokenKind.SYMBOL and token.text == "{":
            end = closing_bracket(tokens, index)
            inside = tokens[index + 1 : end]
            has_labels = has_labels or any(token.kind is TokenKind.LABELS for token in inside)
            done.append(Token(TokenKind.BRACES, _braces(inside, matchers(labels)), token.at))
            index = end
        else:
            done.append(token)
        index += 1
    return done, has_labels


def _braces(inside: list[Token], written: str) -> str:
    filled = (
        Token(TokenKind.LABELS, written) if token.kind is TokenKind.LABELS else token
        for token in inside
    )
    return "{" + ",".join(_items(filled)) + "}"


def _items(inside: Iterable[Token]) -> Iterator[str]:
    """Yield the items that commas separate; a comma with nothing before it is a syntax error."""
    item = list[Token]()
    for token in [*inside, Token(TokenKind.SYMBOL, ",")]:
        if token.kind is not TokenKind.SYMBOL or token.text != ",":
            item.append(token)
        elif text := write_tokens(item).strip():
            yield text
            item = []
        else:
            item = []


def dotted_name(text: str) -> tuple[str, str] | None:
    """Split ``http.server.duration{a="b"}``, whose name PromQL wants in quotes.

    Returns:
        The name, and the braces (empty without braces); None: it is something else.
    """
    match = _DOTTED.fullmatch(text)
    return match and (match[1], match[2] or "")


def take_name(braces: str) -> tuple[str, str] | None:
    """Remove the name from ``{"http.server.duration",a="b"}`` or ``{__name__="x",a="b"}``.

    Returns:
        The name and the braces without it, empty where nothing else is in them; None: no name.
    """
    name, others = "", list[str]()
    for item in _items(tokenize(braces[1:-1])):
        given = re.fullmatch(rf"(?:{_NAME}\s*=\s*)?([\"'`].*)", item, re.DOTALL)
        if given and not name and _is_string(given[1]):
            name = _unquoted(given[1])
        else:
            others.append(item)
    return (name, "{" + ",".join(others) + "}" if others else "") if name else None


def _is_string(text: str) -> bool:
    return [token.kind for token in tokenize(text)] == [TokenKind.STRING]


def add_matchers(braces: str, written: str) -> str:
    """Add matchers to those in ``{...}``, which may be empty."""
    return "{" + ",".join(part for part in (braces.strip("{}"), written) if part) + "}"


def either_boundary(selector: str) -> str:
    """Return a selector that matches a histogram boundary in either spelling: 5 or 5.0.

    Prometheus 3 writes ``le="5.0"`` where Prometheus 2 wrote ``le="5"``:
    https://prometheus.io/docs/prometheus/latest/migration/#le-and-quantile-label-values
    """
    return _WHOLE_BOUNDARY.sub(r'le=~"\1([.]0)?"', selector)
