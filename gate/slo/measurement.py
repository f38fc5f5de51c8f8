"""The contract between the gate and whatever counts: what is asked, and what can be answered.

A count that could not be had is a value of its own with a cause and a sentence, never a zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from gate.slo.window import Span


class Cause(StrEnum):
    """Why a budget is not known, or not well enough. The keys of the policy's ``on:`` table."""

    NO_DATA = "no_data"
    """The backend has nothing for this indicator and window."""
    NO_TRAFFIC = "no_traffic"
    """There is data, and it says that no event happened: neither good nor bad."""
    INVALID = "invalid"
    """An answer that cannot be a count: NaN, infinite, negative, bad > total, several series."""
    STALE = "stale"
    """The newest sample is too old to speak for now."""
    PARTIAL = "partial"
    """The backend itself warns that a part of the answer is missing."""
    BACKEND_ERROR = "backend_error"
    """The backend could not be reached, refused, failed, or answered something unreadable."""
    LOW_TRAFFIC = "low_traffic"
    """Fewer events than the policy needs to speak of a ratio."""
    LOW_COVERAGE = "low_coverage"
    """Too small a share of the window has data."""


class EmptySlice(StrEnum):
    """What a timeslice without any event counts as."""

    LEFT_OUT = "left-out"
    GOOD = "good"
    BAD = "bad"


class Bucket(StrEnum):
    """What a threshold that is no boundary of a histogram is counted by."""

    EXACT = "exact"
    """Nothing: there is no count."""
    STRICTER = "stricter"
    """The next boundary below."""
    LAXER = "laxer"
    """The next boundary above."""
    INTERPOLATE = "interpolate"
    """Both, as if the events between them were spread evenly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Events counted in buckets; good are those of at most ``threshold``."""

    good: str
    """A selector of the family, without a suffix such as ``_bucket``: which events can be good."""
    total: str
    """The same for all events."""
    threshold: Fraction
    """In the unit of the boundaries."""
    unit: str
    """For people: ``s``, ``ms``, ``us``, ``ns``; empty for what is no time."""
    bucket: Bucket = Bucket.EXACT
    advice: str | None = None
    """How this server is made to have another boundary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sli:
    """A service level indicator: expressions in the backend's own language, by their role.

    Exactly one of these sets of fields is given (the policy reader sees to it):
    ``bad`` and/or ``good`` with ``total``; ``column`` with ``threshold``; ``histogram``; ``gauge``;
    ``spent``; ``series``. Which of them a backend understands is in its registry entry.
    """

    good: str | None = None
    bad: str | None = None
    total: str | None = None
    """All events; logs may leave it out (every row)."""
    column: str | None = None
    """Logs: a numeric column; an event is good when its value is at most ``threshold``."""
    threshold: Fraction | None = None
    """In the column's own unit."""
    histogram: Histogram | None = None
    gauge: str | None = None
    """A value per instant, 1 for up and 0 for down; always judged by timeslices."""
    spent: str | None = None
    """An amount (money, tokens) that only grows."""
    series: str | None = None
    """Static: the name under which the file has the counts."""
    labels: Mapping[str, str] | None = None
    """Prometheus: label values that take the place of ``$labels`` in the expressions."""
    preset: str | None = None
    """The name of the preset that wrote this: ``vllm/errors``."""
    older: tuple["Sli", ...] = ()
    """The same indicator under older names: the first that the backend has is counted, and never
    two of them together."""
    objective: str | None = None
    """Prometheus: what the tool that recorded these series promises."""
    sliced: bool = False
    """What is counted is slices of time, each with a ratio: how many events they had is not known.
    """
    notes: tuple[str, ...] = ()
    """What every report of a count must say."""

    @property
    def unit(self) -> str:
        """What it measures is in; empty where that is not known, is no time, or nothing is."""
        return self.histogram.unit if self.histogram is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """The window cut in equal slices; a slice is bad when its good ratio is under ``target``."""

    length: timedelta
    target: Fraction
    """0 < target <= 1."""
    empty: EmptySlice = EmptySlice.LEFT_OUT


def rule_labels(service: str, slo: str) -> dict[str, str]:
    """Return the labels that all recording rules of an SLO have."""
    return {"service": service, "slo": slo}


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRequest:
    """One count to be made: an indicator over a stretch of time."""

    sli: Sli
    span: Span
    """Its end is the run's one instant."""
    slices: Slices | None = None
    """Given: count slices instead of events."""
    probe: bool = False
    """Also say how old the newest sample is and how much of the span has data."""
    amount: bool = False
    """What is spent is asked for, and not events: the answer is `Spent`."""
    rule_labels: Mapping[str, str] | None = None
    """Which labels the recording rules have that ``gate export`` writes for this indicator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How far an answer can be trusted, and what was asked to get it."""

    query: str
    """The expressions as they were sent, for people to repeat. Never holds a secret."""
    newest: datetime | None = None
    """The newest sample at or before the instant; None where it was not asked for or not found."""
    coverage: Fraction | None = None
    """Share of the span that has data, 0 to 1; None where it was not asked for or cannot be had."""
    warnings: tuple[str, ...] = ()
    """What the backend says is missing from its answer. Not empty means: a partial answer."""
    objective: Fraction | None = None
    """What the tool promises whose recorded series were counted; None: not known."""
    notes: tuple[str, ...] = ()
    """What a reader should know and what changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Events (or slices) over the span: 0 < total, 0 <= bad <= total; need not be whole."""

    total: Fraction
    bad: Fraction
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """An amount spent over the span, at least 0, in the unit of the allowance."""

    amount: Fraction
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """There is no count, and this is why."""

    cause: Cause
    reason: str
    """One sentence without a full stop, which names the indicator's part and what came back."""
    query: str | None = None


Answer = Counts | Spent | Unmeasured


class Backend(Protocol):
    """Anything that can count. One call a run: a slow backend is asked once, not 64 times."""

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Answer every request, in order, all evaluated at the one instant ``at``.

        Never raises for what a backend can do wrong: that is an `Unmeasured` with its cause.
        `Spent` answers requests whose indicator has ``spent``, `Counts` all others.
        """
        ...
