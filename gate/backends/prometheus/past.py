"""Counting at many instants of the past by few queries.

All queries are evaluated at the newest instant; those of an earlier instant look back by
``offset``. So one query holds the questions of many instants, and the number of each is the one at
its own instant. Steps of the clock that several windows share are read once for all of them, and a
range query covers instants at equal distances.

Evidence that most answers do not need is deferred, and requested only if an answer depends on it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from gate.backends.prometheus.evidence.births import BirthQuery
from gate.backends.prometheus.fetch import Fetch, NotAskedError
from gate.backends.prometheus.instants import GridInstant, InstantGrid, PastInstant
from gate.backends.prometheus.limits import ServerLimits
from gate.backends.prometheus.measuring import Asking
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import questions
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_grid import QueryGrid, grid_of_two, since_1970
from gate.backends.prometheus.query_result import QueryResult
from gate.backends.prometheus.shared_steps import SharedSteps
from gate.measure import Answer, CountRequest
from gate.measure.capabilities import PastRun
from gate.promql.moving import SECOND, is_movable
from gate.slo.indicator import Sli

LARGE: Final = 80_000
"""The most bytes of a query, where the server takes more than VictoriaMetrics does. With longer
queries Prometheus works longer on each number: twice as long at 120,000 bytes as at 30,000."""
_AT_ONCE: Final = 12_000
"""The number of requests whose answers are kept until all are complete."""
_FEWEST: Final = 3
"""The fewest instants for which one grid of all instants pays off."""
_WORTH_A_QUERY: Final = 60
"""The fewest questions about two instants for which a separate query pays off. A query of `LARGE`
bytes would hold more than 800, so the number of queries is close to the minimum."""
_ROLES: Final = ("total", "good", "bad", "spent", "gauge", "objective")


class PastAsking(Asking):
    """The requests of one instant among many."""

    def __init__(self, requests: Sequence[CountRequest], instant: PastInstant) -> None:
        """Prepare; nothing is asked yet.

        Args:
            requests: the requests, each of which ends at the instant.
            instant: the way to ask questions about this instant.
        """
        super().__init__(requests, instant.reading, self._what_is_there)
        self.instant = instant
        self._sent = set[Query]()

    def first(self) -> Iterator[Query]:
        """Yield the necessary questions; the questions that follow can wait for the next round."""
        for request, scope in self._scoped:
            yield from questions(request, scope)

    def unsent(self, parts: Iterable[Query]) -> list[Query]:
        """Return the queries that were not sent before, and remember them as sent."""
        leaves = dict.fromkeys(leaf for part in parts for leaf in part.leaves)
        unsent = [leaf for leaf in leaves if leaf not in self._sent]
        self._sent.update(unsent)
        for leaf in unsent:
            self.instant.note(leaf)
        return unsent

    def _needed(self, planned: Plan) -> Iterator[Query]:
        """Yield the queries that every answer needs; for births an upper bound is enough.

        If the bound raises no doubt, a smaller number raises none; if it does, the births are
        counted.
        """
        for part in planned.needed():
            if not (isinstance(part, BirthQuery) and self.instant.note_most(part)):
                yield part

    def _what_is_there(self, part: Query) -> QueryResult:
        if self._sent.issuperset(part.leaves):
            return self._reading(part)
        most = self.instant.most(part) if isinstance(part, BirthQuery) else None
        if most is None:
            raise NotAskedError
        return most


def measure_past(
    runs: Sequence[PastRun],
    open_fetch: Callable[[datetime], Fetch],
    alone: Callable[[PastRun], list[Answer]],
    limits_of: Callable[[], ServerLimits],
) -> Iterator[list[Answer]]:
    """Yield the answers to each run, in order.

    Args:
        runs: each with its own instant.
        open_fetch: opens the fetch that sends the queries of an instant.
        alone: answers a run at its own instant; for one with an expression that cannot be moved.
        limits_of: returns the limits of the server that are known by then.
    """
    for group in _groups(runs):
        movable = [run for run in group if all(_is_movable(r.sli) for r in run.requests)]
        until = max((run.at for run in movable), default=None)
        answers = dict[int, list[Answer]]()
        if until is not None:
            answers = _answered(movable, open_fetch(until), until, limits_of())
        for run in group:
            yield answers[id(run)] if id(run) in answers else alone(run)


def _answered(
    runs: Sequence[PastRun], fetch: Fetch, until: datetime, limits: ServerLimits
) -> dict[int, list[Answer]]:
    """Measure all runs together, in rounds of queries that all of them share."""
    shared = SharedSteps(fetch)
    instants = _instants(runs, fetch, until, shared, limits)
    askings = [
        PastAsking(run.requests, instant) for run, instant in zip(runs, instants, strict=True)
    ]

    def ask(questions_of: Callable[[PastAsking], Iterable[Query]]) -> None:
        sent = [
            (each.instant, leaf) for each in askings for leaf in each.unsent(questions_of(each))
        ]
        of_all = shared.queries()
        for instant in instants:
            instant.decide()
        own = (query for instant, leaf in sent for query in instant.queries(leaf))
        fetch.run((*of_all, *own))
        fetch.run(query for instant, leaf in sent for query in instant.again(leaf))

    for questions_of in (PastAsking.first, PastAsking.further, PastAsking.counts):
        ask(questions_of)
    for asking in askings:
        asking.settle()
    for questions_of in (PastAsking.put_off, PastAsking.doubts):
        ask(questions_of)
    return {id(run): asking.answers() for run, asking in zip(runs, askings, strict=True)}


def _instants(
    runs: Sequence[PastRun],
    fetch: Fetch,
    until: datetime,
    shared: SharedSteps,
    limits: ServerLimits,
) -> list[PastInstant]:
    # On a grid VictoriaMetrics looks back by the step, and not as at a single instant.
    if limits.victoria:
        return [PastInstant(run.at, until, fetch, shared) for run in runs]
    step = _distance(runs)
    if step is not None:
        grid = InstantGrid(QueryGrid(runs[0].at, step, len(runs)))
        return [GridInstant(run.at, until, fetch, shared, grid) for run in runs]
    grids = _pairs([run.at for run in runs], limits)
    return [
        PastInstant(run.at, until, fetch, shared, both)
        for run, both in zip(runs, grids, strict=True)
    ]


def _pairs(ats: Sequence[datetime], limits: ServerLimits) -> list[InstantGrid | None]:
    """Return the grid that each instant shares with a neighbour."""
    grids: list[InstantGrid | None] = [None] * len(ats)
    # A shared query of two instants cannot be cut if a server refuses long windows.
    for place in range(1, len(ats), 2) if limits.longest is None else ():
        grid = grid_of_two(ats[place - 1], ats[place])
        if grid is not None:
            grids[place - 1] = grids[place] = InstantGrid(grid, _WORTH_A_QUERY)
    return grids


def _distance(runs: Sequence[PastRun]) -> timedelta | None:
    """Return the time between consecutive runs; None: they are not at equal distances."""
    distances = {since_1970(later.at) - since_1970(run.at) for run, later in pairwise(runs)}
    (distance, *others) = distances or {timedelta()}
    return distance if len(runs) >= _FEWEST and not others and distance >= SECOND else None


def _groups(runs: Sequence[PastRun]) -> Iterator[list[PastRun]]:
    """Yield a few runs at a time; the first one alone, since it reveals the server's limits."""
    group, size, most = list[PastRun](), 0, 0
    for run in runs:
        if group and size + len(run.requests) > most:
            yield group
            group, size = [], 0
            most = _AT_ONCE
        group.append(run)
        size += len(run.requests)
    if group:
        yield group


def _is_movable(sli: Sli) -> bool:
    texts = (getattr(name, role) for name in (sli, *sli.older) for role in _ROLES)
    return all(is_movable(text) for text in texts if text is not None)
