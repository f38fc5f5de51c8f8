"""Counting at many instants of the past, in few queries.

Everything is evaluated at the newest instant: what belongs to an earlier one looks back from it by
``offset``. So the questions of many instants stand in one query, and each gets the number that it
gets at its own instant. Instants at equal distances are asked about by a range query.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final

from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.gathered import add_results
from gate.backends.prometheus.measuring import Asking, Instant, answered
from gate.backends.prometheus.query import Query, QueryGrid
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.measure import Answer
from gate.measure.past import PastRun
from gate.promql.moving import SECOND, is_movable
from gate.slo.indicator import Sli

LARGE: Final = 80_000
"""Bytes of a query, where the server takes more than VictoriaMetrics does. For a longer one
Prometheus works longer on each number: twice as long at 120,000 as at 30,000."""
_AT_ONCE: Final = 1_500
"""Requests whose answers are kept until all are there."""
_AT_ONCE_ON_GRID: Final = 6_000
"""The same of instants at equal distances, of which most questions are asked but once."""
_FEWEST: Final = 3
"""Instants that are worth a grid."""
_ROLES: Final = ("total", "good", "bad", "spent", "gauge", "objective")


class GridInstant(Instant):
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


def measure_past(
    runs: Sequence[PastRun],
    open_fetch: Callable[[datetime], Fetch],
    alone: Callable[[PastRun], list[Answer]],
    takes_grids: Callable[[], bool],
) -> Iterator[list[Answer]]:
    """Yield the answers to each run, in order.

    Args:
        runs: each with its own instant.
        open_fetch: returns what asks at an instant.
        alone: answers a run at its own instant; for one with an expression that cannot be moved.
        takes_grids: whether the server gives at each instant of a grid what it gives at that
            instant alone; VictoriaMetrics looks back by the distance of the instants.
    """
    for group in _groups(runs, takes_grids):
        movable = [run for run in group if all(_is_movable(r.sli) for r in run.requests)]
        until = max((run.at for run in movable), default=None)
        answers = dict[int, list[Answer]]()
        if until is not None:
            fetch = open_fetch(until)
            instants = _instants(movable, fetch, until, takes_grids())
            askings = [
                Asking(run.requests, instant)
                for run, instant in zip(movable, instants, strict=True)
            ]
            answers = dict(zip(map(id, movable), answered(fetch, askings), strict=True))
        for run in group:
            yield answers[id(run)] if id(run) in answers else alone(run)


def _instants(
    runs: Sequence[PastRun], fetch: Fetch, until: datetime, takes_grids: bool
) -> list[Instant]:
    step = _distance(runs) if takes_grids else None
    if step is None:
        return [Instant(fetch, until - run.at) for run in runs]
    grid = QueryGrid(runs[0].at, step, len(runs))
    return [GridInstant(fetch, until - run.at, grid, place) for place, run in enumerate(runs)]


def _distance(runs: Sequence[PastRun]) -> timedelta | None:
    """Return the time from each run to the next; None: they are not at equal distances."""
    distances = {later.at - run.at for run, later in pairwise(runs)}
    (distance, *others) = distances or {timedelta()}
    return distance if len(runs) >= _FEWEST and not others and distance >= SECOND else None


def _groups(runs: Sequence[PastRun], takes_grids: Callable[[], bool]) -> Iterator[list[PastRun]]:
    """Yield a few runs at a time; the first alone, since it tells what the server takes."""
    regular = _distance(runs) is not None
    group, size, most = list[PastRun](), 0, 0
    for run in runs:
        if group and size + len(run.requests) > most:
            yield group
            group, size = [], 0
            most = _AT_ONCE_ON_GRID if regular and takes_grids() else _AT_ONCE
        group.append(run)
        size += len(run.requests)
    if group:
        yield group


def _is_movable(sli: Sli) -> bool:
    texts = (getattr(name, role) for name in (sli, *sli.older) for role in _ROLES)
    return all(is_movable(text) for text in texts if text is not None)
