"""Which history tells how a rolling window's failures leave it, and how finely."""

from datetime import datetime, timedelta
from typing import Final

from gate.slo.window import Span

_STEPS: Final = 720
"""One an hour for 30 days: the instant is good to the hour."""
SHORTEST: Final = timedelta(minutes=5)
"""A step with fewer scrapes may know nothing."""
_MINUTE: Final = timedelta(minutes=1)


def step_of(window: timedelta) -> timedelta:
    """Return a step of whole minutes, at least five, of which the window has 720 at most.

    A shorter window is one step.
    """
    return min(max(-(-window // (_STEPS * _MINUTE)) * _MINUTE, SHORTEST), window)


def covered(window: timedelta, at: datetime) -> Span:
    """Return the newest part of the window that is a whole number of steps."""
    step = step_of(window)
    return Span(at - window // step * step, at)


def oldest_leaves(window: timedelta, at: datetime) -> datetime:
    """Return the instant from which on the covered part's first step begins to leave the window."""
    return at + window % step_of(window)
