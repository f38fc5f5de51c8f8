"""How often a watched canary is accused or cleared wrongly, and how soon a worse one is seen.

python -m benchmarks.watch_simulation [RUNS] [SCENARIO]...

Looks once a minute. All canaries of a scenario are computed at once, in arrays, and some of them
also by what `gate watch` uses (gate.history.sequential), look by look: if these two differ, the run
ends with an error. docs/watch-statistics.md quotes what this prints.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from math import inf, log
from typing import Any, Final

import numpy as np
from scipy.stats import beta

from gate.history.sequential import FROM_THE_START, RATIOS, ComparedStep
from gate.history.sequential.clusters import BETS, FITTED
from gate.history.sequential.excess import DROPS
from gate.history.sequential.verdict import ALPHA, CanaryEvidence

Array = Any
"""An array of numpy, one value a canary."""
DAY: Final = 1440
CHECKED: Final = 20
"""Canaries of a scenario that are also computed by the product's functions."""
_PART: Final = 2000
"""Canaries that are computed at once."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What happens to each of the canaries in a minute."""

    canary: Array
    """Requests."""
    baseline: Array
    canary_ratio: Array
    """How likely each request is to fail."""
    baseline_ratio: Array


Rng = np.random.Generator
Traffic = Callable[[Rng, int, int], Iterator[Minute]]
"""Yields the minutes of some canaries, given how many canaries and minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a service sees; each of its oddities is off unless it is named."""

    ratio: float = 0.002
    excess: float = 0.0
    """Of the canary's failure ratio over the baseline's."""
    times: float = 1.0
    """How many times as often as the baseline the canary fails, beside that."""
    from_minute: int = 0
    """When the canary becomes worse."""
    requests: float = 1000.0
    share: float = 0.1
    diurnal: bool = False
    """Traffic and failures rise and fall by 90% within a day."""
    outages: bool = False
    """Four times a day, on average, both fail by 2 to 60% more for a quarter of an hour."""
    shares: bool = False
    """The canary gets 1, 5, 10, 25, 50 and 90% of the traffic, and anything between at times."""
    drifting: bool = False
    """The excess swings around its mean by 100%, every 40 minutes."""
    clusters: float = 1.0
    """Failures that come together, in the mean (geometric)."""
    apart: bool = False
    """Whether those that come together all hit the same side, as with sticky sessions."""
    slos: int = 1

    def minutes(self, rng: Rng, canaries: int, minutes: int) -> Iterator[Minute]:
        """Yield what happens."""
        phase = rng.uniform(0, 2 * np.pi, canaries)
        left, height = np.zeros(canaries), np.zeros(canaries)
        for minute in range(minutes):
            swing = 1 + 0.9 * np.sin(2 * np.pi * minute / DAY + phase) * self.diurnal
            share = self._share(rng, canaries, minute, minutes)
            requests = rng.poisson(self.requests * swing)
            canary = rng.binomial(requests, share)
            begins = (rng.random(canaries) < 4 / DAY) & self.outages
            left = np.where(begins, 15, np.maximum(left - 1, 0))
            height = np.where(begins, rng.uniform(0.02, 0.6, canaries), height)
            ratio = self.ratio * (1 + 0.9 * np.cos(2 * np.pi * minute / DAY + phase) * self.diurnal)
            ratio = ratio + height * (left > 0)
            drift = 1 + np.sin(2 * np.pi * minute / 40 + phase) * self.drifting
            worse = (
                ratio * self.times + self.excess * drift if minute >= self.from_minute else ratio
            )
            yield Minute(canary, requests - canary, np.minimum(worse, 1), np.minimum(ratio, 1))

    def _share(self, rng: Rng, canaries: int, minute: int, minutes: int) -> Array:
        if not self.shares:
            return np.full(canaries, self.share)
        steps = (0.01, 0.05, 0.1, 0.25, 0.5, 0.9)
        planned = steps[minute * len(steps) // minutes]
        return np.where(rng.random(canaries) < 0.1, rng.random(canaries), planned)

    def failures(self, rng: Rng, minute: Minute) -> tuple[Array, Array]:
        """Return how many of each side fail."""
        if self.clusters == 1:
            return (
                rng.binomial(minute.canary, minute.canary_ratio),
                rng.binomial(minute.baseline, minute.baseline_ratio),
            )
        if self.apart:
            canary = self._clustered(rng, minute.canary, minute.canary_ratio)
            return canary, self._clustered(rng, minute.baseline, minute.baseline_ratio)
        # Whom each failure of a cluster hits is drawn as for any other request.
        requests = minute.canary + minute.baseline
        together = self._clustered(rng, requests, minute.baseline_ratio)
        share = np.divide(minute.canary, np.maximum(requests, 1))
        canary = np.minimum(rng.binomial(together, share), minute.canary)
        return canary, np.minimum(together - canary, minute.baseline)

    def _clustered(self, rng: Rng, requests: Array, ratio: Array) -> Array:
        clusters = rng.poisson(requests * ratio / self.clusters)
        # The sum of so many geometric numbers: the numbers themselves, and a negative binomial one.
        more = rng.negative_binomial(np.maximum(clusters, 1), 1 / self.clusters)
        return np.minimum(np.where(clusters > 0, clusters + more, 0), requests)


def to_come(stake: Array) -> Array:
    """Return how much of the evidence is about canaries that become worse later."""
    return (1 - FROM_THE_START) * (1 + stake / 20) ** -0.5


@dataclass(slots=True)
class Clusters:
    """How the failures were split, of many canaries at once: gate.history.sequential.clusters."""

    canaries: int
    started: Array = field(init=False)
    steps: Array = field(init=False)
    sums: Array = field(init=False)
    """By sum, canary and ratio of `FITTED`."""

    def __post_init__(self) -> None:
        """Begin without evidence."""
        self.started = np.full((self.canaries, len(BETS)), FROM_THE_START)
        self.steps = np.zeros(self.canaries)
        self.sums = np.zeros((5, self.canaries, len(FITTED)))

    def add(self, share: Array, canary_bad: Array, bad: Array) -> None:
        """Add a minute; without failures, and without traffic of either, bad is 0."""
        counts, k = bad > 0, np.maximum(bad, 1)
        surplus = np.where(counts, canary_bad / k / np.maximum(share, 1e-12) - 1, 0)
        steps = self.steps + counts[:, 0]
        begins = to_come(self.steps) - to_come(steps)
        self.started = self.started * (1 + np.array(BETS) * surplus) + begins[:, None]
        self.steps = steps
        ratios = np.array(FITTED)
        expected = np.clip(ratios * share / (1 + (ratios - 1) * share), 1e-12, 1 - 1e-12)
        variance, deviation = expected * (1 - expected), (canary_bad - k * expected) ** 2
        terms = (
            canary_bad * np.log(ratios) - k * np.log1p((ratios - 1) * share),
            *(deviation / (k * variance), np.maximum(2 + (1 - 6 * variance) / (k * variance), 0)),
            *(deviation, k * variance),
        )
        self.sums += np.where(counts, terms, 0)

    @property
    def evidence(self) -> Array:
        """The logarithm of the evidence in which each step counts once."""
        return np.log(self.started.mean(axis=1) + to_come(self.steps))

    @property
    def factor(self) -> Array:
        """How many failures come together."""
        best = self.sums[0].argmax(axis=1)
        _, surprises, spreads, deviations, variances = self.sums[:, np.arange(self.canaries), best]
        seen = surprises - self.steps > 1.5 * np.sqrt(spreads)
        return np.where(seen, np.clip(deviations / np.maximum(variances, 1e-12), 1, 100), 1)


@dataclass(slots=True)
class Evidence:
    """The evidence of `CanaryEvidence`, of many canaries at once."""

    canaries: int
    margin: float
    slos: int
    stake: Array = field(init=False)
    started: Array = field(init=False)
    canary_total: Array = field(init=False)
    canary_bad: Array = field(init=False)
    drops: Array = field(init=False)
    clusters: Clusters = field(init=False)

    def __post_init__(self) -> None:
        """Begin without evidence."""
        self.stake, self.canary_total, self.canary_bad = np.zeros((3, self.canaries))
        self.started = np.full((self.canaries, len(RATIOS)), log(FROM_THE_START))
        self.drops = np.zeros((self.canaries, len(DROPS)))
        self.clusters = Clusters(self.canaries)

    def add(self, minute: Minute, canary_bad: Array, baseline_bad: Array) -> None:
        """Add a minute."""
        n, m = minute.canary[:, None], minute.baseline[:, None]
        both = (n > 0) & (m > 0)
        share, bad = n / np.maximum(n + m, 1), (canary_bad + baseline_bad)[:, None] * both
        stake = self.stake + bad[:, 0]
        ratios = np.array(RATIOS)
        gain = canary_bad[:, None] * both * np.log(ratios) - bad * np.log1p((ratios - 1) * share)
        with np.errstate(divide="ignore"):
            begins = np.log(to_come(self.stake) - to_come(stake))
        self.started = np.logaddexp(self.started + gain, begins[:, None])
        self.stake = stake
        odds = np.where(m > 0, n / np.maximum(m, 1), 0)
        self.drops += baseline_bad[:, None] * np.log1p(np.array(DROPS) * odds)
        self.canary_total = self.canary_total + minute.canary
        self.canary_bad = self.canary_bad + canary_bad
        self.clusters.add(share, canary_bad[:, None] * both, bad)

    @property
    def needed(self) -> float:
        """The logarithm of the evidence that shows that the canary is worse."""
        return log(self.slos / ALPHA)

    @property
    def worse(self) -> Array:
        """The logarithm of the evidence for that."""
        mean = np.logaddexp.reduce(self.started, axis=1) - log(len(RATIOS))
        worse = np.logaddexp(mean, np.log(to_come(self.stake)))
        by_steps = self.clusters.evidence
        bar = np.where(self.clusters.factor > 1, self.needed, log(2))
        return np.where(by_steps >= bar, worse, np.minimum(worse, by_steps / bar * self.needed))

    @property
    def within(self) -> Array:
        """Whether it is shown that its excess is below the margin."""
        drops = np.array(DROPS)
        weights = np.where(np.arange(len(DROPS)) < 11, 0.5 / 11, 0.5 / (len(DROPS) - 11))
        allowed = self.margin * self.canary_total
        logarithms = (
            self.drops + np.log1p(-drops) * self.canary_bad[:, None] + drops * allowed[:, None]
        )
        evidence = np.logaddexp.reduce(logarithms + np.log(weights), axis=1)
        return evidence >= log(1 / ALPHA) * self.clusters.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of some canaries."""

    accused_at: Array
    """The minute after which a canary was shown to be worse; infinite: never."""
    cleared_at: Array
    """The first minute after which each SLO had been shown to be within the margin."""
    wrongly_cleared: Array
    """Whether that ever was shown while its true excess until then was the margin or more."""


def watch(scenario: "Scenario", canaries: int, seed: Sequence[int]) -> Outcome:
    """Watch some canaries; some are checked against the product's functions.

    Args:
        scenario: what happens, and how long it is watched.
        canaries: how many.
        seed: of what happens by chance; where it ends with 0 the check is made.
    """
    service, margin = scenario.service, scenario.margin
    rng = np.random.default_rng(seed)
    accused, cleared_by_all = np.full(canaries, inf), np.zeros(canaries)
    wrongly = np.zeros(canaries, bool)
    for _ in range(service.slos):
        evidence, true = Evidence(canaries, margin, service.slos), np.zeros(canaries)
        cleared = np.full(canaries, inf)
        checked = min(CHECKED, canaries) if seed[-1] == 0 else 0
        products = [CanaryEvidence.compared_with_baseline(margin)] * checked
        for number, minute in enumerate(service.minutes(rng, canaries, scenario.minutes), start=1):
            canary_bad, baseline_bad = service.failures(rng, minute)
            evidence.add(minute, canary_bad, baseline_bad)
            true += minute.canary * (minute.canary_ratio - minute.baseline_ratio)
            shown = evidence.worse >= evidence.needed
            accused = np.where((accused == inf) & shown, number, accused)
            if number % scenario.every == 0:
                within = evidence.within
                cleared = np.where((cleared == inf) & within, number, cleared)
                wrongly |= within & (true >= margin * evidence.canary_total * (1 - 1e-9))
            counts = (minute.canary, canary_bad, minute.baseline, baseline_bad)
            for place, product in enumerate(products):
                step = ComparedStep(*(float(count[place]) for count in counts))
                products[place] = product.after(step)
        cleared_by_all = np.maximum(cleared_by_all, cleared)
        for place, product in enumerate(products):
            worse = product.log_evidence(evidence.needed)
            factor = product.clusters.factor
            within_margin = product.bounds()[1] <= margin
            np.testing.assert_allclose(evidence.worse[place], worse, atol=1e-6)
            np.testing.assert_allclose(evidence.clusters.factor[place], factor, rtol=1e-6)
            np.testing.assert_equal(evidence.within[place], within_margin)
    return Outcome(accused_at=accused, cleared_at=cleared_by_all, wrongly_cleared=wrongly)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is simulated, and for how long."""

    service: Service
    minutes: int = DAY
    margin: float = 0.002
    """Share of the canary's requests."""
    every: int = 30
    """After how many minutes it is seen whether the canary is within the margin."""
    fewer: int = 1
    """By how many the number of runs is divided."""

    def run(self, runs: int) -> Outcome:
        """Watch this many canaries, in parts on every processor."""
        sizes = [min(_PART, runs - first) for first in range(0, runs, _PART)]
        with ProcessPoolExecutor() as pool:
            parts = list(
                pool.map(partial(watch, self), sizes, [(16, place) for place in range(len(sizes))])
            )
        return Outcome(
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in ("accused_at", "cleared_at", "wrongly_cleared")
            }
        )


