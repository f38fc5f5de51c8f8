"""What a baseline says is usual: the centre, by the time of day where that matters, and the spread.

**Ratios**: Laney's p' chart (D. B. Laney, Improved control charts for attributes, Quality
Engineering 14(4), 2002). The limits of a plain p chart hold what chance alone does to so many
events. With large samples that is next to nothing, and what really differs from step to step, users
and prompts, puts every other point outside. Laney takes this from the baseline's moving range.

**Means**: individuals and moving range, XmR (Western Electric, 1956).

Both are for steps that do not resemble their neighbours. Where they do (a queue that empties
slowly), the moving range is too small by the root of 1 - r, with r the correlation of neighbours,
and is corrected for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import sqrt
from typing import Final

from gate.budget.charts.samples import Sample

D2: Final = 1.128
"""The mean range of two standard normal values: 2 / sqrt(pi)."""
_MOST_ALIKE: Final = 0.98
_DAYS: Final = 4
"""Samples of a time of day that say what is usual then, at least."""
_SHARE: Final = 0.5
"""Of the baseline's variance that the time of day must explain to be heeded. Of noise, 24 hours in
7 days explain a seventh."""
_MIDNIGHT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)

Chance = Callable[[float, Sample], float]
"""The standard deviation of a sample around a centre by chance alone; for means 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What is to be expected."""

    centre: float
    """Of the whole baseline."""
    by_time: Mapping[timedelta, float]
    """By the time of day in UTC at which samples begin; empty: it does not matter, or the baseline
    is too short to tell."""
    spread: float
    """How much wider the limits are than chance alone makes them, at least 1; of means sigma."""
    alike: float
    """The correlation of neighbours, 0 to 1."""
    count: int
    """Samples of the baseline."""

    def centre_of(self, sample: Sample) -> float:
        """Return what is usual at the sample's time of day."""
        return self.by_time.get(_time_of_day(sample), self.centre)


def usual_ratio(baseline: Sequence[Sample]) -> Usual:
    """Return what is usual of ratios.

    Args:
        baseline: at least two samples, of which not all are without a bad event.
    """
    events = sum(one.events for one in baseline)
    centre = sum(one.value * one.events for one in baseline) / events

    def pooled(group: Sequence[Sample]) -> float:
        # As if one more event had been bad, at the ratio of all: none in a few hours is not never.
        bad = sum(one.value * one.events for one in group) + 1
        return bad / (sum(one.events for one in group) + 1 / centre)

    # Requests that fail independently of each other differ by chance at least.
    return _usual(baseline, centre, pooled, chance_of_ratio, least=1.0)


def usual_mean(baseline: Sequence[Sample]) -> Usual:
    """Return what is usual of means.

    Args:
        baseline: at least two samples.
    """
    return _usual(baseline, _mean(baseline), _mean, lambda _centre, _one: 1.0, least=0.0)


def chance_of_ratio(centre: float, one: Sample) -> float:
    """Return the standard deviation of the ratio of so many events."""
    return sqrt(centre * (1 - centre) / one.events)


def moving_sigma(values: Sequence[float], alike: float = 0.0) -> float:
    """Return the standard deviation by the mean moving range of at least two values.

    Args:
        values: in the order of time.
        alike: the correlation of neighbours, below 1.
    """
    moved = sum(abs(after - before) for before, after in pairwise(values))
    return moved / (len(values) - 1) / D2 / sqrt(1 - alike)


def correlation(values: Sequence[float]) -> float:
    """Return how much neighbours resemble each other: their correlation, 0 where it is negative.

    The estimate is too low by (1 + 3 r) / n, which is added (M. G. Kendall, Note on bias in the
    estimation of autocorrelation, Biometrika 41, 1954).
    """
    count = len(values)
    mean = sum(values) / count
    whole = sum((one - mean) ** 2 for one in values)
    if not whole:
        return 0.0
    raw = sum((a - mean) * (b - mean) for a, b in pairwise(values)) / whole
    return min(max(raw + (1 + 3 * raw) / count, 0.0), _MOST_ALIKE)


def _usual(
    baseline: Sequence[Sample],
    centre: float,
    pooled: Callable[[Sequence[Sample]], float],
    chance: Chance,
    least: float,
) -> Usual:
    flat = [(one.value - centre) / chance(centre, one) for one in baseline]
    by_time, factor = _by_time(baseline, pooled), 1.0
    scores = flat
    if by_time:
        daily = [
            (one.value - by_time[_time_of_day(one)]) / chance(by_time[_time_of_day(one)], one)
            for one in baseline
        ]
        if _squares(daily) < (1 - _SHARE) * _squares(flat):
            # Each centre comes of a few days, and lies nearer to these than to the days to come.
            days = len(baseline) / len(by_time)
            scores, factor = daily, sqrt((days + 1) / (days - 1))
        else:
            by_time = {}
    alike = correlation(scores)
    return Usual(
        centre=centre,
        by_time=by_time,
        spread=max(factor * moving_sigma(scores, alike), least),
        alike=alike,
        count=len(baseline),
    )


def _by_time(
    baseline: Sequence[Sample], pooled: Callable[[Sequence[Sample]], float]
) -> Mapping[timedelta, float]:
    """Return the centre of each time of day; nothing where one of them has too few samples."""
    groups: dict[timedelta, list[Sample]] = {}
    for one in baseline:
        groups.setdefault(_time_of_day(one), []).append(one)
    whole = _DAY / (baseline[0].end - baseline[0].start)
    if len(groups) != whole or min(map(len, groups.values())) < _DAYS:
        return {}
    return {time: pooled(group) for time, group in groups.items()}


def _time_of_day(one: Sample) -> timedelta:
    return (one.start - _MIDNIGHT) % _DAY


def _mean(group: Sequence[Sample]) -> float:
    return sum(one.value for one in group) / len(group)


def _squares(values: Sequence[float]) -> float:
    return sum(value**2 for value in values)
