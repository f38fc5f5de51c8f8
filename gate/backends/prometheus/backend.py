"""The backend: it takes requests, sends one batched round of queries and returns answers."""

from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gate.backends.prometheus.client import Client
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.limits import ServerLimits
from gate.backends.prometheus.measuring import answered
from gate.backends.prometheus.planning import further_questions, questions
from gate.dataclass import dataclass
from gate.measure import Answer, CountRequest
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.request_failure import RequestFailure

if TYPE_CHECKING:
    from gate.measure.capabilities import PastRun
    from gate.measure.cohorts import CohortAnswer, CohortRequest, LabelAnswer, LabelRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusBackend:
    """A backend that counts on one server."""

    client: Client
    timeout: timedelta
    """The time limit of one call of `measure`."""
    parallel: int
    """The largest number of concurrent queries."""
    limits: ServerLimits = field(default_factory=ServerLimits)
    """The limits of the server that earlier calls found out."""

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Answer every request, in order; failures of the server never raise an exception."""
        return answered(self._fetch(at), requests)

    def within(self, timeout: timedelta) -> "PrometheusBackend":
        """Return this backend with another time limit; it uses the same connections."""
        return replace(self, timeout=timeout)

    def measure_past(self, runs: "Sequence[PastRun]") -> list[list[Answer]]:
        """Answer every request of every run, in order; failures of the server never raise.

        A few runs are measured together, within the time limit of one run.
        """
        # Imported here: other runs start sooner without it.
        from gate.backends.prometheus.past import LARGE, measure_past  # noqa: PLC0415

        limits = self.limits

        def open_fetch(at: datetime) -> Fetch:
            nonlocal limits
            if limits is self.limits and limits.parts and not limits.victoria:
                limits = limits.with_queries_of(LARGE)
            return self._fetch(at, limits)

        def alone(run: "PastRun") -> list[Answer]:
            return self.measure(run.requests, run.at)

        return list(measure_past(runs, open_fetch, alone, lambda: limits))

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the counts of each step; failures of the server never raise an exception."""
        return list(self._each_history(requests, None))

    def each_history(self, requests: Sequence[SeriesRequest]) -> Iterator[SeriesAnswer]:
        """Yield the answers of `history`; the points of a few series are kept at a time."""
        from gate.backends.prometheus.series_batches import STEPS  # noqa: PLC0415 - as below

        return self._each_history(requests, STEPS)

    def _each_history(
        self, requests: Sequence[SeriesRequest], steps: int | None
    ) -> Iterator[SeriesAnswer]:
        if requests:
            # Imported here: other runs start sooner without it.
            from gate.backends.prometheus.series_batches import each_series  # noqa: PLC0415

            fetch = self._fetch(max(request.span.end for request in requests))
            yield from each_series(requests, fetch, self.limits, steps)

    def cohorts(self, requests: "Sequence[CohortRequest]") -> "list[CohortAnswer]":
        """Return the counts of each group; failures of the server never raise an exception."""
        return list(self._each_cohorts(requests, None))

    def each_cohorts(self, requests: "Sequence[CohortRequest]") -> "Iterator[CohortAnswer]":
        """Yield the answers of `cohorts`; the points of a few requests are kept at a time."""
        from gate.backends.prometheus.series_batches import POINTS  # noqa: PLC0415 - as below

        return self._each_cohorts(requests, POINTS)

    def _each_cohorts(
        self, requests: "Sequence[CohortRequest]", points: int | None
    ) -> "Iterator[CohortAnswer]":
        if requests:
            # Imported here: other runs start sooner without it.
            from gate.backends.prometheus.series_batches import each_cohorts  # noqa: PLC0415

            fetch = self._fetch(max(request.span.end for request in requests))

            def labels_of(metric: str) -> list[str]:
                return self._labels(metric, fetch.until)

            yield from each_cohorts(requests, fetch, labels_of, points)

    def label_counts(self, requests: "Sequence[LabelRequest]") -> "list[LabelAnswer]":
        """Return the counts by label; failures of the server never raise an exception."""
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

    def _fetch(self, at: datetime, limits: ServerLimits | None = None) -> Fetch:
        return Fetch(
            client=self.client,
            at=at,
            until=self.client.clock.monotonic() + self.timeout.total_seconds(),
            parallel=self.parallel,
            limits=limits or self.limits,
        )
