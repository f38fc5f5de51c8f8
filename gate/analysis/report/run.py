"""Gather a report: the budgets, one history of everything, and the results of both."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from gate import __version__
from gate.analysis.anomalies import AnomalyReport
from gate.analysis.anomalies.run import AnomalyOptions, service_anomalies
from gate.analysis.backtest.run import BacktestOptions, replay
from gate.analysis.cohorts.measure import CohortOptions
from gate.analysis.cohorts.run import compare_cohorts
from gate.analysis.forecast import ForecastReport
from gate.analysis.forecast.projections import RATES
from gate.analysis.forecast.run import service_forecast
from gate.analysis.incidents import IncidentOptions, ServiceIncidents
from gate.analysis.incidents.context import with_labels
from gate.analysis.incidents.run import incident_report, service_incidents
from gate.analysis.report import Report, ServiceReport
from gate.analysis.report.requests import Questions, ReportAnswers, SeriesAnswers, cached_history
from gate.backends import Settings, open_backend
from gate.backends.waits import run_concurrently
from gate.budget.assessment import Assessment
from gate.check.measure import OpenBackend, known_of
from gate.check.options import Options
from gate.check.past import budget_histories, gather_history
from gate.check.promises import with_promises
from gate.check.run import run_check, run_status
from gate.config.load import PolicyFile
from gate.decision.decision import Decision, PolicyDecision
from gate.history.consumption import Consumption, consumption
from gate.history.events import as_events, budget_share, keeps_past
from gate.history.past_budget import ShortSteps, Trace, trace
from gate.history.records import Deployment
from gate.measure import Backend, Limits
from gate.measure.history import Series, SeriesRequest, coarser, on_the_clock
from gate.policy.case import NO_PAST, Case
from gate.policy.judge import judge
from gate.policy.policy import Policy
from gate.slo.objective import Slo, Span


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
    files, open_with = with_promises(files, search.at, search.timeout, open_with)
    questions = Questions(search)
    opened = [
        (file.settings, cached_history(open_with(file.settings, file.limits(search.timeout))))
        for file in files
    ]

    def opening(settings: Settings, _limits: Limits) -> Backend:
        return next(backend for owner, backend in opened if owner is settings)

    answers = run_concurrently(
        [
            partial(questions.ask, file.policy, backend)
            for file, (_, backend) in zip(files, opened, strict=True)
        ]
    )
    decision, assessed = _budgets(files, replace(options, also=RATES), opening)
    decided = decision.policies if decision is not None else [None] * len(files)
    services = tuple(map(_service, files, assessed, answers, decided, [questions] * len(files)))
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


def _anomaly_report(services: Sequence[ServiceReport], options: AnomalyOptions) -> AnomalyReport:
    return AnomalyReport(
        services=tuple(service.anomalies for service in services),
        span=options.span,
        step=options.step,
        baseline=options.charting.baseline,
        rules=options.charting.rules,
        tool_version=__version__,
    )


def _budgets(
    files: Sequence[PolicyFile], options: Options, open_with: OpenBackend
) -> tuple[Decision | None, list[tuple[Assessment, ...]]]:
    """Return every budget, and the decision on the given change class."""
    if options.change is None:
        status = run_status(files, options, open_with=open_with)
        return None, [policy.assessments for policy in status.policies]
    decision = run_check(files, options, open_with=open_with)
    return decision, [policy.assessments for policy in decision.policies]


def _service(
    file: PolicyFile,
    assessments: tuple[Assessment, ...],
    answers: ReportAnswers,
    decided: PolicyDecision | None,
    questions: Questions,
) -> ServiceReport:
    policy, search = file.policy, questions.search
    past = gather_history(policy, answers.history, search.at) if policy.looks_back else NO_PAST
    forecast = service_forecast(
        file, assessments, iter(answers.forecast.values()), questions.forecast
    )
    case = Case(
        policy=policy,
        assessments=[slo.assessment for slo in forecast.slos],
        change=policy.default_change,
        at=search.at,
        past=past,
    )
    incidents = service_incidents(file, iter(answers.steps.values()), search)
    return ServiceReport(
        policy=policy,
        source=file.source,
        assessments=assessments,
        outlook={
            change: judge(replace(case, change=change)) for change in sorted(policy.change_classes)
        },
        traces=_traces(policy, assessments, answers, questions),
        consumption=_consumption(assessments, incidents, answers, questions),
        incidents=with_labels(incidents, answers.backend, search.span),
        forecast=forecast,
        anomalies=service_anomalies(file, iter(answers.charts.values()), questions.anomaly_options),
        deploys=_deploys(policy, search),
        decided=decided,
    )


def _traces(
    policy: Policy,
    assessments: Sequence[Assessment],
    answers: ReportAnswers,
    questions: Questions,
) -> dict[str, Trace]:
    """Return the trace of each budget with known data."""
    requests = questions.steps(policy)
    histories = budget_histories(policy, answers.plans, answers.budgets, assessments)
    traces = {
        slo.name: trace(
            slo,
            histories.get(slo.name),
            questions.search.span,
            _steps(slo, answers.steps, requests, questions.search.span)
            if slo.name in requests
            else None,
        )
        for slo in policy.slos
    }
    return {name: drawn for name, drawn in traces.items() if drawn.left or drawn.fast}


def _consumption(
    assessments: Sequence[Assessment],
    incidents: ServiceIncidents,
    answers: ReportAnswers,
    questions: Questions,
) -> dict[str, Consumption]:
    """Return the causes that used each budget with bad events of its own."""
    requests, name = questions.steps(incidents.policy), incidents.policy.service
    consumed = dict[str, Consumption]()
    for assessment in assessments:
        slo = assessment.slo.name
        answer = answers.steps.get(slo)
        if not isinstance(answer, Series):
            continue
        of_slo = [
            (annotated.incident.id(name), impact.incident)
            for annotated in incidents.annotated
            for impact in annotated.incident.impacts
            if impact.slo == slo
        ]
        eaten = consumption(assessment, answer, requests[slo], of_slo)
        if eaten is not None:
            consumed[slo] = eaten
    return consumed


def _steps(
    slo: Slo, answers: SeriesAnswers, requests: Mapping[str, SeriesRequest], span: Span
) -> ShortSteps | None:
    """Return the events of the short steps of a span; None if all are unknown."""
    asked_for = requests[slo.name]
    request = replace(asked_for, span=on_the_clock(span, asked_for.step))
    answer = known_of(coarser(answers[slo.name], asked_for, request))
    if not keeps_past(slo) or not isinstance(answer, Series):
        return None
    events = as_events(slo, answer, request)
    return ShortSteps(series=events, request=request, budget=float(budget_share(slo)))


def _deploys(policy: Policy, search: IncidentOptions) -> tuple[Deployment, ...]:
    span = search.span
    own = [
        deploy
        for deploy in search.deploys
        if deploy.service in {None, policy.service} and span.start < deploy.time <= span.end
    ]
    return tuple(sorted(own, key=lambda deploy: deploy.time))
