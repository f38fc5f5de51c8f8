"""The contract between ``gate doctor`` and backends: whether a count can be trusted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final, Protocol

from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest, Spent, Unmeasured
from gate.slo.objective import Window


class Level(StrEnum):
    """The severity, in ascending order."""

    OK = "ok"
    DOUBT = "doubt"
    """The number may be wrong, or may be misread."""
    FAULT = "fault"
    """The number is wrong or missing."""


class Check(StrEnum):
    """The checks. The names are part of the JSON report."""

    REACH = "reach"
    VERSION = "version"
    CLOCK = "clock"
    LIVE = "live"
    METRIC = "metric"
    LABELS = "labels"
    COLUMNS = "columns"
    BOUNDARY = "boundary"
    ONE_NUMBER = "one-number"
    WITHIN_TOTAL = "within-total"
    COUNTED = "counted"
    PARTIAL = "partial"
    COUNTER = "counter"
    BORN = "born"
    CONTRADICTED = "contradicted"
    VALUES = "values"
    MOVING = "moving"
    RETENTION = "retention"
    COVERAGE = "coverage"
    GAPS = "gaps"
    FRESHNESS = "freshness"
    REPLICAS = "replicas"
    SOURCES = "sources"
    SYNTHETIC = "synthetic"
    UNKNOWN = "unknown"
    ORDER = "order"
    REPEATS = "repeats"
    RIGHTS = "rights"
    TABLE = "table"
    PRUNED = "pruned"
    SITE = "site"
    DEFINITION = "definition"
    NO_DATA = "no-data"


QUESTIONS: Final[Mapping[Check, str]] = {
    Check.REACH: "everything could be checked",
    Check.VERSION: "the server supports what the SLOs need",
    Check.CLOCK: "the server's clock agrees with this machine's",
    Check.LIVE: "the measured targets are up",
    Check.METRIC: "the metrics exist",
    Check.LABELS: "the labels match series; an error series exists, or nothing has failed",
    Check.COLUMNS: "the columns exist and can be read",
    Check.BOUNDARY: "the threshold is a bucket of every histogram",
    Check.ONE_NUMBER: "each expression gives one series with a number",
    Check.WITHIN_TOTAL: "good and bad are at most total",
    Check.COUNTED: "there is a count",
    Check.PARTIAL: "the answers are complete",
    Check.COUNTER: "counters only grow, except at restarts",
    Check.BORN: "counters begin at zero, so that nothing is hidden",
    Check.CONTRADICTED: "the total's own status shows no failures that bad does not have",
    Check.VALUES: "histograms have values above zero",
    Check.MOVING: "exported values still change while their peers' do",
    Check.RETENTION: "the server keeps data as long as the window",
    Check.COVERAGE: "data reach back to the window's start",
    Check.GAPS: "no gaps between the oldest and the newest data",
    Check.FRESHNESS: "the newest data are recent",
    Check.REPLICAS: "no series is duplicated by monitoring replicas",
    Check.SOURCES: "no request is counted by two sources",
    Check.SYNTHETIC: "the server's own health checks are left out",
    Check.UNKNOWN: "every event's outcome is known",
    Check.ORDER: "rows are in order of time",
    Check.REPEATS: "no request is logged twice",
    Check.RIGHTS: "the login may read and do nothing else",
    Check.TABLE: "the table gives each row once",
    Check.PRUNED: "counting reads no more of the table than the window",
    Check.SITE: "the platform's site, region or space is the one that has the SLOs",
    Check.DEFINITION: "the platform has the SLO, with the policy's objective and window",
    Check.NO_DATA: "the platform says how it counts time without data",
}
"""The question of each check, as the words after "whether"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of one check."""

    check: Check
    level: Level = Level.OK
    message: str = ""
    """The observation with numbers, without a full stop; if nothing is wrong, a short one."""
    remedy: str = ""
    """The remedy; empty if nothing is wrong."""
    examined: str = ""
    """The query, endpoint or file, for people to repeat. It never contains a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedCheck:
    """A check that was skipped."""

    check: Check
    reason: str
    """The reason, without a full stop."""
    applies: bool = False
    """Whether it should have been made: then the SLO cannot be called sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSlo:
    """An SLO to be examined."""

    name: str
    request: CountRequest
    """The request with which its budget is measured."""
    whole: timedelta
    """The length of the whole window, even if a calendar window has not ended yet."""
    max_age: timedelta
    """The maximum age of a sample."""
    min_coverage: Fraction
    """The required share of the window with data, 0 to 1."""
    window: Window | None = None
    """The policy's window, for platforms that have one too; None: nothing to compare."""
    objective: Fraction | None = None
    """Strictly between 0 and 1; None for an allowance, or without a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The results of an examination."""

    backend: tuple[CheckResult, ...]
    """The results about the server, or about the files as a whole; empty for several backends."""
    backends: Mapping[str, tuple[CheckResult, ...]] = field(default_factory=dict)
    """The results about each of several backends that counts an SLO, by name."""
    slos: tuple[tuple[CheckResult, ...], ...]
    """The results for each SLO, in order."""
    skipped: tuple[tuple[SkippedCheck, ...], ...] = field(default=())
    """The skipped checks of each SLO, in order; empty: the backend names none."""


