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

from gate.backends.prometheus.answer import answer
from gate.backends.prometheus.evidence.births import BirthQuery
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.instant_grid import InstantGrid, grid_of_two
from gate.backends.prometheus.instants import GridInstant, PastInstant
from gate.backends.prometheus.limits import ServerLimits
from gate.backends.prometheus.measuring import Asking
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import questions
from gate.backends.prometheus.query import Query, QueryGrid, since_1970
from gate.backends.prometheus.query_result import QueryResult, QueryResults
from gate.backends.prometheus.shared_steps import SharedSteps
from gate.measure import Answer, CountRequest, Unmeasured
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


class _NotAskedError(Exception):
    """An answer turns on a question that was put off."""


class PastAsking(Asking):
    """The requests of one of many instants."""

    def __init__(self, requests: Sequence[CountRequest], instant: PastInstant) -> None:
        """Ask nothing yet.

        Args:
            requests: what is wanted; each ends at the instant.
            instant: how it is asked about.
        """
        super().__init__(requests, instant.reading)
        self.instant = instant
        self._sent = set[Query]()
        self._settled = dict[int, Answer]()

    def first(self) -> Iterator[Query]:
        """Yield what must be known; what follows from it can wait for a round more."""
        for request, scope in self._scoped:
            yield from questions(request, scope)

    def counts(self) -> Iterator[Query]:
        """Yield what is to be counted, without the evidence that most answers do without."""
        parts = list(super().counts())
        late = {part for planned in self._possible() for part in planned.put_off()}
        for part in parts:
            if part not in late or (
                isinstance(part, BirthQuery) and not self.instant.note_most(part)
            ):
                yield part

    def settle(self) -> None:
        """Answer what can be answered by what was asked so far."""
        for place, planned in enumerate(self._plans):
            settled = _settled(planned, self._what_is_there)
            if settled is not None:
                self._settled[place] = settled

    def put_off(self) -> Iterator[Query]:
        """Yield everything for what has no answer yet."""
        for planned in self._open():
            yield from planned

    def doubts(self) -> Iterator[Query]:
        """Yield what to ask because of what was counted, for what has no answer yet."""
        for planned in self._open():
            yield from planned.second_round(self._reading)

    def answers(self) -> list[Answer]:
        """Return the answer to each request."""
        last = iter([answer(planned, self._reading) for planned in self._open()])
        return [self._settled.get(place) or next(last) for place in range(len(self._plans))]

    def unsent(self, parts: Iterable[Query]) -> list[Query]:
        """Return what was not sent for an earlier question, and note it as sent."""
        leaves = dict.fromkeys(leaf for part in parts for leaf in part.leaves)
        unsent = [leaf for leaf in leaves if leaf not in self._sent]
        self._sent.update(unsent)
        for leaf in unsent:
            self.instant.note(leaf)
        return unsent

    def _open(self) -> Iterator[Plan]:
        for place, planned in enumerate(self._plans):
            if place not in self._settled and isinstance(planned, Plan):
                yield planned

    def _what_is_there(self, part: Query) -> QueryResult:
        if self._sent.issuperset(part.leaves):
            return self._reading(part)
        most = self.instant.most(part) if isinstance(part, BirthQuery) else None
        if most is None:
            raise _NotAskedError
        return most


def _settled(planned: Plan | Unmeasured, there: QueryResults) -> Answer | None:
    """Return an answer if no other question could change it; else None.

    Of births only the most that they can hide may be there. If that is not a reason for a doubt,
    less is none; if it is one, the answer turns on more that was put off.
    """
    if isinstance(planned, Unmeasured):
        return planned
    try:
        return answer(planned, there)
    except _NotAskedError:
        return None


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
