"""Finding out when a rolling budget that forbids a change will have come back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gate.budget.assessment import Assessment
from gate.budget.forecast import Recovery, bad_slices, composed, recovery, renewal
from gate.check.history_access import SHORTEST, step_of
from gate.measure.history import HistoryBackend, Series, SeriesRequest, newest_steps
from gate.policy.policy import Policy
from gate.policy.tier_findings import objecting
from gate.slo.objective import CompositeSlo, RatioSlo
from gate.slo.window import CalendarWindow, RollingWindow, Span

Recover = Callable[[Policy, tuple[Assessment, ...], str], tuple[Assessment, ...]]
"""From a policy, its budgets and a change class to the budgets with what is known of recovery."""


def recover(
    history: HistoryBackend,
    policy: Policy,
    known: tuple[Assessment, ...],
    change: str,
    at: datetime,
) -> tuple[Assessment, ...]:
    """Return the budgets, those that forbid the change with how they recover, where it is known.

    One round of range queries, or one scan, for all. A composite recovers as its members do.
    """
    stopping = objecting(policy, known, change)
    rolling = {
        slo.name: (slo, slo.window.duration)
        for slo in _counted(stopping, known)
        if isinstance(slo.window, RollingWindow)
    }
    requests = [_request(slo, window, at) for slo, window in rolling.values()]
    found: dict[str, Recovery | None] = {}
    for (slo, window), series in zip(rolling.values(), history.history(requests), strict=True):
        if isinstance(series, Series):
            events = series if slo.slices is None else bad_slices(series, slo.slices)
            step = _step(slo, window)
            # The covered part's first step begins to leave the window later than now.
            found[slo.name] = recovery(events, at + window % step, step)
    for one in stopping:
        if isinstance(one.slo, CompositeSlo):
            found[one.slo.name] = _composite(one.slo, known, found, at)
    return tuple(replace(one, recovery=found.get(one.slo.name)) for one in known)


def _counted(stopping: Sequence[Assessment], known: Sequence[Assessment]) -> Iterator[RatioSlo]:
    """Yield the ratio SLOs that stop a change, by themselves or as a part of a composite."""
    names = {
        name
        for one in stopping
        for name in (
            [member.slo for member in one.slo.members]
            if isinstance(one.slo, CompositeSlo)
            else [one.slo.name]
        )
    }
    for one in known:
        if one.slo.name in names and isinstance(one.slo, RatioSlo):
            yield one.slo


def _composite(
    slo: CompositeSlo,
    known: Sequence[Assessment],
    found: Mapping[str, Recovery | None],
    at: datetime,
) -> Recovery | None:
    """Return how a composite comes back; None where it is not known of a member that took some."""
    by_name = {one.slo.name: one for one in known}
    parts = []
    for member in slo.members:
        part = by_name[member.slo]
        if not part.consumed:
            continue
        back = found.get(member.slo)
        if isinstance(part.slo, RatioSlo) and isinstance(part.slo.window, CalendarWindow):
            back = renewal(part.slo.window.whole(at).end, SHORTEST)
        if back is None:
            return None
        parts.append((member.weight * part.consumed, back))
    return composed(parts) if parts else None


def _request(slo: RatioSlo, window: timedelta, at: datetime) -> SeriesRequest:
    """Return what to ask: the newest part of the window that is a whole number of steps."""
    step = _step(slo, window)
    return SeriesRequest(sli=slo.sli, span=newest_steps(Span(at - window, at), step), step=step)


def _step(slo: RatioSlo, window: timedelta) -> timedelta:
    """Return a slice; of events, what `step_of` says."""
    return step_of(window) if slo.slices is None else slo.slices.length
