"""The times when a service is active or idle, from the known parts of a stretch of time.

Because of daylight saving time, a service with fixed hours starts an hour later in UTC from one day
on, and stops an hour later, for months. Then its first hour has no rows, although it had many on
the days before. Nothing was lost, since the day is as long as others. A day whose first hour was
lost is shorter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import timedelta
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, groupby, pairwise
from math import ceil, fsum
from statistics import median
from typing import Final

from gate.dataclass import dataclass

_LONG_PAUSE: Final = timedelta(hours=3)
"""The minimum length of a pause between two active times: the night, a weekend."""
_CLOCKS_MOVE: Final = timedelta(hours=1)
"""The size of a clock change; in one place of the world it is half of it."""
_BESIDE: Final = 5
"""The number of active times before and after another one that show its usual length."""
_FEWEST: Final = 2
"""With fewer active times than these on one side, that side shows nothing."""
_SURPLUS: Final = 0.5
"""The share of a part by which a complete day may be shorter than others."""


def runs_without(parts: Sequence[float | None]) -> Iterator[range]:
    """Yield the stretches of parts without known data."""
    place = 0
    for missing, group in groupby(parts, key=lambda number: number is None):
        length = sum(1 for _ in group)
        if missing:
            yield range(place, place + length)
        place += length


def sum_of_known(values: Sequence[float | None]) -> float | None:
    """Return the sum of the known values; None: none is known."""
    measured = [value for value in values if value is not None]
    return sum(measured) if measured else None


def ends_of_whole_days(
    parts: Sequence[float | None], within: range, step: timedelta
) -> frozenset[int]:
    """Return the silent parts at the ends of long pauses in which nothing was lost.

    They lie within an hour of an active time that lasted as long as the median of the nearest ones
    before it, or after it. For the first and the last active time, which may be incomplete, the
    pause beside it must be as long as another one.

    Args:
        parts: the number of events in each; None: unknown.
        within: the range from the first of them with data to the last.
        step: the length of a part.
    """
    active = list(_active_times(parts, within, step))
    lengths = [_length(parts[run.start : run.stop]) for run in active]
    width, ends = ceil(_CLOCKS_MOVE / step), set[int]()
    for number, run in enumerate(active):
        beside = lengths[max(number - _BESIDE, 0) : number], lengths[number + 1 :][:_BESIDE]
        medians = [median(some) for some in beside if len(some) >= _FEWEST]
        if medians and lengths[number] > min(medians) - _SURPLUS:
            ends.update(range(run.start - width, run.start), range(run.stop, run.stop + width))
    pauses = [after.start - before.stop for before, after in pairwise(active)]
    if pauses and pauses[0] in pauses[1 : 1 + _BESIDE]:
        ends.update(range(active[0].stop, active[0].stop + width))
    if pauses and pauses[-1] in pauses[-1 - _BESIDE : -1]:
        ends.update(range(active[-1].start - width, active[-1].start))
    return frozenset(ends)


def _active_times(parts: Sequence[float | None], within: range, step: timedelta) -> Iterator[range]:
    """Yield the stretches between long pauses, the oldest first."""
    start = within.start
    for run in runs_without(parts):
        if within.start < run.start and run.stop < within.stop and len(run) * step >= _LONG_PAUSE:
            yield range(start, run.start)
            start = run.stop
    yield range(start, within.stop)


def _length(parts: Sequence[float | None]) -> float:
    """Return the number of parts in which a service was active; the ends count only partly."""
    events = [number or 0.0 for number in parts]
    mean = fsum(events) / len(events)
    ends = events[:1] + events[1:][-1:]
    return len(events) - sum(1 - min(number / mean, 1.0) for number in ends) if mean else 0.0


_DAY: Final = timedelta(days=1)
_MOST_PAUSES: Final = 3
"""The maximum number of pauses in a day: a service that is idle at night and at noon has two. With
more pauses, every second hourly file may be lost."""
_PERIODS: Final = (_DAY, 7 * _DAY)
"""The periods after which a service may repeat its behaviour."""
_ALIKE: Final = 2
"""The number of other days or weeks that must be silent, too; for a pause of a day or more, one
week."""
_RARELY: Final = Fraction(1, 5)
"""The share of other days with data at this time of day below which silence is usual."""


@dataclass(frozen=True)
class UsualEvents:
    """The usual number of events at a time, from other times."""

    parts: Sequence[float | None]
    first: int
    """The index of the first part with data."""
    last: int
    step: timedelta
    fewest: float
    """The number of missing events that is not yet a gap."""
    _periods: dict[int, Sequence[tuple[int, int, float]]] = field(default_factory=dict)

    def missed_in(self, run: range) -> tuple[range, float]:
        """Return the part of a silent stretch that usually has data, and its usual events.

        Silence at its ends that other days have, too, does not belong to the range.
        """
        numbers = self.by_part(run)
        there = [place for place, number in zip(run, numbers, strict=True) if number]
        return range(there[0], there[-1] + 1) if there else run, sum(numbers)

    def by_part(self, run: range) -> list[float]:
        """Return the usual number of events in each part of a stretch without data."""
        even = self._mean([range(self.first, self.last + 1)])
        if even * len(run) < self.fewest:
            return [even] * len(
                run
            )  # with few events, the parts around a gap do not show the usual number
        before = range(self.first, min(run.start, len(self.parts)))
        mean = self._mean([before, range(run.stop, self.last + 1)])
        if self.pauses > _MOST_PAUSES:
            return [mean] * len(run)
        return [
            0.0 if place in self._moved else min(self._at_the_time_of(place, run), default=mean)
            for place in run
        ]

    @cached_property
    def _moved(self) -> frozenset[int]:
        if not self.pauses:
            return frozenset()
        return ends_of_whole_days(self.parts, range(self.first, self.last + 1), self.step)

    @cached_property
    def pauses(self) -> int:
        """The number of silent pauses on most days; a pause over midnight counts once."""
        day = max(round(_DAY / self.step), 1)
        times = [self.parts[self.first + place : self.last + 1 : day] for place in range(day)]
        few = self._mean([range(self.first, self.last + 1)]) * float(_RARELY)
        silent = [bool(some) and _mean(some) < few for some in times]
        return sum(
            here and not before for before, here in zip([silent[-1], *silent], silent, strict=False)
        )

    @cached_property
    def _sums(self) -> Sequence[float]:
        """The sums of events before each part."""
        return list(accumulate((number or 0.0 for number in self.parts), initial=0.0))

    def _mean(self, stretches: Sequence[range]) -> float:
        count = sum(map(len, stretches))
        events = sum(self._sums[part.stop] - self._sums[part.start] for part in stretches if part)
        return events / count if count else 0.0

    def _at_the_time_of(self, place: int, run: range) -> Iterator[float]:
        """Yield the usual numbers at the same time of other days, and of other weeks."""
        for period in _PERIODS:
            least = 1 if period > _DAY <= len(run) * self.step else _ALIKE
            count, there, events = self._alike(place, run, period / self.step)
            if count >= least:
                yield events / count if there >= _RARELY * count else 0.0

    def _alike(self, place: int, run: range, distance: float) -> tuple[int, int, float]:
        """Return the number of parts that are whole periods away, and of those with data.

        The sum of their events comes third. The parts of the stretch itself are left out.
        """
        if distance.is_integer():
            whole = int(distance)
            count, there, events = self._each(whole)[place % whole]
            start, stop = max(run.start, self.first), min(run.stop, self.last + 1)
            own = self.parts[start : max(start, stop)][(place - start) % whole :: whole]
            less, fewer, without = _summary(own)
            return count - less, there - fewer, events - without
        periods = int(len(self.parts) / distance) + 1
        places = (place + round(n * distance) for n in range(-periods, periods + 1))
        alike = [
            self.parts[other]
            for other in places
            if self.first <= other <= self.last and other not in run
        ]
        return _summary(alike)

    def _each(self, period: int) -> Sequence[tuple[int, int, float]]:
        """Return the same for each part of a period, from all parts."""
        if period not in self._periods:
            parts = self.parts[self.first : self.last + 1]
            counts = [_summary(parts[place::period]) for place in range(period)]
            start = self.first % period
            self._periods[period] = counts[-start:] + counts[:-start] if start else counts
        return self._periods[period]


def _mean(some: Sequence[float | None]) -> float:
    return sum(number or 0.0 for number in some) / len(some) if some else 0.0


def _summary(some: Sequence[float | None]) -> tuple[int, int, float]:
    """Return the number of parts, of parts with data, and of their events."""
    return (
        len(some),
        sum(number is not None for number in some),
        sum(number or 0.0 for number in some),
    )
