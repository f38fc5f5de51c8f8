"""What a survey of the logs means: pure judgement, each check a sentence or two."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

import duckdb

from gate.backends.logs.backend import window_of
from gate.backends.logs.database import opened
from gate.backends.logs.files import pattern_of
from gate.backends.logs.prepare import prepare
from gate.backends.logs.settings import LogsSettings
from gate.backends.logs.survey import JUMP, Survey, SurveyedEvents, survey
from gate.backends.logs.timestamps import zone_name
from gate.dataclass import dataclass
from gate.measure import Answer, Backend, Cause, Limits, MeasurementError, Spent, Unmeasured
from gate.measure.diagnosis import (
    Check,
    CheckedSlo,
    CheckResult,
    Diagnosis,
    Level,
    account_for,
    suspicion_results,
)
from gate.measure.remedies import with_advice
from gate.slo.quantities import format_duration
from gate.wording import instant, percent_left

_MOST_SHOWN: Final = 5
_EXPECTED: Final = (Check.COUNTED, Check.COLUMNS, Check.UNKNOWN, Check.COVERAGE, Check.GAPS)
"""What has to be checked for each SLO, or to be said why not."""
_LOOKED_FOR: Final = (Check.COLUMNS, Check.LABELS)
"""What a count shows to be well."""
_SECOND: Final = timedelta(seconds=1)
_REMEDIES: Final = {
    Cause.NO_DATA: "see whether the logs of this time are where the policy's path looks",
    Cause.NO_TRAFFIC: "compare total with what the logs say",
}


def unseen(reason: str, path: str) -> CheckResult:
    """Say that the logs could not be checked."""
    advice = "correct the path, or the files; give more time where it was short"
    reason, remedy = with_advice(reason, advice)
    return CheckResult(
        check=Check.REACH,
        level=Level.FAULT,
        message=f"nothing more could be checked: {reason}",
        remedy=remedy,
        examined=path,
    )


def count_result(answer: Answer, path: str) -> CheckResult:
    """Say what comes of an indicator, or why nothing does."""
    if isinstance(answer, Unmeasured):
        unfit = answer.cause is Cause.INVALID
        advice = _REMEDIES.get(answer.cause, "correct the indicator, or the logs")
        reason, remedy = with_advice(answer.reason, advice)
        return CheckResult(
            check=Check.COLUMNS if unfit else Check.COUNTED,
            level=Level.FAULT,
            message=reason if unfit else f"{answer.cause}: {reason}",
            remedy=remedy,
            examined=answer.query or path,
        )
    if isinstance(answer, Spent):
        message = f"{float(answer.amount):,.2f} spent"
    else:
        message = f"{round(answer.bad):,} bad of {round(answer.total):,}"
    return CheckResult(check=Check.COUNTED, message=message, examined=answer.evidence.query)


def of_all(
    survey: Survey, slos: Sequence[CheckedSlo], at: datetime, path: str
) -> Iterator[CheckResult]:
    """Judge the logs as a whole; their age by the SLO that needs the newest rows."""
    yield _fresh(survey, min(slos, key=lambda slo: slo.max_age), at, path)
    yield _doubt(
        Check.CLOCK,
        survey.future,
        f"{survey.future:,} rows are later than our clock",
        "set the clocks by NTP, and see whether the time zone of the timestamps is right",
        path,
    )
    yield _doubt(
        Check.ORDER,
        survey.jumps,
        f"{survey.jumps:,} times a row is more than {format_duration(JUMP)} older than the one"
        " before it",
        "see whether the path takes a file twice (rotated and copied), or the timestamps are of"
        " several time zones; if files are merged from several hosts, all is well",
        path,
    )
    if survey.id is not None:
        yield _doubt(
            Check.REPEATS,
            survey.repeats,
            f"{survey.repeats:,} rows have a {survey.id} that another row has",
            "see whether the path takes a file twice, or retries are logged under one id",
            path,
        )


def _fresh(survey: Survey, slo: CheckedSlo, at: datetime, path: str) -> CheckResult:
    age = at - survey.newest if survey.newest else slo.whole
    shown = format_duration(age // _SECOND * _SECOND)
    if age <= slo.max_age:
        return CheckResult(check=Check.FRESHNESS, message=f"newest row {shown} old", examined=path)
    limit = format_duration(slo.max_age)
    return CheckResult(
        check=Check.FRESHNESS,
        level=Level.FAULT,
        message=f"the newest row is {shown} old; the policy's max_age is {limit}",
        remedy="see whether the service still logs, and whether the newest file is fetched",
        examined=path,
    )


def _doubt(check: Check, number: int, message: str, remedy: str, path: str) -> CheckResult:
    """Doubt what was seen this number of times; if it was never seen, nothing is in doubt."""
    if not number:
        return CheckResult(check=check, examined=path)
    return CheckResult(
        check=check, level=Level.DOUBT, message=message, remedy=remedy, examined=path
    )


def of_slo(slo: CheckedSlo, events: SurveyedEvents, path: str) -> Iterator[CheckResult]:
    """Judge the rows of one SLO."""
    if events.unknown:
        yield CheckResult(
            check=Check.UNKNOWN,
            level=Level.DOUBT,
            message=f"the outcome of {events.unknown:,} of {events.rows:,} rows is NULL",
            remedy=(
                "an unknown outcome counts as bad, and adds nothing to what is spent; log it, or"
                " leave these rows out with total"
            ),
            examined=path,
        )
    else:
        yield CheckResult(check=Check.UNKNOWN, examined=path)
    yield _reach(slo, events, path)
    yield _gaps(events, path)


def _reach(slo: CheckedSlo, events: SurveyedEvents, path: str) -> CheckResult:
    span = slo.request.span
    oldest = events.oldest or span.end
    late = oldest - span.start
    if late / span.length <= 1 - slo.min_coverage:
        return CheckResult(check=Check.COVERAGE, message=f"{events.rows:,} rows", examined=path)
    share = percent_left(Fraction(1 - late / span.length), 0)
    return CheckResult(
        check=Check.COVERAGE,
        level=Level.DOUBT,
        message=(
            f"the oldest row is of {instant(oldest)}: the logs cover {share}"
            f" of {format_duration(span.length // _SECOND * _SECOND)}"
        ),
        remedy="fetch older logs, or choose a shorter window; a young service has to wait",
        examined=path,
    )


def _gaps(events: SurveyedEvents, path: str) -> CheckResult:
    first, last = events.days[0], events.days[-1]
    count = (last - first).days + 1
    missing = [
        day
        for day in (first + timedelta(days=number) for number in range(count))
        if day not in events.days
    ]
    if not missing:
        return CheckResult(check=Check.GAPS, examined=path)
    shown = ", ".join(map(str, missing[:_MOST_SHOWN]))
    more = f" and {len(missing) - _MOST_SHOWN} more" if len(missing) > _MOST_SHOWN else ""
    return CheckResult(
        check=Check.GAPS,
        level=Level.DOUBT,
        message=f"{len(missing)} of {count} days have no row: {shown}{more}",
        remedy="fetch the logs of these days; what failed then is missing from the count",
        examined=path,
    )


@dataclass(frozen=True, slots=True)
class LogsDoctor:
    """Measures as for a budget, and then looks at the rows once more for what a count hides."""

    settings: LogsSettings
    limits: Limits
    backend: Backend

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Look at every SLO; never raises for what the logs hold."""
        path = pattern_of(self.settings)
        answers = self.backend.measure([slo.request for slo in slos], at)
        common = _common(answers)
        if common is not None:
            return Diagnosis(backend=(_refused(common, path),), slos=((),) * len(answers))
        counts = [tuple(_counted(answer, path)) for answer in answers]
        try:
            survey, remarks = self._survey(slos, answers, at)
        except MeasurementError as refusal:
            return Diagnosis(backend=(unseen(refusal.reason, path),), slos=tuple(counts))
        events = iter(survey.events)
        outcomes = [
            account_for(
                _EXPECTED,
                (*count, *(() if _none(answer) else _of_rows(slo, next(events), count, path))),
                (),
            )
            for slo, answer, count in zip(slos, answers, counts, strict=True)
        ]
        return Diagnosis(
            backend=(*_read(remarks, path), *of_all(survey, slos, at, path)),
            slos=tuple(results for results, _ in outcomes),
            skipped=tuple(skipped for _, skipped in outcomes),
        )

    def _survey(
        self, slos: Sequence[CheckedSlo], answers: Sequence[Answer], at: datetime
    ) -> tuple[Survey, tuple[str, ...]]:
        pairs = zip(slos, answers, strict=True)
        requests = [slo.request for slo, answer in pairs if not _none(answer)]
        zone = zone_name(self.settings.records.time_zone)
        with opened(self.limits.timeout, zone) as database:
            slis = [request.sli for request in requests]
            try:
                window = window_of(requests)
                ready = prepare(database, self.settings, slis, zone, window=window)
                surveyed = survey(database, ready, requests, at)
                return surveyed, ready.logs.source.remarks()
            except duckdb.Error as error:
                raise database.refusal(error) from None


