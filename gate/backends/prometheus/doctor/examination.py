"""Which checks an SLO needs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gate.backends.prometheus.batches import Fetch
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.doctor.counters import BoundaryCheck, FirstValueCheck, MonotonicCheck
from gate.backends.prometheus.doctor.counts import (
    NumberCheck,
    ReplicaCheck,
    SourceCheck,
    counted,
    partial,
    unmeasured,
)
from gate.backends.prometheus.doctor.history import CoverageCheck, FreshnessCheck
from gate.backends.prometheus.doctor.presence import PresenceCheck
from gate.backends.prometheus.doctor.server import (
    QUESTIONS,
    FeatureCheck,
    retention_of,
    server_symptoms,
)
from gate.backends.prometheus.doctor.sight import (
    CheckAnswers,
    SelectorSource,
    ServerAnswers,
    SloCheck,
    sources_of,
)
from gate.backends.prometheus.plan import Plan, plan, questions
from gate.backends.prometheus.query import Role
from gate.measure.counts import Cause, CountRequest, MeasurementError, Unmeasured
from gate.measure.diagnosis import (
    Check,
    CheckedSlo,
    CheckResult,
    Diagnosis,
    Level,
    worst,
)
from gate.promql.expression import read_expression, read_selector
from gate.promql.grammar import ExpressionError
from gate.slo.indicator import Histogram

_WHOLE = (Role.TOTAL, Role.SPENT, Role.GOOD)
"""The first that an indicator has counts all events, or nearly."""


def checks_of(patient: CheckedSlo, planned: Plan | Unmeasured) -> Iterator[SloCheck]:
    """Yield the checks of one SLO; where nothing can be counted, those that may say why."""
    if isinstance(planned, Unmeasured):
        histogram = patient.request.sli.histogram
        if histogram is not None:
            yield from _presence(patient, _of_histogram(histogram, patient))
        return
    sources = sources_of(planned.expressions)
    yield FeatureCheck(texts=tuple(part.text for part in planned.parts.values()))
    yield from _presence(patient, sources)
    yield NumberCheck(plan=planned)
    history = _history(patient, planned)
    for source in sources:
        yield BoundaryCheck(source=source, lacking=planned.lacking)
        yield ReplicaCheck(source=source)
        if source.counter:
            yield MonotonicCheck(source=source, span=patient.request.span)
            yield FirstValueCheck(
                source=source,
                span=patient.request.span,
                counted=planned.parts[source.role],
                oldest=history.oldest if history else None,
            )
    yield SourceCheck(counters=_whole(planned, sources), span=patient.request.span)
    if history is not None:
        yield history
        yield FreshnessCheck(patient=patient, probe=history.probe)


def _presence(patient: CheckedSlo, sources: tuple[SelectorSource, ...]) -> Iterator[PresenceCheck]:
    own = frozenset(source.selector.name for source in sources)
    total = {m for s in sources if s.role is Role.TOTAL for m in s.selector.matchers}
    for source in sources:
        yield PresenceCheck(
            source=source, span=patient.request.span, own=own, total=frozenset(total)
        )


def _of_histogram(histogram: Histogram, patient: CheckedSlo) -> tuple[SelectorSource, ...]:
    """Return the buckets of a histogram that was not found as what is looked for."""
    try:
        name, braces = read_selector(histogram.total, patient.request.sli.labels or {})
    except ExpressionError:
        return ()  # said where it is planned
    return sources_of({Role.TOTAL: read_expression(f"{name}_bucket{braces}", None)})


def _whole(planned: Plan, sources: tuple[SelectorSource, ...]) -> tuple[SelectorSource, ...]:
    role = next((role for role in _WHOLE if role in planned.parts), None)
    return tuple(source for source in sources if source.role is role and source.counter)


def _history(patient: CheckedSlo, planned: Plan) -> CoverageCheck | None:
    """Return what is looked at over the whole window; None: no metric is named."""
    if planned.probe is None:
        return None
    selectors = next(e.selectors for e in planned.expressions.values() if e.selectors)
    return CoverageCheck(patient=patient, probe=planned.probe, selectors=selectors)


@dataclass(frozen=True, slots=True)
class _Case:
    """One SLO: how it is counted, and what is looked at."""

    patient: CheckedSlo
    plan: Plan | Unmeasured
    looks: tuple[SloCheck, ...]
    sight: CheckAnswers


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusDoctor:
    """Examines what one server counts."""

    client: Client
    timeout: timedelta
    """For one examination."""
    parallel: int
    """Most queries under way at once."""

    def examine(self, patients: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Look at every SLO; never raises for what the server does."""
        until = self.client.clock.monotonic() + self.timeout.total_seconds()
        fetch = Fetch(client=self.client, at=at, until=until, parallel=self.parallel)
        library = ServerAnswers(client=self.client, until=until, parallel=self.parallel)
        library.begin(QUESTIONS)
        fetch.run(part for patient in patients for part in questions(patient.request))
        library.finish()
        cases = [self._case(patient, fetch, library, at) for patient in patients]
        fetch.run(part for case in cases for look in case.looks for part in look.parts())
        if fetch.hopeless is not None:
            return _unreachable(fetch.hopeless, len(patients))
        _ask_for_clues(cases, fetch, library)
        return Diagnosis(
            backend=tuple(server_symptoms(library)),
            slos=tuple(tuple(_symptoms(case)) for case in cases),
        )

    def _case(
        self, patient: CheckedSlo, fetch: Fetch, library: ServerAnswers, at: datetime
    ) -> _Case:
        planned = plan(patient.request, fetch.reading)
        sight = CheckAnswers(
            readings=fetch.reading, library=library, at=at, retention=retention_of(library)
        )
        return _Case(patient, planned, tuple(checks_of(patient, planned)), sight)


