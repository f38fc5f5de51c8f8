"""Whose history can be read, and which history tells how failures leave a window."""

from datetime import datetime, timedelta
from typing import Final

from gate.backends import history_of
from gate.check.measure import OpenBackend
from gate.config.load import PolicyFile
from gate.errors import UsageError
from gate.history.incidents import known_steps
from gate.measure.counts import Backend, Cause, Unmeasured
from gate.measure.history import HistoryBackend, Series, SeriesAnswer
from gate.policy.policy import Policy
from gate.settings import Limits
from gate.slo.objective import RatioSlo, counts_events
from gate.slo.window import Span
from gate.wording import NO_HISTORY, NO_STEPS, without_events


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
        raise UsageError(f"{file.source.path}: the backend {kind} {NO_HISTORY} to look at")
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
    return tuple(
        (slo.name, without_events(slo) or NO_STEPS) for slo in policy.slos if not counts_events(slo)
    )


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
