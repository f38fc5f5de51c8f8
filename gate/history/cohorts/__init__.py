"""The events of two groups by step, and the correction for failures that come in bursts."""

from collections.abc import Iterable, Iterator, Sequence
from math import fsum
from typing import Final

from gate.dataclass import dataclass
from gate.history.differences import Table
from gate.measure.cohorts import Cohort


@dataclass(frozen=True, slots=True)
class Arm:
    """The events of a group, or of several groups together, by step; 0 where unknown."""

    total: tuple[float, ...]
    bad: tuple[float, ...]

    @property
    def sums(self) -> tuple[float, float]:
        """The total and the bad events, limited to 0 to the total against errors of floats."""
        total = fsum(self.total)
        return total, min(max(fsum(self.bad), 0.0), total)

    @property
    def busy_steps(self) -> int:
        """The number of steps with events."""
        return sum(total > 0 for total in self.total)

    def residuals(self) -> tuple[float, ...]:
        """Return by how much the failures of each step exceed the average share."""
        total, bad = self.sums
        ratio = bad / total if total else 0.0
        pairs = zip(self.total, self.bad, strict=True)
        return tuple(failed - events * ratio for events, failed in pairs)

    def weighted(self, weights: Sequence[float]) -> "Arm":
        """Return the events with weighted steps, scaled to the number in those steps."""
        totals = list(zip(self.total, weights, strict=True))
        kept = fsum(total for total, weight in totals if weight > 0)
        whole = fsum(total * weight for total, weight in totals)
        scale = kept / whole if whole else 0.0
        bad = zip(self.bad, weights, strict=True)
        return Arm(
            tuple(total * weight * scale for total, weight in totals),
            tuple(failed * weight * scale for failed, weight in bad),
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """A group and the group that it is compared with, in one stratum."""

    group: Arm
    rest: Arm

    @property
    def table(self) -> "Table":
        """The counts over all steps."""
        (total, bad), (rest_total, rest_bad) = self.group.sums, self.rest.sums
        return Table(total, bad, rest_total, rest_bad)

    @property
    def shared_steps(self) -> tuple[bool, ...]:
        """The number of steps in which both have events."""
        both = zip(self.group.total, self.rest.total, strict=True)
        return tuple(mine > 0 and theirs > 0 for mine, theirs in both)

    def matched(self) -> "Pair":
        """Return both with their numbers of events, as if equally distributed over time.

        The weights are those of Mantel and Haenszel, so that the ratio is theirs with the steps as
        strata: a failure that affects a whole step makes no difference between the groups. Groups
        with the same distribution do not change; steps in which one group has no event are left
        out.
        """
        steps = list(zip(self.group.total, self.rest.total, strict=True))
        own = [theirs / (mine + theirs) if mine > 0 < theirs else 0.0 for mine, theirs in steps]
        other = [mine / (mine + theirs) if mine > 0 < theirs else 0.0 for mine, theirs in steps]
        return Pair(self.group.weighted(own), self.rest.weighted(other))


def arm(cohorts: Iterable[Cohort], steps: int) -> Arm:
    """Add up groups; the sum of no groups has no events."""
    totals, bads = [0.0] * steps, [0.0] * steps
    for cohort in cohorts:
        _add(totals, cohort.total)
        _add(bads, cohort.bad)
    return Arm(tuple(totals), tuple(bads))


def _add(sums: list[float], points: Sequence[float | None]) -> None:
    for place, point in enumerate(points):
        sums[place] += point or 0.0


FEWEST_STEPS: Final = 10
"""The fewest steps with events of each group: with fewer, the spread of failures is unknown."""
_STRETCHES: Final = (1, 2, 4, 8)
"""The lengths of stretches, in steps."""
_FEWEST_STRETCHES: Final = 20
"""The fewest stretches of each length beyond one step."""
Strata = Sequence[Pair]


def shared_effects(comparisons: Sequence[Strata]) -> list[float]:
    """Return the design effects of comparisons whose failures have the same kind of cause.

    A group with few bursts by chance also looks calm: by itself it would seem certain to differ
    from the others. So each is assumed to be at least as bursty as all together: by their mean
    correlation between the events of a step, weighted by traffic.
    """
    own = [design_effect(strata) for strata in comparisons]
    events = [_events(strata) for strata in comparisons]
    crowds = [_crowd(strata) - 1 for strata in comparisons]
    excess = sum((effect - 1) * weight for effect, weight in zip(own, events, strict=True))
    pairs = sum(crowd * weight for crowd, weight in zip(crowds, events, strict=True))
    correlation = excess / pairs if pairs > 0 else 0.0
    return [max(effect, 1 + correlation * crowd) for effect, crowd in zip(own, crowds, strict=True)]


def design_effect(strata: Strata) -> float:
    """Return the factor by which counts are divided before they are tested, at least 1.

    It belongs to the Mantel-Haenszel ratio over the pairs (strata), which for one pair is the plain
    ratio: its logarithm is linear in the failures for small changes, so its variance is that of the
    weighted sum of the residuals by stretch. If one of the groups has no failure, the factor
    belongs to the difference.
    """
    weights = [_weights(pair) for pair in strata]
    up = sum(pair.table.bad * own for pair, (own, _) in zip(strata, weights, strict=True))
    down = sum(
        pair.table.rest_bad * other for pair, (_, other) in zip(strata, weights, strict=True)
    )
    scale = (1 / up, 1 / down) if up > 0 and down > 0 else (1.0, 1.0)
    steps = [0.0] * len(strata[0].group.total)
    coins = 0.0
    for pair, (own, other) in zip(strata, weights, strict=True):
        factors = own * scale[0], other * scale[1]
        both = zip(pair.group.residuals(), pair.rest.residuals(), strict=True)
        for place, (mine, theirs) in enumerate(both):
            steps[place] += factors[0] * mine - factors[1] * theirs
        coins += factors[0] ** 2 * _binomial(pair.group) + factors[1] ** 2 * _binomial(pair.rest)
    return design_effect_of(steps, coins, fewest_steps(strata))


def own_effect(arm: Arm) -> float:
    """Return the design effect of one group's own error ratio, at least 1."""
    return design_effect_of(arm.residuals(), _binomial(arm), arm.busy_steps)


def difference_effect(pair: Pair) -> float:
    """Return the design effect of the difference between two error ratios, at least 1.

    Failures that affect both in the same step cancel each other out.

    Args:
        pair: two groups, each with at least one event.
    """
    table = pair.table
    both = zip(pair.group.residuals(), pair.rest.residuals(), strict=True)
    residuals = [mine / table.total - theirs / table.rest_total for mine, theirs in both]
    coins = _binomial(pair.group) / table.total**2 + _binomial(pair.rest) / table.rest_total**2
    return design_effect_of(residuals, coins, fewest_steps([pair]))


def fewest_steps(strata: Strata) -> int:
    """Return the number of steps with events of the group, or of the rest: the smaller one."""
    return min(
        sum(any(step) for step in zip(*(arm.total for arm in arms), strict=True))
        for arms in ([pair.group for pair in strata], [pair.rest for pair in strata])
    )


def design_effect_of(residuals: Sequence[float], coins: float, steps: int) -> float:
    """Return how much more a sum over steps varies than with independent events, at least 1.

    Args:
        residuals: the residual of each step.
        coins: the variance of their sum if events were independent; 0 gives the result 1.
        steps: the number of them with events; fewer than `FEWEST_STEPS` give the result 1.
    """
    if coins <= 0 or steps < FEWEST_STEPS:
        return 1.0
    return max(1.0, *(spread / coins for spread in _spreads(residuals, steps)))


def _spreads(residuals: Sequence[float], steps: int) -> Iterator[float]:
    """Yield the variance of the sum of the residuals, estimated from stretches of each length.

    The factor m / (m - 3) for m stretches corrects for estimating the mean from the same data, and
    for Student's t with m - 1 degrees being wider than the normal distribution.
    """
    for length in _STRETCHES:
        stretches = steps / length
        if length == 1 or stretches >= _FEWEST_STRETCHES:
            sums = (
                sum(residuals[start : start + length]) for start in range(0, len(residuals), length)
            )
            yield sum(residual * residual for residual in sums) * stretches / (stretches - 3)


def _events(strata: Strata) -> float:
    return sum(pair.table.total for pair in strata)


def _crowd(strata: Strata) -> float:
    """Return the mean number of events of a group in the step of an event, with that event."""
    events = _events(strata)
    by_step = zip(*(pair.group.total for pair in strata), strict=True)
    return sum(sum(step) ** 2 for step in by_step) / events if events else 1.0


def _weights(pair: Pair) -> tuple[float, float]:
    table = pair.table
    if not table.events:
        return 0.0, 0.0
    return table.rest_total / table.events, table.total / table.events


def _binomial(arm: Arm) -> float:
    """Return the variance of the failures if events were independent."""
    total, bad = arm.sums
    return bad * (total - bad) / total if total else 0.0
