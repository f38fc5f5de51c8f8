"""Tiers: bands of remaining budget, and the classes that each allows."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Final

from gate.dataclass import dataclass
from gate.policy.findings import Verdict
from gate.policy.requirements import Requirement

COMPARISONS: Final = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison with the remaining budget, exact: ``> 50%``."""

    operator: str
    """A key of `COMPARISONS`."""
    threshold: Fraction
    """A share of the budget; it may be negative (overspent)."""

    def holds(self, remaining: Fraction) -> bool:
        """Return whether the exact remaining share meets the condition."""
        return bool(COMPARISONS[self.operator](remaining, self.threshold))

    def __str__(self) -> str:
        return f"{self.operator} {float(self.threshold * 100):g}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One band."""

    name: str
    condition: Condition | None
    """None: ``otherwise``, the last tier."""
    allow: frozenset[str] | None
    """Change classes that may ship; None: all of them."""
    warn: frozenset[str] = frozenset()
    """Change classes that may ship with a warning."""
    require: Mapping[str, tuple[Requirement, ...]] = field(default_factory=dict)
    """The requirements for each allowed change class: at least one, with different names."""

    def allows(self, change: str) -> bool:
        """Return whether a change of this class may ship, with or without a warning."""
        return self.allow is None or change in self.allow or change in self.warn

    def holds(self, remaining: Fraction) -> bool:
        """Return whether a remaining budget is in this band, regardless of earlier tiers."""
        return self.condition is None or self.condition.holds(remaining)


def tier_of(tiers: Sequence[Tier], remaining: Fraction) -> Tier:
    """Return the first tier that holds; the reader of the policy makes sure that one does."""
    return next(tier for tier in tiers if tier.holds(remaining))


def tier_shown(tiers: Sequence[Tier], tier: Tier) -> str:
    """Write a tier's name and the budgets that are in it: ``exhausted (10% or less)``.

    The last tier has no condition. Its range follows from the lowest threshold if each of the other
    tiers begins above its threshold; otherwise no range is written.
    """
    if tier.condition is not None:
        return f"{tier.name} ({tier.condition})"
    conditions = [other.condition for other in tiers if other.condition is not None]
    if not conditions or any(condition.operator in {"<", "<="} for condition in conditions):
        return f"{tier.name} (otherwise)"
    lowest = min(conditions, key=lambda condition: (condition.threshold, condition.operator == ">"))
    bound = f"{float(lowest.threshold * 100):g}%"
    return (
        f"{tier.name} ({f'less than {bound}' if lowest.operator == '>=' else f'{bound} or less'})"
    )


def severity(tiers: Sequence[Tier], tier: Tier) -> Verdict:
    """Return the severity of a tier, for its colour: the first good, the last bad, others fair."""
    place = tiers.index(tier)
    if place == 0:
        return Verdict.ALLOW
    return Verdict.BLOCK if place == len(tiers) - 1 else Verdict.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A range of remaining budgets that are all in one tier."""

    tier: Tier
    low: Fraction
    high: Fraction
    """Above ``low``. The tier's condition says whether the ends themselves belong to it."""


def bands(tiers: Sequence[Tier], low: Fraction, high: Fraction) -> tuple[Band, ...]:
    """Return the bands between two remaining budgets, the highest first."""
    thresholds = {tier.condition.threshold for tier in tiers if tier.condition is not None}
    inner = {threshold for threshold in thresholds if low < threshold < high}
    edges = sorted({low, high} | inner, reverse=True)
    parts = [(tier_of(tiers, (top + foot) / 2), top, foot) for top, foot in pairwise(edges)]
    joined = []
    for _, group in groupby(parts, key=lambda part: part[0].name):
        (tier, top, foot), *more = group
        joined.append(Band(tier=tier, low=more[-1][2] if more else foot, high=top))
    return tuple(joined)


def lowest_allowed(tiers: Sequence[Tier], change: str, left: Fraction) -> Fraction | None:
    """Return the lowest remaining budget at which the change is allowed; None: any budget.

    If it is not allowed at the present remaining budget, that is the result.
    """
    thresholds = [tier.condition.threshold for tier in tiers if tier.condition is not None]
    for band in bands(tiers, min(left, *thresholds) - 1, left):
        if not band.tier.allows(change):
            return band.high
    return None
