"""Whose history can be read, and which history tells how failures leave a window."""

from datetime import datetime, timedelta
from typing import Final

from gate.backends import history_of
from gate.check.measure import OpenBackend
from gate.config.load import PolicyFile
from gate.errors import UsageError
from gate.history.incidents import known_steps
from gate.measure.counts import Backend, Cause, Limits, Unmeasured
from gate.measure.history import HistoryBackend, Series, SeriesAnswer
from gate.policy.policy import Policy
from gate.slo.objective import CompositeSlo, RatioSlo, Slo, SpendSlo, counts_events
from gate.slo.window import Span


def open_history(
    file: PolicyFile, timeout: timedelta, open_with: OpenBackend
) -> tuple[Backend, HistoryBackend]:
    """Open the backend of a policy, as what counts and as what tells what happened when.

    Raises:
        UsageError: the backend keeps no history, or a package of it is missing.
    """
    backend = open_with(file.settings, Limits(timeout=timeout))
    history = history_of(backend)
    if history is None:
        kind = file.settings.kind
        raise UsageError(f"{file.source.path}: the backend {kind} keeps no history to look at")
    return backend, history


def known_of(answer: SeriesAnswer) -> SeriesAnswer:
    """Return the answer; one of which no step is known is none."""
    if isinstance(answer, Series) and not any(known_steps(answer)):
        reason = "nothing is known of any step of the time looked at"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=answer.query)
    return answer


def by_events(policy: Policy) -> list[RatioSlo]:
    """Return the SLOs of which a history can tell what happened step by step."""
    return [one for one in policy.slos if counts_events(one)]


def left_out(policy: Policy) -> tuple[tuple[str, str], ...]:
    """Return the names of all others, each with a sentence that says why."""
    return tuple((slo.name, _why(slo)) for slo in policy.slos if not counts_events(slo))


def _why(slo: Slo) -> str:
    """Say why an SLO has no events that could be told step by step."""
    if isinstance(slo, SpendSlo):
        return "it spends an amount, of which no event is bad"
    if isinstance(slo, CompositeSlo):
        return "it is a composite; its members are looked at themselves"
    return "it counts slices of time, whose history is not told step by step"


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
