"""Counts over a short time that add up, as PromQL: each event belongs to one step, and to one only.

``increase`` of Prometheus knows nothing of the time between two windows, and guesses what happened
at their ends. So a step is counted by the samples themselves: the last one in it, less the last one
before it. What lies between two samples belongs to the step of the later one. A counter that is
less than before was restarted, and counts from 0; one that was not there before counts from its
first sample, as in ``increase``. ``increase`` of VictoriaMetrics counts so by itself:
https://docs.victoriametrics.com/metricsql/#increase
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Final

from gate.dataclass import dataclass
from gate.promql.grammar import ExpressionError, TokenKind, tokenize
from gate.promql.moving import (
    MILLISECOND,
    WINDOW,
    Filling,
    Length,
    Offset,
    Piece,
    Writer,
    fill,
    window_text,
)
from gate.promql.parser import parse
from gate.promql.syntax import ExpressionTree, Node, NodeKind

LOOKBACK: Final = timedelta(hours=6)
"""How long before a step the last sample may be: some scrapes may be missed."""
_RATE: Final = "rate"
_COUNTED: Final = frozenset({"increase", _RATE})
_HISTOGRAM: Final = "histogram_"
"""With which the names of functions of native histograms begin, which have no smallest value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    """An expression that counts what happened in a step, wherever and however long that is."""

    pieces: tuple[Piece, ...]
    exact: bool
    """Whether the counts of steps add up to the count of their time."""
    restarts: tuple[Piece, ...] = ()
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
        return fill(self.pieces, self._filling(step, offset, lookback))

    def restarted(self, step: timedelta) -> str:
        """Write what counts the counters that restarted within a step."""
        return fill(self.restarts, self._filling(step, timedelta(), LOOKBACK))

    def _filling(self, step: timedelta, offset: timedelta, lookback: timedelta) -> Filling:
        # A sample at the start belongs to the step before.
        ranged = step - MILLISECOND if self.closed else step
        return Filling(offset=offset, step=step, ranged=ranged, lookback=lookback)


@lru_cache(maxsize=4096)
def step_count(text: str, *, victoria: bool = False, finely: timedelta | None = None) -> StepCount:
    """Return an expression with ``$window`` as a count of steps.

    Args:
        text: the expression.
        victoria: whether VictoriaMetrics is asked.
        finely: given: look at each step in pieces so long, so that a counter may restart in it.
    """
    try:
        return _StepWriter(parse(text), victoria=victoria, finely=finely).write()
    except ExpressionError:  # MetricsQL has more, and the server says what is wrong
        pieces = [
            Length.STEP if token.kind is TokenKind.WINDOW else token.text
            for token in tokenize(text)
        ]
        return StepCount(pieces=tuple(pieces), exact=False, closed=not victoria)


class _StepWriter(Writer):
    """Writes a count of a step."""

    def __init__(self, tree: ExpressionTree, *, victoria: bool, finely: timedelta | None) -> None:
        super().__init__(tree)
        self._victoria, self._finely = victoria, finely
        self._exact = True
        self._native = any(node.name.startswith(_HISTOGRAM) for node in tree.root.walk())
        self._counters = dict[tuple[str, Offset], None]()

    def write(self) -> StepCount:
        pieces = tuple(self.pieces(self.tree.root))
        return StepCount(
            pieces=pieces,
            exact=self._exact,
            restarts=tuple(self._restarts()),
            closed=not self._victoria,
        )

    def rewritten(self, node: Node) -> Iterable[Piece] | None:
        if node.kind is NodeKind.CALL and node.name in _COUNTED and self._is_counter(node):
            return self._increase(node)
        self._exact &= node.kind is not NodeKind.CALL or _adds_up(node)
        return None

    def _is_counter(self, node: Node) -> bool:
        """Return whether a function is of one selector over the step."""
        ranged = node.children[0].inner if len(node.children) == 1 else node
        return ranged.kind is NodeKind.RANGE and _is_step(ranged) and not self._native

    def _increase(self, node: Node) -> Iterator[Piece]:
        ranged = node.children[0].inner
        selector, offset = self.tree.text(ranged.children[0]), self.offset(ranged, moved=True)
        self._counters[selector, offset] = None
        if self._victoria:
            counted: list[Piece] = [f"increase({selector}[", Length.STEP, "]", offset, ")"]
        elif self._finely is None:
            before = Offset(base=offset.base, steps=offset.steps + 1)
            counted = _increments(selector, [Length.STEP], offset, before)
        else:
            counted = _in_pieces(selector, offset, self._finely)
        yield from counted if node.name != _RATE else ["(", *counted, " / ", Length.SECONDS, ")"]

    def _restarts(self) -> Iterator[Piece]:
        if self._victoria or not self._counters:
            return
        yield "count("
        for place, (selector, offset) in enumerate(self._counters):
            yield " or " if place else ""
            yield from (f"resets({selector}[", Length.STEP, "]", offset, ") > 0")
        yield ")"


def _is_step(ranged: Node) -> bool:
    return ranged.name == WINDOW and "step" not in ranged.words


def _adds_up(call: Node) -> bool:
    """Return whether what a function makes of a step is not a guess."""
    ranges = [child.inner for child in call.children if child.inner.kind is NodeKind.RANGE]
    return call.name.endswith("_over_time") or not any(r.name == WINDOW for r in ranges)


def _increments(selector: str, step: list[Piece], offset: Offset, before: Offset) -> list[Piece]:
    """Return what a counter counted in a step, if it restarted at most before the first sample.

    Then its smallest value is the first one. Where the last value before the step is larger, it is
    not taken away; where there is none, the first value is.
    """
    ranged: list[Piece] = [f"{selector}[", *step, "]", offset]
    last: list[Piece] = ["last_over_time(", *ranged, ")"]
    first: list[Piece] = ["min_over_time(", *ranged, ")"]
    earlier: list[Piece] = [f"last_over_time({selector}[", Length.LOOKBACK, "]", before, ")"]
    went_on: list[Piece] = [*earlier, " * (", *earlier, " <= bool ", *first, ")"]
    return ["(", *last, " - (", *went_on, " or ", *first, "))"]


def _in_pieces(selector: str, offset: Offset, finely: timedelta) -> list[Piece]:
    """Return the same, of pieces so short that a counter restarts once in each of them at most."""
    here, before = Offset(moved=False), Offset(base=finely, moved=False)
    piece: list[Piece] = [window_text(finely - MILLISECOND)]
    counted = _increments(selector, piece, here, before)
    grid = f":{window_text(finely)}]"
    return ["sum_over_time(", *counted, "[", Length.STEP, grid, offset, ")"]
