"""The events of a metric-based SLO, in Datadog's buckets of time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from gate.backends.datadog.values import (
    EpochWindow,
    instant_of,
    invalid,
    listed,
    mapping,
    number,
    shown_instant,
)
from gate.dataclass import dataclass
from gate.measure.coverage import StepCoverage, coverage_by_steps
from gate.slo.objective import Span

_MILLISECONDS: Final = 1000
_MOST_EARLY: Final = 3600
"""The maximum number of seconds by which the first bucket may begin before the window, and the last
one after it. Datadog's own recordings have whole five minutes, or whole buckets."""
_NOISE: Final = Fraction(1, 10**9)
"""The tolerated relative difference between two sums of floats of the same events."""
_ROUNDED: Final = Fraction(1, 10**6)
"""The tolerated relative difference between a sum and its parts if these were 32-bit floats."""


@dataclass(frozen=True, slots=True)
class WindowTally:
    """Totals of events or of seconds."""

    total: Fraction
    bad: Fraction


@dataclass(frozen=True, slots=True)
class EventBucket:
    """The events from one second to another: [start, end)."""

    start: int
    end: int
    total: Fraction
    good: Fraction

    def meets(self, part: EpochWindow) -> bool:
        """Return whether a part of it lies in a stretch of time."""
        return self.start < part.end and part.start < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBuckets:
    """The events of the whole window, with their times."""

    window: EpochWindow
    tally: WindowTally
    """The sums, which include events before the window if Datadog rounds its start down."""
    interval: int
    """The seconds of a bucket; the first and the last may be shorter. 0 without buckets."""
    buckets: Sequence[EventBucket]
    """The buckets with known data, in order of time. Empty: the window has none."""
    whole: bool
    """Whether the buckets add up to the sums."""

    def since(self, start: int) -> WindowTally | None:
        """Return the events from a second to the end; None: they are not known exactly.

        Raises:
            MeasurementError: more events are good than there are.
        """
        if start == self.window.start:
            inside = [bucket for bucket in self.buckets if bucket.end > start]
            return _sum(inside) if self.whole and len(inside) < len(self.buckets) else self.tally
        if not self.whole or any(bucket.start < start < bucket.end for bucket in self.buckets):
            return None
        return _sum([bucket for bucket in self.buckets if bucket.start >= start])

    @property
    def early(self) -> EventBucket | None:
        """Return the bucket that begins before the window; None: none exists.

        If the buckets do not add up to the sums, it is any bucket that begins before it.
        """
        start = self.window.start
        before = (bucket for bucket in self.buckets if bucket.start < start)
        return next((bucket for bucket in before if bucket.end > start or not self.whole), None)

    @property
    def more_bad(self) -> Fraction:
        """Return how many more events are bad by the buckets than by the sums; 0: none.

        Buckets of rates have other numbers than the sums but the same share, and missing buckets
        lack good and bad events: neither increases the number.
        """
        inside = [bucket for bucket in self.buckets if bucket.start >= self.window.start]
        total = sum((bucket.total for bucket in inside), Fraction(0))
        good = sum((bucket.good for bucket in inside), Fraction(0))
        own = self.tally
        if self.whole or not total or not own.total:
            return Fraction(0)
        more = min(total - good - own.bad, own.total * ((total - good) / total) - own.bad)
        return more if more > own.total * _ROUNDED else Fraction(0)

    @property
    def newest(self) -> datetime | None:
        """Return the time of the newest event, to the length of a bucket; None: unknown."""
        ends = [bucket.end for bucket in self.buckets if bucket.total]
        return instant_of(min(ends[-1], self.window.end)) if ends else None

    def coverage(self) -> StepCoverage | None:
        """Return the share of the window with events when they are usual; None: unknown."""
        if not self.buckets:
            return None
        window, interval, bound = self.window, self.interval, self.buckets[0].end
        # For a bucket that is only partly in the window, silence shows nothing.
        start = bound - (bound - window.start) // interval * interval
        parts = (window.end - start) // interval
        events: list[float | None] = [None] * parts
        for bucket in self.buckets:
            place = (bucket.end - start) // interval - 1
            if bucket.total and 0 <= place < parts:
                events[place] = float(bucket.total)
        span = Span(instant_of(start), instant_of(start + parts * interval))
        return coverage_by_steps(events, span) if parts else None


