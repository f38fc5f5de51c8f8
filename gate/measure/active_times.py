"""The times when a service is active or idle, from the known parts of a stretch of time.

Because of daylight saving time, a service with fixed hours starts an hour later in UTC from one day
on, and stops an hour later, for months. Then its first hour has no rows, although it had many on
the days before. Nothing was lost, since the day is as long as others. A day whose first hour was
lost is shorter.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby, pairwise
from math import ceil, fsum
from statistics import median
from typing import Final

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
