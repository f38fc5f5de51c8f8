"""Counting at one instant: requests in, a round of queries or two, answers out."""

from collections.abc import Iterator, Sequence
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

    Most answers do without a part of the evidence. That is asked along with the rest where it takes
    no longer, else only for the answers that turn on it.
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
        self.spare = list[Query]()
        """What of the last questions some answers need, and was not among them."""

    def first(self) -> Iterator[Query]:
        """Yield what must be known, and what most likely follows from it."""
        for place, (request, scope) in enumerate(self._scoped):
            yield from questions(request, scope)
            self._guessed[place] = list(guesses(request))
            for planned in self._guessed[place]:
                yield from self._needed(planned)

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
        self.spare.clear()
        for planned in self._open():
            yield from self._needed(planned)

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
        self.spare += planned.put_off()

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
    for questions_of in (Asking.first, Asking.further, Asking.counts):
        fetch.run(questions_of(asking), asking.spare)
    asking.settle()
    for questions_of in (Asking.put_off, Asking.doubts):
        fetch.run(questions_of(asking))
    return asking.answers()


def _scoped(requests: Sequence[CountRequest]) -> Iterator[tuple[CountRequest, Scope]]:
    """Yield what the questions of each request are for, so that the same ones are asked once."""
    spans = dict[int, Span]()
    for request in sorted(requests, key=lambda request: request.span.length):
        spans[id(request.sli)] = request.span
    slos = list(dict.fromkeys(slo for request in requests if (slo := slo_of(request))))
    group_of = dict[str | None, tuple[str, ...]]()
    for first in range(0, len(slos), _TOGETHER):
        group = tuple(slos[first : first + _TOGETHER])
        group_of |= dict.fromkeys(group, group)
    for request in requests:
        yield request, Scope(spans[id(request.sli)], group_of.get(slo_of(request), ()))
