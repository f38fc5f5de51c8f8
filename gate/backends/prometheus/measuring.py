"""Counting: requests in, a round of queries or two, answers out; at one instant or at many."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from gate.backends.prometheus.answer import answer
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import further_questions, guesses, plan, questions
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryResult
from gate.backends.prometheus.recorded import slo_of
from gate.measure import Answer, CountRequest, Unmeasured
from gate.slo.objective import Span

_TOGETHER: Final = 50
"""SLOs whose recording rules are looked for by one query: as many as a server reads in time."""


class Instant:
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

    def again(self, _part: Query) -> Iterable[Query]:
        """Return what to ask instead, where that was not answered."""
        return ()

    def reading(self, part: Query) -> QueryResult:
        """Return what came back for a question of this instant."""
        return self._fetch.reading(self.query(part))


class Asking:
    """The requests of one instant, and what comes back for them."""

    def __init__(self, requests: Sequence[CountRequest], instant: Instant) -> None:
        """Ask nothing yet.

        Args:
            requests: what is wanted; each ends at the instant.
            instant: how it is asked about.
        """
        self._scoped = list(_scoped(requests))
        self.instant = instant
        self._plans = list[Plan | Unmeasured]()

    def first(self) -> Iterator[Query]:
        """Yield what must be known, and what most likely follows from it."""
        for request, scope in self._scoped:
            yield from questions(request, scope)
            for planned in guesses(request):
                yield from planned

    def further(self) -> Iterator[Query]:
        """Yield what must be known besides, by what is known."""
        for request, scope in self._scoped:
            yield from further_questions(request, scope, self.instant.reading)

    def counts(self) -> Iterator[Query]:
        """Yield what is to be counted, by what is known."""
        reading = self.instant.reading
        self._plans = [plan(request, scope, reading) for request, scope in self._scoped]
        for planned in self._possible():
            yield from planned

    def doubts(self) -> Iterator[Query]:
        """Yield what to ask because of what was counted."""
        for planned in self._possible():
            yield from planned.second_round(self.instant.reading)

    def answers(self) -> list[Answer]:
        """Return the answer to each request."""
        return [
            answer(planned, self.instant.reading) if isinstance(planned, Plan) else planned
            for planned in self._plans
        ]

    def _possible(self) -> Iterator[Plan]:
        return (planned for planned in self._plans if isinstance(planned, Plan))


_ROUNDS: Final = (Asking.first, Asking.further, Asking.counts, Asking.doubts)


def answered(fetch: Fetch, askings: Sequence[Asking]) -> list[list[Answer]]:
    """Ask for all requests together, in the rounds that each needs by itself; return the answers.

    What the server has is asked together with the counts that follow from it most likely. A second
    round asks what follows from it instead, and when the last sample was where there is no recent
    one.
    """
    for questions_of in _ROUNDS:
        wanted = [(each.instant, part) for each in askings for part in questions_of(each)]
        leaves = [(instant, leaf) for instant, part in wanted for leaf in part.leaves]
        fetch.run(instant.query(leaf) for instant, leaf in leaves)
        fetch.run(part for instant, leaf in leaves for part in instant.again(leaf))
    return [each.answers() for each in askings]


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
