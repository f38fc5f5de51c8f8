"""The judgement of counts and of a survey of rows: the sentences of each check."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.sql.survey import JUMP, Survey, SurveyedEvents
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, Unmeasured
from gate.measure.diagnosis import Check, CheckedSlo, CheckResult, Level
from gate.measure.remedies import with_advice
from gate.slo.quantities import format_duration
from gate.wording import counted, instant, percent_left


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The words for rows in messages, and the remedies for their problems."""

    examined: str
    """The path, or the table."""
    noun: str
    """The plural noun: ``the logs``, ``the rows``."""
    unreadable: str
    """The remedy if they cannot be read at all."""
    missing: str
    """The remedy if the time has no row."""
    stale: str
    """The remedy if the newest row is too old."""
    late: str
    """The remedy if the oldest row is too new."""
    gaps: str
    """The remedy if days have no row."""
    repeats: str
    """The remedy if an id is there several times."""


_MOST_SHOWN: Final = 5
_SECOND: Final = timedelta(seconds=1)


def unseen(reason: str, source: Source) -> CheckResult:
    """Return the result for rows that could not be checked."""
    reason, remedy = with_advice(reason, source.unreadable)
    return CheckResult(
        check=Check.REACH,
        level=Level.FAULT,
        message=f"nothing more could be checked: {reason}",
        remedy=remedy,
        examined=source.examined,
    )


def count_result(answer: Answer, source: Source) -> CheckResult:
    """Return the judgement of an indicator, or the reason why it has none."""
    if isinstance(answer, Unmeasured):
        unfit = answer.cause is Cause.INVALID
        advices = {
            Cause.NO_DATA: source.missing,
            Cause.NO_TRAFFIC: f"compare total with what {source.noun} say",
        }
        advice = advices.get(answer.cause, f"correct the indicator, or {source.noun}")
        reason, remedy = with_advice(answer.reason, advice)
        return CheckResult(
            check=Check.COLUMNS if unfit else Check.COUNTED,
            level=Level.FAULT,
            message=reason if unfit else f"{answer.cause}: {reason}",
            remedy=remedy,
            examined=answer.query or source.examined,
        )
    return CheckResult(check=Check.COUNTED, message=counted(answer), examined=answer.evidence.query)


def of_all(
    survey: Survey, slos: Sequence[CheckedSlo], at: datetime, source: Source
) -> Iterator[CheckResult]:
    """Judge the rows as a whole; their age is judged for the SLO that needs the newest rows."""
    yield _fresh(survey, min(slos, key=lambda slo: slo.max_age), at, source)
    yield _doubt(
        Check.CLOCK,
        survey.future,
        f"{survey.future:,} rows are later than our clock",
        "set the clocks by NTP, and see whether the time zone of the timestamps is right",
        source,
    )
    if survey.jumps is not None:
        yield _order(survey.jumps, source)
    if survey.id is not None:
        yield _doubt(
            Check.REPEATS,
            survey.repeats,
            f"{survey.repeats:,} rows have a {survey.id} that another row has",
            source.repeats,
            source,
        )


def _order(jumps: int, source: Source) -> CheckResult:
    return _doubt(
        Check.ORDER,
        jumps,
        f"{jumps:,} times a row is more than {format_duration(JUMP)} older than the one before it",
        "see whether the path takes a file twice (rotated and copied), or the timestamps are of"
        " several time zones; if files are merged from several hosts, all is well",
        source,
    )


def _fresh(survey: Survey, slo: CheckedSlo, at: datetime, source: Source) -> CheckResult:
    age = at - survey.newest if survey.newest else slo.whole
    shown = format_duration(age // _SECOND * _SECOND)
    if age <= slo.max_age:
        return CheckResult(
            check=Check.FRESHNESS, message=f"newest row {shown} old", examined=source.examined
        )
    limit = format_duration(slo.max_age)
    return CheckResult(
        check=Check.FRESHNESS,
        level=Level.FAULT,
        message=f"the newest row is {shown} old; the policy's max_age is {limit}",
        remedy=source.stale,
        examined=source.examined,
    )


def _doubt(check: Check, number: int, message: str, remedy: str, source: Source) -> CheckResult:
    """Return a doubt with the number of occurrences, or a passed check without occurrences."""
    if not number:
        return CheckResult(check=check, examined=source.examined)
    return CheckResult(
        check=check, level=Level.DOUBT, message=message, remedy=remedy, examined=source.examined
    )


def of_slo(slo: CheckedSlo, events: SurveyedEvents, source: Source) -> Iterator[CheckResult]:
    """Judge the rows of one SLO."""
    if events.unknown:
        yield CheckResult(
            check=Check.UNKNOWN,
            level=Level.DOUBT,
            message=f"the outcome of {events.unknown:,} of {events.rows:,} rows is NULL",
            remedy=(
                "an unknown outcome counts as bad, and adds nothing to the spent amount; log it, or"
                " leave these rows out with total"
            ),
            examined=source.examined,
        )
    else:
        yield CheckResult(check=Check.UNKNOWN, examined=source.examined)
    yield _reach(slo, events, source)
    yield _gaps(events, source)


def _reach(slo: CheckedSlo, events: SurveyedEvents, source: Source) -> CheckResult:
    span = slo.request.span
    oldest = events.oldest or span.end
    late = oldest - span.start
    if late / span.length <= 1 - slo.min_coverage:
        return CheckResult(
            check=Check.COVERAGE, message=f"{events.rows:,} rows", examined=source.examined
        )
    share = percent_left(Fraction(1 - late / span.length), 0)
    return CheckResult(
        check=Check.COVERAGE,
        level=Level.DOUBT,
        message=(
            f"the oldest row is of {instant(oldest)}: {source.noun} cover {share}"
            f" of {format_duration(span.length // _SECOND * _SECOND)}"
        ),
        remedy=source.late,
        examined=source.examined,
    )


def _gaps(events: SurveyedEvents, source: Source) -> CheckResult:
    first, last = events.days[0], events.days[-1]
    count = (last - first).days + 1
    missing = [
        day
        for day in (first + timedelta(days=number) for number in range(count))
        if day not in events.days
    ]
    if not missing:
        return CheckResult(check=Check.GAPS, examined=source.examined)
    shown = ", ".join(map(str, missing[:_MOST_SHOWN]))
    more = f" and {len(missing) - _MOST_SHOWN} more" if len(missing) > _MOST_SHOWN else ""
    return CheckResult(
        check=Check.GAPS,
        level=Level.DOUBT,
        message=f"{len(missing)} of {count} days have no row: {shown}{more}",
        remedy=source.gaps,
        examined=source.examined,
    )
