"""Forecasts of a budget: at a steady rate, and by simulation from its history."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from math import ceil
from random import Random
from typing import Final

from gate.budget.forecast import Future
from gate.budget.ratio import budget_to_date, seconds
from gate.dataclass import dataclass
from gate.measure.history import Series
from gate.slo.objective import RatioSlo, SpendSlo

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
LEAST: Final = 60 * DAY
"""The shortest history for a forecast: a shorter one has too few events."""
_DRAWS: Final = 1000
_SEED: Final = 1
"""A fixed seed: the same history gives the same interval."""
_WORSE: Final = 2
"""The factor by which an unseen bad stretch is worse than the worst one seen: docs/forecast.md says
how often intervals hold with it."""


@dataclass(frozen=True, slots=True)
class StepEvents:
    """The events of some time in the past, or of a simulated future."""

    total: float
    bad: float


def known_part(series: Series) -> Series:
    """Return the series from its first known step on."""
    first = next((place for place, total in enumerate(series.total) if total is not None), None)
    kept = slice(len(series.total) if first is None else first, None)
    return Series(total=series.total[kept], bad=series.bad[kept], query=series.query)


def futures(series: Series, step: timedelta, steps: int) -> Iterator[StepEvents]:
    """Yield a thousand simulated futures of this many steps; the same ones each time.

    They are drawn in weeks, from a history that is itself resampled because it consists of few
    weeks. The future may also be worse than all of the past: the next of n + 1 exchangeable
    stretches is the worst of them with probability 1 / (n + 1). Then it is taken to be twice as bad
    as the worst stretch seen.

    Args:
        series: the past up to now, of at least `LEAST`. A step that is not known is taken to have
            been like the mean of the others.
        step: the step of the series; a day is a multiple of it.
        steps: the number of future steps, above 0.
    """
    length, day, week = len(series.total), DAY // step, WEEK // step
    scale = length / sum(total is not None for total in series.total)
    total, bad = _sums(series.total, scale), _sums(series.bad, scale)
    # Start at the present hour of the day.
    starts = range(length % day, length, day)
    blocks = [week] * (steps // week) + [steps % week] * bool(steps % week)
    # No secret depends on it, and the result must be reproducible.
    random = Random(_SEED)  # noqa: S311
    worse = {
        block: _WORSE * max(bad[start + block] - bad[start] for start in starts)
        for block in set(blocks)
    }
    for _ in range(_DRAWS):
        history = random.choices(starts, k=length // week - 1)
        events = failed = 0.0
        for start, block in zip(random.choices(history, k=len(blocks)), blocks, strict=True):
            unseen = random.random() < block / (length + block)
            there = total[start + block] - total[start]
            events += there
            failed += min(worse[block], there) if unseen else bad[start + block] - bad[start]
        yield StepEvents(total=events, bad=failed)


def _sums(events: Sequence[float | None], scale: float) -> list[float]:
    """Return the sums of events before each step of the history and of its repetition."""
    scaled = [(value or 0.0) * scale for value in events]
    return list(accumulate([*scaled, *scaled], initial=0.0))


_SHARES: Final = (Fraction(5, 100), Fraction(50, 100), Fraction(95, 100))
"""The quantiles of the futures; nine in ten futures lie between the outer two."""


@dataclass(frozen=True, slots=True)
class Held:
    """The number, out of 100 simulated months, for which an interval held."""

    within: int
    """Months whose result was in the interval."""
    worse: int
    """Months with less left than its lower end: the dangerous side."""
    least: int
    """Months in the interval, for the worst kind of service and time to the reset."""


HELD: Final = {
    180 * DAY: Held(within=93, worse=1, least=86),
    90 * DAY: Held(within=90, worse=2, least=76),
    LEAST: Held(within=90, worse=2, least=80),
}
"""The results by the least length of the history, the longest first. Measured by ``python -m
benchmarks.intervals`` on six synthetic kinds of services, 3, 10 and 20 days before the reset;
docs/forecast.md has all results.

Measured by ``python -m benchmarks.intervals`` on six kinds of services that are made up, 3, 10 and
20 days before the reset; docs/forecast.md has all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The share of a calendar budget that will be left at its reset, from this many futures."""

    low: float
    """The lower end of the interval: one future in twenty has less."""
    median: float
    high: float
    """The upper end of the interval: one future in twenty has more."""
    lasting_futures: float
    """The share of the futures with a remaining budget, 0 to 1."""
    history_length: timedelta
    """The length of the history from which they were drawn."""
    rest: timedelta
    """The time from now to the reset."""

    @property
    def lasting(self) -> float:
        """The probability of a remaining budget at the reset: the share of futures, below 1.

        If nothing failed in n stretches as long as the rest of the period, the next one has no
        failure with probability (n + 1) / (n + 2), by the rule of succession. Source: P. S.
        Laplace, Essai philosophique sur les probabilites, 1814.
        """
        seen = self.history_length / self.rest
        return min(self.lasting_futures, (seen + 1) / (seen + 2))

    @property
    def held(self) -> Held:
        """How often such intervals contain the result."""
        return next(held for least, held in HELD.items() if self.history_length >= least)


def carried(
    future: Future, *, at: datetime, window: timedelta, burn: Fraction
) -> Iterator[tuple[datetime, Fraction]]:
    """Yield the share of a rolling budget that will be left if it keeps burning.

    Args:
        future: the share left if nothing more failed, up to one window from now.
        at: the present instant.
        window: the window of the SLO, in which a burn rate of 1 spends the budget.
        burn: the rate, at least 0.
    """
    for instant, left in future:
        yield instant, left - burn * seconds(instant - at) / seconds(window)


def first(future: Future, holds: Callable[[Fraction], bool]) -> datetime | None:
    """Return the first instant with the wanted share left; None: no such instant."""
    return next((instant for instant, left in future if holds(left)), None)


def at_the_reset(
    slo: RatioSlo | SpendSlo, at: datetime, consumed: Fraction, burn: Fraction
) -> Fraction:
    """Return the share of a calendar budget left at its reset, at one burn rate from now on.

    The traffic is the one of the period so far. At the reset both denominators are equal: the
    consumption relative to the whole period is the one relative to the events to date, times the
    share of the period that has passed.
    """
    whole = slo.window.whole(at)
    gone = seconds(at - whole.start) / seconds(whole.length)
    spent = consumed * gone if budget_to_date(slo) else consumed
    return 1 - spent - burn * (1 - gone)


def expected(
    slo: RatioSlo, so_far: StepEvents, series: Series, step: timedelta, at: datetime
) -> Expected:
    """Return the share of a calendar budget left at its reset, with a 90% interval.

    Args:
        slo: its window is a calendar period.
        so_far: the events of the period up to now, at least one.
        series: the past up to now, of at least `gate.history.calendar_forecast.LEAST`.
        step: the step of the series.
        at: now.
    """
    steps, budget = ceil((slo.window.whole(at).end - at) / step), float(slo.budget)
    left = sorted(
        1 - (so_far.bad + future.bad) / (budget * (so_far.total + future.total))
        for future in futures(series, step, steps)
    )
    low, median, high = (left[ceil(share * len(left)) - 1] for share in _SHARES)
    return Expected(
        low=low,
        median=median,
        high=high,
        lasting_futures=sum(share > 0 for share in left) / len(left),
        history_length=len(series.total) * step,
        rest=steps * step,
    )
