"""The queries for the counts of each step of a stretch of time.

One range query reads the whole steps on a grid; an instant query reads the part of the newest step
that has passed. A second round reads steps again in which a counter restarted, and the first step
after a long gap without samples.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.query import Query, Role
from gate.backends.prometheus.query_grid import QueryGrid
from gate.backends.prometheus.query_result import QueryError, QueryResults, QueryValue
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.measure.history import SeriesRequest
from gate.promql.increments import LOOKBACK, StepCount, step_count
from gate.promql.moving import MILLISECOND, SECOND

_FINELY: Final = (5 * SECOND, SECOND)
"""The lengths of the pieces in which a step with a restart is read. A counter with several restarts
in one piece is scraped more rarely, or loses the count between them."""
_MOST_RESTARTS: Final = 1000
"""The most steps with a restart that are read again: the newest ones."""
_SHORTEST: Final = 2 * MILLISECOND
"""The shortest step: PromQL has no shorter range whose first instant is excluded."""
_ESTIMATED: Final = "the server estimates what happened in a step, so that steps may not add up"
_RESTARTED: Final = (
    f"counters restarted in more than {_MOST_RESTARTS:,} steps; in the oldest of these, what they"
    " counted between the step's first sample and the restart is missing"
)
Points = tuple[float | None, ...]
Again = dict[int, tuple[timedelta | None, timedelta]]
"""The steps to read again, by position: the length of their pieces, and how far back they look."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """The way in which several series are queried together."""

    grid: QueryGrid
    """The ends of the whole steps, which include all of the request's, and the end of its newest
    step."""
    until: datetime
    """The instant of the run: the latest end of all requests."""
    victoria: bool = False
    """Whether the server is VictoriaMetrics."""


class SeriesPlan:
    """The parts of one request."""

    def __init__(
        self, request: SeriesRequest, planned: Plan, roles: Sequence[Role], sharing: Sharing
    ) -> None:
        """Write the queries of the first round.

        Args:
            request: the request.
            planned: the plan for one step of it.
            roles: the roles of its parts to ask for.
            sharing: the way in which it is queried together with others.
        """
        self.request = request
        parts = {role: planned.parts[role] for role in roles}
        if request.mean and planned.sum is not None:
            parts[Role.SUM] = planned.sum
        self.query = "\n".join(f"{role}: {part.text}" for role, part in parts.items())
        self._texts = {
            role: ["$window".join(leaf.pieces) for leaf in part.leaves]
            for role, part in parts.items()
        }
        self._sharing = sharing
        self._step, self._whole = request.step, request.span.length // request.step
        self._lookback = max(LOOKBACK, self._step)
        self._first = (request.span.start + self._step - sharing.grid.first) // self._step
        self._steps = {role: self._on_grid(role) for role in parts} if self._whole else {}
        length = request.span.length - self._whole * self._step
        last = [self._whole] if length >= _SHORTEST else []
        self._rest = {role: self._at(role, place) for role in parts for place in last}
        self._restarts = self._asks_for_restarts()
        self._again: Again | None = None
        exact = all(count.exact for role in parts for count in self._counts(role))
        self.notes = planned.notes if exact else (*planned.notes, _ESTIMATED)

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles to ask for; the one that best shows whether there is data comes first."""
        return tuple(self._texts)

    @property
    def first_round(self) -> tuple[Query, ...]:
        """The queries of the first round."""
        restarts = () if self._restarts is None else (self._restarts,)
        return (*self._steps.values(), *restarts, *self._rest.values())

    def second_round(self, readings: QueryResults) -> Iterator[Query]:
        """Yield the queries about single steps that follow from the first round."""
        try:
            again = self._looked_at_again(readings)
        except MeasurementError:
            return  # `series_answer` reports the error
        for role in self._counters:
            for place, (finely, lookback) in again.items():
                yield self._at(role, place, finely=finely, lookback=lookback)

    def points(self, role: Role, readings: QueryResults) -> Points:
        """Return the number of each step.

        Raises:
            MeasurementError: the server did not answer, or not completely.
        """
        points = self._first_points(role, readings)
        if role in self._counters:
            for place, (finely, lookback) in self._looked_at_again(readings).items():
                part = self._at(role, place, finely=finely, lookback=lookback)
                points[place] = _number(_read(role, readings(part)))
        return tuple(points)

    def doubts(self, readings: QueryResults) -> tuple[str, ...]:
        """Return the doubts about the counts that a reader must know."""
        return (_RESTARTED,) if len(self._restarted(readings)) > _MOST_RESTARTS else ()

    def _first_points(self, role: Role, readings: QueryResults) -> list[float | None]:
        points = list[float | None]()
        if role in self._steps:
            read = _read(role, readings(self._steps[role])).points
            points += read[self._first : self._first + self._whole]
        if role in self._rest:
            points.append(_number(_read(role, readings(self._rest[role]))))
        return points + [None] * (self.request.steps - len(points))

    @property
    def _counters(self) -> list[Role]:
        """The parts whose steps may have to be read again."""
        return [role for role in self._texts if any(c.restarts for c in self._counts(role))]

    def _counts(self, role: Role, finely: timedelta | None = None) -> list[StepCount]:
        victoria = self._sharing.victoria
        return [step_count(text, victoria=victoria, finely=finely) for text in self._texts[role]]

    def _on_grid(self, role: Role) -> Query:
        step, lookback, grid = self._step, self._lookback, self._sharing.grid
        texts = [count.within(step, lookback=lookback) for count in self._counts(role)]
        extent = step + lookback
        return Query.added([Query(pieces=(text,), length=extent, grid=grid) for text in texts])

    def _at(
        self,
        role: Role,
        place: int,
        *,
        finely: timedelta | None = None,
        lookback: timedelta | None = None,
    ) -> Query:
        """Return the query for one step by itself, at the instant of the run."""
        end = self.request.end_of(place)
        length, offset = end - self.request.end_of(place - 1), self._sharing.until - end
        lookback = lookback or self._lookback
        texts = [count.within(length, offset, lookback) for count in self._counts(role, finely)]
        extent = length + lookback
        return Query.added([Query(pieces=(text,), length=extent, offset=offset) for text in texts])

    def _asks_for_restarts(self) -> Query | None:
        """Return the query for the steps in which counters restarted; None: no restart matters."""
        counts = [count for role in self._counters for count in self._counts(role)]
        if not counts:
            return None
        text = " or ".join(dict.fromkeys(count.restarted(self._step) for count in counts))
        return Query(pieces=(f"({text})",), length=self._step, grid=self._sharing.grid)

    def _restarted(self, readings: QueryResults) -> list[int]:
        """Return the positions of the steps in which counters restarted."""
        if self._restarts is None:
            return []
        points = _read(self.roles[0], readings(self._restarts)).points
        own = points[self._first : self._first + self.request.steps]
        return [place for place, point in enumerate(own) if point]

    def _looked_at_again(self, readings: QueryResults) -> Again:
        if self._again is None:
            self._again = self._steps_again(readings)
        return self._again

    def _steps_again(self, readings: QueryResults) -> Again:
        """Return the steps to read again.

        Raises:
            MeasurementError: the server did not answer.
        """
        again: Again = {}
        for place in self._restarted(readings)[-_MOST_RESTARTS:]:
            end, start = self.request.end_of(place), self.request.end_of(place - 1)
            whole = [
                f for f in _FINELY if not (end - start) % f and not end.timestamp() % f.seconds
            ]
            again[place] = ([*whole, SECOND][0], self._lookback)
        for place in self._after_gaps(readings):
            finely, _ = again.get(place, (None, self._lookback))
            again[place] = (finely, self.request.end_of(place - 1) - self.request.span.start)
        return again

    def _after_gaps(self, readings: QueryResults) -> Iterator[int]:
        """Yield the first step after each stretch without samples that exceeds the look-back."""
        points = self._first_points(self.roles[0], readings)
        last = next((place for place, point in enumerate(points) if point is not None), 0)
        for place in range(last + 1, len(points)) if None in points[last:] else ():
            if points[place] is None:
                continue
            if (place - last) * self._step > self._lookback:
                yield place
            last = place


def _read(role: Role, reading: QueryValue | QueryError) -> QueryValue:
    if isinstance(reading, QueryError):
        raise MeasurementError(reading.cause, f"{role}: {reading.reason}")
    if reading.warnings:
        reason = f"partial answer: {'; '.join(reading.warnings)}"
        raise MeasurementError(Cause.PARTIAL, reason)
    return reading


def _number(value: QueryValue) -> float | None:
    number: Fraction | None = value.number
    return None if number is None else float(number)
