"""Services that are made up, hour by hour, for the simulations of this folder.

What is measured of intervals, alarms and predictions hangs on how failures come about. These come
with the rhythm of the day and of the week, alike from hour to hour, in incidents, and by bad
releases; ratios that are drawn anew each hour would make every statistic look better than it is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Hours = NDArray[np.float64]
"""A number for each hour."""
Rng = np.random.Generator
DAY: Final = 24
WEEK: Final = 7 * DAY
MONTH: Final = 30 * DAY
BUDGET: Final = 0.001
"""Of the SLO of 99.9% that they are held against."""
_BASE: Final = 0.0003
_WARM: Final = 500
"""Hours before the first, so that it is like the others."""


@dataclass(frozen=True, slots=True)
class Past:
    """What happened in each hour."""

    total: Hours
    bad: Hours

    def between(self, start: int, end: int | None) -> "Past":
        """Return some of the hours; None: to the last."""
        return Past(self.total[start:end], self.bad[start:end])


def _steady(_rng: Rng, hours: int) -> Hours:
    """Fail by chance only."""
    return np.full(hours, _BASE)


def _weekly(_rng: Rng, hours: int) -> Hours:
    """Fail twice as often on working days, and twice as often by day as by night."""
    return _BASE * _rhythm(hours)


def _alike(rng: Rng, hours: int) -> Hours:
    """Fail much as in the hour before, around the rhythm of the day and the week."""
    return _BASE * _rhythm(hours) * _wander(rng, hours, memory=DAY / 2, sigma=0.6)


def _drifting(rng: Rng, hours: int) -> Hours:
    """Fail much as in the days before: what is usual moves within weeks."""
    return _BASE * _wander(rng, hours, memory=WEEK, sigma=0.7)


def _incidents(rng: Rng, hours: int) -> Hours:
    """Have two incidents a month, most of them within one to three hours; half of all fails."""
    return _BASE + 0.5 * _episodes(rng, hours, every=MONTH / 2, mean=1.4, long_tail=True)


def _releases(rng: Rng, hours: int) -> Hours:
    """Have three bad releases in two months, for two days in the mean; ten times as many fail."""
    return _BASE + 0.003 * _episodes(rng, hours, every=MONTH / 1.5, mean=48, long_tail=False)


SERVICES: Final[dict[str, Callable[[Rng, int], Hours]]] = {
    "steady": _steady,
    "weekly": _weekly,
    "alike": _alike,
    "drifting": _drifting,
    "incidents": _incidents,
    "releases": _releases,
}
"""The share of events that fails in each of so many hours."""
WORDS: Final = {
    "steady": "only chance",
    "weekly": "worse by day and on working days",
    "alike": "the same, and hours alike for half a day",
    "drifting": "what is usual drifts within weeks",
    "incidents": "two incidents a month, hours long",
    "releases": "three bad releases in two months, days long",
}
"""What each is like, for tables."""


def draw(service: str, hours: int, *seed: int, events: float = 2000) -> Past:
    """Return so many hours of a service; the same for the same seed.

    Args:
        service: a name of `SERVICES`.
        hours: how many; the first is a Monday's first.
        seed: whole numbers.
        events: an hour, in the mean of working days.
    """
    rng = np.random.default_rng([list(SERVICES).index(service), *seed])
    share = np.clip(SERVICES[service](rng, hours), 0.0, 1.0)
    hour = np.arange(hours)
    busy = 1 + 0.7 * np.cos((hour % DAY - 14) * math.tau / DAY)
    weekend = np.where((hour // DAY % 7 >= 5) & (service != "steady"), 1 / 3, 1.0)
    total = np.maximum(np.round(events * busy * weekend), 1.0)
    return Past(total=total, bad=rng.binomial(total.astype(int), share).astype(float))


def _rhythm(hours: int) -> Hours:
    hour = np.arange(hours)
    by_day = 1 + np.cos((hour % DAY - 14) * math.tau / DAY) / 3
    return by_day * np.where(hour // DAY % 7 < 5, 1.2, 0.6)


def _wander(rng: Rng, hours: int, *, memory: float, sigma: float) -> Hours:
    """Return log-normal factors of mean 1 that forget by 1 / e within so many hours."""
    alike = math.exp(-1 / memory)
    noise = rng.normal(size=hours + _WARM) * sigma * math.sqrt(1 - alike**2)
    level = np.empty_like(noise)
    level[0] = rng.normal() * sigma
    for place in range(1, len(noise)):
        level[place] = alike * level[place - 1] + noise[place]
    return np.asarray(np.exp(level[_WARM:] - sigma**2 / 2))


def _episodes(rng: Rng, hours: int, *, every: float, mean: float, long_tail: bool) -> Hours:
    """Return which share of each hour lies in episodes that come by chance."""
    within = np.zeros(hours)
    begin = rng.exponential(every)
    while begin < hours:
        length = rng.lognormal(math.log(mean) - 0.32, 0.8) if long_tail else rng.exponential(mean)
        for hour in range(int(begin), min(math.ceil(begin + length), hours)):
            within[hour] += min(begin + length, hour + 1) - max(begin, hour)
        begin += rng.exponential(every)
    return np.minimum(within, 1.0)
