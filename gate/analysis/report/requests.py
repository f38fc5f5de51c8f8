"""The requests of a report to a history: those about one SLO after another, each one once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto
from itertools import repeat
from typing import Final

from gate.analysis.anomalies.run import AnomalyOptions, anomaly_requests
from gate.analysis.forecast import ForecastOptions
from gate.analysis.forecast.run import forecast_requests
from gate.analysis.incidents import IncidentOptions
from gate.backends import without_history
from gate.check.measure import with_past
from gate.check.past import PlanKey, chart_requests, incident_requests, plan_requests
from gate.dataclass import dataclass
from gate.history.burn_down_plan import BurnDownPlan
from gate.history.calendar_forecast import LEAST
from gate.history.charts.build import Charting
from gate.history.charts.signals import DEFAULT
from gate.measure import Cause, Unmeasured
from gate.measure.capabilities import HistoryBackend, each_answer
from gate.measure.history import SeriesAnswer, SeriesRequest, coarser, covers
from gate.policy.policy import Policy
from gate.slo.objective import counts_events
from gate.wording import NO_HISTORY

_POINT: Final = timedelta(hours=1)
"""The length of a point on a control chart, as in ``gate anomalies``."""


class Use(Enum):
    """The use of an SLO's history, beside its budget at earlier instants."""

    STEPS = auto()
    """Pictures and incidents, in the shortest steps."""
    FORECAST = auto()
    CHARTS = auto()
    POSTMORTEMS = auto()
    """The rule of this name."""
    CONTROL_CHARTS = auto()
    """The rule of this name."""


SloRequests = Mapping[Use | PlanKey, SeriesRequest]
"""The requests about one SLO; those about its budget by the key of their plan."""
SloAnswers = Mapping[Use | PlanKey, SeriesAnswer]


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

    def by_slo(self, policy: Policy, plans: Sequence[BurnDownPlan]) -> dict[str, SloRequests]:
        """Return all requests about each SLO that `with_past` names, in its order.

        Args:
            policy: the policy with the SLOs.
            plans: the requests about their budgets at earlier instants.
        """
        steps = {
            slo.name: replace(self.search.request(policy, slo), mean=counts_events(slo))
            for slo in with_past(policy)
        }
        by_use = {
            Use.STEPS: steps,
            Use.FORECAST: forecast_requests(policy, self.forecast),
            Use.CHARTS: anomaly_requests(policy, self.anomaly_options),
            Use.POSTMORTEMS: incident_requests(policy, self.search.at),
            Use.CONTROL_CHARTS: chart_requests(policy, self.search.at),
        }
        requests: dict[str, dict[Use | PlanKey, SeriesRequest]] = {
            name: {use: each[name] for use, each in by_use.items() if name in each}
            for name in steps
        }
        for key, request in plan_requests(plans).items():
            requests[key[0]][key] = request
        return {**requests}


def each_slo(
    history: HistoryBackend | None, policy: Policy, requests: Mapping[str, SloRequests]
) -> Iterator[SloAnswers]:
    """Yield the answers to the requests about each SLO, and keep none that was yielded.

    What one answer has for another request of the SLO is not asked for again.

    Args:
        history: None if the backend keeps none.
        policy: the policy with the SLOs.
        requests: the requests about each SLO.
    """
    to_ask = {name: _not_covered(list(own.values())) for name, own in requests.items()}
    answers: Iterator[SeriesAnswer]
    if history is None:
        kinds = policy.backends.values()
        reason = without_history(kinds, f"the backend {NO_HISTORY} to look at")
        answers = repeat(Unmeasured(cause=Cause.NO_DATA, reason=reason))
    else:
        answers = each_answer(history, [each for some in to_ask.values() for each in some])
    for name, own in requests.items():
        yield _derived(own, to_ask[name], answers)


def _not_covered(requests: Sequence[SeriesRequest]) -> list[SeriesRequest]:
    """Return those whose answer no other before them has."""
    missing: list[SeriesRequest] = []
    for wanted in requests:
        if not any(covers(request, wanted) for request in missing):
            missing.append(wanted)
    return missing


def _derived(
    requests: SloRequests, to_ask: Sequence[SeriesRequest], answers: Iterator[SeriesAnswer]
) -> SloAnswers:
    answered = [(request, next(answers)) for request in to_ask]

    def answer(wanted: SeriesRequest) -> SeriesAnswer:
        request, series = next(pair for pair in answered if covers(pair[0], wanted))
        return series if request == wanted else coarser(series, request, wanted)

    return {key: answer(request) for key, request in requests.items()}
