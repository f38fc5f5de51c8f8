"""Instants of the past, measured together: by offsets, by steps of the clock, or on a grid.

On a grid one range query measures instants at equal distances; two always are so. The server
selects the series once for all instants, and reads the samples that their windows share once. Two
instants cost Prometheus hardly more than one (benchmarks/README.md).
"""

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.births import BirthQuery
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.gathered import add_results
from gate.backends.prometheus.query import ClockSteps, Query
from gate.backends.prometheus.query_grid import QueryGrid, since_1970
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.backends.prometheus.shared_steps import SharedSteps

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


def _exact(point: float) -> Fraction:
    """Return the number as the server wrote it: the shortest text that parses to this float."""
    whole = point.is_integer() and abs(point) < _LARGEST_EXACT
    return Fraction(int(point)) if whole else Fraction(repr(point))


class PastInstant:
    """An instant whose windows have steps of the clock in common with those of other instants."""

    def __init__(
        self,
        at: datetime,
        until: datetime,
        fetch: Fetch,
        shared: SharedSteps,
        grid: InstantGrid | None = None,
    ) -> None:
        """Prepare the instant; nothing is asked yet.

        Args:
            at: the instant.
            until: the instant of the fetch, the same or a later one.
            fetch: sends the queries.
            shared: the steps that one query reads for all instants.
            grid: this instant with others, about which is asked together what is not asked for all;
                None: each is asked about by itself.
        """
        self._at, self._grid = at, grid
        self._place = 0 if grid is None else grid.place(at)
        self._back = since_1970(until) - since_1970(at)
        self._fetch, self._shared = fetch, shared
        self._own = dict[Query, Query]()
        self._of_grid = dict[Query, QueryValue]()

    def note(self, part: Query) -> None:
        """Remember a question before the shared queries are decided."""
        steps = self._looks_at(part)
        if steps is not None:
            self._shared.note(steps, self._window(part, steps))
        if self._grid is not None:
            self._grid.note(part)

    def decide(self) -> None:
        """Decide which of the questions noted since the last call are asked on the grid."""
        if self._grid is not None:
            self._grid.decide()

    def note_most(self, birth: BirthQuery) -> bool:
        """Remember a question whose upper bound all instants share; False: it has no such bound."""
        self._shared.note(birth.newborn, self._births(birth))
        return True

    def most(self, birth: BirthQuery) -> QueryResult | None:
        """Return an upper bound of a number's answer; None: no bound is known."""
        counted = self._shared.reading(birth.newborn, self._births(birth))
        return None if counted is None else birth.most(*counted)

    def queries(self, part: Query) -> Iterable[Query]:
        """Return the queries to send for a question; none if a shared query answers it."""
        if self._of_clock(part) is not None:
            return ()
        return (self._on_grid(part) or self._alone(part),)

    def again(self, part: Query) -> Iterable[Query]:
        """Return the question for this instant alone, where the shared answer is not enough."""
        together = self._of_clock(part) is not None or self._on_grid(part) is not None
        return (self._alone(part),) if together and self._of_several(part) is None else ()

    def reading(self, part: Query) -> QueryResult:
        """Return the reading of a question at this instant."""
        if part.terms:
            return add_results([self.reading(term) for term in part.terms])
        return self._of_several(part) or self._fetch.reading(self._alone(part))

    def _on_grid(self, part: Query) -> Query | None:
        """Return a question as a query on the grid; None: it is not asked on the grid."""
        return None if self._grid is None else self._grid.query(part)

    def _of_several(self, part: Query) -> QueryValue | None:
        """Return this instant's share of a shared answer; None: the question was not shared."""
        value = self._of_grid.get(part)
        if value is not None:
            return value
        of_clock = self._of_clock(part)
        if of_clock is not None:
            return self._of_all(part, *of_clock)
        return self._read_grid(part)

    def _read_grid(self, part: Query) -> QueryValue | None:
        """Return the grid's answer at this instant, and keep it if it is unambiguous.

        An answer without an error is not requested again.
        """
        on_grid = self._on_grid(part)
        if self._grid is None or on_grid is None:
            return None
        value = self._grid.value(part, self._fetch.reading(on_grid), self._place)
        if value is not None:
            self._of_grid[part] = value
        return value

    def _alone(self, part: Query) -> Query:
        """Return a question of this instant, rewritten for the instant of the fetch."""
        if not self._back:
            return part
        own = self._own.get(part)
        if own is None:
            own = self._own[part] = part.moved_by(self._back)
        return own

    def _looks_at(self, part: Query) -> ClockSteps | None:
        """Return the steps of the clock that a question looks at, if they are shared."""
        return part.steps

    def _of_clock(self, part: Query) -> tuple[ClockSteps, range] | None:
        """Return the steps that a question looks at, if they are in a shared query; else None."""
        steps = self._looks_at(part)
        if steps is None:
            return None
        window = self._window(part, steps)
        return (steps, window) if self._shared.shares(steps, window) else None

    def _of_all(self, part: Query, steps: ClockSteps, window: range) -> QueryValue | None:
        """Return the shared answer at this instant; None: it is ambiguous."""
        if part.grid is not None:
            points = self._shared.points(steps, window)
            return None if points is None else QueryValue(number=None, points=points)
        counted = self._shared.reading(steps, window)
        if counted is None:
            return None
        count, total = counted
        number = Fraction(total) if steps.adds_up else Fraction(count)
        return QueryValue(number=number if count else None)

    def _window(self, part: Query, steps: ClockSteps) -> range:
        if part.grid is not None:
            return steps.multiples(part.grid.last, part.grid.steps.length)
        return steps.multiples(self._at - part.offset, part.length)

    def _births(self, birth: BirthQuery) -> range:
        steps = birth.newborn
        return steps.multiples(self._at + steps.step, birth.length + steps.step)


class GridInstant(PastInstant):
    """One of several instants at equal distances, whose windows cost little on their grid."""

    def note_most(self, _birth: BirthQuery) -> bool:
        """Return False: on a grid the question itself is asked, and not a bound of it."""
        return False

    def _looks_at(self, part: Query) -> ClockSteps | None:
        return None if part.grid is None else part.steps