class Doctor(Protocol):
    """Examines the source of a backend's counts."""

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Examine every SLO at the one instant ``at``.

        It never raises for a failure of the backend. Anything that could not be examined is a fault
        of the check ``reach``: an SLO that nobody has examined is not sound.
        """
        ...


def worst_level(results: Sequence[CheckResult]) -> Level:
    """Return the worst level; ``ok`` without results."""
    levels = {result.level for result in results}
    return next((level for level in reversed(Level) if level in levels), Level.OK)


_NOTHING: Final = "not counted, for the reason above"
_NO_ANSWER: Final = "the check has no result"
_CHECK_OF: Final = {
    Cause.UNMATCHED: Check.LABELS,
    Cause.BORN: Check.BORN,
    Cause.CONTRADICTED: Check.CONTRADICTED,
    Cause.LOST: Check.GAPS,
    Cause.NO_TRAFFIC: Check.COUNTED,
    Cause.STALE: Check.MOVING,
    Cause.UNKNOWN_OUTCOME: Check.UNKNOWN,
}
"""The check on the same subject as a suspicion of ``gate check``."""
_WRONG: Final = frozenset({Cause.UNMATCHED, Cause.BORN, Cause.CONTRADICTED})
"""The causes that prove missing events, not only possible ones."""


def suspicion_results(answer: Answer) -> Iterator[CheckResult]:
    """Yield the suspicions of ``gate check`` about a count, with numbers and remedies.

    A suspicion is a fault if more events are missing, or counted wrongly, than are counted as bad;
    for a share, if there are any.
    """
    if isinstance(answer, Unmeasured):
        return
    bad = answer.amount if isinstance(answer, Spent) else answer.bad
    for suspicion in answer.evidence.suspicions:
        check = _CHECK_OF.get(suspicion.cause, Check.REACH)
        numbers = (suspicion.hidden, suspicion.doubtful)
        exceeds = any(number is None or number > bad for number in numbers)
        wrong = exceeds and suspicion.cause in _WRONG
        yield CheckResult(
            check=check,
            level=Level.FAULT if wrong or check is Check.REACH else Level.DOUBT,
            message=suspicion.reason,
            remedy=suspicion.remedy,
            examined=answer.evidence.query,
        )


def account_for(
    expected: Sequence[Check], results: Sequence[CheckResult], skipped: Sequence[SkippedCheck]
) -> tuple[tuple[CheckResult, ...], tuple[SkippedCheck, ...]]:
    """Return the results and the skipped checks, so that every check is in one of them.

    A check without any result counts as skipped. If no fault explains it, that is a fault of the
    check ``reach``.

    Args:
        expected: the checks that apply to an SLO of this backend, unless ``skipped`` says
            otherwise.
        results: the results so far.
        skipped: the skipped checks, with the reason.
    """
    seen = {result.check for result in results}
    without = {skip.check: skip for skip in skipped if skip.check not in seen}
    faulty = worst_level(results) is Level.FAULT
    for check in expected:
        if check not in seen and check not in without:
            reason = _NOTHING if faulty else _NO_ANSWER
            without[check] = SkippedCheck(check=check, reason=reason, applies=True)
    reasons = dict[str, list[str]]()
    for skip in without.values():
        if skip.applies and not faulty:
            reasons.setdefault(skip.reason, []).append(skip.check)
    unseen = (
        CheckResult(
            check=Check.REACH,
            level=Level.FAULT,
            message=f"not checked: {', '.join(checks)}: {reason}",
            remedy="solve this first, then run gate doctor again",
        )
        for reason, checks in reasons.items()
    )
    return (*results, *unseen), tuple(without.values())
