"""Counts over short steps that add up, as PromQL: each event belongs to exactly one step.

``increase`` of Prometheus ignores the time between two windows, and extrapolates to their ends. So
a step is counted by the samples themselves: its last sample minus the last sample before it. An
increase between two samples belongs to the step of the later one. A counter that is less than
before was restarted, and counts from 0; a new counter counts from its first sample, as in
``increase``. ``increase`` of VictoriaMetrics counts in this way by itself:
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
"""The longest time from the last sample before a step to the step: some scrapes may be missing."""
_RATE: Final = "rate"
_COUNTED: Final = frozenset({"increase", _RATE})
_HISTOGRAM: Final = "histogram_"
"""The prefix of functions of native histograms, which have no smallest value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    """An expression that counts the events of a step, whatever its position and length."""

    pieces: tuple[Piece, ...]
    exact: bool
    """Whether the counts of steps add up to the count of their time."""
    restarts: tuple[Piece, ...] = ()
    """Expressions that count the counters that restarted between two samples of a step; empty: none
    can."""
    closed: bool = True
    """Whether the server includes a sample at a range's first instant, as Prometheus before 3."""

    def within(
        self,
        step: timedelta,
        offset: timedelta = timedelta(),
        lookback: timedelta = LOOKBACK,
    ) -> str:
        """Write the count of a step that ends this long before the instant."""
        return fill(self.pieces, self._filling(step, offset, lookback))

    def restarted(self, step: timedelta) -> str:
        """Write the query for the number of counters that restarted within a step."""
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
        victoria: whether the server is VictoriaMetrics.
        finely: if given, the length of the pieces of a step, in which a counter may restart.
    """
    try:
        return _StepWriter(parse(text), victoria=victoria, finely=finely).write()
    except ExpressionError:  # MetricsQL has more functions; the server reports errors
        pieces = [
            Length.STEP if token.kind is TokenKind.WINDOW else token.text
            for token in tokenize(text)
        ]
        return StepCount(pieces=tuple(pieces), exact=False, closed=not victoria)


class _StepWriter(Writer):
    """Writes the count of a step."""

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
        """Return whether a function has one selector over the step as its argument."""
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
    """Return whether the value of a function over a step is exact, not extrapolated."""
    ranges = [child.inner for child in call.children if child.inner.kind is NodeKind.RANGE]
    return call.name.endswith("_over_time") or not any(r.name == WINDOW for r in ranges)


def _increments(selector: str, step: list[Piece], offset: Offset, before: Offset) -> list[Piece]:
    """Return a counter's increase in a step, if it restarted at most before the first sample.

    Then its smallest value is the first one. The last value before the step is subtracted unless it
    is larger; without a value before the step, the first value is subtracted.
    """
    ranged: list[Piece] = [f"{selector}[", *step, "]", offset]
    last: list[Piece] = ["last_over_time(", *ranged, ")"]
    first: list[Piece] = ["min_over_time(", *ranged, ")"]
    earlier: list[Piece] = [f"last_over_time({selector}[", Length.LOOKBACK, "]", before, ")"]
    went_on: list[Piece] = [*earlier, " * (", *earlier, " <= bool ", *first, ")"]
    return ["(", *last, " - (", *went_on, " or ", *first, "))"]


def _in_pieces(selector: str, offset: Offset, finely: timedelta) -> list[Piece]:
    """Return the increase in pieces so short that a counter restarts at most once in each."""
    here, before = Offset(moved=False), Offset(base=finely, moved=False)
    piece: list[Piece] = [window_text(finely - MILLISECOND)]
    counted = _increments(selector, piece, here, before)
    grid = f":{window_text(finely)}]"
    return ["sum_over_time(", *counted, "[", Length.STEP, grid, offset, ")"]
