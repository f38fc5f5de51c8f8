"""What a report asks of a history: everything at once, and each series once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from gate.backends import history_of
from gate.budget.charts.rules import DEFAULT
from gate.budget.charts.series import Charting
from gate.pipeline import anomalies
from gate.pipeline.forecast import Question, forecast_requests
from gate.pipeline.histories import by_events
from gate.pipeline.incidents import Search
from gate.policy.policy import Policy
from gate.slo.history import History, SeriesAnswer, SeriesRequest
from gate.slo.measurement import Backend, Cause, Unmeasured

_POINT: Final = timedelta(hours=1)
"""Of a control chart, as ``gate anomalies`` has it."""

Answers = Mapping[str, SeriesAnswer]
"""By SLO."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a backend has told of a policy's SLOs."""

    steps: Answers
    """To `Questions.steps`."""
    forecast: Answers
    charts: Answers
    history: History | None
    """For rules that look back further; None: the backend keeps none."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked of the history of every policy."""

    search: Search

    @property
    def look(self) -> anomalies.Look:
        """What charts are drawn of: the first half says what is usual."""
        search, step = self.search, self.search.step
        charting = Charting(baseline=search.last / 2, rules=DEFAULT, records=search.records)
        points = max(min(_POINT, search.last) // step, 1) * step
        return anomalies.Look(at=search.at, last=search.last, step=points, charting=charting)

    @property
    def forecast(self) -> Question:
        """What is foretold."""
        search = self.search
        return Question(at=search.at, last=search.last, timeout=search.timeout)

    def steps(self, policy: Policy) -> dict[str, SeriesRequest]:
        """Return what pictures and incidents are made of, in the shortest steps."""
        return {slo.name: replace(self.search.request(slo), mean=True) for slo in by_events(policy)}

    def ask(self, policy: Policy, backend: Backend) -> Told:
        """Return the answers to everything; what the steps have in them is not asked for again.

        Args:
            policy: whose SLOs are asked about.
            backend: one that remembers what it has told.
        """
        wanted = (
            self.steps(policy),
            forecast_requests(policy, self.forecast),
            anomalies.requests(policy, self.look),
        )
        history = history_of(backend)
        requests = [request for one in wanted for request in one.values()]
        answers = iter(_answers(history, requests))
        steps, forecast, charts = ({name: next(answers) for name in one} for one in wanted)
        return Told(steps=steps, forecast=forecast, charts=charts, history=history)


def _answers(history: History | None, requests: list[SeriesRequest]) -> Iterable[SeriesAnswer]:
    if history is None:
        reason = "the backend keeps no history to look at"
        return [Unmeasured(cause=Cause.NO_DATA, reason=reason)] * len(requests)
    return history.history(requests) if requests else ()
