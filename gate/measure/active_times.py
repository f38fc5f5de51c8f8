"""When a service is active and when it sleeps, by what is known of the parts of a stretch of time.

People's clocks are put forward and back, so a service that keeps its hours wakes an hour later by
UTC from one day on, and goes to sleep an hour later, for months. Then its first hour has no rows,
although it had many on the days before. Nothing was lost, since the day is as long as others. A day
of which the first hour was lost is shorter.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby, pairwise
from math import ceil, fsum
from statistics import median
from typing import Final

_LONG_PAUSE: Final = timedelta(hours=3)
"""Between two active times: the night, a weekend."""
_CLOCKS_MOVE: Final = timedelta(hours=1)
"""By how much clocks are put forward or back; in one place of the world by half of it."""
_BESIDE: Final = 5
"""Active times before and after one, which say how long it should be."""
_FEWEST: Final = 2
"""With fewer than these on one side, those there say nothing."""
_SURPLUS: Final = 0.5
"""The share of a part by which a whole day may be shorter than others."""


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
    """Return the parts at the ends of long pauses that are silent although nothing was lost.

    They are those within an hour of an active time that lasted as long as the median of the nearest
    ones before it, or after it. Of the first and the last, of which there may be only a part,
    the pause beside it must be as long as another one.

    Args:
        parts: how many events happened in each; None: unknown.
        within: from the first of them with data to the last.
        step: their length.
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
    """Return for how many parts a service was active; in the first and the last for less of it."""
    events = [number or 0.0 for number in parts]
    mean = fsum(events) / len(events)
    ends = events[:1] + events[1:][-1:]
    return len(events) - sum(1 - min(number / mean, 1.0) for number in ends) if mean else 0.0
