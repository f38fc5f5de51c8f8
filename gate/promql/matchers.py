"""Label matchers: writing them, and putting them in the place of ``$labels``."""

import re
from collections.abc import Mapping

from gate.promql.tokens import ExpressionError, Kind, Token, closing, join

_WHOLE_BOUNDARY = re.compile(r"""(?<![\w"'])le\s*=\s*["']([0-9]+)(?:\.0+)?["']""")
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quote(text: str) -> str:
    """Write a string literal: https://prometheus.io/docs/prometheus/latest/querying/basics/."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def matchers(labels: Mapping[str, str]) -> str:
    """Write ``key="value",...``; nothing for no labels."""
    return ",".join(
        f"{name if PLAIN_NAME.fullmatch(name) else quote(name)}={quote(value)}"
        for name, value in labels.items()
    )


def fold_braces(tokens: list[Token], labels: Mapping[str, str]) -> tuple[list[Token], bool]:
    """Make one token of every ``{...}``, with the labels in the place of ``$labels``.

    Returns:
        The tokens, and whether there was any ``$labels``.

    Raises:
        ExpressionError: ``$labels`` stands outside braces.
    """
    done, found, index = list[Token](), False, 0
    while index < len(tokens):
        token = tokens[index]
        if token.kind is Kind.LABELS:
            raise ExpressionError("$labels belongs inside braces, as in requests_total{$labels}")
        if token.kind is Kind.SYMBOL and token.text == "{":
            end = closing(tokens, index)
            inside = tokens[index + 1 : end]
            found = found or any(token.kind is Kind.LABELS for token in inside)
            done.append(Token(Kind.BRACES, _braces(inside, matchers(labels))))
            index = end
        else:
            done.append(token)
        index += 1
    return done, found


def _braces(inside: list[Token], written: str) -> str:
    items, item = list[str](), list[Token]()
    for token in [*inside, Token(Kind.SYMBOL, ",")]:
        if token.kind is Kind.SYMBOL and token.text == ",":
            items.append(join(item).strip())
            item = []
        else:
            item.append(Token(Kind.LABELS, written) if token.kind is Kind.LABELS else token)
    # A comma with nothing before it is a syntax error.
    return "{" + ",".join(item for item in items if item) + "}"


def add_matchers(braces: str, written: str) -> str:
    """Add matchers to those in ``{...}`` (or in nothing)."""
    return "{" + ",".join(part for part in (braces.strip("{}"), written) if part) + "}"


def either_boundary(selector: str) -> str:
    """Return a selector that finds a whole histogram boundary however it is written: 5 or 5.0.

    Prometheus 3 writes ``le="5.0"`` where Prometheus 2 wrote ``le="5"``:
    https://prometheus.io/docs/prometheus/latest/migration/#le-and-quantile-label-values
    """
    return _WHOLE_BOUNDARY.sub(r'le=~"\1([.]0)?"', selector)
