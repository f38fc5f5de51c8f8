"""Instants of the past at equal distances, as two always are, asked about by one range query.

A server chooses the series once for all of them, and reads the samples that their windows have in
common once. Two instants cost Prometheus hardly more than one (benchmarks/README.md).
"""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.query import EPOCH, Query, QueryGrid, since_1970
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue

_LARGEST_EXACT: Final = 2.0**53
"""A larger whole number may be written as another one."""


class InstantGrid:
    """Instants at equal distances, and what is asked about all of them."""

    def __init__(self, grid: QueryGrid, fewest: int = 1) -> None:
        """Ask nothing yet.

        Args:
            grid: the instants.
            fewest: a round with fewer questions asks them together with those of other instants,
                and not in a query about these alone.
        """
        self._grid, self._fewest = grid, fewest
        self._noted = set[Query]()
        self._queries = dict[Query, Query]()

    def place(self, at: datetime) -> int:
        """Return which of the instants one of them is."""
        return (since_1970(at) - since_1970(self._grid.first)) // self._grid.step

    def note(self, part: Query) -> None:
        """Note a question of one of the instants before it is decided what is sent."""
        if part.grid is None:
            self._noted.add(part)

    def decide(self) -> None:
        """Decide how to ask what was noted since the last call."""
        if len(self._noted) >= self._fewest:
            for part in self._noted:
                self._queries.setdefault(part, part.on_grid(self._grid))
        self._noted.clear()

    def query(self, part: Query) -> Query | None:
        """Return a question as it is asked about all instants; None: it is not."""
        return self._queries.get(part)

    def value(self, part: Query, reading: QueryResult, place: int) -> QueryValue | None:
        """Return the answer for one of the instants; None: it says more than numbers, or nothing.

        Args:
            part: the question.
            reading: what came back for all instants.
            place: which of them.
        """
        if isinstance(reading, QueryError) or reading.warnings or reading.notes:
            return None
        if part.label is None:
            point = reading.points[place]
            return QueryValue(number=None if point is None else _exact(point))
        table = {values[0]: points[place] for values, points in reading.groups.items()}
        numbers = {text: _exact(point) for text, point in table.items() if point is not None}
        return QueryValue(number=None, numbers=numbers)


def grid_of_two(older: datetime, newer: datetime) -> QueryGrid | None:
    """Return the grid of two instants; None: servers, which count milliseconds, see only one."""
    first, step = since_1970(older), since_1970(newer) - since_1970(older)
    return QueryGrid(EPOCH + first, step, 2) if step > timedelta() else None


def _exact(point: float) -> Fraction:
    """Return the number that the server wrote: the shortest that is read as this one."""
    whole = point.is_integer() and abs(point) < _LARGEST_EXACT
    return Fraction(int(point)) if whole else Fraction(repr(point))
