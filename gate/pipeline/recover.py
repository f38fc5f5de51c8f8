"""Finding out when a rolling budget that forbids a change will have come back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from gate.budget.assessment import Assessment
from gate.budget.recovery import Recovery, recovery
from gate.pipeline.covered import covered, oldest_leaves, step_of
from gate.policy.policy import Policy
from gate.policy.tier_findings import objecting
from gate.slo.history import History, Series, SeriesRequest
from gate.slo.objective import RatioSlo
from gate.slo.window import RollingWindow

Recover = Callable[[Policy, tuple[Assessment, ...], str], tuple[Assessment, ...]]
"""From a policy, its budgets and a change class to the budgets with what is known of recovery."""


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
        SeriesRequest(sli=sli, span=covered(window, at), step=step_of(window))
        for sli, window in windows.values()
    ]
    answers = dict(zip(windows, history.history(requests), strict=True))
    found: Mapping[str, Recovery | None] = {
        name: recovery(series, oldest_leaves(windows[name][1], at), step_of(windows[name][1]))
        for name, series in answers.items()
        if isinstance(series, Series)
    }
    return tuple(replace(one, recovery=found.get(one.slo.name)) for one in known)
