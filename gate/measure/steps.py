"""The steps of a history: how long each is, and which part of a window they cover."""

from datetime import datetime, timedelta
from typing import Final

from gate.slo.window import Span

MOST_STEPS: Final = 720
"""Of a window: one an hour for 30 days, so that an instant is good to the hour, and a share of the
window to 0.14 %."""

SHORTEST: Final = timedelta(minutes=5)
"""A step with fewer scrapes may know nothing."""

_MINUTE: Final = timedelta(minutes=1)


def coverage_step(length: timedelta) -> timedelta:
    """Return a step of whole minutes, at least five, of which a stretch has 720 at most."""
    return max(-(-length // (MOST_STEPS * _MINUTE)) * _MINUTE, SHORTEST)


def step_of(window: timedelta) -> timedelta:
    """Return the step of the history of a window: `coverage_step`; a shorter window is one step."""
    return min(coverage_step(window), window)


def equal_parts(length: timedelta) -> int:
    """Return into how many equal parts a stretch is cut where they need not be whole minutes.

    720, or as many as are at least five minutes long; at least one.
    """
    return max(1, min(MOST_STEPS, length // SHORTEST))


def newest_steps(span: Span, step: timedelta) -> Span:
    """Return the newest part of a stretch that is a whole number of steps, at least one."""
    return Span(span.end - max(span.length // step, 1) * step, span.end)


def covered(window: timedelta, at: datetime) -> Span:
    """Return the newest part of a window that is a whole number of its steps (`step_of`)."""
    return newest_steps(Span(at - window, at), step_of(window))


def oldest_leaves(window: timedelta, at: datetime) -> datetime:
    """Return the instant from which on the covered part's first step begins to leave the window."""
    return at + window % step_of(window)
