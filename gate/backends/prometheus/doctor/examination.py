"""All SLOs' questions in common rounds, and the results."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from gate.backends.prometheus.answer import answer
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.doctor.counts import counted, unmeasured
from gate.backends.prometheus.doctor.selection import (
    EXPECTED,
    checks_of,
    looked_for,
    not_applicable,
)
from gate.backends.prometheus.doctor.server import QUESTIONS, partial, retention_of, server_results
from gate.backends.prometheus.doctor.slo_check import (
    CheckAnswers,
    ServerAnswers,
    ServerQuestion,
    SloCheck,
)
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import further_questions, plan, questions
from gate.backends.prometheus.query import Query
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest, MeasurementError, Unmeasured
from gate.measure.diagnosis import (
    Check,
    CheckedSlo,
    CheckResult,
    Diagnosis,
    Level,
    SkippedCheck,
    account_for,
    suspicion_results,
    worst_level,
)
from gate.measure.remedies import with_advice


@dataclass(frozen=True, slots=True)
class _Examination:
    """One SLO: its plan, and its checks."""

    slo: CheckedSlo
    plan: Plan | Unmeasured
    checks: tuple[SloCheck, ...]
    answers: CheckAnswers


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusDoctor:
    """Examines the counts of one server."""

    client: Client
    timeout: timedelta
    """The time limit of one examination."""
    parallel: int
    """The largest number of concurrent queries."""

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Examine every SLO; failures of the server never raise an exception."""
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
        outcomes = [_results(examination) for examination in examinations]
        return Diagnosis(
            backend=tuple(server_results(server)),
            slos=tuple(results for results, _ in outcomes),
            skipped=tuple(skipped for _, skipped in outcomes),
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
    """Send the questions that follow from the first answers."""
    pairs = [(check, slo.answers) for slo in examinations for check in slo.checks]
    queries, server_questions = list[Query](), list[ServerQuestion]()
    for check, answers in pairs:
        try:
            queries += list(check.follow_ups(answers))
            server_questions += list(check.questions(answers))
        except MeasurementError:
            continue  # the judgement reports the error
    server.begin(server_questions)
    fetch.run(queries)
    server.finish()


def _results(
    examination: _Examination,
) -> tuple[tuple[CheckResult, ...], tuple[SkippedCheck, ...]]:
    planned, answers = examination.plan, examination.answers
    seen, unseen = list[CheckResult | SkippedCheck](), dict[str, list[Check]]()
    for check in examination.checks:
        try:
            seen += check.results(answers)
        except MeasurementError as error:
            unseen.setdefault(error.reason, []).append(check.check)
    level = worst_level(_only_results(seen))
    if isinstance(planned, Plan):
        count = answer(planned, answers.readings)
        seen[:0] = _outcome(count, answers, level)
        seen += (*_suspected(planned, count), *not_applicable(planned, examination.checks))
    elif level is not Level.FAULT:
        seen.insert(0, _unplanned(planned, examination.slo.request))
    for reason, checks in unseen.items():
        seen.append(_unseen(checks, reason))
        seen += (SkippedCheck(check=check, reason=reason, applies=True) for check in checks)
    skipped = [result for result in seen if isinstance(result, SkippedCheck)]
    return account_for(EXPECTED, _only_results(seen), skipped)


def _only_results(seen: Sequence[CheckResult | SkippedCheck]) -> list[CheckResult]:
    return [result for result in seen if isinstance(result, CheckResult)]


def _unplanned(why: Unmeasured, request: CountRequest) -> CheckResult:
    """Report why a count could not be planned."""
    # If the histogram exists, only its boundaries can be wrong.
    unfit = request.sli.histogram is not None and why.cause is Cause.INVALID
    query = "\n".join(part.text for part in questions(request, Scope(request.span)))
    return unmeasured(why, Check.BOUNDARY if unfit else Check.COUNTED, query)


def _outcome(count: Answer, answers: CheckAnswers, level: Level) -> Iterator[CheckResult]:
    shown = counted(count, Level.FAULT if answers.warnings else level)
    if shown is not None:
        yield shown
    yield partial(answers)


def _suspected(planned: Plan, count: Answer) -> Iterator[CheckResult | SkippedCheck]:
    """Yield the suspicions of `gate check` about a count, and its searches without a result."""
    doubts = list(suspicion_results(count))
    yield from doubts
    yield from looked_for(planned, count, {doubt.check for doubt in doubts})


def _unseen(checks: Sequence[str], reason: str) -> CheckResult:
    reason, remedy = with_advice(reason, "try again; allow it more time if time was short")
    return CheckResult(
        check=Check.REACH,
        level=Level.FAULT,
        message=f"{', '.join(dict.fromkeys(checks))} could not be checked: {reason}",
        remedy=remedy,
    )


def _unreachable(reason: str, slos: int) -> Diagnosis:
    reason, remedy = with_advice(
        reason, "correct what the message names, then run gate doctor again"
    )
    result = CheckResult(
        check=Check.REACH,
        level=Level.FAULT,
        message=f"nothing could be checked: {reason}",
        remedy=remedy,
    )
    return Diagnosis(backend=(result,), slos=((),) * slos)
