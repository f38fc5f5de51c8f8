"""How often `gate cohorts` sees a difference where there is none, and how wide its intervals are.

Weeks of several templates that all fail alike are drawn at random and compared as the command does,
and beside that as if every event were a coin thrown by itself. docs/cohorts.md quotes the output.

    python -m benchmarks.cohorts [RUNS]
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gate.budget.ratio import wilson_interval
from gate.history.cohorts import Arm, Pair, own_effect
from gate.history.cohorts.contests import Contest, compare_all, holm
from gate.history.cohorts.ratios import LEVEL, compare

STEPS = 168
RNG = np.random.default_rng(20261101)

Shares = NDArray[np.float64]
"""By step and group: the probability that a request fails."""
Counts = NDArray[np.int64]
"""By step and group."""


@dataclass(frozen=True)
class World:
    """How failures come about; in the long run all groups fail alike, or the first more often."""

    name: str
    groups: int
    per_step: float
    shares: Callable[[int], Shares]
    ratio: float = 1.0
    """Of the first group to the others."""
    traffic: Callable[[int], Shares] = lambda groups: np.ones((STEPS, groups))
    """By step and group, beside ``per_step``."""


def even(groups: int) -> Shares:
    """Every request fails by itself, one in a hundred."""
    return np.full((STEPS, groups), 0.01)


def outages(groups: int) -> Shares:
    """One hour in 30, a fifth of all requests fails, whatever their group."""
    hit = RNG.random((STEPS, 1)) < 1 / 30
    return np.where(hit, 0.2, 0.005) * np.ones((1, groups))


def own_outages(groups: int) -> Shares:
    """One hour in 30, a fifth of the requests of one group fails; each has its own hours."""
    return np.where(RNG.random((STEPS, groups)) < 1 / 30, 0.2, 0.005)


def long_outages(groups: int) -> Shares:
    """Outages of one group each that last four hours, and do not begin with a stretch of steps."""
    hit = np.repeat(RNG.random((STEPS // 4 + 1, groups)) < 1 / 30, 4, axis=0)
    return np.where(hit[2 : STEPS + 2], 0.2, 0.005)


def late_outage(groups: int) -> Shares:
    """All fail more often in the last day, to which the first group brings most of its requests."""
    shares = even(groups)
    shares[-24:] = 0.2
    return shares


def growing(groups: int) -> Shares:
    """Return the traffic of groups of which the first grows a hundredfold over the week."""
    traffic = np.ones((STEPS, groups))
    traffic[:, 0] = np.geomspace(0.02, 2, STEPS)
    return traffic


WORLDS = (
    World("each request by itself, 10 groups, 40 an hour", 10, 40, even),
    World("each request by itself, 10 groups, 2 an hour", 10, 2, even),
    World("outages of all groups, 40 an hour", 10, 40, outages),
    World("outages of one group each, 40 an hour", 10, 40, own_outages),
    World("outages of one group each, 400 an hour", 10, 400, own_outages),
    World("outages of one group each, 2 an hour", 10, 2, own_outages),
    World("outages of four hours, 40 an hour", 10, 40, long_outages),
    World("a group that grows, and a bad last day of all", 10, 40, late_outage, 1, growing),
)
TWICE = (
    World("each request by itself, 40 an hour", 5, 40, even, 2),
    World("each request by itself, 1 an hour", 5, 1, even, 2),
    World("outages of all groups, 40 an hour", 5, 40, outages, 2),
    World("outages of one group each, 40 an hour", 5, 40, own_outages, 2),
)


MIXED = (
    World("each request by itself, 40 an hour", 5, 40, even),
    World("outages of one group each, 40 an hour", 5, 40, own_outages),
    World("each request by itself, 40 an hour, twice", 5, 40, even, 2),
    World("outages of one group each, 40 an hour, twice", 5, 40, own_outages, 2),
)


def draw(world: World) -> list[Pair]:
    """Return a week of each group, beside all the others."""
    shares = world.shares(world.groups)
    shares[:, 0] *= world.ratio
    total = RNG.poisson(world.per_step * world.traffic(world.groups))
    return pairs(total, RNG.binomial(total, shares))


def pairs(total: Counts, bad: Counts) -> list[Pair]:
    """Return each group beside all the others."""
    return [
        Pair(
            _arm(total[:, one], bad[:, one]), _arm(*(_rest(counts, one) for counts in (total, bad)))
        )
        for one in range(total.shape[1])
    ]


def _arm(total: Counts, bad: Counts) -> Arm:
    return Arm(tuple(map(float, total)), tuple(map(float, bad)))


def _rest(counts: Counts, one: int) -> Counts:
    rest: Counts = counts.sum(axis=1) - counts[:, one]
    return rest


def false_alarms(world: World, runs: int) -> tuple[float, float]:
    """Return how often some group is seen to differ: as the command does it, and by coins."""
    seen = coins = 0
    for _ in range(runs):
        drawn = draw(world)
        (found,) = compare_all([[Contest(whole=one) for one in drawn]])
        seen += any(one.crude is not None and one.crude.seen for one in found)
        plain = [compare(one.table)[0] for one in drawn]
        coins += min(holm(plain)) <= LEVEL
    return seen / runs, coins / runs


def coverage(world: World, runs: int) -> tuple[float, float, float]:
    """Return how often an interval holds the ratio, and the share, and a difference is seen."""
    held = own = seen = 0
    truth = float(np.mean([world.shares(1).mean() for _ in range(500)])) * world.ratio
    for _ in range(runs):
        drawn = draw(world)
        found = compare_all([[Contest(whole=one) for one in drawn]])[0][0].crude
        assert found is not None
        low, high = found.interval
        held += low <= world.ratio <= high
        seen += found.seen
        group = drawn[0].group
        total, bad = (Fraction(one / own_effect(group)) for one in group.sums)
        least, most = wilson_interval(bad, total)
        own += least <= truth <= most
    return held / runs, own / runs, seen / runs


def like_with_like(world: World, runs: int) -> tuple[float, float, float]:
    """Return how often some group is seen to differ, crudely and within models, and coverage.

    One model fails four times as often, and the first group sends it four times as many of its
    requests. Where the world's ratio is not 1, the alarms are sightings.
    """
    crude = within = held = 0
    for _ in range(runs):
        models = []
        for share, times in ((0.8, 4.0), (0.2, 1.0)):
            shares = world.shares(world.groups) * times / 4
            shares[:, 0] *= world.ratio
            parts = np.full(world.groups, 1 - share)
            parts[0] = share
            total = RNG.poisson(world.per_step * parts, shares.shape)
            models.append((total, RNG.binomial(total, shares)))
        (total, bad), (more, more_bad) = models
        every = total + more, bad + more_bad
        strata = [pairs(*counts) for counts in models]
        asked = [
            Contest(whole=whole, strata=tuple(inner))
            for whole, *inner in zip(pairs(*every), *strata, strict=True)
        ]
        (found,) = compare_all([asked])
        crude += any(one.crude is not None and one.crude.seen for one in found)
        within += any(one.within is not None and one.within.seen for one in found)
        first = found[0].within
        held += first is not None and first.holds(world.ratio)
    return crude / runs, within / runs, held / runs


def main(runs: int) -> None:
    """Print both tables."""
    print(
        f"{runs} weeks each, {STEPS} steps\n\nfalse alarms (some group of all)        gate   coins"
    )
    for world in WORLDS:
        seen, coins = false_alarms(world, runs)
        print(f"{world.name:<46} {seen:6.1%} {coins:7.1%}")
    print("\none group of 5 fails twice as often      ratio held   share held   seen")
    for world in TWICE:
        held, own, seen = coverage(world, runs)
        print(f"{world.name:<46} {held:6.1%} {own:8.1%} {seen:8.1%}")
    print("\none group of 5 has more of the model that fails   seen   within   ratio held")
    for world in MIXED:
        crude, within, held = like_with_like(world, runs)
        print(f"{world.name:<46} {crude:6.1%} {within:8.1%} {held:8.1%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
