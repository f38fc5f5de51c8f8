"""Counts over a short time that add up, as PromQL: each event belongs to one step, and to one only.

``increase`` of Prometheus knows nothing of the time between two windows, and guesses what happened
at their ends. So a step is counted by the samples themselves: the last one in it, less the last one
before it. What lies between two samples belongs to the step of the later one. A counter that is
less than before was restarted, and counts from 0; one that was not there before counts from its
first sample, as in ``increase``. ``increase`` of VictoriaMetrics counts so by itself:
https://docs.victoriametrics.com/metricsql/#increase
"""

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from typing import Final

from gate.backends.prometheus.query import MILLISECOND, SECOND, window_text
from gate.dataclass import dataclass
from gate.promql.grammar import ExpressionError, TokenKind, tokenize
from gate.promql.parser import parse
from gate.promql.syntax import ExpressionTree, Node, NodeKind
from gate.slo.quantities import parse_duration

LOOKBACK: Final = timedelta(hours=6)
"""How long before a step the last sample may be: so many scrapes may be missed."""
_WINDOW: Final = "$window"
_RATE: Final = "rate"
_COUNTED: Final = frozenset({"increase", _RATE})
_HISTOGRAM: Final = "histogram_"
"""With which the names of functions of native histograms begin, which have no smallest value."""


class _Length(Enum):
    """A time that is filled in."""

    STEP = "step"
    """The range of a step, without its first instant."""
    LOOKBACK = "lookback"
    SECONDS = "seconds"
    """Of the step, as a number."""


@dataclass(frozen=True, slots=True)
class _Offset:
    """An offset that is filled in."""

    base: timedelta = timedelta()
    """As it is written in the policy."""
    steps: int = 0
    """How many steps more."""
    moved: bool = True
    """Whether it depends on the instant; not within a subquery, which is moved itself."""


_Piece = str | _Length | _Offset


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    """An expression that counts what happened in a step, wherever and however long that is."""

    pieces: tuple[_Piece, ...]
    exact: bool
    """Whether the counts of steps add up to the count of their time."""
    restarts: tuple[_Piece, ...] = ()
    """Counts the counters that restarted between two samples of a step; empty: none can."""
    closed: bool = True
    """Whether the server counts a sample at a range's first instant, as Prometheus before 3."""

    def within(
        self,
        step: timedelta,
        offset: timedelta = timedelta(),
        lookback: timedelta = LOOKBACK,
    ) -> str:
        """Write it for a step that ends so long before the instant."""
        return self._filled(self.pieces, step, offset, lookback)

    def restarted(self, step: timedelta) -> str:
        """Write what counts the counters that restarted within a step."""
        return self._filled(self.restarts, step, timedelta(), LOOKBACK)

    def _filled(
        self,
        pieces: tuple[_Piece, ...],
        step: timedelta,
        offset: timedelta,
        lookback: timedelta,
    ) -> str:
        lengths = {
            # A sample at the start belongs to the step before.
            _Length.STEP: window_text(step - MILLISECOND if self.closed else step),
            _Length.LOOKBACK: window_text(lookback),
            _Length.SECONDS: f"{step / SECOND:.15g}",
        }

        def written(piece: _Piece) -> str:
            if isinstance(piece, str):
                return piece
            if isinstance(piece, _Length):
                return lengths[piece]
            back = piece.base + piece.steps * step + (offset if piece.moved else timedelta())
            return f" offset {window_text(back)}" if back else ""

        return "".join(map(written, pieces))


@lru_cache(maxsize=4096)
def step_count(text: str, *, victoria: bool = False, finely: timedelta | None = None) -> StepCount:
    """Return an expression with ``$window`` as a count of steps.

    Args:
        text: the expression.
        victoria: whether VictoriaMetrics is asked.
        finely: given: look at each step in pieces so long, so that a counter may restart in it.
    """
    try:
        return _Writer(parse(text), victoria, finely).write()
    except (ExpressionError, ValueError):  # MetricsQL has more, and the server says what is wrong
        pieces = [
            _Length.STEP if token.kind is TokenKind.WINDOW else token.text
            for token in tokenize(text)
        ]
        return StepCount(pieces=tuple(pieces), exact=False, closed=not victoria)


