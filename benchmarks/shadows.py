"""How often a shadow passes, or fails, of which it is known how much worse it is.

``python -m benchmarks.shadows 2000`` draws so many hours of each kind and writes a table.
"""

import random
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from gate.history.cohorts import Arm, Pair
from gate.history.shadow import ShadowOutcome, ShadowTest, compare_paired, compare_unpaired
from gate.measure.pairing import Pairs, PairSteps, Unpaired

STEPS: Final = 12
"""Five minutes each."""


class World(NamedTuple):
    """A kind of hour."""

    name: str
    shadow: int
    """Requests in the hour."""
    live: int
    ratio: float
    """Of the live deployment's requests that fail; where they are paired, of both together."""
    allowed: float
    """The excess that the margin allows."""
    burst: int = 1
    """So many failures come together."""
    own: float | None = None
    """Paired: which share of each deployment's requests fails there only."""


WORLDS: Final = (
    World("60,000 and 60,000 requests, 0.02% fail", 60_000, 60_000, 0.0002, 0.0002),
    World("60,000 and 600,000 requests, 0.02% fail", 60_000, 600_000, 0.0002, 0.0001),
    World("100,000 and 1,000,000 requests, 0.001% fail", 100_000, 1_000_000, 0.00001, 0.0001),
    World("6,000 and 6,000 requests, 3% fail", 6_000, 6_000, 0.03, 0.01),
    World("60,000 and 6,000 requests, 0.2% fail", 60_000, 6_000, 0.002, 0.002),
    World("the fourth, failures come 5 at a time", 6_000, 6_000, 0.03, 0.01, burst=5),
    World("the fourth, failures come 20 at a time", 6_000, 6_000, 0.03, 0.01, burst=20),
    World("the second, failures come 20 at a time", 60_000, 600_000, 0.0002, 0.0001, burst=20),
    World("the first, failures come 20 at a time", 60_000, 60_000, 0.0002, 0.0002, burst=20),
    World("2,400 requests and copies, 2% fail together", 2_400, 2_400, 0.02, 0.01, own=0.002),
    World(
        "60,000 requests and copies, 0.1% fail together", 60_000, 60_000, 0.001, 0.0002, own=5e-5
    ),
)


def outcomes(world: World, excess: float, runs: int) -> Iterator[ShadowOutcome]:
    """Yield what is said of a shadow that is worse by so much, hour by hour."""
    rng = random.Random(f"{world} {excess}")
    test = ShadowTest(allowed=world.allowed)
    for _ in range(runs):
        if world.own is not None:
            yield compare_paired(_pairs(rng, world, excess), test).outcome
        else:
            shadow = _arm(rng, world.shadow, world.ratio + excess, world.burst)
            live = _arm(rng, world.live, world.ratio, world.burst)
            yield compare_unpaired(Pair(shadow, live), test).outcome


def _pairs(rng: random.Random, world: World, excess: float) -> Pairs:
    own = world.own or 0.0
    only, other, both = (
        tuple(map(int, _arm(rng, world.shadow, ratio, 1).bad))
        for ratio in (own + excess, own, world.ratio)
    )
    steps = PairSteps(candidate_only=only, against_only=other, both=both)
    side = Unpaired(events=world.shadow, alone=0, alone_bad=0, without_id=0, repeated=0)
    total = (world.shadow // STEPS,) * STEPS
    return Pairs(total=total, worst=steps, best=steps, candidate=side, against=side, query="")


def _arm(rng: random.Random, total: int, ratio: float, burst: int) -> Arm:
    """Draw failures, as a Poisson process of bursts within each step."""
    per_step = total // STEPS
    bad = [min(_poisson(rng, per_step * ratio / burst) * burst, per_step) for _ in range(STEPS)]
    return Arm((float(per_step),) * STEPS, tuple(map(float, bad)))


def _poisson(rng: random.Random, mean: float) -> int:
    count, passed = 0, rng.expovariate(1)
    while passed < mean:
        count, passed = count + 1, passed + rng.expovariate(1)
    return count


def rows(runs: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| Hour | equal: passes | at the margin: passes | fails | three margins worse: fails |"
    yield "|---|---|---|---|---|"
    for world in WORLDS:
        equal, margin, worse = (
            list(outcomes(world, times * world.allowed, runs)) for times in (0, 1, 3)
        )
        shares = (
            equal.count(ShadowOutcome.WITHIN),
            margin.count(ShadowOutcome.WITHIN),
            margin.count(ShadowOutcome.WORSE),
            worse.count(ShadowOutcome.WORSE),
        )
        yield f"| {world.name} | {' | '.join(f'{share / runs:.1%}' for share in shares)} |"


if __name__ == "__main__":
    for line in rows(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000):
        print(line, flush=True)
