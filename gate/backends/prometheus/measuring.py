"""Counting at one instant: requests in, a round of queries or two, answers out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from gate.backends.prometheus.answer import answer
from gate.backends.prometheus.fetch import Fetch, NotAskedError
from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import further_questions, guesses, plan, questions
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryResults
from gate.backends.prometheus.recorded import slo_of
from gate.measure import Answer, CountRequest, Unmeasured
from gate.slo.objective import Span

_TOGETHER: Final = 50
"""SLOs whose recording rules are looked for by one query: as many as a server reads in time."""


class Asking:
    """The requests of one instant, and what comes back for them.

    Most answers do without a part of the evidence, and without what is counted under other names.
    That is asked along with the rest where it takes no longer, else only for the answers that turn
    on it.
    """

    def __init__(
        self, requests: Sequence[CountRequest], reading: QueryResults, there: QueryResults
    ) -> None:
        """Ask nothing yet.

        Args:
            requests: what is wanted; each ends at the instant.
            reading: returns what came back for a question of this instant.
            there: likewise; raises `NotAskedError` where nothing did.
        """
        self._scoped = list(_scoped(requests))
        self._reading, self._there = reading, there
        self._guessed = dict[int, Sequence[Plan]]()
        self._plans = list[Plan | Unmeasured]()
        self._settled = dict[int, Answer]()
        self._late = list[Iterable[Query]]()

    def first(self) -> Iterator[Query]:
        """Yield what must be known, and what most likely follows from it.

        Of several names hardly ever all are there: their counts are noted.
        """
        for place, (request, scope) in enumerate(self._scoped):
            yield from questions(request, scope)
            guessed = self._guessed[place] = list(guesses(request))
            if len(guessed) == 1:
                yield from self._needed(guessed[0])
            else:
                self._late += guessed

    def further(self) -> Iterator[Query]:
        """Yield what must be known besides, by what is known."""
        for request, scope in self._scoped:
            yield from further_questions(request, scope, self._reading)

    def counts(self) -> Iterator[Query]:
        """Yield what is to be counted, by what is known."""
        self._plans = [
            plan(request, scope, self._reading, guessed=self._guessed.pop(place, ()))
            for place, (request, scope) in enumerate(self._scoped)
        ]
        self._late.clear()
        for planned in self._open():
            yield from self._needed(planned)

    def spare(self) -> Iterator[Query]:
        """Yield what some answers need, and was not among the last questions."""
        for parts in self._late:
            yield from parts

    def settle(self) -> None:
        """Answer what can be answered by what was asked so far: no other question changes it."""
        for place, planned in enumerate(self._plans):
            try:
                self._settled[place] = (
                    answer(planned, self._there) if isinstance(planned, Plan) else planned
                )
            except NotAskedError:
                continue

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

    def _needed(self, planned: Plan) -> Iterator[Query]:
        """Yield what every answer needs, and note the rest."""
        yield from planned.needed()
        self._late.append(planned.put_off())

    def _open(self) -> Iterator[Plan]:
        for place, planned in enumerate(self._plans):
            if place not in self._settled and isinstance(planned, Plan):
                yield planned


def answered(fetch: Fetch, requests: Sequence[CountRequest]) -> list[Answer]:
    """Ask for all requests together, at the fetch's instant; return the answers.

    What the server has is asked together with the counts that follow from it most likely. A second
    round asks what follows from it instead, and when the last sample was where there is no recent
    one.
    """
    asking = Asking(requests, fetch.reading, fetch.there)
    fetch.run(asking.first(), asking.spare())
    fetch.run(asking.further())
    fetch.run(asking.counts(), asking.spare())
    asking.settle()
    fetch.run(asking.put_off())
    fetch.run(asking.doubts())
    return asking.answers()


def _scoped(requests: Sequence[CountRequest]) -> Iterator[tuple[CountRequest, Scope]]:
    """Yield what the questions of each request are for, so that the same ones are asked once."""
    spans = dict[int, Span]()
    for request in sorted(requests, key=lambda request: request.span.length):
        spans[id(request.sli)] = request.span
    slos_over = defaultdict[timedelta, dict[str | None, None]](dict)
    for request in requests:
        slos_over[request.span.length][slo_of(request)] = None
    group_of = dict[tuple[timedelta, str | None], tuple[str, ...]]()
    for length, names in slos_over.items():
        slos = [slo for slo in names if slo is not None]
        for first in range(0, len(slos), _TOGETHER):
            group = tuple(slos[first : first + _TOGETHER])
            group_of |= {(length, slo): group for slo in group}
    for request in requests:
        key = (request.span.length, slo_of(request))
        yield request, Scope(spans[id(request.sli)], group_of.get(key, ()))
