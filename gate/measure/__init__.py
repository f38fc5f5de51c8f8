"""The contract with backends: the requests, and the possible answers.

A count that is not there is a value of its own with a cause and a sentence, never a zero.
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
    """The causes why a budget is not known well enough: the keys of the policy's ``on:``."""

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
    MOSTLY_UNCOVERED = "mostly_uncovered"
    """So small a share of the window has data that the rest could be anything."""
    UNMATCHED = "unmatched"
    """A selector cannot match any more, or no longer finds what it found before."""
    BORN = "born"
    """Counters of bad events began above zero: what failed before that was not counted."""
    CONTRADICTED = "contradicted"
    """The total contradicts the count of bad events."""
    LOST = "lost"
    """Events were lost to the count: in a gap, or where the window had to be cut."""
    UNKNOWN_OUTCOME = "unknown_outcome"
    """Some events could be good or bad: it is not known which."""
    ROUNDED = "rounded"
    """Only a rounded share is known, and what may be true of it lies on both sides of a threshold.
    """
    NOT_COVERED = "not_covered"
    """A rule of the policy cannot look at an SLO of this kind."""


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
    """The request is for an amount and not for events: the answer is `Spent`."""
    rule_labels: Mapping[str, str] | None = None
    """The labels of the recording rules that ``gate export`` writes for this indicator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A reason to think that the count of bad events is not what happened, and by how much."""

    cause: Cause
    reason: str
    """One sentence without a full stop: what was seen, with a number."""
    remedy: str
    """The remedy, in the imperative and without a full stop."""
    hidden: Fraction | None = Fraction(0)
    """How many events that are counted as good, or not at all, may have been bad; for an allowance:
    how much more may have been spent. None: any number."""
    doubtful: Fraction | None = Fraction(0)
    """How many of the events that are counted as bad may have been good. None: all."""
    within: Span | None = None
    """The span in which all of these happened, so that no window beside it has any; None: any
    time."""


class Granted(StrEnum):
    """The unit that a budget is counted in."""

    EVENTS = "events"
    SECONDS = "seconds"
    """Time that may be bad: of a monitor, or of slices that are bad as a whole."""


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
    """By which the platform is asked."""
    name: str
    """For people."""
    promises: tuple[Promise, ...]
    """At least one; the windows differ."""
    granted: Granted = Granted.EVENTS
    platform: str = "the platform"
    """As its vendor writes its name."""
    to_date: bool = False
    """Calendar windows: whether the platform's own budget is that of the events so far."""
    no_data: str = ""
    """How the platform counts time without data, as a clause; empty: it does not say."""
    notes: tuple[str, ...] = ()
    """Notes for the reader: how it is counted, what is excluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How far an answer can be trusted, and what was asked to get it."""

    query: str
    """The expressions as they were sent, for people to repeat. Never holds a secret."""
    newest: datetime | None = None
    """The newest sample at or before the instant; None where it was not asked for or not found."""
    coverage: Fraction | None = None
    """Share of the span that has data, 0 to 1; None where it was not asked for or cannot be had."""
    gaps: Gaps | None = None
    """The gaps in the span's data; None: the backend does not report them, or nothing is
    missing."""
    warnings: tuple[str, ...] = ()
    """The warnings of the backend about missing data. Not empty means: a partial answer."""
    objective: Fraction | None = None
    """The objective of the tool whose recorded series were counted; None: not known."""
    notes: tuple[str, ...] = ()
    """Notes for the reader that change nothing."""
    suspicions: tuple[Suspicion, ...] = ()
    """Only where a request has ``probe``."""
    granted: Granted = Granted.EVENTS
    """The counted unit."""
    definition: Definition | None = None
    """How the platform defines the SLO that it has counted, which the policy must agree with; None:
    no platform has counted it, or none was asked."""


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
class Share:
    """A share of what is counted over the span, of a platform that reports no counts and rounds.

    The true share is within ``error`` of ``bad``, both ends included, and is between 0 and 1.
    """

    bad: Fraction
    """The share of the events, or of the seconds, 0 to 1; in a calendar window, of those so far."""
    error: Fraction
    """Half a unit of the last decimal that the platform guarantees, above 0; 0 only where the gate
    itself asks what would be if the share were exactly this."""
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """The reason why nothing was counted."""

    cause: Cause
    reason: str
    """One sentence without a full stop, which names the indicator's part and what came back."""
    query: str | None = None


Answer = Counts | Spent | Share | Unmeasured


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The run's own bounds on a backend's work."""

    timeout: timedelta
    """For everything that the backend does in this run."""
    max_scan: int | None = None
    """Bytes that one statement may read; None: any number. Backends that do not pay by the bytes
    they read look at none."""


class Backend(Protocol):
    """Anything that can count. One call a run: a slow backend is asked once, not 64 times."""

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Answer every request, in order, all evaluated at the one instant ``at``.

        Never raises for what a backend can do wrong: that is an `Unmeasured` with its cause.
        `Spent` answers requests whose indicator has ``spent``, `Counts` or `Share` all others.
        """
        ...


class MeasurementError(Exception):
    """Ends the work on one request, with the reason why it has no number."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason

    def answer(self, query: str | None = None) -> Unmeasured:
        """Return it as the answer to a request; ``query`` is what was sent, None: nothing."""
        return Unmeasured(cause=self.cause, reason=self.reason, query=query)
