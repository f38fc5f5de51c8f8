"""Which checks an SLO needs."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from gate.backends.prometheus.client import Client
from gate.backends.prometheus.doctor.counters import BoundaryCheck, FirstValueCheck, MonotonicCheck
from gate.backends.prometheus.doctor.counts import (
    NumberCheck,
    ReplicaCheck,
    SourceCheck,
    counted,
    unmeasured,
)
from gate.backends.prometheus.doctor.history import CoverageCheck, FreshnessCheck
from gate.backends.prometheus.doctor.presence import PresenceCheck
from gate.backends.prometheus.doctor.server import (
    QUESTIONS,
    FeatureCheck,
    partial,
    retention_of,
    server_results,
)
from gate.backends.prometheus.doctor.slo_check import (
    CheckAnswers,
    SelectorSource,
    ServerAnswers,
    ServerQuestion,
    SloCheck,
    sources_of,
)
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import further_questions, plan, questions
from gate.backends.prometheus.query import Query, Role
from gate.dataclass import dataclass
from gate.measure import Cause, CountRequest, MeasurementError, Unmeasured
from gate.measure.diagnosis import (
    Check,
    CheckedSlo,
    CheckResult,
    Diagnosis,
    Level,
    worst_level,
)
from gate.promql.buckets import Buckets
from gate.promql.expression import read_expression
from gate.promql.grammar import ExpressionError
from gate.slo.indicator import Histogram

_WHOLE = (Role.TOTAL, Role.SPENT, Role.GOOD)
"""The first that an indicator has counts all events, or nearly."""


def checks_of(slo: CheckedSlo, planned: Plan | Unmeasured) -> Iterator[SloCheck]:
    """Yield the checks of one SLO; where nothing can be counted, those that may say why."""
    if isinstance(planned, Unmeasured):
        histogram = slo.request.sli.histogram
        if histogram is not None:
            yield from _presence(slo, _of_histogram(histogram, slo))
        return
    sources = sources_of(planned.expressions)
    yield FeatureCheck(texts=tuple(part.text for part in planned.parts.values()))
    yield from _presence(slo, sources)
    yield NumberCheck(plan=planned)
    history = _history(slo, planned)
    for source in sources:
        yield BoundaryCheck(source=source, lacking=planned.lacking)
        yield ReplicaCheck(source=source)
        if source.counter:
            yield MonotonicCheck(source=source, span=slo.request.span)
            yield FirstValueCheck(
                source=source,
                span=slo.request.span,
                counted=planned.parts[source.role],
                oldest=history.oldest if history else None,
            )
    yield SourceCheck(counters=_whole(planned, sources), span=slo.request.span)
    if history is not None:
        yield history
        yield FreshnessCheck(slo=slo, probe=history.probe)


def _presence(slo: CheckedSlo, sources: tuple[SelectorSource, ...]) -> Iterator[PresenceCheck]:
    own = frozenset(source.selector.name for source in sources)
    total = {m for s in sources if s.role is Role.TOTAL for m in s.selector.matchers}
    for source in sources:
        yield PresenceCheck(source=source, span=slo.request.span, own=own, total=frozenset(total))


def _of_histogram(histogram: Histogram, slo: CheckedSlo) -> tuple[SelectorSource, ...]:
    """Return the buckets of a histogram that was not found as what is looked for."""
    try:
        buckets = Buckets.of(histogram, slo.request.sli.labels)
    except ExpressionError:
        return ()  # said where it is planned
    return sources_of({Role.TOTAL: read_expression(buckets.total.suffixed("_bucket"), None)})


def _whole(planned: Plan, sources: tuple[SelectorSource, ...]) -> tuple[SelectorSource, ...]:
    role = next((role for role in _WHOLE if role in planned.parts), None)
    return tuple(source for source in sources if source.role is role and source.counter)


def _history(slo: CheckedSlo, planned: Plan) -> CoverageCheck | None:
    """Return what is looked at over the whole window; None: no metric is named."""
    if planned.probe is None:
        return None
    return CoverageCheck(slo=slo, probe=planned.probe)


@dataclass(frozen=True, slots=True)
class _Examination:
    """One SLO: how it is counted, and what is looked at."""

    slo: CheckedSlo
    plan: Plan | Unmeasured
    checks: tuple[SloCheck, ...]
    answers: CheckAnswers


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusDoctor:
    """Examines what one server counts."""

    client: Client
    timeout: timedelta
    """For one examination."""
    parallel: int
    """Most queries under way at once."""

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Look at every SLO; never raises for what the server does."""
        until = self.client.clock.monotonic() + self.timeout.total_seconds()
        fetch = Fetch(client=self.client, at=at, until=until, parallel=self.parallel)
        server = ServerAnswers(client=self.client, until=until, parallel=self.parallel)
        server.begin(QUESTIONS)
        scoped = [(slo.request, Scope(slo.request.span)) for slo in slos]
        fetch.run(part for pair in scoped for part in questions(*pair))
        fetch.run(part for pair in scoped for part in further_questions(*pair, fetch.reading))
        server.finish()
        examinations = [self._examination(slo, fetch, server, at) for slo in slos]
        checks = [check for examination in examinations for check in examination.checks]
        fetch.run(query for check in checks for query in check.queries())
        if fetch.hopeless is not None:
            return _unreachable(fetch.hopeless, len(slos))
        _ask_further(examinations, fetch, server)
        return Diagnosis(
            backend=tuple(server_results(server)),
            slos=tuple(tuple(_results(examination)) for examination in examinations),
        )

    def _examination(
        self, slo: CheckedSlo, fetch: Fetch, server: ServerAnswers, at: datetime
    ) -> _Examination:
        planned = plan(slo.request, Scope(slo.request.span), fetch.reading)
        answers = CheckAnswers(
            readings=fetch.reading, server=server, at=at, retention=retention_of(server)
        )
        return _Examination(slo, planned, tuple(checks_of(slo, planned)), answers)


