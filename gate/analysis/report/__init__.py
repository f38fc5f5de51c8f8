"""The result of ``gate report``: the past of the budgets of one or several policies."""

from collections.abc import Mapping
from datetime import datetime

from gate.analysis import document_head
from gate.analysis.anomalies import AnomalyReport, ServiceAnomalies, anomalies_document
from gate.analysis.backtest import BacktestReport
from gate.analysis.backtest.document import backtest_document
from gate.analysis.cohorts import CohortReport, cohorts_document
from gate.analysis.forecast import ForecastReport, ServiceForecast, forecast_document
from gate.analysis.incidents import IncidentReport, ServiceIncidents
from gate.analysis.incidents.document import deploy_document, incidents_document
from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.decision.decision import Decision, PolicyDecision, PolicySource
from gate.decision.document import backends_document, pace_document, source_document, to_document
from gate.decision.slo_document import Json, rfc3339, slo_document, tier_document
from gate.errors import ExitCode
from gate.history.burn_down import Line
from gate.history.consumption import Consumption
from gate.history.past_budget import Stretch, Trace
from gate.history.records import Deployment
from gate.policy.findings import Verdict
from gate.policy.judge import Judgement
from gate.policy.policy import Policy
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReport:
    """Everything that is known about one policy."""

    policy: Policy
    source: PolicySource
    assessments: tuple[Assessment, ...]
    """One for each SLO, in the policy's order."""
    outlook: Mapping[str, Judgement]
    """The judgement of the policy on each change class now, by its name, sorted."""
    traces: Mapping[str, Trace]
    """The trace of each SLO; ``incidents`` says why an SLO has none."""
    consumption: Mapping[str, Consumption]
    """By SLO, the causes that used its budget; without SLOs whose causes are unknown."""
    incidents: ServiceIncidents
    forecast: ServiceForecast
    anomalies: ServiceAnomalies
    deploys: tuple[Deployment, ...]
    """Deployments of the service in the examined time, the oldest first."""
    decided: PolicyDecision | None
    """The decision on the given change class; None if no class was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is known about all policies."""

    services: tuple[ServiceReport, ...]
    """At least one."""
    incidents: IncidentReport
    """The incidents, with the examined time and its step."""
    forecast: ForecastReport
    anomalies: AnomalyReport
    cohorts: CohortReport | None
    """None if no label was given."""
    backtest: BacktestReport | None
    """The backtest of the policies over the time of the report; None if it was not requested."""
    decision: Decision | None
    """The decision on the given change class; None if no class was given."""
    evaluated_at: datetime
    tool_version: str
    period: Span | None = None
    """The period of calendar windows that has ended and is reported as a whole; None: the present
    one."""

    @property
    def exit_code(self) -> ExitCode:
        """Undecided if a budget or a history could not be measured; the verdict does not matter."""
        codes = [self.incidents.exit_code, self.forecast.exit_code]
        if self.cohorts is not None:
            codes.append(self.cohorts.exit_code)
        if self.backtest is not None:
            codes.append(self.backtest.exit_code)
        return ExitCode.UNDECIDED if ExitCode.UNDECIDED in codes else ExitCode.ALLOW


def report_document(report: Report) -> Json:
    """Return the report as plain data, thinned like its pictures; shares are fractions of 1."""
    return {
        **document_head(report.evaluated_at, report.tool_version, report.exit_code),
        "period": None
        if report.period is None
        else {"from": rfc3339(report.period.start), "to": rfc3339(report.period.end)},
        "decision": None if report.decision is None else to_document(report.decision),
        "services": [_service(service, report.evaluated_at) for service in report.services],
        "incidents": incidents_document(report.incidents),
        "forecast": forecast_document(report.forecast),
        "anomalies": anomalies_document(report.anomalies, points=False),
        "cohorts": None if report.cohorts is None else cohorts_document(report.cohorts),
        "backtest": None if report.backtest is None else backtest_document(report.backtest),
    }


def _service(service: ServiceReport, at: datetime) -> Json:
    return {
        "service": service.policy.service,
        "owners": list(service.policy.owners),
        "dashboard": service.policy.dashboard,
        "source": source_document(service.source),
        "backends": backends_document(service.policy),
        "changes": [_change(name, judged) for name, judged in service.outlook.items()],
        "slos": [_slo(assessment, service, at) for assessment in service.assessments],
        "deploys": [deploy_document(deploy) for deploy in service.deploys],
    }


def _change(name: str, judged: Judgement) -> Json:
    return {
        "change_class": name,
        "verdict": judged.verdict,
        "reasons": [
            finding.reason for finding in judged.findings if finding.verdict is judged.verdict
        ],
        "allowed_again_at": rfc3339(judged.allowed_again_at)
        if judged.verdict in {Verdict.BLOCK, Verdict.UNDECIDED}
        else None,
        "allowed_again_at_pace": pace_document(judged),
    }


def _slo(assessment: Assessment, service: ServiceReport, at: datetime) -> Json:
    name = assessment.slo.name
    trace, consumed = service.traces.get(name), service.consumption.get(name)
    tier = tier_document(service.policy, assessment)
    return (
        slo_document(assessment, at)
        | tier
        | {
            "trace": None if trace is None else _trace(trace),
            "consumption": None if consumed is None else _consumption(consumed),
        }
    )


def _consumption(consumed: Consumption) -> Json:
    return {
        "consumed": consumed.consumed,
        "incidents": _shares(consumed.incidents),
        "chronic": consumed.chronic,
        "earlier": consumed.earlier,
        "intervals": [
            {
                "from": rfc3339(stretch.span.start),
                "to": rfc3339(stretch.span.end),
                "incidents": _shares(stretch.incidents),
                "chronic": stretch.chronic,
            }
            for stretch in consumed.stretches
        ],
    }


def _shares(incidents: Mapping[str, float]) -> list[Json]:
    return [{"id": name, "budget_share": share} for name, share in incidents.items()]


def _trace(trace: Trace) -> Json:
    return {
        "remaining": _line(trace.left),
        "compared": _line(trace.compared),
        "burn_rate_1h": _line(trace.fast),
        "burn_rate_1d": _line(trace.slow),
        "unknown_intervals": [
            {"from": rfc3339(stretch.start), "to": rfc3339(stretch.end)}
            for stretch in trace.unknown
        ],
        "intervals": [_stretch(stretch) for stretch in trace.stretches],
    }


def _line(line: Line) -> list[tuple[str | None, float | None]]:
    return [(rfc3339(at), value) for at, value in line]


def _stretch(stretch: Stretch) -> Json:
    return {
        "from": rfc3339(stretch.span.start),
        "to": rfc3339(stretch.span.end),
        "total": stretch.total,
        "bad": stretch.bad,
        "remaining": stretch.left,
        "peak_burn_rate_1h": stretch.peak,
    }
