"""The service level objectives of a policy: four kinds, by how their budget is counted."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeGuard

from gate.slo.indicator import Sli, Slices
from gate.slo.window import Window


class Bound(StrEnum):
    """Which end of a sampled indicator's interval is compared with the thresholds."""

    PESSIMISTIC = "pessimistic"
    POINT = "point"
    OPTIMISTIC = "optimistic"


class Denominator(StrEnum):
    """What a calendar window's bad events are measured against."""

    PERIOD = "period"
    """The whole period: consumed grows from 0, as events come in."""
    TO_DATE = "to-date"
    """The events so far: consumed may jump about early in the period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioSlo:
    """A share of events, or of timeslices, that must be good."""

    name: str
    window: Window
    sli: Sli
    objective: Fraction
    """Strictly between 0 and 1."""
    sla: Fraction | None = None
    """The contract's objective, laxer than ``objective``; its margin is reported."""
    slices: Slices | None = None
    """Given: timeslices instead of occurrences."""
    denominator: Denominator = Denominator.PERIOD
    """For calendar windows."""
    sampled: Bound | None = None
    """Given: the events are a sample, and this bound of the 95 % interval decides."""
    min_events: int | None = None
    """Fewer events than this is low traffic; None: 1 / budget, of which one failure is all."""
    advisory: bool = False
    """Its findings warn and never block."""

    @property
    def budget(self) -> Fraction:
        """The share of events that may be bad: above 0, below 1."""
        return 1 - self.objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One part of a composite."""

    slo: str
    weight: Fraction
    """Above 0. The weights need not add up to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeSlo:
    """Several SLOs together; each is still judged by itself."""

    name: str
    members: tuple[Member, ...]
    """At least one; each names a ratio SLO of the same policy."""
    advisory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendSlo:
    """An allowance of money or tokens per window."""

    name: str
    window: Window
    sli: Sli
    allowance: Fraction
    """Above 0."""
    unit: str
    """``USD``, ``tokens``; empty when the policy names none."""
    advisory: bool = False


Slo = RatioSlo | SpendSlo | CompositeSlo


def counts_events(slo: Slo) -> TypeGuard[RatioSlo]:
    """Return whether incidents can be found in an SLO's history: each step has its burn rate."""
    return isinstance(slo, RatioSlo) and slo.slices is None
