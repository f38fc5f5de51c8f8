"""Control charts: the requests to a backend, and the charts of its answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial

from gate import __version__
from gate.analysis.anomalies import AnomalyReport, ChartedSlo, ServiceAnomalies
from gate.backends import open_backend
from gate.backends.waits import run_concurrently
from gate.check.measure import OpenBackend, known_of, left_out, open_history, with_ratio
from gate.check.promises import with_promises
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.history.charts.build import Charting, charts
from gate.history.events import past_request, whole_steps
from gate.history.incidents import known_steps
from gate.measure import Unmeasured
from gate.measure.capabilities import HistoryBackend, each_answer
from gate.measure.history import SeriesAnswer, SeriesRequest, on_the_clock, unknown_share
from gate.policy.coverage import history_reservations
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyOptions:
    """The settings of the charts."""

    at: datetime
    """The end of the history."""
    last: timedelta
    """The length of the history."""
    step: timedelta
    """At most ``last``."""
    charting: Charting

    @property
    def span(self) -> Span:
        """The time to chart; its steps follow the clock, and the newest may be incomplete."""
        return on_the_clock(Span(self.at - self.last, self.at), self.step)


def chart_indicators(
    files: Sequence[PolicyFile],
    options: AnomalyOptions,
    timeout: timedelta,
    *,
    open_with: OpenBackend = open_backend,
) -> AnomalyReport:
    """Return the charts of every policy.

    Raises:
        UsageError: a backend keeps no history, or a package of one is missing.
    """
    files, open_with = with_promises(files, options.at, timeout, open_with)
    histories = [open_history(file, timeout, open_with)[1] for file in files]

    def task(file: PolicyFile, history: HistoryBackend) -> ServiceAnomalies:
        requested = anomaly_requests(file.policy, options)
        return service_anomalies(file, each_answer(history, list(requested.values())), options)

    tasks: list[Callable[[], ServiceAnomalies]] = [
        partial(task, file, history) for file, history in zip(files, histories, strict=True)
    ]
    return AnomalyReport(
        services=tuple(run_concurrently(tasks)),
        span=options.span,
        step=options.step,
        baseline=options.charting.baseline,
        rules=options.charting.rules,
        tool_version=__version__,
    )


def anomaly_requests(policy: Policy, options: AnomalyOptions) -> Mapping[str, SeriesRequest]:
    """Return the requests for the charts of a policy, by SLO."""
    return {
        slo.name: past_request(
            slo, options.span, options.step, max_age=policy.guards_of(slo).max_age, mean=True
        )
        for slo in with_ratio(policy)
    }


def service_anomalies(
    file: PolicyFile, answers: Iterator[SeriesAnswer], options: AnomalyOptions
) -> ServiceAnomalies:
    """Return the charts of a policy, from the answers to its `anomaly_requests` in their order."""
    policy = file.policy
    requested = anomaly_requests(policy, options)
    slos = [
        charted(policy, slo, requested[slo.name], next(answers), options.charting)
        for slo in with_ratio(policy)
    ]
    return ServiceAnomalies(
        policy=policy,
        source=file.source,
        slos=tuple(slos),
        left_out=left_out(policy),
    )


def charted(
    policy: Policy,
    slo: RatioSlo,
    request: SeriesRequest,
    answer: SeriesAnswer,
    charting: Charting,
) -> ChartedSlo:
    """Return the charts of one SLO, or the reason why its history is missing."""
    answer = known_of(answer)
    if isinstance(answer, Unmeasured):
        return ChartedSlo(slo=slo, charts=(), unknown=Fraction(1), query=answer.query, lost=answer)
    series, whole = whole_steps(answer, request)
    about = tuple(record for record in charting.records if record.names(policy.service, slo.name))
    charting = replace(charting, records=about)
    return ChartedSlo(
        slo=slo,
        charts=tuple(charts(series, whole, budget=float(slo.budget), charting=charting)),
        unknown=unknown_share(sum(known_steps(answer)), request.steps),
        query=answer.query,
        notes=answer.notes,
        reservations=tuple(
            history_reservations(policy, slo, answer.total, request.span, in_runs=answer.in_runs)
        ),
    )
