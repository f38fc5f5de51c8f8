"""Whether what the request logs count can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from gate.backends.logs import open_backend
from gate.backends.logs.database import opened
from gate.backends.logs.files import pattern_of
from gate.backends.logs.judgement import counted, of_all, of_slo, unseen
from gate.backends.logs.prepare import prepare
from gate.backends.logs.refusal import Refusal, from_duckdb
from gate.backends.logs.survey import Survey, survey
from gate.backends.logs.timestamps import zone_name
from gate.settings import Limits, LogsSettings
from gate.slo.diagnosis import Diagnosis, Patient, Symptom
from gate.slo.measurement import Answer, Backend, Cause, Unmeasured


def open_doctor(settings: LogsSettings, limits: Limits) -> "LogsDoctor":
    """Open the doctor. No file is looked for yet.

    Raises:
        UsageError: DuckDB is not installed, or is too old.
    """
    return LogsDoctor(settings, limits, open_backend(settings, limits))


@dataclass(frozen=True, slots=True)
class LogsDoctor:
    """Measures as for a budget, and then looks at the rows once more for what a count hides."""

    settings: LogsSettings
    limits: Limits
    backend: Backend

    def examine(self, patients: Sequence[Patient], at: datetime) -> Diagnosis:
        """Look at every SLO; never raises for what the logs hold."""
        path = pattern_of(self.settings)
        answers = self.backend.measure([patient.request for patient in patients], at)
        common = _common(answers)
        if common is not None:
            return Diagnosis(backend=(_refused(common, path),), slos=((),) * len(answers))
        counts = [counted(answer, path) for answer in answers]
        try:
            found = self._survey(patients, answers, at)
        except (duckdb.Error, Refusal) as error:
            refusal = error if isinstance(error, Refusal) else from_duckdb(error)
            symptom = unseen(refusal.reason, path)
            return Diagnosis(backend=(symptom,), slos=tuple((one,) for one in counts))
        events = iter(found.events)
        return Diagnosis(
            backend=tuple(of_all(found, patients[0], at, path)),
            slos=tuple(
                (count, *(() if _none(answer) else of_slo(patient, next(events), path)))
                for patient, answer, count in zip(patients, answers, counts, strict=True)
            ),
        )

    def _survey(
        self, patients: Sequence[Patient], answers: Sequence[Answer], at: datetime
    ) -> Survey:
        pairs = zip(patients, answers, strict=True)
        requests = [patient.request for patient, answer in pairs if not _none(answer)]
        zone = zone_name(self.settings.records.time_zone)
        with opened(self.limits.timeout, zone) as database:
            ready = prepare(database, self.settings, [one.sli for one in requests], zone)
            return survey(database, ready, requests, at)


def _common(answers: Sequence[Answer]) -> Unmeasured | None:
    """Return why no SLO at all has a count, where it is one and the same reason."""
    refused = [answer for answer in answers if isinstance(answer, Unmeasured)]
    if len(refused) < len(answers) or len({one.reason for one in refused}) > 1:
        return None
    return refused[0]


def _refused(answer: Unmeasured, path: str) -> Symptom:
    if answer.cause is Cause.BACKEND_ERROR:
        return unseen(answer.reason, path)
    return counted(answer, path)


def _none(answer: Answer) -> bool:
    return isinstance(answer, Unmeasured)
