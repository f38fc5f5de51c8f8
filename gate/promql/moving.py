"""Expressions rewritten for another instant than the one at which they are evaluated.

``offset`` moves a selector, or a whole subquery:
https://prometheus.io/docs/prometheus/latest/querying/basics/#offset-modifier
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from typing import Final

from gate.dataclass import dataclass
from gate.promql.grammar import ExpressionError, TokenKind
from gate.promql.parser import parse
from gate.promql.syntax import ExpressionTree, Node, NodeKind
from gate.slo.quantities import parse_duration

MILLISECOND: Final = timedelta(milliseconds=1)
SECOND: Final = timedelta(seconds=1)
WINDOW: Final = "$window"
_CLOCK: Final = frozenset(
    {"hour", "minute", "month", "year", "day_of_week", "day_of_month", "day_of_year"}
    | {"days_in_month"}
)
"""Functions that, without an argument, use the instant of the evaluation."""


def window_text(length: timedelta) -> str:
    """Write a duration in PromQL: in whole seconds, else in milliseconds."""
    milliseconds = length // MILLISECOND
    whole, rest = divmod(milliseconds, 1000)
    return f"{milliseconds}ms" if rest else f"{whole}s"


class Length(Enum):
    """A duration that is filled in later."""

    STEP = "step"
    """The placeholder for ``$window``."""
    LOOKBACK = "lookback"
    SECONDS = "seconds"
    """The length of the step in seconds, as a number."""
    BACK = "back"
    """The seconds by which everything is moved, to be subtracted from a time."""


@dataclass(frozen=True, slots=True)
class Offset:
    """An offset that is filled in later."""

    base: timedelta = timedelta()
    """The offset in the policy's expression."""
    steps: int = 0
    """The number of further steps."""
    moved: bool = True
    """Whether it depends on the instant; False within a subquery, which is moved as a whole."""


Piece = str | Length | Offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """The values to fill in."""

    offset: timedelta
    """The time by which everything is moved."""
    step: timedelta = timedelta()
    ranged: timedelta = timedelta()
    """The range of a step."""
    lookback: timedelta = timedelta()


def fill(pieces: Iterable[Piece], filling: Filling) -> str:
    """Write an expression with the values filled in."""
    seconds = filling.offset / SECOND
    lengths = {
        Length.STEP: window_text(filling.ranged),
        Length.LOOKBACK: window_text(filling.lookback),
        Length.SECONDS: f"{filling.step / SECOND:.15g}",
        Length.BACK: f" - {seconds:.15g}" if seconds else "",
    }

    def written(piece: Piece) -> str:
        if isinstance(piece, str):
            return piece
        if isinstance(piece, Length):
            return lengths[piece]
        moved = filling.offset if piece.moved else timedelta()
        back = piece.base + piece.steps * filling.step + moved
        return f" offset {window_text(back)}" if back else ""

    return "".join(map(written, pieces))


def moved(text: str, offset: timedelta) -> str:
    """Return an expression without ``$window`` as it was this long ago.

    Raises:
        ExpressionError: it cannot be moved.
    """
    return fill(_pieces(text), Filling(offset=offset)) if offset else text


def is_movable(text: str) -> bool:
    """Return whether an expression can be moved."""
    try:
        _pieces(text)
    except ExpressionError:
        return False
    return True


@lru_cache(maxsize=8192)
def _pieces(text: str) -> tuple[Piece, ...]:
    tree = parse(text)
    return _joined(Writer(tree).pieces(tree.root))


def _joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return the same expression in fewer pieces."""
    joined = list[Piece]()
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


class Writer:
    """Rewrites an expression part by part, with placeholders for the values to fill in."""

    def __init__(self, tree: ExpressionTree) -> None:
        """Prepare; ``tree`` is the expression."""
        self.tree = tree

    def rewritten(self, _node: Node) -> Iterable[Piece] | None:
        """Return the replacement of a part; None: the part stays as it is."""
        return None

    def pieces(self, node: Node, *, within: bool = False) -> Iterator[Piece]:
        """Yield the pieces of a part.

        Args:
            node: the part.
            within: whether it is in a subquery, which is moved as a whole.

        Raises:
            ExpressionError: it cannot be moved.
        """
        instead = self.rewritten(node)
        if instead is not None:
            yield from instead
        elif node.kind is NodeKind.RANGE:
            yield from self._range(node, within=within)
        elif node.kind is NodeKind.SELECTOR:
            yield from self._bare(node)
            yield self.offset(node, moved=not within)
        elif node.kind is NodeKind.CALL and not node.children and not within:
            yield from self._of_now(node)
        else:
            place = node.span.start
            for child in node.children:
                yield from self._between(place, child.span.start)
                yield from self.pieces(child, within=within)
                place = child.span.stop
            yield from self._between(place, node.span.stop)

    def offset(self, node: Node, *, moved: bool) -> Offset:
        """Return how far back a part looks.

        Raises:
            ExpressionError: at a fixed instant, or later instead of earlier.
        """
        if "@" in node.words:
            raise self.tree.error(node, "looks at a fixed instant")
        if node.shift == WINDOW:
            return Offset(steps=1, moved=moved)
        try:
            base = parse_duration(node.shift) if node.shift else timedelta()
        except ValueError as error:
            raise self.tree.error(node, f"cannot be moved: {error}") from None
        return Offset(base=base, moved=moved)

    def _of_now(self, node: Node) -> Iterator[Piece]:
        if node.name in _CLOCK:
            raise self.tree.error(node, "is of the instant at which it is asked")
        text = self.tree.text(node)
        yield from ("(", text, Length.BACK, ")") if node.name == "time" else (text,)

    def _range(self, node: Node, *, within: bool) -> Iterator[Piece]:
        (child,) = node.children
        if child.kind is NodeKind.SELECTOR:
            yield from self._bare(child)
        else:
            yield from self.pieces(child, within=True)
        tokens = iter(self.tree.tokens[child.span.stop :])
        while (token := next(tokens)).text != "]":
            yield Length.STEP if token.kind is TokenKind.WINDOW else token.text
        yield token.text
        yield self.offset(node, moved=not within)

    def _bare(self, node: Node) -> Iterator[str]:
        """Yield the text of a selector without its offset."""
        for token in self.tree.tokens[node.span.start : node.span.stop]:
            if token.text.lower() == "offset":
                return
            yield token.text

    def _between(self, start: int, stop: int) -> Iterator[Piece]:
        yield from (token.text for token in self.tree.tokens[start:stop])
