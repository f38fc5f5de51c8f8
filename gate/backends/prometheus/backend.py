"""The backend: requests in, one batched round of queries, answers out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from gate.backends.prometheus.answer import answer
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.limits import ServerLimits
from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import further_questions, guesses, plan, questions
from gate.backends.prometheus.query import EVENTS, Query, QueryGrid, Role
from gate.backends.prometheus.query_result import QueryError, QueryResults
from gate.backends.prometheus.recorded import slo_of
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest, Unmeasured
from gate.measure.history import Measured, Series, SeriesAnswer, SeriesRequest
from gate.request_failure import RequestFailure
from gate.slo.objective import Span

if TYPE_CHECKING:
    from gate.measure.cohorts import CohortAnswer, CohortRequest, LabelAnswer, LabelRequest

_TOGETHER: Final = 50
"""SLOs whose recording rules are looked for by one query: as many as a server reads in time."""
PointsByRole = Mapping[Role, tuple[float | None, ...]]


def one_step(request: SeriesRequest) -> CountRequest:
    """Return the count of the newest step, which differs from the others only in its end."""
    end = request.span.end
    return CountRequest(sli=request.sli, span=Span(end - request.step, end))


def series_plan(request: SeriesRequest, readings: QueryResults) -> Plan | Unmeasured:
    """Say what to ask for a series, or why it cannot be asked."""
    planned = plan(one_step(request), Scope(request.span), readings, stepwise=True)
    return planned if isinstance(planned, Unmeasured) else _step_by_step(planned, request)


def _step_by_step(planned: Plan, request: SeriesRequest) -> Plan | Unmeasured:
    if not EVENTS & planned.parts.keys():
        reason = "only events can be told step by step, neither a gauge nor what is spent"
        return Unmeasured(cause=Cause.INVALID, reason=reason, query=planned.query)
    grid = QueryGrid(request.span.start + request.step, request.step, request.steps)
    queries = dict(planned.parts)
    if request.mean and planned.sum is not None:
        queries[Role.SUM] = planned.sum
    return replace(planned, parts={role: part.at_steps(grid) for role, part in queries.items()})


def _guessed(request: CountRequest) -> Iterator[Query]:
    for planned in guesses(request):
        yield from planned


def _guessed_series(request: SeriesRequest) -> Iterator[Query]:
    for planned in guesses(one_step(request)):
        series = _step_by_step(planned, request)
        if isinstance(series, Plan):
            yield from series.parts.values()


def series_answer(planned: Plan, readings: QueryResults) -> SeriesAnswer:
    """Put together what came back for a plan's parts."""
    points: dict[Role, tuple[float | None, ...]] = {}
    for role in [role for role in planned.parts if role is not Role.SUM]:
        own = _points(planned, role, readings)
        if isinstance(own, Unmeasured):
            return own
        points[role] = own
    steps = [_step(total, bad) for total, bad in _events(points)]
    return Series(
        total=tuple(total for total, _ in steps),
        bad=tuple(bad for _, bad in steps),
        query=planned.query,
        notes=planned.notes,
        measured=_measured(planned, points, readings),
    )


def _points(
    planned: Plan, role: Role, readings: QueryResults
) -> tuple[float | None, ...] | Unmeasured:
    reading = readings(planned.parts[role])
    if isinstance(reading, QueryError):
        reason = f"{role}: {reading.reason}"
        return Unmeasured(cause=reading.cause, reason=reason, query=planned.query)
    if reading.warnings:
        reason = f"partial answer: {'; '.join(reading.warnings)}"
        return Unmeasured(cause=Cause.PARTIAL, reason=reason, query=planned.query)
    return reading.points


def _measured(
    planned: Plan, points: PointsByRole, readings: QueryResults
) -> Measured | Unmeasured | None:
    """Return what the mean is made of; what spoils it does not spoil the counts."""
    if Role.SUM not in planned.parts:
        return None
    sums = _points(planned, Role.SUM, readings)
    if isinstance(sums, Unmeasured):
        return sums
    events = points[Role.TOTAL]
    complete = [None not in pair for pair in zip(sums, events, strict=True)]
    return Measured(
        sums=_only_where(complete, sums),
        events=_only_where(complete, events),
    )


def _only_where(
    complete: Sequence[bool], values: Sequence[float | None]
) -> tuple[float | None, ...]:
    return tuple(value if there else None for value, there in zip(values, complete, strict=True))


def _events(points: PointsByRole) -> Iterator[tuple[float | None, float | None]]:
    """Yield each step's events and bad ones, as far as they are known.

    A bad part that is absent is none beside a total, or a good one, that is there.
    """
    if Role.BAD not in points:
        for total, good in zip(points[Role.TOTAL], points[Role.GOOD], strict=True):
            yield total, _difference(total, good)
    elif Role.TOTAL in points:
        for total, bad in zip(points[Role.TOTAL], points[Role.BAD], strict=True):
            yield total, bad or 0.0
    else:
        for good, bad in zip(points[Role.GOOD], points[Role.BAD], strict=True):
            yield None if good is None else good + (bad or 0.0), bad or 0.0


def _step(total: float | None, bad: float | None) -> tuple[float | None, float | None]:
    """Return a step; nothing is known of it where what tells traffic is missing."""
    if total is None or bad is None:
        return None, None
    return total, min(max(bad, 0.0), total)


def _difference(total: float | None, good: float | None) -> float | None:
    if not total:
        return total
    return None if good is None else total - good


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
        if not requests:
            return []
        fetch = self._fetch(max(request.span.end for request in requests))
        scoped = [(one_step(request), Scope(request.span)) for request in requests]
        fetch.run(
            part
            for pair, request in zip(scoped, requests, strict=True)
            for part in (*questions(*pair), *_guessed_series(request))
        )
        fetch.run(part for pair in scoped for part in further_questions(*pair, fetch.reading))
        plans = [series_plan(request, fetch.reading) for request in requests]
        possible = [planned for planned in plans if isinstance(planned, Plan)]
        fetch.run(part for planned in possible for part in planned.parts.values())
        return [
            series_answer(planned, fetch.reading) if isinstance(planned, Plan) else planned
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

    def label_counts(self, requests: "Sequence[LabelRequest]") -> "list[LabelAnswer]":
        """Return what happened by label; never raises for what the server does."""
        # Imported here: other runs start sooner without it.
        from gate.backends.prometheus.breakdown import (  # noqa: PLC0415
            LabelPlan,
            label_answer,
            label_plan,
            questions_of,
        )

        if not requests:
            return []
        at = max(span.end for request in requests for span in request.spans)
        fetch, scoped = self._fetch(at), questions_of(requests)
        fetch.run(part for pair in scoped for part in questions(*pair))
        fetch.run(part for pair in scoped for part in further_questions(*pair, fetch.reading))
        plans = [label_plan(request, at, fetch.reading) for request in requests]
        fetch.run(part for planned in plans if isinstance(planned, LabelPlan) for part in planned)
        return [
            label_answer(planned, fetch.reading) if isinstance(planned, LabelPlan) else planned
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
