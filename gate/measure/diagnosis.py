"""The contract between ``gate doctor`` and whatever counts: whether a count can be trusted."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final, Protocol

from gate.dataclass import dataclass
from gate.measure import CountRequest


class Level(StrEnum):
    """How bad it is, the least first."""

    OK = "ok"
    DOUBT = "doubt"
    """The number may be off, or may be misread."""
    FAULT = "fault"
    """The number is wrong, or there is none."""


class Check(StrEnum):
    """What is looked at. The names are part of the JSON report."""

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
    RETENTION = "retention"
    COVERAGE = "coverage"
    GAPS = "gaps"
    FRESHNESS = "freshness"
    REPLICAS = "replicas"
    SOURCES = "sources"
    UNKNOWN = "unknown"
    ORDER = "order"
    REPEATS = "repeats"


QUESTIONS: Final[Mapping[Check, str]] = {
    Check.REACH: "everything could be looked at",
    Check.VERSION: "the server can do what the SLOs ask of it",
    Check.CLOCK: "its clock agrees with ours",
    Check.LIVE: "what is measured is alive",
    Check.METRIC: "the metrics exist",
    Check.LABELS: "the labels match something; no error series only where none failed",
    Check.COLUMNS: "the columns exist and can be read",
    Check.BOUNDARY: "the threshold is a bucket of every histogram",
    Check.ONE_NUMBER: "each expression gives one series with a number",
    Check.WITHIN_TOTAL: "good and bad are no more than total",
    Check.COUNTED: "there is a count",
    Check.PARTIAL: "the answers are whole",
    Check.COUNTER: "counters only grow, but for restarts",
    Check.BORN: "counters begin at zero, so that nothing is hidden",
    Check.RETENTION: "the server keeps data as long as the window",
    Check.COVERAGE: "data reach back to the window's start",
    Check.GAPS: "no gaps between the oldest and the newest data",
    Check.FRESHNESS: "the newest data are of now",
    Check.REPLICAS: "no series comes twice from replicas of the monitoring",
    Check.SOURCES: "no request is counted by two sources",
    Check.UNKNOWN: "every event's outcome is known",
    Check.ORDER: "rows are in the order of time",
    Check.REPEATS: "no request is logged twice",
}
"""What each check asks, as the words after "whether"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one check saw."""

    check: Check
    level: Level = Level.OK
    message: str = ""
    """With numbers, without a full stop. Of a check that found nothing: in short what it saw."""
    remedy: str = ""
    """What to do; empty where nothing is wrong."""
    examined: str = ""
    """The query, endpoint or file, for people to repeat. Never holds a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSlo:
    """One SLO to be examined."""

    name: str
    request: CountRequest
    """As it is measured for the budget."""
    whole: timedelta
    """Length of the whole window, of which a calendar's may not have passed yet."""
    max_age: timedelta
    """Older samples are stale."""
    min_coverage: Fraction
    """Of the window, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What an examination saw."""

    backend: tuple[CheckResult, ...]
    """Of the server, or of the files as a whole."""
    slos: tuple[tuple[CheckResult, ...], ...]
    """For each SLO, in order."""


class Doctor(Protocol):
    """Looks at what a backend counts from."""

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Look at every SLO at the one instant ``at``.

        Never raises for what a backend can do wrong. What could not be looked at is a fault of
        the check ``reach``: nothing is sound that nobody has seen.
        """
        ...


def worst_level(results: Sequence[CheckResult]) -> Level:
    """Return the worst level; ``ok`` where there is nothing."""
    levels = {result.level for result in results}
    return next((level for level in reversed(Level) if level in levels), Level.OK)
