"""What is looked at on the clock, asked once for the windows of many instants.

A subquery looks at whole multiples of its step since 1970, whenever it is asked. So where windows
of several instants overlap they look at the same: it is asked by one range query, of which each
window counts its own points.
https://prometheus.io/docs/prometheus/latest/querying/basics/#subquery
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import field, replace
from itertools import accumulate
from typing import Final

from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.query import ClockSteps, Query
from gate.backends.prometheus.query_result import QueryError, QueryResult
from gate.dataclass import dataclass

_FEWEST: Final = 3
"""Windows that are worth a range query, whose answer is longer than theirs."""


@dataclass(slots=True)
class _Shared:
    """The same expression at the multiples of several windows."""

    windows: list[range] = field(default_factory=list)
    """Those that were noted until it was decided what is sent."""
    decided: bool = False
    places: range = range(0)
    """The multiples that are looked at for all of them; empty: each is asked about by itself."""
    query: Query | None = None
    """What asks about them; None: nothing does."""
    points: tuple[float | None, ...] = ()
    """Empty: they are not read yet, or the answer has none, or the server has a reservation."""
    counts: Sequence[int] = ()
    """How many points there are before each place."""
    sums: Sequence[float] = ()
    """What they add up to, likewise."""

    def holds(self, window: range) -> bool:
        """Return whether a window is asked about with all others."""
        return self.places.start <= window.start and window.stop <= self.places.stop

    def within(self, window: range) -> slice:
        """Return where the points of a window are."""
        return slice(window.start - self.places.start, window.stop - self.places.start)


class SharedSteps:
    """What the windows of several instants look at together."""

    def __init__(self, fetch: Fetch) -> None:
        """Ask nothing yet; ``fetch`` is what asks."""
        self._fetch = fetch
        self._shared = defaultdict[ClockSteps, _Shared](_Shared)

    def note(self, steps: ClockSteps, window: range) -> None:
        """Note a window before it is decided what is sent."""
        shared = self._shared[steps]
        if not shared.decided:
            shared.windows.append(window)

    def queries(self) -> list[Query]:
        """Decide what to ask for the windows noted since the last call, and return it."""
        queries = list[Query]()
        for steps, shared in self._shared.items():
            if not shared.decided:
                shared.decided, shared.places = True, _worth_asking(shared.windows)
                if shared.places:
                    shared.query = _points(steps, shared.places)
                    queries.append(shared.query)
        return queries

    def shares(self, steps: ClockSteps, window: range) -> bool:
        """Return whether a window is asked about together with others."""
        return self._shared[steps].holds(window)

    def reading(self, steps: ClockSteps, window: range) -> tuple[int, float] | None:
        """Return how many multiples of a window have a value, and what the values add up to.

        None: it was not asked, or the answer has no number, or the server has a reservation.
        """
        shared = self._read(steps, window)
        if shared is None:
            return None
        place = shared.within(window)
        return (
            shared.counts[place.stop] - shared.counts[place.start],
            shared.sums[place.stop] - shared.sums[place.start],
        )

    def points(self, steps: ClockSteps, window: range) -> tuple[float | None, ...] | None:
        """Return the values at the multiples of a window; None as in `reading`."""
        shared = self._read(steps, window)
        return None if shared is None else shared.points[shared.within(window)]

    def _read(self, steps: ClockSteps, window: range) -> _Shared | None:
        shared = self._shared[steps]
        if shared.query is None or not shared.holds(window):
            return None
        if not shared.points:
            points = _clear_points(self._fetch.reading(shared.query))
            if not points:
                return None
            shared.points = points
            shared.counts = list(accumulate((point is not None for point in points), initial=0))
            shared.sums = list(accumulate((point or 0.0 for point in points), initial=0.0))
        return shared


def _clear_points(reading: QueryResult) -> tuple[float | None, ...]:
    if isinstance(reading, QueryError) or reading.warnings or reading.notes:
        return ()
    return reading.points


def _worth_asking(windows: Sequence[range]) -> range:
    """Return all multiples of the windows; none where it is less to ask about each by itself."""
    whole = range(min(w.start for w in windows), max(w.stop for w in windows))
    if len(windows) < _FEWEST or len(whole) > sum(map(len, windows)):
        return range(0)
    return whole


def _points(steps: ClockSteps, places: range) -> Query:
    if steps.adds_up:
        return steps.points(places)
    # Of what is counted, be it NaN, only that it is there is of interest.
    return replace(steps, vector=f"({steps.vector}) >= bool 0").points(places)
