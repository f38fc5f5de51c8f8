"""Service level objectives, and the windows over which their budgets are spent."""

from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from fractions import Fraction
from typing import TypeGuard

from gate.dataclass import dataclass
from gate.slo.indicator import Sli, Slices
from gate.slo.quantities import format_duration

_MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in UTC; the start is left out, the end belongs to it."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """The time between start and end; never negative."""
        return self.end - self.start


class Period(StrEnum):
    """What a calendar window is made of. Weeks begin on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_DAYS = {Period.DAY: 1, Period.WEEK: 7}


_MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: _MONTHS_PER_YEAR}


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


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """A calendar period in a time zone: the budget is full at its start and renews at the next."""

    period: Period
    zone: tzinfo

    def counted(self, at: datetime) -> Span:
        """Return the part of the period that has passed by the instant ``at``."""
        return Span(self.whole(at).start, at.astimezone(UTC))

    def whole(self, at: datetime) -> Span:
        """Return the period around ``at``, in UTC; a day with a DST change has 23 or 25 hours."""
        first = _period_start(self.period, at.astimezone(self.zone).replace(tzinfo=None))
        following = _next_start(self.period, first)
        return Span(_in_utc(first, self.zone), _in_utc(following, self.zone))

    def __str__(self) -> str:
        return f"calendar {self.period} ({self.zone})"


Window = RollingWindow | CalendarWindow


def _period_start(period: Period, local: datetime) -> datetime:
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period in _MONTHS:
        return day.replace(day=1, month=day.month - (day.month - 1) % _MONTHS[period])
    return day - timedelta(days=day.weekday() % _DAYS[period])


def _next_start(period: Period, first: datetime) -> datetime:
    if period not in _MONTHS:
        return first + timedelta(days=_DAYS[period])
    years, month = divmod(first.month - 1 + _MONTHS[period], _MONTHS_PER_YEAR)
    return first.replace(year=first.year + years, month=month + 1)


def _in_utc(local: datetime, zone: tzinfo) -> datetime:
    # A wall-clock time that DST skips (midnight in some zones) maps, with fold=0, to the first
    # instant after the gap once it has been through UTC: PEP 495, "the gap".
    return local.replace(tzinfo=zone).astimezone(UTC)


class Bound(StrEnum):
    """Which end of a sampled indicator's interval is compared with the thresholds."""

    PESSIMISTIC = "pessimistic"
    POINT = "point"
    OPTIMISTIC = "optimistic"


class Denominator(StrEnum):
    """What a calendar window's bad events are measured against."""

    PERIOD = "period"
    """The whole period: consumed grows from 0, as events come in."""
    TO_DATE = "to-date"
    """The events so far: consumed may jump about early in the period."""


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
    """Given: the events are a sample, and this bound of the 95 % interval decides."""
    min_events: int | None = None
    """Fewer events than this is low traffic; None: 1 / budget, of which one failure is all."""
    advisory: bool = False
    """Its findings warn and never block."""

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


Slo = RatioSlo | SpendSlo | CompositeSlo


def counts_events(slo: Slo) -> TypeGuard[RatioSlo]:
    """Return whether incidents can be found in an SLO's history: each step has its burn rate."""
    return isinstance(slo, RatioSlo) and slo.slices is None
