"""The requests of a report to a history: all together, and each series once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from gate.analysis.anomalies.run import AnomalyOptions, anomaly_requests
from gate.analysis.forecast import ForecastOptions
from gate.analysis.forecast.run import forecast_requests
from gate.analysis.incidents import IncidentOptions
from gate.backends import without_history
from gate.check.measure import with_past
from gate.check.past import PlanKey, burn_down_plans, plan_requests
from gate.dataclass import dataclass
from gate.history.burn_down_plan import BurnDownPlan
from gate.history.calendar_forecast import LEAST
from gate.history.charts.build import Charting
from gate.history.charts.signals import DEFAULT
from gate.measure import Answer, Backend, Cause, CountRequest, Unmeasured
from gate.measure.capabilities import HistoryBackend, history_of
from gate.measure.history import SeriesAnswer, SeriesRequest, coarser, covers
from gate.policy.policy import Policy
from gate.slo.objective import counts_events
from gate.wording import NO_HISTORY

_POINT: Final = timedelta(hours=1)
"""The length of a point on a control chart, as in ``gate anomalies``."""
SeriesAnswers = Mapping[str, SeriesAnswer]
"""Histories by the name of their SLO."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAnswers:
    """The answers of a backend about the SLOs of a policy."""

    steps: SeriesAnswers
    """The answer to `Questions.steps`."""
    forecast: SeriesAnswers
    charts: SeriesAnswers
    plans: tuple[BurnDownPlan, ...]
    """The requests for the history of each budget."""
    budgets: Mapping[PlanKey, SeriesAnswer]
    """The answers to them."""
    history: HistoryBackend | None
    """The history for rules that look back further; None if the backend has none."""
    backend: Backend
    """The backend itself, for the requests that follow from the histories."""


@dataclass(frozen=True, slots=True)
class Questions:
    """The requests to the history of every policy."""

    search: IncidentOptions

    @property
    def anomaly_options(self) -> AnomalyOptions:
        """The options of the control charts; the first half of the time is their baseline."""
        search, step = self.search, self.search.step
        charting = Charting(baseline=search.last / 2, rules=DEFAULT, records=search.records)
        points = max(min(_POINT, search.last) // step, 1) * step
        return AnomalyOptions(at=search.at, last=search.last, step=points, charting=charting)

    @property
    def forecast(self) -> ForecastOptions:
        """The options of the forecast, which may need more history than the report shows."""
        search = self.search
        last = max(search.last, LEAST)
        return ForecastOptions(at=search.at, last=last, timeout=search.timeout)

    def steps(self, policy: Policy) -> dict[str, SeriesRequest]:
        """Return the source of pictures and incidents, in the shortest steps."""
        return {
            slo.name: replace(self.search.request(policy, slo), mean=counts_events(slo))
            for slo in with_past(policy)
        }

    def ask(self, policy: Policy, backend: Backend) -> ReportAnswers:
        """Return the answers to all requests; data that the steps include is not requested again.

        Args:
            policy: the policy with the SLOs.
            backend: a backend that keeps the histories it has fetched.
        """
        wanted = (
            self.steps(policy),
            forecast_requests(policy, self.forecast),
            anomaly_requests(policy, self.anomaly_options),
        )
        plans = burn_down_plans(policy, self.search.at, last=self.search.last)
        of_budgets = plan_requests(plans)
        history = history_of(backend)
        own = backend.backend if isinstance(backend, CachedHistory) else backend
        requests = [request for requests_by_slo in wanted for request in requests_by_slo.values()]
        answers = iter(
            _answers(history, [*requests, *of_budgets.values()], policy.backends.values())
        )
        steps, forecast, charts = (
            {name: next(answers) for name in requests_by_slo} for requests_by_slo in wanted
        )
        return ReportAnswers(
            steps=steps,
            forecast=forecast,
            charts=charts,
            plans=tuple(plans),
            budgets=dict(zip(of_budgets, answers, strict=True)),
            history=history,
            backend=own,
        )


def _answers(
    history: HistoryBackend | None, requests: list[SeriesRequest], kinds: Iterable[str]
) -> Iterable[SeriesAnswer]:
    if history is None:
        reason = without_history(kinds, f"the backend {NO_HISTORY} to look at")
        return [Unmeasured(cause=Cause.NO_DATA, reason=reason)] * len(requests)
    return history.history(requests) if requests else ()


CachedAnswer = list[tuple[SeriesRequest, SeriesAnswer]]


class CachedHistory:
    """A backend that answers from its fetched histories if these suffice."""

    def __init__(self, backend: Backend, history: HistoryBackend) -> None:
        self.backend = backend
        self._history = history
        self._answers: CachedAnswer = []

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Count, as the backend does."""
        return self.backend.measure(requests, at)

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the events of each step; an answer that covers several requests is fetched once.

        Of two such requests, the one that covers the other comes first.
        """
        answered = [request for request, _ in self._answers]
        missing: list[SeriesRequest] = []
        for wanted in requests:
            if not any(covers(request, wanted) for request in (*answered, *missing)):
                missing.append(wanted)
        if missing:
            self._answers += zip(missing, self._history.history(missing), strict=True)
        return [self._answer(wanted) for wanted in requests]

    def _answer(self, wanted: SeriesRequest) -> SeriesAnswer:
        request, answer = next(
            (request, answer) for request, answer in self._answers if covers(request, wanted)
        )
        return answer if request == wanted else coarser(answer, request, wanted)


def cached_history(backend: Backend) -> Backend:
    """Return a backend that fetches each history once; one without history stays as it is."""
    history = history_of(backend)
    return backend if history is None else CachedHistory(backend, history)
