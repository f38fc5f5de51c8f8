"""Instants of the past, asked about together: by offsets and on the clock, or on a grid."""

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction

from gate.backends.prometheus.evidence.births import BirthQuery
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.gathered import add_results
from gate.backends.prometheus.pairs import InstantPair
from gate.backends.prometheus.query import ClockSteps, Query, QueryGrid, since_1970
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.backends.prometheus.shared_steps import SharedSteps


class PastInstant:
    """An instant whose windows have steps of the clock in common with those of other instants."""

    def __init__(
        self,
        at: datetime,
        until: datetime,
        fetch: Fetch,
        shared: SharedSteps,
        pair: InstantPair | None = None,
    ) -> None:
        """Ask nothing yet.

        Args:
            at: the instant.
            until: the instant of the fetch, the same or a later one.
            fetch: what asks.
            shared: what is asked for all instants.
            pair: the instant with another one, of both of which it is asked what is not asked for
                all; None: it is asked for each instant.
        """
        self._at, self._pair = at, pair
        self._back = since_1970(until) - since_1970(at)
        self._fetch, self._shared = fetch, shared
        self._own = dict[Query, Query]()
        self._clear_of_pair = dict[Query, QueryValue]()

    def note(self, part: Query) -> None:
        """Note a question before it is decided what is asked for all instants."""
        steps = self._looks_at(part)
        if steps is not None:
            self._shared.note(steps, self._window(part, steps))
        if self._pair is not None:
            self._pair.note(part)

    def note_most(self, birth: BirthQuery) -> bool:
        """Note a question instead of which its bound is asked for all; False: it is not."""
        self._shared.note(birth.newborn, self._births(birth))
        return True

    def most(self, birth: BirthQuery) -> QueryResult | None:
        """Return a number that the answer is not above; None: none is there."""
        counted = self._shared.reading(birth.newborn, self._births(birth))
        return None if counted is None else birth.most(*counted)

    def queries(self, part: Query) -> Iterable[Query]:
        """Return a question as it is asked by the fetch; none where it is asked for all."""
        return () if self._of_clock(part) is not None else (self._query(part),)

    def again(self, part: Query) -> Iterable[Query]:
        """Return the question of this instant alone, where one answer for all says too little."""
        together = self._of_clock(part) is not None or self._paired(part) is not None
        return (self._alone(part),) if together and self._of_several(part) is None else ()

    def reading(self, part: Query) -> QueryResult:
        """Return what came back for a question of this instant."""
        if part.terms:
            return add_results([self.reading(term) for term in part.terms])
        return self._of_several(part) or self._fetch.reading(self._alone(part))

    def _query(self, part: Query) -> Query:
        return self._paired(part) or self._alone(part)

    def _paired(self, part: Query) -> Query | None:
        """Return a question as it is asked for a pair of instants; None: it is not."""
        return None if self._pair is None else self._pair.query(part)

    def _of_several(self, part: Query) -> QueryValue | None:
        """Return what was asked for other instants, too, as it is at this one; None: it is not."""
        of_clock = self._of_clock(part)
        if of_clock is not None:
            return self._of_all(part, *of_clock)
        value = self._clear_of_pair.get(part)
        return self._of_pair(part) if value is None else value

    def _of_pair(self, part: Query) -> QueryValue | None:
        """Return what was asked for the pair as it is at this instant, and keep what is clear.

        An answer that came without an error is not asked for again.
        """
        paired = self._paired(part)
        if self._pair is None or paired is None:
            return None
        value = self._pair.number(self._fetch.reading(paired), self._at)
        if value is not None:
            self._clear_of_pair[part] = value
        return value

    def _alone(self, part: Query) -> Query:
        """Return a question of this instant as one of the instant of the fetch."""
        if not self._back:
            return part
        own = self._own.get(part)
        if own is None:
            own = self._own[part] = part.moved_by(self._back)
        return own

    def _looks_at(self, part: Query) -> ClockSteps | None:
        """Return what a question looks at on the clock, where that is asked for all instants."""
        return part.steps

    def _of_clock(self, part: Query) -> tuple[ClockSteps, range] | None:
        """Return the steps that a question looks at, where they are asked for all; else None."""
        steps = self._looks_at(part)
        if steps is None:
            return None
        window = self._window(part, steps)
        return (steps, window) if self._shared.shares(steps, window) else None

    def _of_all(self, part: Query, steps: ClockSteps, window: range) -> QueryValue | None:
        """Return what is asked for all instants, as it is at this one; None: that is not clear."""
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
    """One of several instants at equal distances, about all of which a question is asked at once.

    A server reads the samples of a window once then, and not once for each instant.
    """

    def __init__(
        self, place: int, grid: QueryGrid, until: datetime, fetch: Fetch, shared: SharedSteps
    ) -> None:
        """Ask nothing yet.

        Args:
            place: which of the instants this is.
            grid: all the instants.
            until: the instant of the fetch, the same or a later one.
            fetch: what asks.
            shared: what is asked for all instants, of what has a grid already.
        """
        super().__init__(grid.first + place * grid.step, until, fetch, shared)
        self._grid, self._place = grid, place
        self._on_grid = dict[Query, Query]()

    def note_most(self, _birth: BirthQuery) -> bool:
        """Return that no bound is asked: the question costs little on the grid."""
        return False

    def again(self, part: Query) -> Iterable[Query]:
        """Return the question of this instant alone, where one answer for all says too little."""
        if part.grid is not None:
            return super().again(part)
        return () if self._clear(part) else (self._alone(part),)

    def reading(self, part: Query) -> QueryResult:
        """Return what came back for this instant."""
        value = None if part.grid is not None or part.terms else self._clear(part)
        if value is None:
            return super().reading(part)
        if part.label is not None:
            table = {values[0]: points[self._place] for values, points in value.groups.items()}
            numbers = {text: _exact(point) for text, point in table.items() if point is not None}
            return QueryValue(number=None, numbers=numbers)
        point = value.points[self._place]
        return QueryValue(number=None if point is None else _exact(point))

    def _query(self, part: Query) -> Query:
        if part.grid is not None:
            return self._alone(part)
        on_grid = self._on_grid.get(part)
        if on_grid is None:
            on_grid = self._on_grid[part] = part.on_grid(self._grid)
        return on_grid

    def _looks_at(self, part: Query) -> ClockSteps | None:
        return None if part.grid is None else part.steps

    def _clear(self, part: Query) -> QueryValue | None:
        """Return the answer for all instants; None: there is none, or it says more than numbers."""
        reading = self._fetch.reading(self._query(part))
        if isinstance(reading, QueryError) or reading.warnings or reading.notes:
            return None
        return reading


def _exact(point: float) -> Fraction:
    """Return the number that the server wrote: the shortest that is read as this one."""
    return Fraction(repr(point))
