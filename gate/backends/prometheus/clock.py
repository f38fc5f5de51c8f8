"""What is looked at on the clock, asked once for the windows of many instants.

A subquery looks at whole multiples of its step since 1970, whenever it is asked. So where windows
of several instants overlap they look at the same: it is asked by one range query, of which each
window counts its own points.
https://prometheus.io/docs/prometheus/latest/querying/basics/#subquery
"""

from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final

from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.query import ClockSteps, Query, QueryGrid
from gate.backends.prometheus.query_result import QueryError
from gate.dataclass import dataclass
from gate.promql.moving import MILLISECOND

_MOST_STEPS: Final = 10_000
"""Of a range query: Prometheus answers 11,000 steps, VictoriaMetrics 30,000
(-search.maxPointsPerTimeseries)."""
_FEWEST: Final = 3
"""Windows that are worth a range query, whose answer is longer than theirs."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def multiples(steps: ClockSteps, end: datetime, length: timedelta) -> range:
    """Return which multiples of a step lie in a window, by their numbers since 1970.

    The window's end belongs to it, its start does not. Servers take instants by the millisecond.
    """
    last = round((end - _EPOCH) / MILLISECOND) * MILLISECOND
    return range((last - length) // steps.step + 1, last // steps.step + 1)


@dataclass(slots=True)
class _Shared:
    """The same expression at the multiples of several windows."""

    windows: list[range] = field(default_factory=list)
    """Those that were noted until it was decided what is asked."""
    decided: bool = False
    asked: range = range(0)
    """The multiples that are asked about for all of them; empty: each is asked about by itself."""
    queries: tuple[Query, ...] = ()
    """The oldest first."""
    counts: Sequence[int] = ()
    """How many multiples have a value, before each; empty: they are not read, or cannot be."""
    sums: Sequence[float] = ()
    """What the values add up to, before each."""


class Clock:
    """What the windows of several instants look at together."""

    def __init__(self, fetch: Fetch) -> None:
        """Ask nothing yet; ``fetch`` is what asks."""
        self._fetch = fetch
        self._shared = dict[ClockSteps, _Shared]()

    def note(self, steps: ClockSteps, window: range) -> None:
        """Note a window before it is decided what is asked."""
        shared = self._shared.setdefault(steps, _Shared())
        if not shared.decided:
            shared.windows.append(window)

    def queries(self) -> list[Query]:
        """Decide what to ask for the windows noted since the last call, and return it.

        What has the same instants stands together, since a query has one grid.
        """
        queries = list[Query]()
        for steps, shared in self._shared.items():
            if not shared.decided:
                shared.decided, shared.asked = True, _worth_asking(shared.windows)
                shared.queries = tuple(_range_queries(steps, shared.asked))
                queries += shared.queries
        return sorted(queries, key=lambda query: str(query.grid))

    def shares(self, steps: ClockSteps, window: range) -> bool:
        """Return whether a window is asked about together with others."""
        asked = self._shared[steps].asked if steps in self._shared else range(0)
        return asked.start <= window.start and window.stop <= asked.stop

    def reading(self, steps: ClockSteps, window: range) -> tuple[int, float] | None:
        """Return how many multiples of a window have a value, and what the values add up to.

        None: it was not asked, or the answer has no number, or the server has a reservation.
        """
        if not self.shares(steps, window):
            return None
        shared = self._shared[steps]
        if not shared.counts:
            self._read(shared)
        if not shared.counts:
            return None
        first, stop = (place - shared.asked.start for place in (window.start, window.stop))
        return (
            shared.counts[stop] - shared.counts[first],
            shared.sums[stop] - shared.sums[first],
        )

    def _read(self, shared: _Shared) -> None:
        points = list[float | None]()
        for query in shared.queries:
            reading = self._fetch.reading(query)
            if isinstance(reading, QueryError) or reading.warnings or reading.notes:
                return
            points += reading.points
        shared.counts = list(accumulate((point is not None for point in points), initial=0))
        shared.sums = list(accumulate((point or 0.0 for point in points), initial=0.0))


def _worth_asking(windows: Sequence[range]) -> range:
    """Return all multiples of the windows; none where it is less to ask about each by itself."""
    whole = range(min(w.start for w in windows), max(w.stop for w in windows))
    if len(windows) < _FEWEST or len(whole) > sum(map(len, windows)):
        return range(0)
    return whole


def _range_queries(steps: ClockSteps, asked: range) -> Iterator[Query]:
    # What is counted may be any number, or none at all as NaN is; only that it is there matters.
    text = steps.vector if steps.adds_up else f"({steps.vector}) >= bool 0"
    for first in range(asked.start, asked.stop, _MOST_STEPS):
        count = min(_MOST_STEPS, asked.stop - first)
        grid = QueryGrid(_EPOCH + first * steps.step, steps.step, count)
        yield Query(pieces=(text,), length=timedelta(), grid=grid)
