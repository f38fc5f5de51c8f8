"""Steps of the clock that one range query reads for the windows of many instants.

A subquery evaluates at whole multiples of its step since 1970, whatever its own instant. So
overlapping windows of several instants look at the same steps: one range query reads them, and each
window counts its own points.
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
"""The fewest windows for which a range query, whose answer is longer than theirs, pays off."""


@dataclass(slots=True)
class _Shared:
    """The same expression at the multiples of several windows."""

    windows: list[range] = field(default_factory=list)
    """The windows that were noted before the queries were decided."""
    decided: bool = False
    places: range = range(0)
    """The multiples that the shared query covers; empty: each window is asked for by itself."""
    query: Query | None = None
    """The shared query; None: the windows share no query."""
    points: tuple[float | None, ...] = ()
    """The values; empty: not read yet, no values in the answer, or the server has a reservation."""
    counts: Sequence[int] = ()
    """The number of points before each position."""
    sums: Sequence[float] = ()
    """The sum of the points before each position."""

    def holds(self, window: range) -> bool:
        """Return whether the shared query covers a window."""
        return self.places.start <= window.start and window.stop <= self.places.stop

    def within(self, window: range) -> slice:
        """Return the positions of a window's points."""
        return slice(window.start - self.places.start, window.stop - self.places.start)


class SharedSteps:
    """The steps that the windows of several instants share."""

    def __init__(self, fetch: Fetch) -> None:
        """Prepare; nothing is asked yet. ``fetch`` sends the queries."""
        self._fetch = fetch
        self._shared = defaultdict[ClockSteps, _Shared](_Shared)

    def note(self, steps: ClockSteps, window: range) -> None:
        """Remember a window before the queries are decided."""
        shared = self._shared[steps]
        if not shared.decided:
            shared.windows.append(window)

    def queries(self) -> list[Query]:
        """Decide and return the queries for the windows noted since the last call."""
        queries = list[Query]()
        for steps, shared in self._shared.items():
            if not shared.decided:
                shared.decided, shared.places = True, _worth_asking(shared.windows)
                if shared.places:
                    shared.query = _points(steps, shared.places)
                    queries.append(shared.query)
        return queries

    def shares(self, steps: ClockSteps, window: range) -> bool:
        """Return whether a shared query covers a window."""
        return self._shared[steps].holds(window)

    def reading(self, steps: ClockSteps, window: range) -> tuple[int, float] | None:
        """Return how many multiples of a window have a value, and the sum of the values.

        None: the window was not shared, the answer has no number, or the server has a reservation.
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
        """Return the values at the multiples of a window; None: as in `reading`."""
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
    """Return all multiples of the windows; none if separate queries for each are cheaper."""
    whole = range(min(w.start for w in windows), max(w.stop for w in windows))
    if len(windows) < _FEWEST or len(whole) > sum(map(len, windows)):
        return range(0)
    return whole


def _points(steps: ClockSteps, places: range) -> Query:
    if steps.adds_up:
        return steps.points(places)
    # For a count only the presence of a value matters, even if it is NaN.
    return replace(steps, vector=f"({steps.vector}) >= bool 0").points(places)
