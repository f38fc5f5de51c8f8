"""Counting at one instant: it takes requests, sends one or two rounds of queries and answers."""

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
"""SLOs whose recording rules are searched for by one query: as many as a server reads in time."""


class Asking:
    """The requests of one instant, and their readings.

    Most answers need neither a part of the evidence nor the counts under other names. These are
    queried along with the rest if that takes no more time, else only for the answers that depend on
    them.
    """

    def __init__(
        self, requests: Sequence[CountRequest], reading: QueryResults, there: QueryResults
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            requests: the requests, each of which ends at the instant.
            reading: returns the reading of a question of this instant.
            there: returns the same, but raises `NotAskedError` without a reading.
        """
        self._scoped = list(_scoped(requests))
        self._reading, self._there = reading, there
        self._guessed = dict[int, Sequence[Plan]]()
        self._plans = list[Plan | Unmeasured]()
        self._settled = dict[int, Answer]()
        self._late = list[Iterable[Query]]()

    def first(self) -> Iterator[Query]:
        """Yield the necessary questions, and the queries that most likely follow from them.

        A server hardly ever has all of several names: their counts are only noted.
        """
        for place, (request, scope) in enumerate(self._scoped):
            yield from questions(request, scope)
            guessed = self._guessed[place] = list(guesses(request))
            if len(guessed) == 1:
                yield from self._needed(guessed[0])
            else:
                self._late += guessed

    def further(self) -> Iterator[Query]:
        """Yield the questions that follow from the first answers."""
        for request, scope in self._scoped:
            yield from further_questions(request, scope, self._reading)

    def counts(self) -> Iterator[Query]:
        """Yield the counts to ask for, given the answers so far."""
        self._plans = [
            plan(request, scope, self._reading, guessed=self._guessed.pop(place, ()))
            for place, (request, scope) in enumerate(self._scoped)
        ]
        self._late.clear()
        for planned in self._open():
            yield from self._needed(planned)

    def spare(self) -> Iterator[Query]:
        """Yield the queries that some answers need and that were not among the last questions."""
        for parts in self._late:
            yield from parts

    def settle(self) -> None:
        """Answer the requests whose answers no other question can change."""
        for place, planned in enumerate(self._plans):
            try:
                self._settled[place] = (
                    answer(planned, self._there) if isinstance(planned, Plan) else planned
                )
            except NotAskedError:
                continue

    def put_off(self) -> Iterator[Query]:
        """Yield all deferred queries of the requests that have no answer yet."""
        for planned in self._open():
            yield from planned

    def doubts(self) -> Iterator[Query]:
        """Yield the queries that check suspicious counts of the requests without an answer."""
        for planned in self._open():
            yield from planned.second_round(self._reading)

    def answers(self) -> list[Answer]:
        """Return the answer to each request."""
        last = iter([answer(planned, self._reading) for planned in self._open()])
        return [self._settled.get(place) or next(last) for place in range(len(self._plans))]

    def _needed(self, planned: Plan) -> Iterator[Query]:
        """Yield the queries that every answer needs, and remember the rest."""
        yield from planned.needed()
        self._late.append(planned.put_off())

    def _open(self) -> Iterator[Plan]:
        for place, planned in enumerate(self._plans):
            if place not in self._settled and isinstance(planned, Plan):
                yield planned


def answered(fetch: Fetch, requests: Sequence[CountRequest]) -> list[Answer]:
    """Ask for all requests together, at the fetch's instant; return the answers.

    The questions about the server are sent together with the counts that follow most likely. A
    second round asks for other counts if the answers require them, and for the time of the last
    sample if no sample is recent.
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
    """Yield the scope of each request's questions, so that equal questions are asked once."""
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
