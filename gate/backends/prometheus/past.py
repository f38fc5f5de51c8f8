"""Counting at many instants of the past, in few queries.

Everything is evaluated at the newest instant: what belongs to an earlier one looks back from it by
``offset``. So the questions of many instants stand in one query, and each gets the number that it
gets at its own instant. What their windows look at on the clock is asked once for all of them, and
instants at equal distances are asked about by a range query.

Of the evidence, what most answers do without is put off, and asked only where an answer turns on
it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from gate.backends.prometheus.evidence.births import BirthQuery
from gate.backends.prometheus.fetch import Fetch, NotAskedError
from gate.backends.prometheus.instant_grid import InstantGrid, grid_of_two
from gate.backends.prometheus.instants import GridInstant, PastInstant
from gate.backends.prometheus.limits import ServerLimits
from gate.backends.prometheus.measuring import Asking
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import questions
from gate.backends.prometheus.query import Query, QueryGrid, since_1970
from gate.backends.prometheus.query_result import QueryResult
from gate.backends.prometheus.shared_steps import SharedSteps
from gate.measure import Answer, CountRequest
from gate.measure.past import PastRun
from gate.promql.moving import SECOND, is_movable
from gate.slo.indicator import Sli

LARGE: Final = 80_000
"""Bytes of a query, where the server takes more than VictoriaMetrics does. For a longer one
Prometheus works longer on each number: twice as long at 120,000 as at 30,000."""
_AT_ONCE: Final = 12_000
"""Requests whose answers are kept until all are there."""
_FEWEST: Final = 3
"""Instants that are worth a grid of all."""
_WORTH_A_QUERY: Final = 60
"""Questions about two instants that are worth a query of their own. Of more than 800 a query of
`LARGE` bytes would consist, so that requests are not many more than the fewest possible."""
_ROLES: Final = ("total", "good", "bad", "spent", "gauge", "objective")


class PastAsking(Asking):
    """The requests of one of many instants."""

    def __init__(self, requests: Sequence[CountRequest], instant: PastInstant) -> None:
        """Ask nothing yet.

        Args:
            requests: what is wanted; each ends at the instant.
            instant: how it is asked about.
        """
        super().__init__(requests, instant.reading, self._what_is_there)
        self.instant = instant
        self._sent = set[Query]()

    def first(self) -> Iterator[Query]:
        """Yield what must be known; what follows from it can wait for a round more."""
        for request, scope in self._scoped:
            yield from questions(request, scope)

    def unsent(self, parts: Iterable[Query]) -> list[Query]:
        """Return what was not sent for an earlier question, and note it as sent."""
        leaves = dict.fromkeys(leaf for part in parts for leaf in part.leaves)
        unsent = [leaf for leaf in leaves if leaf not in self._sent]
        self._sent.update(unsent)
        for leaf in unsent:
            self.instant.note(leaf)
        return unsent

    def _needed(self, planned: Plan) -> Iterator[Query]:
        """Yield what every answer needs; of births the most that they can hide is enough.

        If that is not a reason for a doubt, less is none; if it is one, the births are asked.
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
        open_fetch: returns what asks at an instant.
        alone: answers a run at its own instant; for one with an expression that cannot be moved.
        limits_of: returns what is known of the server by now.
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
    """Ask for all runs together; what the answers need in rounds that all of them share."""
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
    # At the instants of a grid VictoriaMetrics looks back by their distance, and not as at one.
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
    """Return for each instant the grid that it shares with a neighbour."""
    grids: list[InstantGrid | None] = [None] * len(ats)
    # What is asked for two cannot be cut where a server refuses long windows.
    for place in range(1, len(ats), 2) if limits.longest is None else ():
        grid = grid_of_two(ats[place - 1], ats[place])
        if grid is not None:
            grids[place - 1] = grids[place] = InstantGrid(grid, _WORTH_A_QUERY)
    return grids


def _distance(runs: Sequence[PastRun]) -> timedelta | None:
    """Return the time from each run to the next; None: they are not at equal distances."""
    distances = {since_1970(later.at) - since_1970(run.at) for run, later in pairwise(runs)}
    (distance, *others) = distances or {timedelta()}
    return distance if len(runs) >= _FEWEST and not others and distance >= SECOND else None


def _groups(runs: Sequence[PastRun]) -> Iterator[list[PastRun]]:
    """Yield a few runs at a time; the first alone, since it tells what the server takes."""
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
