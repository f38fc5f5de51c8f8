"""Instants of the past at equal distances, measured by one range query. Two always are so.

The server selects the series once for all instants, and reads the samples that their windows share
once. Two instants cost Prometheus hardly more than one (benchmarks/README.md).
"""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.query import EPOCH, Query, QueryGrid, since_1970
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue

_LARGEST_EXACT: Final = 2.0**53
"""The largest float that is exact: a larger whole number may be written as another one."""


class InstantGrid:
    """Instants at equal distances, and the questions about all of them."""

    def __init__(self, grid: QueryGrid, fewest: int = 1) -> None:
        """Prepare the grid; nothing is asked yet.

        Args:
            grid: the instants.
            fewest: a round with fewer questions asks them together with those of other instants,
                and not in a query about these alone.
        """
        self._grid, self._fewest = grid, fewest
        self._noted = set[Query]()
        self._queries = dict[Query, Query]()

    def place(self, at: datetime) -> int:
        """Return the position of an instant on the grid."""
        return (since_1970(at) - since_1970(self._grid.first)) // self._grid.step

    def note(self, part: Query) -> None:
        """Remember a question about one of the instants before the queries are decided."""
        if part.grid is None:
            self._noted.add(part)

    def decide(self) -> None:
        """Decide how to ask the questions noted since the last call."""
        if len(self._noted) >= self._fewest:
            for part in self._noted:
                self._queries.setdefault(part, part.on_grid(self._grid))
        self._noted.clear()

    def query(self, part: Query) -> Query | None:
        """Return a question as a query on the grid; None: it is not asked on the grid."""
        return self._queries.get(part)

    def value(self, part: Query, reading: QueryResult, place: int) -> QueryValue | None:
        """Return the answer for one instant; None: no answer, or one with more than numbers.

        Args:
            part: the question.
            reading: the result for all instants.
            place: the index of the instant.
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
    """Return the grid of two instants; None: they are equal in milliseconds, the server's unit."""
    first, step = since_1970(older), since_1970(newer) - since_1970(older)
    return QueryGrid(EPOCH + first, step, 2) if step > timedelta() else None


def _exact(point: float) -> Fraction:
    """Return the number as the server wrote it: the shortest text that parses to this float."""
    whole = point.is_integer() and abs(point) < _LARGEST_EXACT
    return Fraction(int(point)) if whole else Fraction(repr(point))
