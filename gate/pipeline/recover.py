"""Finding out when a rolling budget that forbids a change will have come back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from gate.budget.assessment import Assessment
from gate.budget.recovery import Recovery, recovery
from gate.policy.policy import Policy
from gate.policy.tier_findings import objecting
from gate.slo.history import History, Series, SeriesRequest
from gate.slo.objective import RatioSlo
from gate.slo.window import RollingWindow, Span

Recover = Callable[[Policy, tuple[Assessment, ...], str], tuple[Assessment, ...]]
"""From a policy, its budgets and a change class to the budgets with what is known of recovery."""

_STEPS: Final = 720
"""One an hour for 30 days: the instant is good to the hour."""
_SHORTEST: Final = timedelta(minutes=5)
_MINUTE: Final = timedelta(minutes=1)


def recover(
    history: History, policy: Policy, known: tuple[Assessment, ...], change: str, at: datetime
) -> tuple[Assessment, ...]:
    """Return the budgets, those that forbid the change with how they recover, where it is known.

    One round of range queries, or one scan, for all of them.
    """
    windows = {
        one.slo.name: (one.slo.sli, one.slo.window.duration)
        for one in objecting(policy, known, change)
        if isinstance(one.slo, RatioSlo)
        and one.slo.slices is None
        and isinstance(one.slo.window, RollingWindow)
    }
    requests = [
        SeriesRequest(sli=sli, span=_covered(window, at), step=_step(window))
        for sli, window in windows.values()
    ]
    answers = dict(zip(windows, history.history(requests), strict=True))
    found: Mapping[str, Recovery | None] = {
        name: recovery(series, _newest_leaves(windows[name][1], at), _step(windows[name][1]))
        for name, series in answers.items()
        if isinstance(series, Series)
    }
    return tuple(replace(one, recovery=found.get(one.slo.name)) for one in known)


def _step(window: timedelta) -> timedelta:
    """Return a step of whole minutes, at least five, of which the window has 720 at most."""
    return max(-(-window // (_STEPS * _MINUTE)) * _MINUTE, _SHORTEST)


def _covered(window: timedelta, at: datetime) -> Span:
    """Return the newest part of the window that is a whole number of steps."""
    step = _step(window)
    return Span(at - window // step * step, at)


def _newest_leaves(window: timedelta, at: datetime) -> datetime:
    """Return the instant from which on the covered part's first step begins to leave the window."""
    return at + window % _step(window)