def read_buckets(series: Mapping[str, Any], window: EpochWindow) -> EventBuckets:
    """Return the events of a series.

    Raises:
        MeasurementError: a sum cannot be a count, or more events are good than there are.
    """
    good_part = mapping(series.get("numerator"), "numerator")
    total_part = mapping(series.get("denominator"), "denominator")
    good = number(good_part.get("sum"), "numerator.sum")
    total = number(total_part.get("sum"), "denominator.sum")
    tally = tallied(good, total)
    interval, buckets = _read_parts(series, good_part, total_part, window)
    added = (sum(bucket.total for bucket in buckets), sum(bucket.good for bucket in buckets))
    whole = all(
        abs(part - of) <= total * _NOISE for part, of in zip(added, (total, good), strict=True)
    )
    return EventBuckets(
        window=window,
        tally=tally,
        interval=interval,
        buckets=buckets,
        whole=bool(buckets) and whole,
    )


def _read_parts(
    series: Mapping[str, Any],
    good_part: Mapping[str, Any],
    total_part: Mapping[str, Any],
    window: EpochWindow,
) -> tuple[int, Sequence[EventBucket]]:
    """Return the length of the buckets, and the buckets on one grid.

    Raises:
        MeasurementError: they do not belong to the window.
    """
    times = series.get("times") or total_part.get("times")
    if not times:
        return 0, ()
    interval = int(number(series.get("interval"), "interval"))
    if interval <= 0:
        raise invalid(f"interval is {interval}")
    starts = [int(number(time, "times") / _MILLISECONDS) for time in listed(times, "times")]
    goods, totals = _values(good_part, "numerator"), _values(total_part, "denominator")
    if not len(starts) == len(goods) == len(totals):
        raise invalid(f"it has {len(starts)} times, {len(goods)} and {len(totals)} values")
    early, late = window.start - min(starts), max(starts) - window.end
    if max(early, late) > max(interval, _MOST_EARLY) or min(starts) >= window.end:
        first, last = (shown_instant(start) for start in (min(starts), max(starts)))
        raise invalid(
            f"its values are of times from {first} to {last}, and"
            f" {shown_instant(window.start)} to {shown_instant(window.end)} was requested"
        )
    if late >= 0 or not (ends := _ends(starts, interval)):
        return 0, ()
    return interval, tuple(_buckets(starts, ends, goods, totals))


def _buckets(
    starts: Sequence[int],
    ends: Sequence[int],
    goods: Sequence[Fraction | None],
    totals: Sequence[Fraction | None],
) -> Iterator[EventBucket]:
    """Yield the buckets with known data."""
    for start, end, good, total in zip(starts, ends, goods, totals, strict=True):
        if total is not None:
            if total < 0 or (good or 0) < 0:
                raise invalid(f"its values have {good} good of {total} events")
            yield EventBucket(start, end, total, good or Fraction(0))


def tallied(good: Fraction, total: Fraction) -> WindowTally:
    """Return the number of events and of bad events.

    Raises:
        MeasurementError: a number is negative, or more events are good than there are.
    """
    shown = f"{float(good):,.10g} good of {float(total):,.10g} events"
    if total < 0 or good < 0:
        raise invalid(f"its sums have {shown}")
    if good > total + total * _NOISE:
        raise invalid(f"it has {shown}: the numerator counts events that the denominator does not")
    return WindowTally(total, max(total - good, Fraction(0)))


def _values(part: Mapping[str, Any], name: str) -> list[Fraction | None]:
    """Return the values of a series; None: null, an unknown value."""
    values = listed(part.get("values") or [], f"{name}.values")
    return [None if value is None else number(value, f"{name}.values") for value in values]


def _ends(starts: Sequence[int], interval: int) -> list[int]:
    """Return the ends of the buckets; empty: they are not on one grid.

    The grid starts at the first bucket, or else follows the clock; then the first bucket may be
    shorter.
    """
    if any(later <= earlier for earlier, later in pairwise(starts)):
        return []
    if all((start - starts[0]) % interval == 0 for start in starts):
        return [start + interval for start in starts]
    if all(start % interval == 0 for start in starts[1:]):
        return [start - start % interval + interval for start in starts]
    return []


def _sum(buckets: Sequence[EventBucket]) -> WindowTally:
    zero = Fraction(0)
    good = sum((bucket.good for bucket in buckets), zero)
    return tallied(good, sum((bucket.total for bucket in buckets), zero))
