"""An expression of PromQL as a tree whose parts know their position in the text."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.promql.grammar import ExpressionError, Token, TokenKind, write_tokens

_LONGEST_SHOWN: Final = 70


class NodeKind(StrEnum):
    """The kind of a part of an expression."""

    NUMBER = "number"
    STRING = "string"
    SELECTOR = "selector"
    RANGE = "range"
    """A range of time over a selector or, in a subquery, over any expression."""
    CALL = "call"
    AGGREGATION = "aggregation"
    OPERATION = "operation"
    SIGN = "sign"
    BRACKETS = "brackets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part of an expression."""

    kind: NodeKind
    span: range
    """The span of the expression's tokens."""
    name: str = ""
    """The function, the aggregation, the operator or the number; for a range its length."""
    children: tuple["Node", ...] = ()
    words: frozenset[str] = frozenset()
    """Its modifiers: ``by``, ``without``, ``bool``, ``on``, ``group_left``, ``offset``, ``@``,
    ``step`` (of a subquery)."""
    labels: frozenset[str] = frozenset()
    """The labels that an aggregation names."""
    shift: str = ""
    """The duration after ``offset``."""

    @property
    def inner(self) -> "Node":
        """The part without brackets around it."""
        node = self
        while node.kind is NodeKind.BRACKETS:
            (node,) = node.children
        return node

    @property
    def depth(self) -> int:
        """The depth of nesting, this part included."""
        deepest, level = 0, [self]
        while level:
            deepest, level = deepest + 1, [child for node in level for child in node.children]
        return deepest

    def walk(self) -> Iterator["Node"]:
        """Yield the part and all parts of it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionTree:
    """An expression, as text and as a tree."""

    tokens: Sequence[Token]
    root: Node

    def text(self, node: Node) -> str:
        """Return the text of a part."""
        return write_tokens(list(self.tokens[node.span.start : node.span.stop])).strip()

    def shown(self, node: Node) -> str:
        """Return the text of a part for a message: on one line, and shortened."""
        text = " ".join(self.text(node).split())
        return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."

    def operator(self, node: Node) -> Token:
        """Return the operator of an operation."""
        left, right = node.children
        return next(
            token
            for token in self.tokens[left.span.stop : right.span.start]
            if token.kind is not TokenKind.SPACE
        )

    def error(self, node: Node, message: str) -> ExpressionError:
        """Return an error about a part, which begins the message."""
        place = self.tokens[node.span.start].at
        return ExpressionError(f"`{self.shown(node)}` {message}", place=place)