ODD: Final = {"diurnal": True, "outages": True, "shares": True}
SAME: Final = {
    "same: steady": Scenario(service=Service()),
    "same: diurnal": Scenario(service=Service(diurnal=True)),
    "same: shared outages": Scenario(service=Service(outages=True)),
    "same: changing shares": Scenario(service=Service(shares=True)),
    "same: all of these": Scenario(service=Service(**ODD)),
    "same: all of these, 4 SLOs": Scenario(service=Service(**ODD, slos=4)),
    "same: 2%, half of the traffic": Scenario(service=Service(ratio=0.02, share=0.5), fewer=10),
    "same: 20,000 a minute": Scenario(service=Service(requests=20_000), fewer=10),
}
WORSE: Final = {
    f"worse: {times} times{f' after {late} minutes' if late else ''}": Scenario(
        service=Service(times=times, from_minute=late), minutes=late + 480, fewer=10
    )
    for times, late in ((1.5, 0), (2, 0), (3, 0), (5, 0), (10, 0), (5, 60), (5, 600))
}
MARGIN: Final = {
    "margin: excess of just the margin": Scenario(service=Service(excess=0.002), every=1, fewer=10),
    "margin: drifting around it": Scenario(
        service=Service(excess=0.002, drifting=True), every=1, fewer=10
    ),
    "margin: all of these, too": Scenario(
        service=Service(excess=0.002, drifting=True, **ODD), every=1, fewer=10
    ),
    "margin: 2%, half of the traffic": Scenario(
        service=Service(ratio=0.02, share=0.5, excess=0.02), margin=0.02, every=1, fewer=10
    ),
}
CLEARED: Final = {
    "cleared: margin of 100% at the objective's ratio": Scenario(
        service=Service(), every=1, fewer=20
    ),
    "cleared: a tenth of the objective's ratio": Scenario(
        service=Service(ratio=0.0002), every=1, fewer=20
    ),
    "cleared: margin of 10% at the objective's ratio": Scenario(
        service=Service(requests=20_000), margin=0.0002, every=1, fewer=20
    ),
    "cleared: 20,000 a minute": Scenario(service=Service(requests=20_000), every=1, fewer=20),
}
CLUSTERS: Final = (
    {
        f"clusters: of {size:g}, {'on one side' if apart else 'shared'}, {hours} h": Scenario(
            service=Service(clusters=size, apart=apart), minutes=60 * hours, fewer=20
        )
        for size, apart, hours in (
            *((2.0, False, 24), (10.0, False, 24)),
            *((1.2, True, 1), (2.0, True, 1), (5.0, True, 1), (10.0, True, 1)),
            *((1.2, True, 24), (2.0, True, 24), (5.0, True, 24), (10.0, True, 24)),
        )
    }
    | {
        f"clusters: of {size:g}, on one side, {times:g} times as many": Scenario(
            service=Service(clusters=size, apart=True, times=times), minutes=480, fewer=20
        )
        for size, times in ((2.0, 5.0), (5.0, 5.0), (5.0, 10.0))
    }
    | {
        f"clusters: of {size:g}, on one side, excess of just the margin, {words}": Scenario(
            service=Service(clusters=size, apart=True, excess=0.002),
            minutes=minutes,
            every=every,
            fewer=20,
        )
        for size in (1.2, 2.0, 5.0)
        for words, minutes, every in (("after 1 h", 60, 60), ("ever in 8 h", 480, 1))
    }
)
SCENARIOS: Final = {**SAME, **WORSE, **MARGIN, **CLEARED, **CLUSTERS}


