"""Replay of the past through one or several policies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from gate import __version__
from gate.analysis.backtest import BacktestReport, PolicyBacktest, ServiceBacktest
from gate.analysis.backtest.verdicts import Nearness, PastVerdict, objecting
from gate.analysis.incidents import IncidentOptions
from gate.analysis.incidents.run import all_findings, service_incidents
from gate.backends import open_backend
from gate.backends.waits import run_concurrently
from gate.check.decide import judge_change
from gate.check.instants import run_checks
from gate.check.measure import OpenBackend, open_history
from gate.check.options import Options, StatedEvidence, check_words, nothing_known
from gate.check.promises import with_promises
from gate.check.run import measure_and_gather
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.errors import UsageError
from gate.history.records import Deployment
from gate.measure import Backend
from gate.measure.history import clock_start
from gate.policy.policy import Policy
from gate.reporters.reasons import reason
from gate.slo.objective import Span

HOURLY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOptions:
    """The time, the instants and the changes to replay."""

    search: IncidentOptions
    """The time, its deploys, and the definition of an incident."""
    every: timedelta | None
    """The time between the instants of the clock; None: only deploys are judged."""
    by_deploys: bool = False
    """Whether deploys are counted, of which there may be none, and not instants of the clock."""
    change: str | None = None
    """The class of deploys without a class; None: each policy's default."""
    satisfied: Mapping[str, str] = field(default_factory=dict)
    """The evidence by requirement, available all the time."""


def by_default(
    search: IncidentOptions, *, by_deploys: bool, every: timedelta | None = None
) -> BacktestOptions:
    """Return the default instants: the deploys, or every hour without deploys."""
    often = every if by_deploys else every or HOURLY
    return BacktestOptions(search=search, every=often, by_deploys=by_deploys)


@dataclass(frozen=True, slots=True)
class PastMoment:
    """An instant at which the policies are judged."""

    at: datetime
    deploy: Deployment | None = None
    """The deploy; None: an instant of the clock."""


def replay(
    files: Sequence[PolicyFile],
    options: BacktestOptions,
    against: PolicyFile | None = None,
    *,
    open_with: OpenBackend = open_backend,
) -> BacktestReport:
    """Return the verdicts of all policies.

    Args:
        files: the policies.
        options: the time, the instants and the changes to replay.
        against: another policy, judged at the same instants and incidents as the first.
        open_with: opens a backend.

    Raises:
        UsageError: a backend keeps no history, or a package of one is missing; or the class, or a
            requirement, is in none of the policies; or ``against`` is of another service.
    """
    if against is not None:
        _check_services(files[0], against)
    at, timeout = options.search.at, options.search.timeout
    files, open_with = with_promises(files, at, timeout, open_with)
    if against is not None:
        (against,), open_with = with_promises([against], at, timeout, open_with)
    everything = [*files, *([] if against is None else [against])]
    words = Options(
        at=options.search.at,
        change=options.change,
        satisfied=options.satisfied,
        evidence=StatedEvidence(options.satisfied),
    )
    check_words(everything, words)
    tasks = [partial(_service, file, against, options, open_with) for file in files]
    return BacktestReport(
        services=tuple(run_concurrently(tasks)),
        span=options.search.span,
        every=options.every,
        tool_version=__version__,
    )


def _check_services(file: PolicyFile, against: PolicyFile) -> None:
    """Check that two policies are of the same service: deploys and incidents are of one service."""
    services = file.policy.service, against.policy.service
    if services[0] != services[1]:
        raise UsageError(
            f"{against.source.path} is a policy of service {services[1]}, and {file.source.path} is"
            f" one of {services[0]}; compare two policies of the same service"
        )


def _service(
    file: PolicyFile,
    against: PolicyFile | None,
    options: BacktestOptions,
    open_with: OpenBackend,
) -> ServiceBacktest:
    search = options.search
    _, history = open_history(file, search.timeout, open_with)
    findings = all_findings(file.policy, history, search)
    incidents = service_incidents(file, findings, search)
    trial = _Trial(
        moments=past_moments(file.policy, options),
        nearness=Nearness(
            incidents=tuple(annotated.incident for annotated in incidents.annotated),
            step=search.step,
        ),
        options=options,
        open_with=open_with,
    )
    if against is None:
        (tried,), other = trial.of(file), None
    elif against.settings == file.settings:
        tried, other = trial.of(file, against)  # both policies share the queries of a moment
    else:
        (tried,), (other,) = trial.of(file), trial.of(against)
    return ServiceBacktest(incidents=incidents, tried=tried, against=other)


