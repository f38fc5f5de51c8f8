"""What becomes of a budget: at one rate or another, and as its history lets one expect."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Final

from gate.budget.bootstrap import Events, futures
from gate.budget.ratio import budget_to_date, seconds
from gate.slo.history import Series
from gate.slo.objective import RatioSlo

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
    known: timedelta
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


def at_the_reset(slo: RatioSlo, at: datetime, consumed: Fraction, burn: Fraction) -> Fraction:
    """Return what will be left of a calendar budget at its reset, at one rate from now on.

    With the traffic of the period so far. At the reset both denominators mean the same: what was
    consumed of the events to date is, of the whole period's, as much less as time has gone by.
    """
    whole = slo.window.whole(at)
    gone = seconds(at - whole.start) / seconds(whole.length)
    spent = consumed * gone if budget_to_date(slo) else consumed
    return 1 - spent - burn * (1 - gone)


def expected(
    slo: RatioSlo, so_far: Events, series: Series, step: timedelta, at: datetime
) -> Expected:
    """Return what will be left of a calendar budget at its reset, with a 90 % interval.

    Args:
        slo: its window is a calendar period.
        so_far: what happened in the period up to now; there was something.
        series: what happened up to now, for `gate.budget.bootstrap.LEAST` or longer.
        step: of the series.
        at: now.
    """
    rest, budget = slo.window.whole(at).end - at, float(slo.budget)
    left = sorted(
        1 - (so_far.bad + one.bad) / (budget * (so_far.total + one.total))
        for one in futures(series, step, ceil(rest / step))
    )
    low, median, high = (left[ceil(share * len(left)) - 1] for share in _SHARES)
    return Expected(
        low=low,
        median=median,
        high=high,
        lasting=sum(one > 0 for one in left) / len(left),
        known=len(series.total) * step,
    )
