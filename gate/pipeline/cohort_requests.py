"""What has to be asked to tell apart whose events burn a policy's budgets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gate.budget.cohorts.dispersion import FEWEST_STEPS
from gate.policy.policy import Policy
from gate.slo.cohorts import CohortRequest
from gate.slo.objective import CompositeSlo, RatioSlo, Slo, SpendSlo
from gate.slo.window import Span

_STEPS: Final = (5, 10, 15, 30, 60, 120, 180, 240, 360, 720)
"""In minutes; longer ones are whole days."""
_MOST_STEPS: Final = 200
"""An hour for 7 days, 4 hours for 30: enough to tell how failures are spread, and few to send."""
_MINUTE: Final = timedelta(minutes=1)
SHORTEST: Final = FEWEST_STEPS * _STEPS[0] * _MINUTE
"""Of a shorter time nothing could be said."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How events are told apart."""

    at: datetime
    by: str
    """A label (Prometheus), or a column or expression about a row (logs)."""
    timeout: timedelta
    within: str | None = None
    """A second label: events with the same value of it are alike."""
    against: str | None = None
    """The value that the others are compared with; None: each with the rest."""
    last: timedelta | None = None
    """How far to look back; None: as far as each SLO's window has come."""
    slos: tuple[str, ...] = ()
    """Only these; empty: all."""
    top: int = 20
    """So many values are told apart, at least 1."""


Asked = tuple[RatioSlo, CohortRequest]


def cohort_requests(policy: Policy, asked: Split) -> list[Asked]:
    """Return what has to be asked of a backend for a policy, each with its SLO."""
    return [
        (slo, _request(slo, asked))
        for slo in policy.slos
        if isinstance(slo, RatioSlo) and _why_not(slo) is None and _wanted(slo, asked)
    ]


def left_out(policy: Policy, asked: Split) -> tuple[tuple[str, str], ...]:
    """Return which SLOs have no events that could be told apart, each with the reason."""
    return tuple(
        (slo.name, reason)
        for slo in policy.slos
        if _wanted(slo, asked) and (reason := _why_not(slo)) is not None
    )


def _request(slo: RatioSlo, asked: Split) -> CohortRequest:
    counted = slo.window.counted(asked.at)
    length = asked.last or counted.length
    step = _step(length)
    steps = max(length // step, 1)
    return CohortRequest(
        sli=slo.sli,
        span=Span(counted.end - steps * step, counted.end),
        step=step,
        by=(asked.by,) if asked.within is None else (asked.by, asked.within),
        most=asked.top,
        keep=asked.against,
    )


def _step(length: timedelta) -> timedelta:
    """Return the shortest step of which there are not too many."""
    fitting = [one * _MINUTE for one in _STEPS if length <= one * _MINUTE * _MOST_STEPS]
    return fitting[0] if fitting else -(-length // (_MOST_STEPS * _DAY)) * _DAY


def _wanted(slo: Slo, asked: Split) -> bool:
    return not asked.slos or slo.name in asked.slos


def _why_not(slo: Slo) -> str | None:
    """Say why an SLO has no events that could be told apart; None: it has."""
    if isinstance(slo, SpendSlo):
        return "it spends an amount, of which no event is bad"
    if isinstance(slo, CompositeSlo):
        return "it is a composite; its members are looked at themselves"
    if slo.slices is not None:
        return "it counts slices of time, which belong to no group"
    if slo.sli.sliced:
        return "its series hold ratios of slices of time, of which the events are not known"
    return None