def past_moments(policy: Policy, options: BacktestOptions) -> tuple[PastMoment, ...]:
    """Return the instants of the replay, in order: the service's deploys and the clock's."""
    span, every = options.search.span, options.every
    deploys = [
        PastMoment(deploy.time, deploy)
        for deploy in options.search.deploys
        if deploy.service in {None, policy.service} and span.start < deploy.time <= span.end
    ]
    by_clock = [] if every is None else map(PastMoment, _by_clock(span, every))
    return tuple(sorted([*deploys, *by_clock], key=lambda moment: moment.at))


def _by_clock(span: Span, every: timedelta) -> Iterator[datetime]:
    """Yield the whole multiples of a duration since 1970 from the start on and before the end."""
    at = clock_start(span.start, every)
    while at < span.end:
        if at >= span.start:
            yield at
        at += every


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """The moments and the options with which a policy is tested."""

    moments: tuple[PastMoment, ...]
    nearness: Nearness
    options: BacktestOptions
    open_with: OpenBackend

    def of(self, *files: PolicyFile) -> list[PolicyBacktest]:
        """Return the verdicts of each policy at each of the moments, and at the end.

        Args:
            files: the policies, at least one, with the same settings of their backends.
        """
        search = self.options.search
        backend, history = open_history(files[0], search.timeout, self.open_with)
        moments = (*self.moments, PastMoment(search.at))
        verdicts = run_checks(
            backend,
            history,
            [(file, moment) for moment in moments for file in files],
            lambda backend, each: _check(each[0], self.options, backend, each[1]),
        )
        return [
            self._backtest(file, verdicts[place :: len(files)]) for place, file in enumerate(files)
        ]

    def _backtest(self, file: PolicyFile, checked: Sequence[PastVerdict]) -> PolicyBacktest:
        *verdicts, last = checked
        return PolicyBacktest(
            policy=file.policy,
            source=file.source,
            change=_usual(file.policy, self.options),
            verdicts=tuple(verdicts),
            last=last,
            nearness=self.nearness,
            by_deploys=self.options.by_deploys,
            every=self.options.every,
        )


def _usual(policy: Policy, options: BacktestOptions) -> str:
    """Return the class that is judged at every instant."""
    return options.change or policy.default_change


def _check(
    file: PolicyFile, options: BacktestOptions, backend: Backend, moment: PastMoment
) -> PastVerdict:
    """Return the decision of ``gate check`` at the moment, without recoveries."""
    policy, deploy, usual = file.policy, moment.deploy, _usual(file.policy, options)
    stated = deploy.change if deploy is not None else None
    run = Options(
        at=moment.at,
        change=stated if stated in policy.change_classes else usual,
        satisfied=options.satisfied,
        evidence=StatedEvidence(options.satisfied),
        observe=True,
    )
    measured = measure_and_gather(policy, backend, run)
    case, _, judgement = judge_change(file, measured, run, nothing_known)
    of_usual = judgement
    if case.change != usual:
        _, _, of_usual = judge_change(file, measured, replace(run, change=usual), nothing_known)
    worst, tier = judgement.worst, judgement.tier
    budgets = {
        assessment.slo.name: (assessment.compared, assessment.remaining)
        for assessment in case.assessments
        if assessment.compared is not None
        and assessment.remaining is not None
        and assessment.uncovered is None
    }
    return PastVerdict(
        at=moment.at,
        change=case.change,
        deploy=deploy,
        verdict=judgement.verdict,
        usual=of_usual.verdict,
        usual_reasons=tuple(
            reason(finding) for finding in objecting(of_usual.findings, of_usual.verdict)
        ),
        tier=None if tier is None else tier.name,
        worst=None if worst is None or tier is None else worst.slo.name,
        left=None if worst is None or tier is None else worst.compared,
        remaining={slo: compared for slo, (compared, _) in budgets.items()},
        bound_below={slo: measured - compared for slo, (compared, measured) in budgets.items()},
        findings=judgement.findings,
        measured=all(
            assessment.measured or assessment.slo.advisory for assessment in case.assessments
        ),
    )
