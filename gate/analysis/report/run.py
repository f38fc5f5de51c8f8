"""Gather a report: the budgets, the results of the histories, and the results of both."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from gate import __version__
from gate.analysis.anomalies import AnomalyReport, ServiceAnomalies
from gate.analysis.anomalies.run import AnomalyOptions
from gate.analysis.backtest.run import BacktestOptions, replay
from gate.analysis.cohorts.measure import CohortOptions
from gate.analysis.cohorts.run import compare_cohorts
from gate.analysis.forecast import ForecastReport, ServiceForecast
from gate.analysis.incidents import IncidentOptions
from gate.analysis.incidents.context import with_labels
from gate.analysis.incidents.run import incident_report, service_incidents
from gate.analysis.report import Report, ServiceReport
from gate.analysis.report.looking_back import LookedBack, look_back
from gate.analysis.report.requests import Questions
from gate.backends import open_backend
from gate.backends.waits import run_concurrently
from gate.check.decide import BudgetsAndPast, with_evidence
from gate.check.measure import OpenBackend, left_out
from gate.check.options import Options, check_words
from gate.check.promises import with_promises
from gate.check.run import judge_measured
from gate.config.load import PolicyFile
from gate.decision.decision import PolicyDecision
from gate.history.records import Deployment
from gate.measure import Backend
from gate.policy.case import Case
from gate.policy.judge import judge
from gate.policy.policy import Policy


def gather_report(
    files: Sequence[PolicyFile],
    options: Options,
    search: IncidentOptions,
    groups: CohortOptions | None = None,
    past: BacktestOptions | None = None,
    *,
    open_with: OpenBackend = open_backend,
) -> Report:
    """Return the whole report.

    Args:
        files: the policies.
        options: options, of which the instant, the time limits, and a change class (if any) are
            used.
        search: the length and the step of the history, and the definition of an incident.
        groups: the labels that separate events; None: none.
        past: the past to replay through the policies; None: nothing.
        open_with: the function that opens a backend.

    Raises:
        UsageError: the change class is unknown to a policy, a backend cannot separate events by
            labels, or its package is missing.
    """
    check_words(files, options)
    files, open_with = with_promises(files, search.at, search.timeout, open_with)
    questions = Questions(search)
    backends = [open_with(file.settings, file.limits(search.timeout)) for file in files]
    looked = run_concurrently(
        [
            partial(_look_back, file.policy, backend, questions, options)
            for file, backend in zip(files, backends, strict=True)
        ]
    )
    decision = None
    if options.change is not None:
        budgets = [budgets for _, budgets in looked]
        decision = judge_measured(files, budgets, options, open_with, backends)
    decided = decision.policies if decision is not None else [None] * len(files)
    services = tuple(
        _service(file, past, backend, own, questions)
        for file, (past, _), backend, own in zip(files, looked, backends, decided, strict=True)
    )
    return Report(
        services=services,
        incidents=incident_report([service.incidents for service in services], search),
        forecast=ForecastReport(
            services=tuple(service.forecast for service in services),
            evaluated_at=search.at,
            tool_version=__version__,
        ),
        anomalies=_anomaly_report(services, questions.anomaly_options),
        cohorts=None if groups is None else compare_cohorts(files, groups, open_with=open_with),
        backtest=None if past is None else replay(files, past, open_with=open_with),
        decision=decision,
        evaluated_at=search.at,
        tool_version=__version__,
    )


def _look_back(
    policy: Policy, backend: Backend, questions: Questions, options: Options
) -> tuple[LookedBack, BudgetsAndPast]:
    """Return what the histories come to, and what a decision on the change needs."""
    looked = look_back(policy, backend, questions, options)

    def measured(_policy: Policy, _backend: Backend, _options: Options) -> BudgetsAndPast:
        return looked.assessments, looked.past

    return looked, with_evidence(policy, backend, options, measured)


def _anomaly_report(services: Sequence[ServiceReport], options: AnomalyOptions) -> AnomalyReport:
    return AnomalyReport(
        services=tuple(service.anomalies for service in services),
        span=options.span,
        step=options.step,
        baseline=options.charting.baseline,
        rules=options.charting.rules,
        tool_version=__version__,
    )


def _service(
    file: PolicyFile,
    looked: LookedBack,
    backend: Backend,
    decided: PolicyDecision | None,
    questions: Questions,
) -> ServiceReport:
    policy, search = file.policy, questions.search
    case = Case(
        policy=policy,
        assessments=[forecast.assessment for forecast in looked.forecasts],
        change=policy.default_change,
        at=search.at,
        past=looked.past,
    )
    incidents = service_incidents(file, looked.findings, search)
    return ServiceReport(
        policy=policy,
        source=file.source,
        assessments=looked.assessments if decided is None else decided.assessments,
        outlook={
            change: judge(replace(case, change=change)) for change in sorted(policy.change_classes)
        },
        traces=looked.traces,
        consumption=looked.consumption(incidents),
        incidents=with_labels(incidents, backend, search.span),
        forecast=ServiceForecast(policy=policy, source=file.source, slos=looked.forecasts),
        anomalies=ServiceAnomalies(
            policy=policy,
            source=file.source,
            slos=looked.charted,
            left_out=left_out(policy),
        ),
        deploys=_deploys(policy, search),
        decided=decided,
    )


def _deploys(policy: Policy, search: IncidentOptions) -> tuple[Deployment, ...]:
    span = search.span
    own = [
        deploy
        for deploy in search.deploys
        if deploy.service in {None, policy.service} and span.start < deploy.time <= span.end
    ]
    return tuple(sorted(own, key=lambda deploy: deploy.time))
