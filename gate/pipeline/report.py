"""Gathering a report: the budgets, one history of everything, and what follows from both."""

from collections.abc import Callable, Mapping, Sequence

from gate import __version__
from gate.backends import history_of, open_backend
from gate.budget.assessment import Assessment
from gate.budget.explained import Deploy
from gate.budget.trace import Trace, trace
from gate.config.load import PolicyFile
from gate.decision.decision import PolicyDecision
from gate.decision.report import Report, ServiceReport
from gate.pipeline.histories import by_events
from gate.pipeline.incidents import (
    Search,
    ask,
    incident_report,
    service_incidents,
)
from gate.pipeline.measure import OpenBackend
from gate.pipeline.options import Options
from gate.pipeline.run import check, status
from gate.pipeline.together import together
from gate.policy.judge import judge
from gate.policy.policy import Policy
from gate.settings import Limits
from gate.slo.history import Series, SeriesAnswer
from gate.slo.measurement import Cause, Unmeasured


def report(
    files: Sequence[PolicyFile],
    options: Options,
    asked: Search,
    *,
    open_with: OpenBackend = open_backend,
) -> Report:
    """Return all that there is to tell.

    Args:
        files: the policies.
        options: of these the instant, the patience, and a change class to decide on, if any.
        asked: how far back to look, how finely, and what makes an incident.
        open_with: opens a backend.

    Raises:
        UsageError: the change class is unknown to a policy, or a backend's package is missing.
    """
    decision = None if options.change is None else check(files, options, open_with=open_with)
    decided: Sequence[PolicyDecision | None]
    if decision is None:
        known = status(files, options, open_with=open_with).policies
        assessed, decided = [one.assessments for one in known], [None] * len(files)
    else:
        assessed, decided = [one.assessments for one in decision.policies], decision.policies

    def task(place: int) -> Callable[[], dict[str, SeriesAnswer]]:
        return lambda: _answers(files[place], asked, open_with)

    answers = together([task(place) for place in range(len(files))])
    services = tuple(map(_service, files, assessed, answers, decided, [asked] * len(files)))
    return Report(
        services=services,
        incidents=incident_report([one.incidents for one in services], asked),
        decision=decision,
        evaluated_at=asked.at,
        tool_version=__version__,
    )


def _answers(file: PolicyFile, asked: Search, open_with: OpenBackend) -> dict[str, SeriesAnswer]:
    history = history_of(open_with(file.settings, Limits(timeout=asked.timeout)))
    if history is not None:
        return ask(history, file.policy, asked)
    reason = f"the backend {file.settings.kind} keeps no history to look at"
    lost = Unmeasured(cause=Cause.NO_DATA, reason=reason)
    return {slo.name: lost for slo in by_events(file.policy)}


def _service(
    file: PolicyFile,
    assessments: tuple[Assessment, ...],
    answers: Mapping[str, SeriesAnswer],
    decided: PolicyDecision | None,
    asked: Search,
) -> ServiceReport:
    policy, incidents = file.policy, service_incidents(file, answers, asked)
    known = [one.slo for one in incidents.slos if one.unmeasured is None]
    return ServiceReport(
        policy=policy,
        source=file.source,
        assessments=assessments,
        outlook={
            change: judge(policy, assessments, change, at=asked.at, satisfied={})
            for change in sorted(policy.change_classes)
        },
        traces=_traces(policy, assessments, {name: answers[name] for name in known}, asked),
        incidents=incidents,
        deploys=_deploys(policy, asked),
        decided=decided,
    )


def _traces(
    policy: Policy,
    assessments: Sequence[Assessment],
    answers: Mapping[str, SeriesAnswer],
    asked: Search,
) -> dict[str, Trace]:
    measured = {one.slo.name: one for one in assessments}
    return {
        slo.name: trace(series, asked.request(slo), measured[slo.name], float(slo.budget))
        for slo in by_events(policy)
        if isinstance(series := answers.get(slo.name), Series)
    }


def _deploys(policy: Policy, asked: Search) -> tuple[Deploy, ...]:
    span = asked.span
    own = [
        one
        for one in asked.deploys
        if one.service in {None, policy.service} and span.start < one.time <= span.end
    ]
    return tuple(sorted(own, key=lambda one: one.time))
