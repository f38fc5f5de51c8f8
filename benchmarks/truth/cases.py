"""One case for each seed: a healthy life, perhaps a mutation of what is seen, perhaps failures."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import Any, Final

import numpy as np

from benchmarks.truth.generator import FIRST, HEALTHY, TICKS, Counts, Floats, History, pod
from benchmarks.truth.indicators import INDICATORS, Indicator, Names
from benchmarks.truth.lives import HOUR, LIVES, PLAIN, STAYING, Life
from benchmarks.truth.mutations import MUTATIONS, Failing, Kind, Mutation, fitting, window_part

OBJECTIVES: Final = (Fraction(95, 100), Fraction(99, 100), Fraction(999, 1000))
_HEALTHY: Final = (0.0, 0.3)
"""Budgets that are consumed by what fails always."""
_FAILING: Final = (0.7, 8.0)
"""Budgets that are consumed by what else a service fails that does, on a logarithmic scale."""
_CLOSE: Final = Fraction(5, 100)
"""Of the budget."""
_PER_TICK: Final = 600.0
"""Requests between two scrapes, in the mean."""

WAYS: Final[tuple[tuple[Life | None, Mutation | None], ...]] = (
    *((life, None) for life in LIVES),
    *((None, mutation) for mutation in MUTATIONS),
)
"""What comes in turn, seed by seed; None: any plain life under a mutation, or no mutation."""

ROWS: Final = (*(life.name for life in LIVES), *(mutation.name for mutation in MUTATIONS))
"""Their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is asked of the gate, and what is true."""

    history: History
    life: Life
    mutation: Mutation | None
    indicator: Indicator
    sli: Mapping[str, Any]

    @property
    def kind(self) -> Kind:
        """What must come of it."""
        return Kind.HARMLESS if self.mutation is None else self.mutation.kind

    @property
    def name(self) -> str:
        """The row of the table."""
        return self.life.name if self.mutation is None else self.mutation.name


def case(seed: int) -> Case:
    """Return a seed's case, the same everywhere: every life and mutation comes in turn.

    None is so close to the policy's threshold that the time of a scrape would decide it.
    """
    attempts = (_case(seed, np.random.default_rng([seed, attempt])) for attempt in count())
    return next(case for case in attempts if abs(case.history.remaining - HEALTHY) > _CLOSE)


def _case(seed: int, rng: np.random.Generator) -> Case:
    life, mutation = WAYS[seed % len(WAYS)]
    lives = STAYING if mutation is not None and mutation.pods_stay else PLAIN
    life = life or lives[int(rng.integers(len(lives)))]
    indicators = INDICATORS if mutation is None else fitting(mutation, INDICATORS)
    if life is not LIVES[0]:
        # What a rule records is the same whatever the pods do.
        indicators = [way for way in indicators if way.name != "recorded"] or indicators
    indicator = indicators[int(rng.integers(len(indicators)))]
    if indicator.name == "recorded":
        life = LIVES[0]
    fails = _fails(mutation, seed // len(WAYS))
    history = _history(seed, rng, life, indicator, mutation, fails=fails)
    life.then(history)
    if mutation is not None:
        mutation.apply(history, indicator)
    names = Names(prefix=history.prefix, service=history.service)
    return Case(
        history=history, life=life, mutation=mutation, indicator=indicator, sli=indicator.sli(names)
    )


def _fails(mutation: Mutation | None, turn: int) -> bool:
    """Return whether a service fails when its way comes for so many times, from 0 on."""
    if mutation is None:
        return turn % 4 == 1
    return turn % 5 in {0, 2, 4} and not mutation.is_outage


def _history(
    seed: int,
    rng: np.random.Generator,
    life: Life,
    indicator: Indicator,
    mutation: Mutation | None,
    *,
    fails: bool,
) -> History:
    traffic, objective = life.traffic(rng), OBJECTIVES[int(rng.integers(len(OBJECTIVES)))]
    requests = rng.poisson(_PER_TICK * life.scale * rng.uniform(0.7, 1.5) * traffic)
    change = window_part(rng)
    allowed = float(1 - objective) * requests[FIRST:].sum()
    usual = rng.uniform(*_HEALTHY) * allowed if life.failures else 0.0
    bad = failures(rng, requests, usual, Failing.STEADILY, change)
    if fails:
        consumed = np.exp(rng.uniform(*np.log(_FAILING)))
        when = (mutation.when if mutation else None) or _any(rng)
        more = failures(rng, requests, consumed * allowed, when, change)
        if when is Failing.AT_ONCE:
            requests = requests + more  # what fails at once is asked again and again
        bad = np.minimum(bad + more, requests)
    # A shared name is that of a library, the other is the service's own.
    prefix = "llm" if rng.random() < 0.5 else f"chat{seed}"
    page = indicator.page(prefix)
    recorded = indicator.name == "recorded"
    pods = [pod({}, page)] if recorded else life.pods(rng, page, traffic)
    return History(
        seed=seed,
        rng=rng,
        service=f"s{seed}",
        prefix=prefix,
        objective=objective,
        good=requests - bad,
        bad=bad,
        pods=pods,
        change=change,
        offset=float(rng.integers(0, 60)),
    )


def _any(rng: np.random.Generator) -> Failing:
    return (Failing.STEADILY, Failing.BURST)[int(rng.integers(2))]


def failures(
    rng: np.random.Generator, requests: Counts, wanted: float, when: Failing, change: int
) -> Counts:
    """Return how many requests fail by tick: about as many as wanted, as far as there are."""
    weights = _weights(rng, when, change) * requests
    weights[:FIRST] = weights[:FIRST].mean() if when is Failing.STEADILY else 0
    inside = weights[FIRST:].sum()
    chances = wanted * weights / inside if inside else weights
    events = rng.poisson(chances if when is Failing.AT_ONCE else np.minimum(chances, requests))
    return events if when is Failing.AT_ONCE else np.minimum(events, requests)


def _weights(rng: np.random.Generator, when: Failing, change: int) -> Floats:
    weights = np.zeros(TICKS)
    begin = FIRST + int(rng.integers(0, TICKS - FIRST - 2 * HOUR))
    spans = {
        Failing.STEADILY: slice(0, TICKS),
        Failing.BURST: slice(begin, begin + int(rng.integers(HOUR // 2, 2 * HOUR))),
        Failing.AFTER: slice(change + 1, TICKS),
        Failing.AT_ONCE: slice(change, change + 2),
        Failing.SHORTLY: slice(change + 1, min(change + 3 * HOUR - 2, TICKS)),
    }
    weights[spans[when]] = 1
    return weights
