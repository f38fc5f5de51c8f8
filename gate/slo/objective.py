"""Service level objectives, and the windows over which their budgets are spent."""

from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from fractions import Fraction
from typing import Final, Self, TypeGuard

from gate.dataclass import dataclass
from gate.slo.calendar import Period
from gate.slo.indicator import Sli, Slices
from gate.slo.quantities import format_duration

_FINEST: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in UTC; the start is left out, the end belongs to it."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """The time between start and end; never negative."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """The last ``duration``, whenever one looks."""

    duration: timedelta

    def counted(self, at: datetime) -> Span:
        """Return what can have been counted by the instant ``at``: all of the window."""
        at = at.astimezone(UTC)
        return Span(at - self.duration, at)

    def whole(self, at: datetime) -> Span:
        """Return the whole window, over which the budget is granted: the same."""
        return self.counted(at)

    def __str__(self) -> str:
        return format_duration(self.duration)


CALENDAR: Final = datetime(2024, 1, 1)  # noqa: DTZ001 - local time, wherever that is
"""A Monday on which a quarter and a year begin: so does every period of the calendar."""


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """A period that repeats in a time zone: the budget is full at its start and renews at the next.

    Periods begin at the same local time, whatever the clocks do: where that time is skipped, as
    late after the change as it is after its start; where it comes twice, at the first of the two
    (RFC 5545, section 3.3.5).
    """

    period: Period
    zone: tzinfo
    begins: datetime = CALENDAR
    """Where one of the periods begins, in local time without a zone; earlier ones precede it."""
    closing: bool = False
    """Whether the instant between two periods is the end of the first: of a period that is over,
    as a whole, is then reported at its end. Else it is the start of the second."""

    @classmethod
    def beginning(cls, period: Period, zone: tzinfo, begins: datetime) -> Self:
        """Return the window with a period that begins at a local time, which has no zone.

        Two windows with the calendar's own periods are equal, whichever of them was given.

        Raises:
            ValueError: not every period has such a start, or it is finer than a second; the message
                says what to write.
        """
        period.check(begins)
        calendar = CALENDAR.replace(tzinfo=UTC)
        on_calendar = cls(period, UTC, begins).whole(calendar).start == calendar
        return cls(period, zone) if on_calendar else cls(period, zone, begins)

    def counted(self, at: datetime) -> Span:
        """Return the part of the period that has passed by the instant ``at``."""
        return Span(self.whole(at).start, at.astimezone(UTC))

    def whole(self, at: datetime) -> Span:
        """Return the period around ``at``, in UTC; a day with a DST change has 23 or 25 hours."""
        within = at - _FINEST if self.closing else at
        number = self.period.number(self.begins, within.astimezone(self.zone).replace(tzinfo=None))
        # Around a change of the clocks the wall shows a time before, or after, what has passed.
        while self._start(number) > within:
            number -= 1
        while self._start(number + 1) <= within:
            number += 1
        return Span(self._start(number), self._start(number + 1))

    def _start(self, number: int) -> datetime:
        """Return when the period starts that is ``number`` periods after ``begins``, in UTC."""
        local = self.period.later(self.begins, number)
        # With fold=0 Python takes what RFC 5545 asks for: PEP 495, "the fold" and "the gap".
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def __str__(self) -> str:
        start = "" if self.begins == CALENDAR else f" from {self.begins:%Y-%m-%d %H:%M:%S}"
        return f"calendar {self.period}{start.removesuffix(':00')} ({self.zone})"


Window = RollingWindow | CalendarWindow


class Bound(StrEnum):
    """Which end of a sampled indicator's interval is compared with the thresholds."""

    PESSIMISTIC = "pessimistic"
    POINT = "point"
    OPTIMISTIC = "optimistic"


class Denominator(StrEnum):
    """The events that a calendar window's bad events are measured against."""

    PERIOD = "period"
    """The whole period: consumed grows from 0, as events come in."""
    TO_DATE = "to-date"
    """The events so far: consumed may jump about early in the period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGuards:
    """The requirements that a measurement of one SLO must meet; None: those of the policy.

    The fields are those of `gate.budget.coverage.Guards`.
    """

    max_age: timedelta | None = None
    min_coverage: Fraction | None = None
    coverage_floor: Fraction | None = None


NO_OWN_GUARDS: Final = OwnGuards()


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioSlo:
    """A share of events, or of timeslices, that must be good."""

    name: str
    window: Window
    sli: Sli
    objective: Fraction
    """Strictly between 0 and 1."""
    sla: Fraction | None = None
    """The contract's objective, laxer than ``objective``; its margin is reported."""
    slices: Slices | None = None
    """Given: timeslices instead of occurrences."""
    denominator: Denominator = Denominator.PERIOD
    """For calendar windows."""
    sampled: Bound | None = None
    """Given: the events are a sample, and this bound of the 95% interval decides."""
    design_effect: Fraction = Fraction(1)
    """For a sample: how many times as many events are needed to know as much as from independent
    ones, at least 1. Answers of one conversation resemble each other."""
    min_events: int | None = None
    """Fewer events than this is low traffic; None: 1 / budget, of which one failure is all."""
    advisory: bool = False
    """Its findings warn and never block."""
    guards: OwnGuards = NO_OWN_GUARDS

    @property
    def budget(self) -> Fraction:
        """The share of events that may be bad: above 0, below 1."""
        return 1 - self.objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One part of a composite."""

    slo: str
    weight: Fraction
    """Above 0. The weights need not add up to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeSlo:
    """Several SLOs together; each is still judged by itself."""

    name: str
    members: tuple[Member, ...]
    """At least one; each names a ratio SLO of the same policy."""
    advisory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendSlo:
    """An allowance of money or tokens per window."""

    name: str
    window: Window
    sli: Sli
    allowance: Fraction
    """Above 0."""
    unit: str
    """``USD``, ``tokens``; empty when the policy names none."""
    advisory: bool = False
    guards: OwnGuards = NO_OWN_GUARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSlo:
    """An SLO whose objective and window a platform knows, which has not been asked yet.

    What it has beside those is for the `RatioSlo` that it becomes.
    """

    name: str
    sli: Sli
    """With ``slo``: what the platform is asked for."""
    objective: Fraction | None = None
    """Which of several objectives of the platform's is meant; None: its only one."""
    window: Window | None = None
    """Likewise of its windows."""
    sla: Fraction | None = None
    denominator: Denominator = Denominator.PERIOD
    min_events: int | None = None
    advisory: bool = False
    guards: OwnGuards = NO_OWN_GUARDS


Slo = RatioSlo | SpendSlo | CompositeSlo | PlatformSlo


def counts_events(slo: Slo) -> TypeGuard[RatioSlo]:
    """Return whether incidents can be found in an SLO's history: each step has its burn rate."""
    return isinstance(slo, RatioSlo) and slo.slices is None
