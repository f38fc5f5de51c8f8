"""What a survey of the logs means: pure judgement, each check a sentence or two."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.logs.survey import JUMP, Events, Survey
from gate.policy.rounding import percent_left
from gate.slo.diagnosis import Check, Level, Patient, Symptom
from gate.slo.duration import format_duration
from gate.slo.measurement import Answer, Cause, Spent, Unmeasured

_MOST_SHOWN: Final = 5
_SECOND: Final = timedelta(seconds=1)
_REMEDIES: Final = {
    Cause.NO_DATA: "see whether the logs of this time are where the policy's path looks",
    Cause.NO_TRAFFIC: "compare total with what the logs say",
}


def unseen(reason: str, path: str) -> Symptom:
    """Say that the logs could not be looked at."""
    return Symptom(
        check=Check.REACH,
        level=Level.FAULT,
        says=f"nothing more could be looked at: {reason}",
        remedy="correct the path, or the files; give more time (--timeout) where it was short",
        looked_at=path,
    )


def counted(answer: Answer, path: str) -> Symptom:
    """Say what comes of an indicator, or why nothing does."""
    if isinstance(answer, Unmeasured):
        unfit = answer.cause is Cause.INVALID
        return Symptom(
            check=Check.COLUMNS if unfit else Check.COUNTED,
            level=Level.FAULT,
            says=answer.reason if unfit else f"{answer.cause}: {answer.reason}",
            remedy=_REMEDIES.get(answer.cause, "correct the indicator, or the logs"),
            looked_at=answer.query or path,
        )
    if isinstance(answer, Spent):
        says = f"{float(answer.amount):,.2f} spent"
    else:
        says = f"{round(answer.bad):,} bad of {round(answer.total):,}"
    return Symptom(check=Check.COUNTED, says=says, looked_at=answer.evidence.query)


def of_all(found: Survey, patient: Patient, at: datetime, path: str) -> Iterator[Symptom]:
    """Judge the logs as a whole."""
    yield _fresh(found, patient, at, path)
    yield _doubt(
        Check.CLOCK,
        found.future,
        f"{found.future:,} rows are later than our clock",
        "set the clocks by NTP, and see whether the time zone of the timestamps is right",
        path,
    )
    yield _doubt(
        Check.ORDER,
        found.jumps,
        f"{found.jumps:,} times a row is more than {format_duration(JUMP)} older than the one"
        " before it",
        "see whether the path takes a file twice (rotated and copied), or the timestamps are of"
        " several time zones; if files are merged from several hosts, all is well",
        path,
    )
    if found.id is not None:
        yield _doubt(
            Check.REPEATS,
            found.repeats,
            f"{found.repeats:,} rows have a {found.id} that another row has",
            "see whether the path takes a file twice, or retries are logged under one id",
            path,
        )


def _fresh(found: Survey, patient: Patient, at: datetime, path: str) -> Symptom:
    age = at - found.newest if found.newest else patient.whole
    shown = format_duration(age // _SECOND * _SECOND)
    if age <= patient.max_age:
        return Symptom(check=Check.FRESHNESS, says=f"newest row {shown} old", looked_at=path)
    limit = format_duration(patient.max_age)
    return Symptom(
        check=Check.FRESHNESS,
        level=Level.FAULT,
        says=f"the newest row is {shown} old; the policy's max_age is {limit}",
        remedy="see whether the service still logs, and whether the newest file is fetched",
        looked_at=path,
    )


def _doubt(check: Check, number: int, says: str, remedy: str, path: str) -> Symptom:
    """Doubt what was seen so many times; seen never, all is well."""
    if not number:
        return Symptom(check=check, looked_at=path)
    return Symptom(check=check, level=Level.DOUBT, says=says, remedy=remedy, looked_at=path)


def of_slo(patient: Patient, events: Events, path: str) -> Iterator[Symptom]:
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
            looked_at=path,
        )
    else:
        yield Symptom(check=Check.UNKNOWN, looked_at=path)
    yield _reach(patient, events, path)
    yield _gaps(events, path)


def _reach(patient: Patient, events: Events, path: str) -> Symptom:
    span = patient.request.span
    late = (events.oldest or span.end) - span.start
    if late / span.length <= 1 - patient.min_coverage:
        return Symptom(check=Check.COVERAGE, says=f"{events.rows:,} rows", looked_at=path)
    share = percent_left(Fraction(1 - late / span.length), 0)
    return Symptom(
        check=Check.COVERAGE,
        level=Level.DOUBT,
        says=(
            f"the oldest row is of {events.oldest:%Y-%m-%d %H:%M} UTC: the logs cover {share}"
            f" of {format_duration(span.length // _SECOND * _SECOND)}"
        ),
        remedy="fetch older logs, or choose a shorter window; a young service has to wait",
        looked_at=path,
    )


def _gaps(events: Events, path: str) -> Symptom:
    first, last = events.days[0], events.days[-1]
    count = (last - first).days + 1
    missing = [
        day
        for day in (first + timedelta(days=number) for number in range(count))
        if day not in events.days
    ]
    if not missing:
        return Symptom(check=Check.GAPS, looked_at=path)
    shown = ", ".join(map(str, missing[:_MOST_SHOWN]))
    more = f" and {len(missing) - _MOST_SHOWN} more" if len(missing) > _MOST_SHOWN else ""
    return Symptom(
        check=Check.GAPS,
        level=Level.DOUBT,
        says=f"{len(missing)} of {count} days have no row: {shown}{more}",
        remedy="fetch the logs of these days; what failed then is missing from the count",
        looked_at=path,
    )