def upper_bound(hits: int, runs: int, level: float = 0.99) -> float:
    """Return Clopper and Pearson's upper bound of a share."""
    return float(beta.ppf(level, hits + 1, runs - hits)) if hits < runs else 1.0


def main(runs: int, names: Sequence[str]) -> None:
    """Print a line of a Markdown table for each scenario whose name begins with a given one."""
    print(
        "| Scenario | Runs | Accused | Upper 99% bound | Mean minutes | Cleared | Median minutes |"
        " Wrongly cleared | Upper 99% bound |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, scenario in SCENARIOS.items():
        if names and not any(name.startswith(given) for given in names):
            continue
        count = max(runs // scenario.fewer, 1)
        outcome = scenario.run(count)
        late = scenario.service.from_minute
        seen = outcome.accused_at[(outcome.accused_at < inf) & (outcome.accused_at > late)] - late
        cleared = outcome.cleared_at[outcome.cleared_at < inf]
        accused, wrong = int((outcome.accused_at < inf).sum()), int(outcome.wrongly_cleared.sum())
        cells = [
            *(name, f"{count:,}", f"{accused / count:.2%}", f"{upper_bound(accused, count):.2%}"),
            f"{seen.mean():.1f}" if len(seen) else "-",
            f"{len(cleared) / count:.1%}",
            f"{np.median(cleared):.0f}" if len(cleared) else "-",
            *(f"{wrong / count:.2%}", f"{upper_bound(wrong, count):.2%}"),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 20_000, given[1:])
