"""Whether what the request logs count can be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

import duckdb

from gate.backends.logs import open_backend
from gate.backends.logs.database import opened
from gate.backends.logs.files import pattern_of
from gate.backends.logs.prepare import prepare
from gate.backends.logs.refusal import Refusal, from_duckdb
from gate.backends.logs.survey import JUMP, Events, Survey, survey
from gate.backends.logs.timestamps import zone_name
from gate.policy.rounding import percent_left
from gate.settings import Limits, LogsSettings
from gate.slo.diagnosis import Check, Diagnosis, Level, Patient, Symptom
from gate.slo.duration import format_duration
from gate.slo.measurement import Answer, Backend, Cause, Spent, Unmeasured

_MOST_SHOWN = 5
_SECOND = timedelta(seconds=1)
_REMEDIES = {
    Cause.NO_DATA: "see whether the logs of this time are where the policy's path looks",
    Cause.NO_TRAFFIC: "compare total with what the logs say",
}


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
        answers = self.backend.measure([patient.request for patient in patients], at)
        reasons = {one.reason if isinstance(one, Unmeasured) else None for one in answers}
        if len(reasons) == 1 and isinstance(answers[0], Unmeasured):
            return Diagnosis(backend=(self._refused(answers[0]),), slos=((),) * len(answers))
        try:
            found = self._survey(patients, answers, at)
        except (duckdb.Error, Refusal) as error:
            refusal = error if isinstance(error, Refusal) else from_duckdb(error)
            return Diagnosis(
                backend=(self._unseen(refusal.reason),),
                slos=tuple((self._counted(answer),) for answer in answers),
            )
        events = iter(found.events)
        return Diagnosis(
            backend=tuple(self._of_all(found, patients[0], at)),
            slos=tuple(
                (self._counted(answer), *(() if _none(answer) else _of(patient, next(events))))
                for patient, answer in zip(patients, answers, strict=True)
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

    def _refused(self, answer: Unmeasured) -> Symptom:
        if answer.cause is Cause.BACKEND_ERROR:
            return self._unseen(answer.reason)
        return self._counted(answer)

    def _unseen(self, reason: str) -> Symptom:
        return Symptom(
            check=Check.REACH,
            level=Level.FAULT,
            says=f"nothing more could be looked at: {reason}",
            remedy="correct the path, or the files; give more time (--timeout) where it was short",
            looked_at=self._path,
        )

    def _counted(self, answer: Answer) -> Symptom:
        if isinstance(answer, Unmeasured):
            unfit = answer.cause is Cause.INVALID
            return Symptom(
                check=Check.COLUMNS if unfit else Check.COUNTED,
                level=Level.FAULT,
                says=answer.reason if unfit else f"{answer.cause}: {answer.reason}",
                remedy=_REMEDIES.get(answer.cause, "correct the indicator, or the logs"),
                looked_at=answer.query or self._path,
            )
        if isinstance(answer, Spent):
            says = f"{float(answer.amount):,.2f} spent"
        else:
            says = f"{round(answer.bad):,} bad of {round(answer.total):,}"
        return Symptom(check=Check.COUNTED, says=says, looked_at=answer.evidence.query)

    def _of_all(self, found: Survey, patient: Patient, at: datetime) -> Iterator[Symptom]:
        """Judge the logs as a whole."""
        yield self._fresh(found, patient, at)
        yield self._plain(
            Check.CLOCK,
            found.future,
            f"{found.future:,} rows are later than our clock",
            "set the clocks by NTP, and see whether the time zone of the timestamps is right",
        )
        yield self._plain(
            Check.ORDER,
            found.jumps,
            f"{found.jumps:,} times a row is more than {format_duration(JUMP)} older than the one"
            " before it",
            "see whether the path takes a file twice (rotated and copied), or the timestamps are of"
            " several time zones; if files are merged from several hosts, all is well",
        )
        if found.id is not None:
            yield self._plain(
                Check.REPEATS,
                found.repeats,
                f"{found.repeats:,} rows have a {found.id} that another row has",
                "see whether the path takes a file twice, or retries are logged under one id",
            )

    def _fresh(self, found: Survey, patient: Patient, at: datetime) -> Symptom:
        age = at - found.newest if found.newest else patient.whole
        shown = format_duration(age // _SECOND * _SECOND)
        if age <= patient.max_age:
            return self._plain(Check.FRESHNESS, 0, seen=f"newest row {shown} old")
        return self._plain(
            Check.FRESHNESS,
            1,
            f"the newest row is {shown} old; the policy's max_age is"
            f" {format_duration(patient.max_age)}",
            "see whether the service still logs, and whether the newest file is fetched",
            level=Level.FAULT,
        )

    def _plain(
        self,
        check: Check,
        number: int,
        says: str = "",
        remedy: str = "",
        *,
        seen: str = "",
        level: Level = Level.DOUBT,
    ) -> Symptom:
        if not number:
            return Symptom(check=check, says=seen, looked_at=self._path)
        return Symptom(check=check, level=level, says=says, remedy=remedy, looked_at=self._path)

    @property
    def _path(self) -> str:
        return pattern_of(self.settings)


def _none(answer: Answer) -> bool:
    return isinstance(answer, Unmeasured)


def _of(patient: Patient, events: Events) -> Iterator[Symptom]:
    """Judge the rows of one SLO."""
    if events.unknown:
        yield Symptom(
            check=Check.UNKNOWN,
            level=Level.DOUBT,
            says=f"the outcome of {events.unknown:,} of {events.rows:,} rows is NULL",
            remedy=(
                "an unknown outcome counts as bad, and adds nothing to what is spent; log it, or"
                " leave these rows out with total"
            ),
        )
    else:
        yield Symptom(check=Check.UNKNOWN)
    yield _reach(patient, events)
    yield _gaps(events)


def _reach(patient: Patient, events: Events) -> Symptom:
    span = patient.request.span
    late = (events.oldest or span.end) - span.start
    if late / span.length <= 1 - patient.min_coverage:
        return Symptom(check=Check.COVERAGE, says=f"{events.rows:,} rows")
    share = percent_left(Fraction(1 - late / span.length), 0)
    return Symptom(
        check=Check.COVERAGE,
        level=Level.DOUBT,
        says=(
            f"the oldest row is of {events.oldest:%Y-%m-%d %H:%M} UTC: the logs cover {share}"
            f" of {format_duration(span.length // _SECOND * _SECOND)}"
        ),
        remedy="fetch older logs, or choose a shorter window; a young service has to wait",
    )


def _gaps(events: Events) -> Symptom:
    first, last = events.days[0], events.days[-1]
    count = (last - first).days + 1
    missing = [
        day
        for day in (first + timedelta(days=number) for number in range(count))
        if day not in events.days
    ]
    if not missing:
        return Symptom(check=Check.GAPS)
    shown = ", ".join(map(str, missing[:_MOST_SHOWN]))
    more = f" and {len(missing) - _MOST_SHOWN} more" if len(missing) > _MOST_SHOWN else ""
    return Symptom(
        check=Check.GAPS,
        level=Level.DOUBT,
        says=f"{len(missing)} of {count} days have no row: {shown}{more}",
        remedy="fetch the logs of these days; what failed then is missing from the count",
    )