class _Writer:
    """Writes an expression anew, part by part."""

    def __init__(self, tree: ExpressionTree, victoria: bool, finely: timedelta | None) -> None:
        self._tree, self._victoria, self._finely = tree, victoria, finely
        self._exact = True
        self._native = any(node.name.startswith(_HISTOGRAM) for node in tree.root.walk())
        self._counters = dict[tuple[str, _Offset], None]()

    def write(self) -> StepCount:
        pieces = tuple(self._node(self._tree.root, within=False))
        return StepCount(
            pieces=pieces,
            exact=self._exact,
            restarts=tuple(self._restarts()),
            closed=not self._victoria,
        )

    def _node(self, node: Node, *, within: bool) -> Iterator[_Piece]:
        """Yield a part; ``within`` a subquery nothing is moved."""
        if node.kind is NodeKind.CALL and node.name in _COUNTED and self._is_counter(node):
            yield from self._increase(node)
        elif node.kind is NodeKind.RANGE:
            yield from self._range(node, within=within)
        elif node.kind is NodeKind.SELECTOR:
            yield from self._bare(node)
            yield self._offset(node, moved=not within)
        else:
            self._exact &= node.kind is not NodeKind.CALL or _adds_up(node)
            place = node.span.start
            for child in node.children:
                yield from self._between(place, child.span.start)
                yield from self._node(child, within=within)
                place = child.span.stop
            yield from self._between(place, node.span.stop)

    def _range(self, node: Node, *, within: bool) -> Iterator[_Piece]:
        (child,) = node.children
        if child.kind is NodeKind.SELECTOR:
            yield from self._bare(child)
        else:
            yield from self._node(child, within=True)
        for token in self._tree.tokens[child.span.stop : node.span.stop]:
            yield _Length.STEP if token.kind is TokenKind.WINDOW else token.text
            if token.text == "]":
                break
        yield self._offset(node, moved=not within)

    def _bare(self, node: Node) -> Iterator[str]:
        """Yield the text of a selector without its offset."""
        for token in self._tree.tokens[node.span.start : node.span.stop]:
            if token.text.lower() == "offset":
                return
            yield token.text

    def _between(self, start: int, stop: int) -> Iterator[_Piece]:
        yield from (token.text for token in self._tree.tokens[start:stop])

    def _offset(self, node: Node, *, moved: bool) -> _Offset:
        """Return how much earlier a part looks.

        Raises:
            ExpressionError: at a fixed instant.
            ValueError: later, and not earlier.
        """
        if "@" in node.words:
            raise ExpressionError("a fixed instant cannot be moved")
        if node.shift == _WINDOW:
            return _Offset(steps=1, moved=moved)
        base = parse_duration(node.shift) if node.shift else timedelta()
        return _Offset(base=base, moved=moved)

    def _is_counter(self, node: Node) -> bool:
        """Return whether a function is of one selector over the step."""
        ranged = node.children[0].inner if len(node.children) == 1 else node
        return ranged.kind is NodeKind.RANGE and _is_step(ranged) and not self._native

    def _increase(self, node: Node) -> Iterator[_Piece]:
        ranged = node.children[0].inner
        selector, offset = self._tree.text(ranged.children[0]), self._offset(ranged, moved=True)
        self._counters[selector, offset] = None
        if self._victoria:
            counted: list[_Piece] = [f"increase({selector}[", _Length.STEP, "]", offset, ")"]
        elif self._finely is None:
            before = _Offset(base=offset.base, steps=offset.steps + 1)
            counted = _increments(selector, [_Length.STEP], offset, before)
        else:
            counted = _in_pieces(selector, offset, self._finely)
        yield from counted if node.name != _RATE else ["(", *counted, " / ", _Length.SECONDS, ")"]

    def _restarts(self) -> Iterator[_Piece]:
        if self._victoria or not self._counters:
            return
        yield "count("
        for place, (selector, offset) in enumerate(self._counters):
            yield " or " if place else ""
            yield from (f"resets({selector}[", _Length.STEP, "]", offset, ") > 0")
        yield ")"


def _is_step(ranged: Node) -> bool:
    return ranged.name == _WINDOW and "step" not in ranged.words


def _adds_up(call: Node) -> bool:
    """Return whether what a function makes of a step is no guess."""
    ranges = [child.inner for child in call.children if child.inner.kind is NodeKind.RANGE]
    return call.name.endswith("_over_time") or not any(r.name == _WINDOW for r in ranges)


def _increments(
    selector: str, step: list[_Piece], offset: _Offset, before: _Offset
) -> list[_Piece]:
    """Return what a counter counted in a step, if it restarted at most before the first sample.

    Then its smallest value is the first one. Where the last value before the step is larger, it is
    not taken away; where there is none, the first value is.
    """
    ranged: list[_Piece] = [f"{selector}[", *step, "]", offset]
    last: list[_Piece] = ["last_over_time(", *ranged, ")"]
    first: list[_Piece] = ["min_over_time(", *ranged, ")"]
    earlier: list[_Piece] = [f"last_over_time({selector}[", _Length.LOOKBACK, "]", before, ")"]
    went_on: list[_Piece] = [*earlier, " * (", *earlier, " <= bool ", *first, ")"]
    return ["(", *last, " - (", *went_on, " or ", *first, "))"]


def _in_pieces(selector: str, offset: _Offset, finely: timedelta) -> list[_Piece]:
    """Return the same, of pieces so short that a counter restarts once in each of them at most."""
    here, before = _Offset(moved=False), _Offset(base=finely, moved=False)
    piece: list[_Piece] = [window_text(finely - MILLISECOND)]
    counted = _increments(selector, piece, here, before)
    grid = f":{window_text(finely)}]"
    return ["sum_over_time(", *counted, "[", _Length.STEP, grid, offset, ")"]
