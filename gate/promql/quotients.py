"""Shares of events: one count divided by another, and expressions that only look like one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import field
from typing import Final

from gate.dataclass import dataclass
from gate.promql.counting import Count, count_in
from gate.promql.counts import CountReader
from gate.promql.facts import MANY_TO_ONE, is_zero
from gate.promql.grammar import ExpressionError
from gate.promql.parser import parse
from gate.promql.syntax import ExpressionTree, Node, NodeKind

_LOOSE: Final = frozenset({"or", "+", "-"})
"""Operators with a lower precedence than a division."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotient:
    """One expression divided by another, perhaps subtracted from 1."""

    numerator: str
    denominator: str
    complement: bool
    """Whether it is ``1 - numerator / denominator``."""
    tree: ExpressionTree = field(compare=False, repr=False)
    sides: Sequence[Node] = field(compare=False, repr=False)

    def counts(self) -> tuple[Count, Count]:
        """Return both sides as counts.

        Raises:
            ExpressionError: one of them is not a count.
        """
        above, below = (count_in(self.tree, side) for side in self.sides)
        return above, below


def read_quotient(text: str) -> Quotient | None:
    """Return the two sides if an expression is a division; None: it is not.

    A fallback for times without traffic, ``or vector(0)``, is left out.

    Raises:
        ExpressionError: it is not PromQL.
    """
    tree = parse(text)
    node, complement = _division(tree.root), False
    if _operates(node, "-") and tree.text(node.children[0]) == "1":
        node, complement = _division(node.children[1]), True
    if not _operates(node, "/") or not MANY_TO_ONE.isdisjoint(node.words):
        return None
    sides = node.children
    return Quotient(
        numerator=tree.text(sides[0]),
        denominator=tree.text(sides[1]),
        complement=complement,
        tree=tree,
        sides=sides,
    )


def quotient_of_counts(text: str) -> Quotient | None:
    """Return the two sides of a division if each of them is a count; None: they are not.

    Raises:
        ExpressionError: it is not PromQL.
    """
    quotient = read_quotient(text)
    if quotient is not None:
        with suppress(ExpressionError):
            quotient.counts()
            return quotient
    return None


def check_share(text: str) -> None:
    """Raise an error if an expression is not a share of events, though it is written as one.

    Raises:
        ExpressionError: it or a part of it is a number of events, or it is in percent.
    """
    tree = parse(text)
    node = tree.root.inner
    if _operates(node, "-") and tree.text(node.children[0]) == "1":
        node = node.children[1].inner
    if _counts(tree, node):
        message = "is a number of events and no share of them; divide it by that of all events"
        raise tree.error(node, message)
    if node.kind is NodeKind.OPERATION and node.name in _LOOSE:
        _check_sides(tree, node)
    if _operates(node, "/"):
        node = node.children[0].inner
    if _operates(node, "*") and "100" in [child.inner.name for child in node.children]:
        message = "`100` makes a percentage; a share between 0 and 1 is needed, so leave it out"
        raise ExpressionError(message, place=tree.operator(node).at)


def _check_sides(tree: ExpressionTree, node: Node) -> None:
    """Raise an error if a count and a quotient are joined: the division binds tighter."""
    left, right = node.children
    texts = tree.text(left), tree.text(right)
    if _counts(tree, left) and _divides(tree, right):
        above, below = map(tree.text, right.inner.children)
        written = f"({texts[0]} {node.name} {above}) / {below}"
    elif _divides(tree, left) and _counts(tree, right) and not is_zero(right):
        above, below = map(tree.text, left.inner.children)
        written = f"{above} / ({below} {node.name} {texts[1]})"
    else:
        return
    message = (
        f"`{node.name}` binds less than `/`, so that only one side of it is divided; write"
        f" {written}"
    )
    raise ExpressionError(message, place=tree.operator(node).at)


def _division(node: Node) -> Node:
    """Return a part without brackets and without ``or vector(0)`` after it."""
    node = node.inner
    while _operates(node, "or") and is_zero(node.children[1]):
        node = node.children[0].inner
    return node


def _operates(node: Node, operator: str) -> bool:
    return node.kind is NodeKind.OPERATION and node.name == operator


def _divides(tree: ExpressionTree, node: Node) -> bool:
    node = node.inner
    return _operates(node, "/") and _counts(tree, node.children[1])


def _counts(tree: ExpressionTree, node: Node) -> bool:
    with suppress(ExpressionError):
        if not is_zero(node):
            CountReader(tree=tree).read(node)
        return True
    return False
