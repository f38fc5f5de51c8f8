"""Expressions that count events, and corrections that turn similar expressions into counts."""

from dataclasses import field

from gate.dataclass import dataclass
from gate.promql.counts import CountReader
from gate.promql.facts import LEVELS, RATES
from gate.promql.grammar import TokenKind, tokenize
from gate.promql.parser import parse
from gate.promql.selectors import fold_braces
from gate.promql.syntax import ExpressionTree, Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """An expression with ``$window`` that counts events."""

    text: str
    rate: bool
    """Whether it was a rate: ``increase`` replaces each ``rate``, which multiplies it by the
    seconds of the window. https://prometheus.io/docs/prometheus/latest/querying/functions/#rate"""
    level: bool = False
    """Whether it is a mean of gauges over the window, and not a number of events."""
    root: Node = field(compare=False, repr=False)
    reader: CountReader = field(compare=False, repr=False)
    """The reader of the expression, kept so that it is not parsed again."""


def read_count(text: str, *, levels: bool = False) -> Count:
    """Return an expression as a count, if it consists of sums of ``increase`` or of ``rate``.

    Parts that change no number are removed: label replacements, and comparisons with 0.

    Args:
        text: the expression, with ``$window``.
        levels: whether to read a sum of means of gauges, too.

    Raises:
        ExpressionError: it is another expression, and what it counts is unknown.
    """
    tree = parse(text)
    return count_in(tree, tree.root, levels=levels)


def count_in(tree: ExpressionTree, node: Node, *, levels: bool = False) -> Count:
    """Return a part of an expression as a count.

    Raises:
        ExpressionError: the part is not a count.
    """
    reader = CountReader(tree=tree, levels=levels)
    reader.read(node)
    name = reader.calls[0].name
    return Count(
        text=reader.text(node),
        rate=name in RATES,
        level=name in LEVELS,
        root=node,
        reader=reader,
    )


def count_of_counters(text: str) -> Count:
    """Return the increase of an expression that is a counter, or a sum of counters.

    Raises:
        ExpressionError: it is another expression, which has no increase.
    """
    tree = parse(text)
    reader = CountReader(tree=tree, of_counters=True)
    reader.read(tree.root)
    counted = tree.text(tree.root) if is_selector(text) else reader.text(tree.root)
    return Count(text=counted, rate=False, root=tree.root, reader=reader)


def is_selector(text: str) -> bool:
    """Return whether an expression is one metric, with or without matchers.

    Raises:
        ExpressionError: it cannot be cut into tokens.
    """
    tokens = fold_braces(tokenize(text), {})[0]
    kinds = [token.kind for token in tokens if token.kind is not TokenKind.SPACE]
    return kinds in ([TokenKind.WORD], [TokenKind.BRACES], [TokenKind.WORD, TokenKind.BRACES])
