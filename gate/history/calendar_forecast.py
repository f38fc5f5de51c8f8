"""What becomes of a budget: at a steady rate, and as its history lets one expect."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from math import ceil
from random import Random
from typing import Final

from gate.budget.ratio import budget_to_date, seconds
from gate.dataclass import dataclass
from gate.measure.history import Series
from gate.slo.objective import RatioSlo, SpendSlo

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
LEAST: Final = 2 * WEEK
"""The shortest history that anything is drawn from."""
_DRAWS: Final = 1000
_SEED: Final = 1
"""The same history gives the same interval."""


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
    """Yield a thousand futures of so many steps; each time the same ones.

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
    for _ in range(_DRAWS):
        history = random.choices(starts, k=length // week - 1)
        drawn = list(zip(random.choices(history, k=len(blocks)), blocks, strict=True))
        yield StepEvents(
            total=sum(total[start + block] - total[start] for start, block in drawn),
            bad=sum(bad[start + block] - bad[start] for start, block in drawn),
        )


def _sums(events: Sequence[float | None], scale: float) -> list[float]:
    """Return the events before each step of the history and of its repetition."""
    scaled = [(value or 0.0) * scale for value in events]
    return list(accumulate([*scaled, *scaled], initial=0.0))


Future = Iterable[tuple[datetime, Fraction]]
"""Which share of the budget will be left when, step by step."""
_SHARES: Final = (Fraction(5, 100), Fraction(50, 100), Fraction(95, 100))
"""Of the futures that have at most as much left; nine in ten lie between the outer two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What will be left of a calendar budget at its reset, in so many futures."""

    low: float
    """One in twenty has less."""
    median: float
    high: float
    """One in twenty has more."""
    lasting: float
    """The share of the futures in which something is left, 0 to 1."""
    history_length: timedelta
    """How long the history is that they were drawn from."""


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
    """Return what will be left of a calendar budget at its reset, with a 90 % interval.

    Args:
        slo: its window is a calendar period.
        so_far: what happened in the period up to now; there was something.
        series: what happened up to now, for `gate.history.calendar_forecast.LEAST` or longer.
        step: of the series.
        at: now.
    """
    rest, budget = slo.window.whole(at).end - at, float(slo.budget)
    left = sorted(
        1 - (so_far.bad + future.bad) / (budget * (so_far.total + future.total))
        for future in futures(series, step, ceil(rest / step))
    )
    low, median, high = (left[ceil(share * len(left)) - 1] for share in _SHARES)
    return Expected(
        low=low,
        median=median,
        high=high,
        lasting=sum(share > 0 for share in left) / len(left),
        history_length=len(series.total) * step,
    )
