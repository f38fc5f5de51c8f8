"""Instants of the past, asked about together: by offsets and on the clock, or on a grid."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction

from gate.backends.prometheus.clock import Clock, multiples
from gate.backends.prometheus.evidence.births import BirthQuery
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.gathered import add_results
from gate.backends.prometheus.query import ClockSteps, Query, QueryGrid
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue


class PastInstant:
    """An instant of the past, as it is asked about by a fetch at a later one."""

    def __init__(self, fetch: Fetch, back: timedelta) -> None:
        """Ask nothing yet.

        Args:
            fetch: what asks, at an instant of its own.
            back: how long before that this instant is.
        """
        self._fetch, self._back = fetch, back
        self._moved = dict[Query, Query]()

    def query(self, part: Query) -> Query:
        """Return a question of this instant as it is asked by the fetch."""
        if not self._back:
            return part
        moved = self._moved.get(part)
        if moved is None:
            moved = self._moved[part] = part.moved_by(self._back)
        return moved

    def note(self, part: Query) -> None:
        """Note a question that will be asked."""

    def note_most(self, _birth: BirthQuery) -> bool:
        """Note that at most so much is asked instead; False: it is not, ask the question itself."""
        return False

    def most(self, _birth: BirthQuery) -> QueryResult | None:
        """Return a number that the answer is not above; None: none is known."""
        return None

    def queries(self, part: Query) -> Iterable[Query]:
        """Return what is asked for this instant alone, beside what is asked for all."""
        return (self.query(part),)

    def again(self, _part: Query) -> Iterable[Query]:
        """Return what to ask for this instant alone, where one answer for all says too little."""
        return ()

    def reading(self, part: Query) -> QueryResult:
        """Return what came back for a question of this instant."""
        return self._fetch.reading(self.query(part))


class ClockInstant(PastInstant):
    """An instant whose windows have steps of the clock in common with those of other instants."""

    def __init__(self, fetch: Fetch, back: timedelta, at: datetime, clock: Clock) -> None:
        """Ask nothing yet.

        Args:
            fetch: what asks, at an instant of its own.
            back: how long before that this instant is.
            at: this instant.
            clock: what is asked for all instants.
        """
        super().__init__(fetch, back)
        self._at, self._clock = at, clock

    def note(self, part: Query) -> None:
        """Note the window of a question about steps of the clock."""
        if part.steps is not None:
            self._clock.note(part.steps, self._window(part, part.steps))

    def note_most(self, birth: BirthQuery) -> bool:
        """Note the stretches of time in which a birth would be one in the window."""
        self._clock.note(birth.newborn, self._births(birth))
        return True

    def most(self, birth: BirthQuery) -> QueryResult | None:
        """Return what all that began in the window, or shortly after it, had counted at most."""
        found = self._clock.reading(birth.newborn, self._births(birth))
        return None if found is None else birth.most(*found)

    def queries(self, part: Query) -> Iterable[Query]:
        """Return the question as it is asked by the fetch; none where it is asked for all."""
        return () if self._is_shared(part) else (self.query(part),)

    def again(self, part: Query) -> Iterable[Query]:
        """Return the question where what is asked for all has no answer to it."""
        unanswered = self._is_shared(part) and self._of_all(part) is None
        return (self.query(part),) if unanswered else ()

    def reading(self, part: Query) -> QueryResult:
        """Return what came back for a question of this instant."""
        if part.terms:
            return add_results([self.reading(term) for term in part.terms])
        return self._of_all(part) or super().reading(part)

    def _is_shared(self, part: Query) -> bool:
        steps = part.steps
        return steps is not None and self._clock.shares(steps, self._window(part, steps))

    def _of_all(self, part: Query) -> QueryValue | None:
        """Return what is asked for all instants, as it is at this one; None: that is not known."""
        steps = part.steps
        found = None if steps is None else self._clock.reading(steps, self._window(part, steps))
        if steps is None or found is None:
            return None
        count, total = found
        number = Fraction(total) if steps.adds_up else Fraction(count)
        return QueryValue(number=number if count else None)

    def _window(self, part: Query, steps: ClockSteps) -> range:
        return multiples(steps, self._at - part.offset, part.length)

    def _births(self, birth: BirthQuery) -> range:
        steps = birth.newborn
        return multiples(steps, self._at + steps.step, birth.length + steps.step)


class GridInstant(PastInstant):
    """One of several instants at equal distances, about all of which a question is asked at once.

    A server reads the samples of a window once then, and not once for each instant.
    """

    def __init__(self, fetch: Fetch, back: timedelta, grid: QueryGrid, place: int) -> None:
        """Ask nothing yet.

        Args:
            fetch: what asks, at an instant of its own.
            back: how long before that this instant is.
            grid: all the instants.
            place: which of them this is.
        """
        super().__init__(fetch, back)
        self._grid, self._place = grid, place
        self._on_grid = dict[Query, Query]()

    def query(self, part: Query) -> Query:
        """Return a question as it is asked; one with instants of its own is moved instead."""
        if part.grid is not None:
            return super().query(part)
        on_grid = self._on_grid.get(part)
        if on_grid is None:
            on_grid = self._on_grid[part] = part.on_grid(self._grid)
        return on_grid

    def again(self, part: Query) -> Iterable[Query]:
        """Return the question of this instant alone, where one answer for all says too little."""
        return () if part.grid is not None or self._clear(part) else (super().query(part),)

    def reading(self, part: Query) -> QueryResult:
        """Return what came back for this instant."""
        if part.terms:
            return add_results([self.reading(term) for term in part.terms])
        value = None if part.grid is not None else self._clear(part)
        if value is None:
            return self._fetch.reading(super().query(part))
        if part.label is not None:
            table = {values[0]: points[self._place] for values, points in value.groups.items()}
            numbers = {text: _exact(point) for text, point in table.items() if point is not None}
            return QueryValue(number=None, numbers=numbers)
        point = value.points[self._place]
        return QueryValue(number=None if point is None else _exact(point))

    def _clear(self, part: Query) -> QueryValue | None:
        """Return the answer for all instants; None: there is none, or it says more than numbers."""
        reading = self._fetch.reading(self.query(part))
        if isinstance(reading, QueryError) or reading.warnings or reading.notes:
            return None
        return reading


def _exact(point: float) -> Fraction:
    """Return the number that the server wrote: the shortest that is read as this one."""
    return Fraction(repr(point))
