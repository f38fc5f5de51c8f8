"""The examination: three rounds of questions, and what every check makes of the answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gate.backends.prometheus.batches import Fetch
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.counting import NotMeasuredError
from gate.backends.prometheus.doctor.case import Look
from gate.backends.prometheus.doctor.checks import checks_of
from gate.backends.prometheus.doctor.counted import counted, partial, unmeasured
from gate.backends.prometheus.doctor.library import Library
from gate.backends.prometheus.doctor.server import QUESTIONS, retention_of, server_symptoms
from gate.backends.prometheus.doctor.sight import Sight
from gate.backends.prometheus.plan import Plan, plan, questions
from gate.slo.diagnosis import Check, Diagnosis, Level, Patient, Symptom, worst
from gate.slo.measurement import Unmeasured


@dataclass(frozen=True, slots=True)
class _Case:
    """One SLO: how it is counted, and what is looked at."""

    plan: Plan | Unmeasured
    looks: tuple[Look, ...]
    sight: Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusDoctor:
    """Examines what one server counts."""

    client: Client
    timeout: timedelta
    """For one examination."""
    parallel: int
    """Most queries under way at once."""

    def examine(self, patients: Sequence[Patient], at: datetime) -> Diagnosis:
        """Look at every SLO; never raises for what the server does."""
        until = self.client.clock.monotonic() + self.timeout.total_seconds()
        fetch = Fetch(client=self.client, at=at, until=until, parallel=self.parallel)
        library = Library(client=self.client, until=until, parallel=self.parallel)
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

    def _case(self, patient: Patient, fetch: Fetch, library: Library, at: datetime) -> _Case:
        planned = plan(patient.request, fetch.reading)
        sight = Sight(
            readings=fetch.reading, library=library, at=at, retention=retention_of(library)
        )
        return _Case(planned, tuple(checks_of(patient, planned)), sight)


def _ask_for_clues(cases: Sequence[_Case], fetch: Fetch, library: Library) -> None:
    """Ask whatever the first answers make worth knowing."""
    pairs = [(look, case.sight) for case in cases for look in case.looks]
    parts, asked = [], []
    for look, sight in pairs:
        try:
            parts += list(look.clues(sight))
            asked += list(look.questions(sight))
        except NotMeasuredError:
            continue  # said where the answers are judged
    library.begin(asked)
    fetch.run(parts)
    library.finish()


def _symptoms(case: _Case) -> Iterator[Symptom]:
    found, blind = list[Symptom](), dict[str, list[str]]()
    for look in case.looks:
        try:
            found += look.symptoms(case.sight)
        except NotMeasuredError as error:
            blind.setdefault(error.reason, []).append(look.check)
    if isinstance(case.plan, Plan):
        yield from _outcome(case.plan, case.sight, worst(found))
    elif worst(found) is not Level.FAULT:
        yield unmeasured(case.plan)
    yield from found
    yield from (_unseen(checks, reason) for reason, checks in blind.items())


def _outcome(planned: Plan, sight: Sight, level: Level) -> Iterator[Symptom]:
    count = counted(planned, sight, Level.FAULT if sight.warnings else level)
    if count is not None:
        yield count
    yield partial(sight)


def _unseen(checks: Sequence[str], reason: str) -> Symptom:
    return Symptom(
        check=Check.REACH,
        level=Level.FAULT,
        says=f"{', '.join(dict.fromkeys(checks))} could not be looked at: {reason}",
        remedy="try again, with a longer --timeout where time was short",
    )


def _unreachable(reason: str, patients: int) -> Diagnosis:
    symptom = Symptom(
        check=Check.REACH,
        level=Level.FAULT,
        says=f"nothing could be looked at: {reason}",
        remedy="check the url, the login, and whether the server runs",
    )
    return Diagnosis(backend=(symptom,), slos=((),) * patients)
