"""The backend: requests in, one batched round of queries, answers out."""

from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from gate.backends.prometheus.answer import answer
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.limits import ServerLimits
from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import further_questions, guesses, plan, questions
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.recorded import slo_of
from gate.dataclass import dataclass
from gate.measure import Answer, CountRequest
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.request_failure import RequestFailure
from gate.slo.objective import Span

if TYPE_CHECKING:
    from gate.measure.cohorts import CohortAnswer, CohortRequest

_TOGETHER: Final = 50
"""SLOs whose recording rules are looked for by one query: as many as a server reads in time."""


def _guessed(request: CountRequest) -> Iterator[Query]:
    for planned in guesses(request):
        yield from planned


def _scoped(requests: Sequence[CountRequest]) -> list[tuple[CountRequest, Scope]]:
    """Return what the questions of each request are for, so that the same ones are asked once."""
    spans = dict[int, Span]()
    for request in sorted(requests, key=lambda request: request.span.length):
        spans[id(request.sli)] = request.span
    slos = list(dict.fromkeys(slo for request in requests if (slo := slo_of(request))))
    group_of = dict[str | None, tuple[str, ...]]()
    for first in range(0, len(slos), _TOGETHER):
        group = tuple(slos[first : first + _TOGETHER])
        group_of |= dict.fromkeys(group, group)
    return [
        (request, Scope(spans[id(request.sli)], group_of.get(slo_of(request), ())))
        for request in requests
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusBackend:
    """Counts on one server."""

    client: Client
    timeout: timedelta
    """For one call of `measure`."""
    parallel: int
    """Most queries under way at once."""
    limits: ServerLimits = field(default_factory=ServerLimits)
    """What all calls have learnt of the server."""

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Answer every request, in order; never raises for what the server does.

        One round of queries: what the server has is asked together with the counts that follow
        from it most likely. A second one asks what follows from it instead, and when the last
        sample was where there is no recent one.
        """
        fetch, scoped = self._fetch(at), _scoped(requests)
        fetch.run(part for pair in scoped for part in (*questions(*pair), *_guessed(pair[0])))
        fetch.run(part for pair in scoped for part in further_questions(*pair, fetch.reading))
        plans = [plan(*pair, fetch.reading) for pair in scoped]
        possible = [planned for planned in plans if isinstance(planned, Plan)]
        fetch.run(part for planned in possible for part in planned)
        fetch.run(part for planned in possible for part in planned.second_round(fetch.reading))
        return [
            answer(planned, fetch.reading) if isinstance(planned, Plan) else planned
            for planned in plans
        ]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return what happened in each step; never raises for what the server does."""
        # Imported here: other runs start sooner without it.
        from gate.backends.prometheus.series import (  # noqa: PLC0415
            Asking,
            SeriesPlan,
            guessed_series,
            one_step,
            series_plan,
            shared_grids,
        )
        from gate.backends.prometheus.series_answer import series_answer  # noqa: PLC0415

        if not requests:
            return []
        until = max(request.span.end for request in requests)
        fetch, grids = self._fetch(until), shared_grids(requests)

        def asked() -> Iterator[tuple[SeriesRequest, Asking]]:
            for request, grid in zip(requests, grids, strict=True):
                yield request, Asking(grid, until, victoria=self.limits.victoria)

        scoped = [(one_step(request), Scope(request.span)) for request in requests]
        asked_first = (part for pair in scoped for part in questions(*pair))
        guessed = (part for each in asked() for part in guessed_series(*each))
        fetch.run((*asked_first, *guessed))
        fetch.run(part for pair in scoped for part in further_questions(*pair, fetch.reading))
        plans = [series_plan(*each, fetch.reading) for each in asked()]
        possible = [planned for planned in plans if isinstance(planned, SeriesPlan)]
        fetch.run(part for planned in possible for part in planned.first_round)
        fetch.run(part for planned in possible for part in planned.second_round(fetch.reading))
        return [
            series_answer(planned, fetch.reading) if isinstance(planned, SeriesPlan) else planned
            for planned in plans
        ]

    def cohorts(self, requests: "Sequence[CohortRequest]") -> "list[CohortAnswer]":
        """Return what happened to each group; never raises for what the server does."""
        # Imported here: other runs start sooner without it.
        from gate.backends.prometheus.labels import (  # noqa: PLC0415
            CohortPlan,
            cohort_answer,
            cohort_plan,
            whole,
        )

        if not requests:
            return []
        fetch = self._fetch(max(request.span.end for request in requests))
        scoped = [(whole(request), Scope(request.span)) for request in requests]
        fetch.run(part for pair in scoped for part in questions(*pair))
        fetch.run(part for pair in scoped for part in further_questions(*pair, fetch.reading))
        plans = [cohort_plan(request, fetch.reading) for request in requests]
        fetch.run(part for planned in plans if isinstance(planned, CohortPlan) for part in planned)
        return [
            cohort_answer(planned, fetch.reading, lambda metric: self._labels(metric, fetch.until))
            if isinstance(planned, CohortPlan)
            else planned
            for planned in plans
        ]

    def _labels(self, metric: str, until: float) -> list[str]:
        """Return the labels that a metric's series have; empty if the server does not answer."""
        body = self.client.ask("labels", {"match[]": metric}, until=until)
        names = [] if isinstance(body, RequestFailure) else body.get("data")
        labels = map(str, names if isinstance(names, list) else ())
        return [label for label in labels if label != "__name__"]

    def _fetch(self, at: datetime) -> Fetch:
        return Fetch(
            client=self.client,
            at=at,
            until=self.client.clock.monotonic() + self.timeout.total_seconds(),
            parallel=self.parallel,
            limits=self.limits,
        )