def _ask_further(examinations: Sequence[_Examination], fetch: Fetch, server: ServerAnswers) -> None:
    """Ask whatever the first answers make worth knowing."""
    pairs = [(check, slo.answers) for slo in examinations for check in slo.checks]
    queries, server_questions = list[Query](), list[ServerQuestion]()
    for check, answers in pairs:
        try:
            queries += list(check.follow_ups(answers))
            server_questions += list(check.questions(answers))
        except MeasurementError:
            continue  # said where the answers are judged
    server.begin(server_questions)
    fetch.run(queries)
    server.finish()


def _results(examination: _Examination) -> Iterator[CheckResult]:
    results, unseen = list[CheckResult](), dict[str, list[str]]()
    for check in examination.checks:
        try:
            results += check.results(examination.answers)
        except MeasurementError as error:
            unseen.setdefault(error.reason, []).append(check.check)
    if isinstance(examination.plan, Plan):
        yield from _outcome(examination.plan, examination.answers, worst_level(results))
    elif worst_level(results) is not Level.FAULT:
        yield _unplanned(examination.plan, examination.slo.request)
    yield from results
    yield from (_unseen(checks, reason) for reason, checks in unseen.items())


def _unplanned(why: Unmeasured, request: CountRequest) -> CheckResult:
    """Say why it is not even known what to count."""
    # With a histogram that is there, only its boundaries can be wrong.
    unfit = request.sli.histogram is not None and why.cause is Cause.INVALID
    query = "\n".join(part.text for part in questions(request, Scope(request.span)))
    return unmeasured(why, Check.BOUNDARY if unfit else Check.COUNTED, query)


def _outcome(planned: Plan, answers: CheckAnswers, level: Level) -> Iterator[CheckResult]:
    count = counted(planned, answers, Level.FAULT if answers.warnings else level)
    if count is not None:
        yield count
    yield partial(answers)


def _unseen(checks: Sequence[str], reason: str) -> CheckResult:
    return CheckResult(
        check=Check.REACH,
        level=Level.FAULT,
        message=f"{', '.join(dict.fromkeys(checks))} could not be looked at: {reason}",
        remedy="try again; allow it more time if time was short",
    )


def _unreachable(reason: str, slos: int) -> Diagnosis:
    result = CheckResult(
        check=Check.REACH,
        level=Level.FAULT,
        message=f"nothing could be looked at: {reason}",
        remedy="check the url, the login, and whether the server runs",
    )
    return Diagnosis(backend=(result,), slos=((),) * slos)
