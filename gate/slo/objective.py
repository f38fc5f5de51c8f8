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
    """A stretch of time in UTC; the start is excluded, the end included."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """The time between start and end; never negative."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """The last ``duration`` before any instant."""

    duration: timedelta

    def counted(self, at: datetime) -> Span:
        """Return the part that can be counted by the instant ``at``: the whole window."""
        at = at.astimezone(UTC)
        return Span(at - self.duration, at)

    def whole(self, at: datetime) -> Span:
        """Return the whole window, over which the budget is granted: the same."""
        return self.counted(at)

    def __str__(self) -> str:
        return format_duration(self.duration)


CALENDAR: Final = datetime(2024, 1, 1)  # noqa: DTZ001 - local time, wherever that is
"""A Monday on which a quarter and a year begin, and so every period of the calendar."""


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """A period that repeats in a time zone: the budget is full at its start and resets at the next.

    Periods begin at the same local time, despite clock changes: if that time is skipped, as late
    after the change as it would be after its start; if it occurs twice, at the first of the two
    (RFC 5545, section 3.3.5).
    """

    period: Period
    zone: tzinfo
    begins: datetime = CALENDAR
    """The start of one of the periods, in local time without a zone; earlier periods precede it."""
    closing: bool = False
    """Whether the instant between two periods is the end of the first: a period that is over is
    reported as a whole at its end. Otherwise it is the start of the second."""

    @classmethod
    def beginning(cls, period: Period, zone: tzinfo, begins: datetime) -> Self:
        """Return the window with a period that begins at a local time, which has no zone.

        Two windows with the calendar's own periods are equal, whichever of them was given.

        Raises:
            ValueError: some period lacks such a start, or it has fractions of a second; the message
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
        # Around a clock change, the local time is earlier, or later, than the elapsed time
        # suggests.
        while self._start(number) > within:
            number -= 1
        while self._start(number + 1) <= within:
            number += 1
        return Span(self._start(number), self._start(number + 1))

    def _start(self, number: int) -> datetime:
        """Return the start of the period that is ``number`` periods after ``begins``, in UTC."""
        local = self.period.later(self.begins, number)
        # With fold=0, Python chooses the same instant as RFC 5545: PEP 495, "the fold" and "the
        # gap".
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def __str__(self) -> str:
        start = "" if self.begins == CALENDAR else f" from {self.begins:%Y-%m-%d %H:%M:%S}"
        return f"calendar {self.period}{start.removesuffix(':00')} ({self.zone})"


Window = RollingWindow | CalendarWindow


class Bound(StrEnum):
    """The end of a sampled indicator's interval that is compared with the thresholds."""

    PESSIMISTIC = "pessimistic"
    POINT = "point"
    OPTIMISTIC = "optimistic"


class Denominator(StrEnum):
    """The number of events that a calendar window's bad events are divided by."""

    PERIOD = "period"
    """The events of the whole period: the consumed share grows from 0, as events come in."""
    TO_DATE = "to-date"
    """The events so far: the consumed share may change abruptly early in the period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGuards:
    """The requirements on a measurement of one SLO; None: those of the policy.

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
    """If given, timeslices are counted instead of occurrences."""
    denominator: Denominator = Denominator.PERIOD
    """The denominator for calendar windows."""
    sampled: Bound | None = None
    """If given, the events are a sample, and this bound of the 95% interval decides."""
    design_effect: Fraction = Fraction(1)
    """For a sample: the number of events that count as one independent event, at least 1. Answers
    of one conversation are correlated."""
    min_events: int | None = None
    """Fewer events than this is low traffic; None: 1 / budget, the traffic at which one failure
    spends the whole budget."""
    advisory: bool = False
    """Whether its findings only warn and never block."""
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
    """Several SLOs together; each is also judged by itself."""

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
    """Such as ``USD`` or ``tokens``; empty if the policy names none."""
    advisory: bool = False
    guards: OwnGuards = NO_OWN_GUARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSlo:
    """An SLO with the objective and window of a platform that was not queried yet.

    Its other fields are for the `RatioSlo` that it becomes.
    """

    name: str
    sli: Sli
    """The indicator with ``slo``, the platform's SLO."""
    objective: Fraction | None = None
    """The selected objective of the platform's; None: its only one."""
    window: Window | None = None
    """The selected window of the platform's; None: its only one."""
    sla: Fraction | None = None
    denominator: Denominator = Denominator.PERIOD
    min_events: int | None = None
    advisory: bool = False
    guards: OwnGuards = NO_OWN_GUARDS


Slo = RatioSlo | SpendSlo | CompositeSlo | PlatformSlo


def counts_events(slo: Slo) -> TypeGuard[RatioSlo]:
    """Return whether incidents can be found in an SLO's history: each step has a burn rate."""
    return isinstance(slo, RatioSlo) and slo.slices is None
