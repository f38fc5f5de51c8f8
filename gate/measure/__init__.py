"""The contract with backends: the requests, and the possible answers.

A missing count is a value of its own with a cause and a sentence, never a zero.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from gate.dataclass import dataclass
from gate.measure.coverage import Gaps
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span, Window


class Cause(StrEnum):
    """The causes of unknown or doubtful budgets: the keys of the policy's ``on:``."""

    NO_DATA = "no_data"
    """The backend has no data for this indicator and window."""
    NO_TRAFFIC = "no_traffic"
    """There is data, and it shows that no event happened: neither good nor bad."""
    INVALID = "invalid"
    """An answer that cannot be a count: NaN, infinite, negative, bad > total, several series."""
    STALE = "stale"
    """The newest sample is too old to describe the present."""
    PARTIAL = "partial"
    """The backend itself warns that a part of the answer is missing."""
    BACKEND_ERROR = "backend_error"
    """The backend could not be reached, refused, failed, or answered something unreadable."""
    LOW_TRAFFIC = "low_traffic"
    """There are fewer events than the policy requires for a ratio."""
    LOW_COVERAGE = "low_coverage"
    """Too small a share of the window has data."""
    MOSTLY_UNCOVERED = "mostly_uncovered"
    """So small a share of the window has data that the rest could be anything."""
    UNMATCHED = "unmatched"
    """A selector can no longer match, or no longer finds what it found before."""
    BORN = "born"
    """Counters of bad events began above zero: failures before that were not counted."""
    CONTRADICTED = "contradicted"
    """The total contradicts the count of bad events."""
    LOST = "lost"
    """Events were not counted: in a gap, or because the window had to be cut."""
    UNKNOWN_OUTCOME = "unknown_outcome"
    """Some events could be good or bad: their outcome is unknown."""
    ROUNDED = "rounded"
    """Only a rounded share is known, and its possible values lie on both sides of a threshold."""
    NOT_COVERED = "not_covered"
    """A rule of the policy cannot evaluate an SLO of this kind."""


def rule_labels(service: str, slo: str) -> dict[str, str]:
    """Return the labels that all recording rules of an SLO have."""
    return {"service": service, "slo": slo}


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRequest:
    """A request for one count: an indicator over a stretch of time."""

    sli: Sli
    span: Span
    """The counted time; its end is the run's one instant."""
    slices: Slices | None = None
    """If given, slices are counted instead of events."""
    probe: bool = False
    """Whether to also report the age of the newest sample and the share of the span with data."""
    amount: bool = False
    """Whether the request is for an amount instead of events: the answer is `Spent`."""
    rule_labels: Mapping[str, str] | None = None
    """The labels of the recording rules that ``gate export`` writes for this indicator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A reason to doubt the count of bad events, with the size of the doubt."""

    cause: Cause
    reason: str
    """One sentence without a full stop: the observation, with a number."""
    remedy: str
    """The remedy, in the imperative and without a full stop."""
    hidden: Fraction | None = Fraction(0)
    """How many events that are counted as good, or not at all, may have been bad; for an allowance,
    how much more may have been spent. None: unlimited."""
    doubtful: Fraction | None = Fraction(0)
    """How many events that are counted as bad may have been good. None: all."""
    within: Span | None = None
    """The time in which all of these events happened, so that other windows have none; None: any
    time."""


class Granted(StrEnum):
    """The unit that a budget is counted in."""

    EVENTS = "events"
    SECONDS = "seconds"
    """Time: of a monitor, or of slices that are bad as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """An objective over a window, as a platform states it."""

    window: Window
    objective: Fraction
    """Strictly between 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """An SLO as the platform that keeps it defines it."""

    id: str
    """The identifier for requests to the platform."""
    name: str
    """The name for people."""
    promises: tuple[Promise, ...]
    """At least one; the windows differ."""
    granted: Granted = Granted.EVENTS
    platform: str = "the platform"
    """The platform's name, as its vendor writes it."""
    to_date: bool = False
    """For calendar windows: whether the platform's own budget is that of the events so far."""
    no_data: str = ""
    """The platform's treatment of time without data, as a clause; empty: unknown."""
    notes: tuple[str, ...] = ()
    """Notes for the reader: how it is counted, what is excluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence that an answer can be trusted, and its query."""

    query: str
    """The expressions as they were sent, for people to repeat. They never contain a secret."""
    newest: datetime | None = None
    """The newest sample at or before the instant; None: not requested, or not found."""
    coverage: Fraction | None = None
    """The share of the span with data, 0 to 1; None: not requested, or not available."""
    gaps: Gaps | None = None
    """The gaps in the span's data; None: the backend does not report them, or there are none."""
    warnings: tuple[str, ...] = ()
    """The backend's warnings about missing data. If it is not empty, the answer is partial."""
    objective: Fraction | None = None
    """The objective of the tool whose recorded series were counted; None: unknown."""
    notes: tuple[str, ...] = ()
    """Notes for the reader, without an effect."""
    suspicions: tuple[Suspicion, ...] = ()
    """Only for a request with ``probe``."""
    granted: Granted = Granted.EVENTS
    """The unit of the count."""
    definition: Definition | None = None
    """The platform's definition of the SLO, which the policy must agree with; None: not counted by
    a platform, or not requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Events (or slices) over the span: 0 < total, 0 <= bad <= total; they may have fractions."""

    total: Fraction
    bad: Fraction
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """An amount spent over the span, at least 0, in the unit of the allowance."""

    amount: Fraction
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share over the span, from a platform that reports no counts and rounds.

    The true share is within ``error`` of ``bad``, both ends included, and is between 0 and 1.
    """

    bad: Fraction
    """The bad share of the events, or of the seconds, 0 to 1; in a calendar window, of the time so
    far."""
    error: Fraction
    """Half a unit of the last decimal that the platform guarantees, above 0; 0 only in the gate's
    own trials of an exact share."""
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """The reason why nothing was counted."""

    cause: Cause
    reason: str
    """One sentence without a full stop, with the indicator's part and the answer."""
    query: str | None = None


Answer = Counts | Spent | Share | Unmeasured


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a run on a backend's work."""

    timeout: timedelta
    """The time limit for all work of the backend in this run."""
    max_scan: int | None = None
    """The maximum number of bytes that one statement may read; None: unlimited. Backends that are
    not billed by bytes ignore it."""


class Backend(Protocol):
    """A backend that can count. It is called once in a run, with all requests."""

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Answer every request, in order, all evaluated at the one instant ``at``.

        It never raises for a failure of the backend: the answer is an `Unmeasured` with its cause.
        Requests whose indicator has ``spent`` are answered by `Spent`, others by `Counts` or
        `Share`.
        """
        ...


class MeasurementError(Exception):
    """Ends the work on one request, with the reason why it has no count."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason

    def answer(self, query: str | None = None) -> Unmeasured:
        """Return it as the answer to a request; ``query`` is the sent query, None: none."""
        return Unmeasured(cause=self.cause, reason=self.reason, query=query)
