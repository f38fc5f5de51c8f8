"""Gathering a report: the budgets, one history of everything, and what follows from both."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from gate import __version__
from gate.analysis.anomalies.result import AnomalyReport
from gate.analysis.anomalies.run import service_anomalies
from gate.analysis.cohorts.measure import CohortOptions
from gate.analysis.cohorts.run import compare_cohorts
from gate.analysis.forecast.projections import RATES
from gate.analysis.forecast.result import ForecastReport
from gate.analysis.forecast.run import service_forecast
from gate.analysis.incidents.run import IncidentOptions, incident_report, service_incidents
from gate.analysis.report.requests import Questions, ReportAnswers, SeriesAnswers, cached_history
from gate.analysis.report.result import Report, ServiceReport
from gate.backends import Settings, open_backend
from gate.budget.assessment import Assessment
from gate.check.measure import OpenBackend, by_events, known_of, run_concurrently
from gate.check.options import Options
from gate.check.past import gather_history
from gate.check.run import run_check, run_status
from gate.config.load import PolicyFile
from gate.decision.decision import Decision, PolicyDecision
from gate.history.past_budget import Trace, trace
from gate.history.records import Deployment
from gate.measure.counts import Backend, Limits
from gate.measure.history import Series
from gate.policy.case import NO_PAST, Case
from gate.policy.judge import judge
from gate.policy.policy import Policy


def gather_report(
    files: Sequence[PolicyFile],
    options: Options,
    asked: IncidentOptions,
    groups: CohortOptions | None = None,
    *,
    open_with: OpenBackend = open_backend,
) -> Report:
    """Return all that there is to tell.

    Args:
        files: the policies.
        options: of these the instant, the patience, and a change class to decide on, if any.
        asked: how far back to look, how finely, and what makes an incident.
        groups: what to tell events apart by; None: by nothing.
        open_with: opens a backend.

    Raises:
        UsageError: the change class is unknown to a policy, a backend cannot tell events apart by
            labels, or its package is missing.
    """
    limits, questions = Limits(timeout=asked.timeout), Questions(asked)
    opened = [(file.settings, cached_history(open_with(file.settings, limits))) for file in files]

    def opening(settings: Settings, _limits: Limits) -> Backend:
        return next(backend for known, backend in opened if known is settings)

    told = run_concurrently(
        [
            partial(questions.ask, file.policy, backend)
            for file, (_, backend) in zip(files, opened, strict=True)
        ]
    )
    decision, assessed = _budgets(files, replace(options, also=RATES), opening)
    decided = decision.policies if decision is not None else [None] * len(files)
    services = tuple(map(_service, files, assessed, told, decided, [questions] * len(files)))
    look = questions.look
    return Report(
        services=services,
        incidents=incident_report([one.incidents for one in services], asked),
        forecast=ForecastReport(
            services=tuple(one.forecast for one in services),
            evaluated_at=asked.at,
            tool_version=__version__,
        ),
        anomalies=AnomalyReport(
            services=tuple(one.anomalies for one in services),
            span=look.span,
            step=look.step,
            baseline=look.charting.baseline,
            rules=look.charting.rules,
            tool_version=__version__,
        ),
        cohorts=None if groups is None else compare_cohorts(files, groups, open_with=open_with),
        decision=decision,
        evaluated_at=asked.at,
        tool_version=__version__,
    )


def _budgets(
    files: Sequence[PolicyFile], options: Options, open_with: OpenBackend
) -> tuple[Decision | None, list[tuple[Assessment, ...]]]:
    """Return every budget, and the decision on a change that was asked about."""
    if options.change is None:
        known = run_status(files, options, open_with=open_with)
        return None, [one.assessments for one in known.policies]
    decision = run_check(files, options, open_with=open_with)
    return decision, [one.assessments for one in decision.policies]


def _service(
    file: PolicyFile,
    assessments: tuple[Assessment, ...],
    told: ReportAnswers,
    decided: PolicyDecision | None,
    questions: Questions,
) -> ServiceReport:
    policy, asked = file.policy, questions.search
    past = gather_history(policy, told.history, asked.at) if policy.looks_back else NO_PAST
    foretold = service_forecast(file, assessments, told.forecast, questions.forecast)
    case = Case(
        policy=policy,
        assessments=[one.assessment for one in foretold.slos],
        change=policy.default_change,
        at=asked.at,
        past=past,
    )
    return ServiceReport(
        policy=policy,
        source=file.source,
        assessments=assessments,
        outlook={
            change: judge(replace(case, change=change)) for change in sorted(policy.change_classes)
        },
        traces=_traces(policy, assessments, told.steps, questions),
        incidents=service_incidents(file, told.steps, asked),
        forecast=foretold,
        anomalies=service_anomalies(file, told.charts, questions.look),
        deploys=_deploys(policy, asked),
        decided=decided,
    )


def _traces(
    policy: Policy, assessments: Sequence[Assessment], answers: SeriesAnswers, questions: Questions
) -> dict[str, Trace]:
    measured = {one.slo.name: one for one in assessments}
    requests = questions.steps(policy)
    return {
        slo.name: trace(answer, requests[slo.name], measured[slo.name], float(slo.budget))
        for slo in by_events(policy)
        if isinstance(answer := known_of(answers[slo.name]), Series)
    }


def _deploys(policy: Policy, asked: IncidentOptions) -> tuple[Deployment, ...]:
    span = asked.span
    own = [
        one
        for one in asked.deploys
        if one.service in {None, policy.service} and span.start < one.time <= span.end
    ]
    return tuple(sorted(own, key=lambda one: one.time))