def _read(remarks: Sequence[str], path: str) -> Iterator[CheckResult]:
    """Say what was read of a store, and which days have no partition."""
    if remarks:
        yield CheckResult(check=Check.REACH, message="; ".join(remarks), examined=path)


def _counted(answer: Answer, path: str) -> Iterator[CheckResult]:
    """Say what is counted, and what `gate check` suspects of it."""
    yield count_result(answer, path)
    if not isinstance(answer, Unmeasured):
        doubts = list(suspicion_results(answer))
        yield from doubts
        for check in _LOOKED_FOR:
            if all(doubt.check is not check for doubt in doubts):
                yield CheckResult(check=check, examined=path)


def _of_rows(
    slo: CheckedSlo, events: SurveyedEvents, count: Sequence[CheckResult], path: str
) -> Iterator[CheckResult]:
    """Judge the rows of an SLO; what is suspected of unknown outcomes is not said twice."""
    suspected = {result.check for result in count} & {Check.UNKNOWN}
    yield from (result for result in of_slo(slo, events, path) if result.check not in suspected)


def _common(answers: Sequence[Answer]) -> Unmeasured | None:
    """Return why no SLO at all has a count, where it is one and the same reason."""
    refused = [answer for answer in answers if isinstance(answer, Unmeasured)]
    if len(refused) < len(answers) or len({answer.reason for answer in refused}) > 1:
        return None
    return refused[0]


def _refused(answer: Unmeasured, path: str) -> CheckResult:
    if answer.cause is Cause.BACKEND_ERROR:
        return unseen(answer.reason, path)
    return count_result(answer, path)


def _none(answer: Answer) -> bool:
    return isinstance(answer, Unmeasured)