def _ask_for_clues(cases: Sequence[_Case], fetch: Fetch, library: ServerAnswers) -> None:
    """Ask whatever the first answers make worth knowing."""
    pairs = [(look, case.sight) for case in cases for look in case.looks]
    parts, asked = [], []
    for look, sight in pairs:
        try:
            parts += list(look.clues(sight))
            asked += list(look.questions(sight))
        except MeasurementError:
            continue  # said where the answers are judged
    library.begin(asked)
    fetch.run(parts)
    library.finish()


def _symptoms(case: _Case) -> Iterator[CheckResult]:
    found, blind = list[CheckResult](), dict[str, list[str]]()
    for look in case.looks:
        try:
            found += look.symptoms(case.sight)
        except MeasurementError as error:
            blind.setdefault(error.reason, []).append(look.check)
    if isinstance(case.plan, Plan):
        yield from _outcome(case.plan, case.sight, worst(found))
    elif worst(found) is not Level.FAULT:
        yield _unplanned(case.plan, case.patient.request)
    yield from found
    yield from (_unseen(checks, reason) for reason, checks in blind.items())


def _unplanned(found: Unmeasured, request: CountRequest) -> CheckResult:
    """Say why it is not even known what to count."""
    # With a histogram that is there, only its boundaries can be wrong.
    unfit = request.sli.histogram is not None and found.cause is Cause.INVALID
    asked = "\n".join(part.text for part in questions(request))
    return unmeasured(found, Check.BOUNDARY if unfit else Check.COUNTED, asked)


def _outcome(planned: Plan, sight: CheckAnswers, level: Level) -> Iterator[CheckResult]:
    count = counted(planned, sight, Level.FAULT if sight.warnings else level)
    if count is not None:
        yield count
    yield partial(sight)


def _unseen(checks: Sequence[str], reason: str) -> CheckResult:
    return CheckResult(
        check=Check.REACH,
        level=Level.FAULT,
        says=f"{', '.join(dict.fromkeys(checks))} could not be looked at: {reason}",
        remedy="try again; allow it more time if time was short",
    )


def _unreachable(reason: str, patients: int) -> Diagnosis:
    symptom = CheckResult(
        check=Check.REACH,
        level=Level.FAULT,
        says=f"nothing could be looked at: {reason}",
        remedy="check the url, the login, and whether the server runs",
    )
    return Diagnosis(backend=(symptom,), slos=((),) * patients)
