"""The backend: requests in, one batched round of queries, answers out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gate.backends.prometheus.answer import answer
from gate.backends.prometheus.batches import Fetch
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.plan import Plan, plan, questions
from gate.backends.prometheus.series import one_step, series_answer, series_plan
from gate.measure.counts import Answer, CountRequest
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.request_failure import RequestFailure

if TYPE_CHECKING:  # for one command only
    from gate.measure.cohorts import CohortAnswer, CohortRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusBackend:
    """Counts on one server."""

    client: Client
    timeout: timedelta
    """For one call of `measure`."""
    parallel: int
    """Most queries under way at once."""

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Answer every request, in order; never raises for what the server does.

        One round of queries; one before it only for histograms and metrics of several names, to
        know what the server has, and one after it only for indicators whose samples are old.
        """
        fetch = self._fetch(at)
        fetch.run(part for request in requests for part in questions(request))
        plans = [plan(request, fetch.reading) for request in requests]
        asked = [planned for planned in plans if isinstance(planned, Plan)]
        fetch.run(part for planned in asked for part in planned)
        fetch.run(part for planned in asked for part in planned.second_round(fetch.reading))
        return [
            answer(planned, fetch.reading) if isinstance(planned, Plan) else planned
            for planned in plans
        ]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return what happened in each step; never raises for what the server does."""
        if not requests:
            return []
        fetch = self._fetch(max(request.span.end for request in requests))
        fetch.run(part for request in requests for part in questions(one_step(request)))
        plans = [series_plan(request, fetch.reading) for request in requests]
        asked = [planned for planned in plans if isinstance(planned, Plan)]
        fetch.run(part for planned in asked for part in planned.parts.values())
        return [
            series_answer(planned, fetch.reading) if isinstance(planned, Plan) else planned
            for planned in plans
        ]

    def cohorts(self, requests: "Sequence[CohortRequest]") -> "list[CohortAnswer]":
        """Return what happened to each group; never raises for what the server does."""
        # Imported here: other runs start sooner without it.
        from gate.backends.prometheus.cohorts import (  # noqa: PLC0415
            CohortPlan,
            cohort_answer,
            cohort_plan,
            whole,
        )

        if not requests:
            return []
        fetch = self._fetch(max(request.span.end for request in requests))
        fetch.run(part for request in requests for part in questions(whole(request)))
        plans = [cohort_plan(request, fetch.reading) for request in requests]
        fetch.run(part for told in plans if isinstance(told, CohortPlan) for part in told)
        return [
            cohort_answer(told, fetch.reading, lambda metric: self._labels(metric, fetch.until))
            if isinstance(told, CohortPlan)
            else told
            for told in plans
        ]

    def _labels(self, metric: str, until: float) -> list[str]:
        """Return the labels that a metric's series have; empty where it cannot be told."""
        body = self.client.ask("labels", {"match[]": metric}, until=until)
        names = [] if isinstance(body, RequestFailure) else body.get("data")
        known = map(str, names if isinstance(names, list) else ())
        return [name for name in known if name != "__name__"]

    def _fetch(self, at: datetime) -> Fetch:
        return Fetch(
            client=self.client,
            at=at,
            until=self.client.clock.monotonic() + self.timeout.total_seconds(),
            parallel=self.parallel,
        )
