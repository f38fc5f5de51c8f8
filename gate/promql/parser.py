"""A parser of PromQL that returns a tree.

https://prometheus.io/docs/prometheus/latest/querying/operators/#binary-operator-precedence
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from gate.promql.grammar import (
    AGGREGATIONS,
    METRICSQL,
    ExpressionError,
    Token,
    TokenKind,
    closing_bracket,
    tokenize,
)
from gate.promql.selectors import fold_braces
from gate.promql.syntax import ExpressionTree, Node, NodeKind

_LEVELS: Final = (
    frozenset({"or"}),
    frozenset({"and", "unless"}),
    frozenset({"==", "!=", ">", "<", ">=", "<="}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%", "atan2"}),
)
"""The binary operators, from the lowest to the highest precedence; ``^`` and signs bind tighter."""
_GROUPING: Final = frozenset({"by", "without"})
_MATCHING: Final = frozenset({"on", "ignoring", "group_left", "group_right", "bool"})
_DEEPEST: Final = 100
_SIGNS: Final = frozenset({"+", "-"})


def parse(text: str) -> ExpressionTree:
    """Return an expression as a tree.

    Raises:
        ExpressionError: it is not PromQL.
    """
    tokens = fold_braces(tokenize(text), {})[0]
    try:
        root = _Parser(tokens).parse()
    except RecursionError:
        root = None
    if root is None or root.depth > _DEEPEST:
        message = f"the expression has more than {_DEEPEST} parts within each other; split it"
        raise ExpressionError(message) from None
    return ExpressionTree(tokens=tokens, root=root)


_END: Final = Token(TokenKind.SPACE, "")


class _Parser:
    """Reads tokens from left to right, with one method for each rule of the grammar."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = self._last = 0
        self._skip_space()

    def parse(self) -> Node:
        node = self._operation(0)
        if self._place < len(self._tokens):
            raise self._unexpected()
        return node

    def _operation(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._signed()
        left = self._operation(level + 1)
        while operator := self._operator(_LEVELS[level]):
            words = frozenset(self._matching())
            right = self._operation(level + 1)
            left = Node(
                kind=NodeKind.OPERATION,
                span=range(left.span.start, right.span.stop),
                name=operator,
                children=(left, right),
                words=words,
            )
        return left

    def _operator(self, names: frozenset[str]) -> str:
        """Take one of the operators; return an empty text if the next token is another one."""
        first = self._next.text.lower()
        both = "".join(token.text for token in self._tokens[self._place : self._place + 2])
        for name in (both, first):
            if name in names and self._next.kind in {TokenKind.SYMBOL, TokenKind.WORD}:
                for _ in range(1 if name == first else 2):
                    self._take()
                return name
        return ""

    def _matching(self) -> Iterator[str]:
        """Yield the matching modifiers of an operator, and take the labels that they name."""
        while (word := self._next.text.lower()) in _MATCHING:
            self._take()
            yield word
            if word != "bool" and self._next.text == "(":
                self._skip_brackets()

    def _signed(self) -> Node:
        start = self._place
        if self._next.text in _SIGNS:
            sign = self._take().text
            child = self._signed()
            return self._node(NodeKind.SIGN, start, name=sign, children=(child,))
        base = self._ranged()
        if self._next.text != "^":
            return base
        self._take()
        words = frozenset(self._matching())
        power = self._signed()
        return self._node(NodeKind.OPERATION, start, name="^", children=(base, power), words=words)

    def _ranged(self) -> Node:
        start, node = self._place, self._single()
        while True:
            word = self._next.text.lower()
            if word == "[":
                node = self._range(start, node)
            elif word in {"offset", "@"}:
                node = self._shifted(start, node)
            else:
                return node

    def _range(self, start: int, node: Node) -> Node:
        end = closing_bracket(self._tokens, self._place)
        inside = [token for token in self._tokens[self._place + 1 : end] if token.text.strip()]
        step = frozenset({"step"} if inside and inside[-1].kind is TokenKind.STEP else ())
        length = "".join(token.text for token in inside if token.kind is not TokenKind.STEP)
        if not length or (node.inner.kind is not NodeKind.SELECTOR and not step):
            raise self._unexpected()
        self._skip_brackets()
        return self._node(NodeKind.RANGE, start, name=length, children=(node,), words=step)

    def _shifted(self, start: int, node: Node) -> Node:
        word = self._take().text.lower()
        sign = self._take().text if self._next.text in _SIGNS else ""
        if self._next.kind not in {TokenKind.NUMBER, TokenKind.WORD, TokenKind.WINDOW}:
            raise self._unexpected()
        shift = f"{sign}{self._take().text}" if word == "offset" else node.shift
        if word == "@":
            self._take()
        if self._next.text == "(":  # @ end()
            self._skip_brackets()
        return replace(node, span=range(start, self._last), words=node.words | {word}, shift=shift)

    def _single(self) -> Node:
        start, token = self._place, self._next
        if token.kind is TokenKind.NUMBER or token.text.lower() in {"inf", "nan"}:
            return self._node(NodeKind.NUMBER, start, name=self._take().text)
        if token.kind is TokenKind.STRING:
            return self._node(NodeKind.STRING, start, name=self._take().text)
        if token.text == "(":
            self._take()
            node = self._operation(0)
            self._expect(")")
            return self._node(NodeKind.BRACKETS, start, children=(node,))
        if token.kind is TokenKind.BRACES:
            self._take()
            return self._node(NodeKind.SELECTOR, start)
        if token.kind is not TokenKind.WORD:
            raise self._unexpected()
        self._take()
        if self._next.text == "(" or self._next.text.lower() in _GROUPING:
            return self._call(start, token.text)
        if self._next.kind is TokenKind.BRACES:
            self._take()
        return self._node(NodeKind.SELECTOR, start, name=token.text)

    def _call(self, start: int, name: str) -> Node:
        aggregation = name.lower() in AGGREGATIONS
        word, labels = self._grouping() if aggregation else ("", frozenset[str]())
        self._expect("(")
        children = list[Node]()
        while self._next.text != ")":
            children.append(self._operation(0))
            if self._next.text != ")":
                self._expect(",")
        self._expect(")")
        if not aggregation:
            return self._node(NodeKind.CALL, start, name=name, children=tuple(children))
        if not word:
            word, labels = self._grouping()
        node = self._node(NodeKind.AGGREGATION, start, name=name.lower(), children=tuple(children))
        return replace(node, words=frozenset({word} if word else ()), labels=labels)

    def _grouping(self) -> tuple[str, frozenset[str]]:
        """Take ``by (...)`` or ``without (...)``; return the word, and the labels in brackets."""
        word = self._next.text.lower()
        if word not in _GROUPING:
            return "", frozenset()
        self._take()
        if self._next.text != "(":
            raise self._unexpected()
        start = self._place
        self._skip_brackets()
        inside = self._tokens[start : self._last]
        names = {TokenKind.WORD, TokenKind.STRING}
        return word, frozenset(token.text.strip("\"'`") for token in inside if token.kind in names)

    @property
    def _next(self) -> Token:
        return self._tokens[self._place] if self._place < len(self._tokens) else _END

    def _take(self) -> Token:
        token = self._next
        self._place = self._last = self._place + 1
        self._skip_space()
        return token

    def _skip_space(self) -> None:
        while self._place < len(self._tokens) and self._next.kind is TokenKind.SPACE:
            self._place += 1

    def _skip_brackets(self) -> None:
        self._place = closing_bracket(self._tokens, self._place)
        self._take()

    def _expect(self, text: str) -> None:
        if self._next.text != text:
            raise self._unexpected()
        self._take()

    def _unexpected(self) -> ExpressionError:
        if self._place >= len(self._tokens):
            return ExpressionError("this is not PromQL: the expression ends too early")
        token = self._next
        instead = METRICSQL.get(token.text.lower(), "")
        return ExpressionError(
            f"this is not PromQL: `{token.text}` is not expected there{instead}", place=token.at
        )

    def _node(
        self,
        kind: NodeKind,
        start: int,
        *,
        name: str = "",
        children: tuple[Node, ...] = (),
        words: frozenset[str] = frozenset(),
    ) -> Node:
        span = range(start, self._last)
        return Node(kind=kind, span=span, name=name, children=children, words=words)
