"""What becomes of a budget: at a steady rate, and as its history lets one expect."""

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
"""The shortest history that anything is drawn from: in less too little has happened yet."""
_DRAWS: Final = 1000
_SEED: Final = 1
"""The same history gives the same interval."""
_WORSE: Final = 2
"""How many times as bad as the worst seen is what has not been seen yet: docs/forecast.md has how
often intervals hold with it."""


@dataclass(frozen=True, slots=True)
class StepEvents:
    """What happened, or may happen, in some time."""

    total: float
    bad: float


def known_part(series: Series) -> Series:
    """Return the series from the first step on of which anything is known."""
    first = next((place for place, total in enumerate(series.total) if total is not None), None)
    kept = slice(len(series.total) if first is None else first, None)
    return Series(total=series.total[kept], bad=series.bad[kept], query=series.query)


def futures(series: Series, step: timedelta, steps: int) -> Iterator[StepEvents]:
    """Yield a thousand futures of this many steps; each time the same ones.

    They are drawn in weeks, and the weeks from a history that is itself drawn, since that is known
    from few weeks only. What comes may also be worse than all that was: the next of n + 1 stretches
    that are alike is the worst of them with probability 1 / (n + 1). Then it is taken to be twice
    as bad as the worst that was seen.

    Args:
        series: what has been, up to now, for `LEAST` or longer. A step that is not known is taken
            to have been like the mean of the others.
        step: of the series; a day is a whole number of them.
        steps: how far to look, above 0.
    """
    length, day, week = len(series.total), DAY // step, WEEK // step
    scale = length / sum(total is not None for total in series.total)
    total, bad = _sums(series.total, scale), _sums(series.bad, scale)
    # From the hour of the day that it is now.
    starts = range(length % day, length, day)
    blocks = [week] * (steps // week) + [steps % week] * bool(steps % week)
    # No secret hangs on it, and it must come out the same each time.
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
    """Return the events before each step of the history and of its repetition."""
    scaled = [(value or 0.0) * scale for value in events]
    return list(accumulate([*scaled, *scaled], initial=0.0))


_SHARES: Final = (Fraction(5, 100), Fraction(50, 100), Fraction(95, 100))
"""The shares of the futures that have at most as much left; nine in ten lie between the outer
two."""


@dataclass(frozen=True, slots=True)
class Held:
    """Out of 100 simulated months, how many turned out as an interval had it."""

    within: int
    """Whose result lay in it."""
    worse: int
    """In which less was left than its lower end: the dangerous side."""
    least: int
    """Within it, of the kind of service and the time to the reset for which it held least often."""


HELD: Final = {
    180 * DAY: Held(within=93, worse=1, least=86),
    90 * DAY: Held(within=90, worse=2, least=76),
    LEAST: Held(within=90, worse=2, least=80),
}
"""What holds by the least length of the history, the longest first.

Measured by ``python -m benchmarks.intervals`` on six kinds of services that are made up, 3, 10 and
20 days before the reset; docs/forecast.md has all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What will be left of a calendar budget at its reset, in this many futures."""

    low: float
    """One in twenty has less."""
    median: float
    high: float
    """One in twenty has more."""
    lasting_futures: float
    """The share of the futures in which something is left, 0 to 1."""
    history_length: timedelta
    """How long the history is that they were drawn from."""
    rest: timedelta
    """From now to the reset."""

    @property
    def lasting(self) -> float:
        """How likely something is left at the reset: the share of the futures, but never all.

        Where nothing failed in n stretches that are as long as the rest of the period, the next
        lasts by the rule of succession with probability (n + 1) / (n + 2). Source: P. S. Laplace,
        Essai philosophique sur les probabilites, 1814.
        """
        seen = self.history_length / self.rest
        return min(self.lasting_futures, (seen + 1) / (seen + 2))

    @property
    def held(self) -> Held:
        """How often such intervals hold what comes."""
        return next(held for least, held in HELD.items() if self.history_length >= least)


def carried(
    future: Future, *, at: datetime, window: timedelta, burn: Fraction
) -> Iterator[tuple[datetime, Fraction]]:
    """Yield what will be left of a rolling budget where it goes on burning.

    Args:
        future: what would be left if nothing more failed, up to one window from now.
        at: now.
        window: of the SLO; in it a burn rate of 1 spends the budget.
        burn: the rate, at least 0.
    """
    for instant, left in future:
        yield instant, left - burn * seconds(instant - at) / seconds(window)


def first(future: Future, holds: Callable[[Fraction], bool]) -> datetime | None:
    """Return the first instant at which what is left is as asked; None: it is not."""
    return next((instant for instant, left in future if holds(left)), None)


def at_the_reset(
    slo: RatioSlo | SpendSlo, at: datetime, consumed: Fraction, burn: Fraction
) -> Fraction:
    """Return what will be left of a calendar budget at its reset, at one rate from now on.

    With the traffic of the period so far. At the reset both denominators mean the same: what was
    consumed of the events to date is, of the whole period's, as much less as time has gone by.
    """
    whole = slo.window.whole(at)
    gone = seconds(at - whole.start) / seconds(whole.length)
    spent = consumed * gone if budget_to_date(slo) else consumed
    return 1 - spent - burn * (1 - gone)


def expected(
    slo: RatioSlo, so_far: StepEvents, series: Series, step: timedelta, at: datetime
) -> Expected:
    """Return what will be left of a calendar budget at its reset, with a 90% interval.

    Args:
        slo: its window is a calendar period.
        so_far: what happened in the period up to now; there was something.
        series: what happened up to now, for `gate.history.calendar_forecast.LEAST` or longer.
        step: of the series.
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
