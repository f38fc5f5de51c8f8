"""Measuring: one batch of counts per policy, and each SLO's budget from its answers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gate.backends import Settings
from gate.budget.assess import PRESENT, assess_composite, assess_ratio, assess_spend
from gate.budget.assessment import Assessment
from gate.budget.impact import Impact
from gate.measure.counts import (
    Answer,
    Backend,
    Cause,
    CountRequest,
    Limits,
    Unmeasured,
    rule_labels,
)
from gate.policy.policy import Policy
from gate.slo.objective import CompositeSlo, RatioSlo, SpendSlo
from gate.slo.window import RollingWindow

OpenBackend = Callable[[Settings, Limits], Backend]


@dataclass(slots=True)
class _Plan:
    """The requests of one run, and which SLO and window each is for."""

    requests: list[CountRequest] = field(default_factory=list)
    places: dict[tuple[str, timedelta | None], int] = field(default_factory=dict)

    def add(self, slo: str, window: timedelta | None, request: CountRequest) -> None:
        self.places[slo, window] = len(self.requests)
        self.requests.append(request)


def measure(
    policy: Policy,
    backend: Backend,
    *,
    at: datetime,
    impact: Impact | None = None,
    also: Collection[timedelta] = (),
) -> tuple[Assessment, ...]:
    """Return the budget of every SLO of a policy, in its order, all at the one instant.

    Args:
        policy: what is promised.
        backend: counts.
        at: the instant.
        impact: the change's stated impact.
        also: windows whose burn rates are wanted beside those that the policy needs.
    """
    windows = sorted({*burn_windows(policy), *also})
    plan = _plan(policy, at, windows)
    answers = backend.measure(plan.requests, at)
    if len(answers) != len(plan.requests):
        message = f"the backend gave {len(answers)} answers to {len(plan.requests)} requests"
        raise RuntimeError(message)
    assessed: dict[str, Assessment] = {}
    for slo in policy.slos:
        if isinstance(slo, CompositeSlo):
            assessed[slo.name] = assess_composite(slo, assessed)
            continue
        answer = answers[plan.places[slo.name, None]]
        if isinstance(slo, SpendSlo):
            assessed[slo.name] = assess_spend(slo, answer, at=at, guards=policy.guards)
            continue
        assessed[slo.name] = assess_ratio(
            slo,
            answer,
            _windows(windows, slo, plan, answers),
            at=at,
            guards=policy.guards,
            impact=impact,
        )
    return tuple(assessed.values())


def burn_windows(policy: Policy) -> list[timedelta]:
    """Return the windows whose burn rates a policy needs, shortest first, and the present."""
    return sorted({PRESENT, *(w for rule in policy.burn_rates for w in (rule.long, rule.short))})


def main_request(slo: RatioSlo | SpendSlo, at: datetime) -> CountRequest:
    """Return the request that an SLO's budget is made of."""
    return CountRequest(
        sli=slo.sli,
        span=slo.window.counted(at),
        slices=slo.slices if isinstance(slo, RatioSlo) else None,
        probe=True,
        amount=isinstance(slo, SpendSlo),
    )


def _plan(policy: Policy, at: datetime, windows: Sequence[timedelta]) -> _Plan:
    plan = _Plan()
    for slo in policy.slos:
        if isinstance(slo, CompositeSlo):
            continue
        labels = rule_labels(policy.service, slo.name)
        main = replace(main_request(slo, at), rule_labels=labels)
        slices = main.slices
        plan.add(slo.name, None, main)
        for window in windows if isinstance(slo, RatioSlo) else ():
            if slices is None or window >= slices.length:
                span = RollingWindow(window).counted(at)
                request = replace(main, span=span, probe=False)
                plan.add(slo.name, window, request)
    return plan


def _windows(
    windows: Sequence[timedelta], slo: RatioSlo, plan: _Plan, answers: list[Answer]
) -> Mapping[timedelta, Answer]:
    too_short = Unmeasured(
        cause=Cause.NO_DATA, reason="the window is shorter than one timeslice of this SLO"
    )
    return {
        window: answers[place]
        if (place := plan.places.get((slo.name, window))) is not None
        else too_short
        for window in windows
    }
