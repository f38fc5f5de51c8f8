"""Failures that come together: evidence in which each step counts once, however many failed in it.

`Worse` takes every failure for a piece of evidence of its own. A process that restarts, or a client
that tries again, makes several failures out of one event, all on the same side, and by chance that
is the canary. What is said here holds however the failures of one step hang together.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import log, log1p, sqrt
from typing import Any, Final, Self

from gate.dataclass import dataclass
from gate.history.sequential import (
    FROM_THE_START,
    RATIOS,
    ComparedStep,
    checked,
    log_mean,
    log_sum,
    numbers,
    to_come,
)

BETS: Final = (0.2, 0.5, 0.9)
"""Which part of the evidence is lost in a step in which only the baseline fails."""
FITTED: Final = (1.0, *RATIOS)
"""Of these ratios of the canary's failures to the baseline's the likeliest is taken for the true
one, so that a canary that is worse all the time does not look like clusters."""
_SURE: Final = 1.5
"""Standard deviations by which the split must vary more than by chance, to speak of clusters."""
_WIDEST: Final = 100.0
_FEWEST: Final = 0.5
"""Failures of a step of which the split says something; less is what extrapolation leaves over."""
_ANYHOW: Final = 2.0
"""Evidence that is asked for where no clusters are seen: that more than one step speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """How the failures of each step were split between the canary and the baseline."""

    started: tuple[float, ...] = (log(FROM_THE_START),) * len(BETS)
    """By bet the natural logarithm of the evidence, all beginnings until now together."""
    steps: int = 0
    """Steps in which both had traffic and something failed."""
    likelihoods: tuple[float, ...] = (0.0,) * len(FITTED)
    """For each of `FITTED` the logarithm of how likely the splits are."""
    surprises: tuple[float, ...] = (0.0,) * len(FITTED)
    """The sum of squared standardised deviations of the splits, whose mean is 1 a step."""
    spreads: tuple[float, ...] = (0.0,) * len(FITTED)
    """The sum of the variances of these squares."""
    deviations: tuple[float, ...] = (0.0,) * len(FITTED)
    """The sum of squared deviations of the splits."""
    variances: tuple[float, ...] = (0.0,) * len(FITTED)
    """What these are expected to come to where each failure is by itself."""

    def after(self, step: ComparedStep) -> Self:
        """Return it with one more step; one in which nothing can be compared says nothing.

        Raises:
            ValueError: a count is negative or not finite.
        """
        canary, canary_bad, baseline, baseline_bad = checked(step)
        bad = canary_bad + baseline_bad
        share = canary / (canary + baseline) if canary > 0 else 0.0
        if not 0 < share < 1 or bad < _FEWEST:
            return self
        begins = log(to_come(self.steps) - to_come(self.steps + 1))
        surplus = canary_bad / bad / share - 1
        fits = [_fit(ratio, share, canary_bad, bad) for ratio in FITTED]
        likelihoods, surprises, spreads, deviations, variances = zip(*fits, strict=True)
        return replace(
            self,
            started=tuple(
                log_sum(evidence + log1p(bet * surplus), begins)
                for evidence, bet in zip(self.started, BETS, strict=True)
            ),
            steps=self.steps + 1,
            likelihoods=_added(self.likelihoods, likelihoods),
            surprises=_added(self.surprises, surprises),
            spreads=_added(self.spreads, spreads),
            deviations=_added(self.deviations, deviations),
            variances=_added(self.variances, variances),
        )

    @property
    def log_evidence(self) -> float:
        """The logarithm of the e-value against the claim of `Worse`, whose margin is 0.

        Of the failures of a step the canary's share is its share of the requests on average, where
        it is not worse, and however these failures hang together.
        """
        return log_sum(log_mean(self.started, _EVEN), log(to_come(self.steps)))

    @property
    def factor(self) -> float:
        """How many failures come together, in the mean over failures; 1: no clusters are seen."""
        place = max(range(len(FITTED)), key=lambda place: self.likelihoods[place])
        if self.surprises[place] - self.steps <= _SURE * sqrt(self.spreads[place]):
            return 1.0
        return min(max(self.deviations[place] / self.variances[place], 1.0), _WIDEST)

    def bar(self, needed: float) -> float:
        """Return which `log_evidence` is asked for beside evidence of `needed` by `Worse`."""
        return needed if self.factor > 1 else log(_ANYHOW)

    def document(self) -> dict[str, Any]:
        """Return what the steps have added, for JSON."""
        sums = {name: list(getattr(self, name)) for name in _SUMS}
        return {"started": list(self.started), "steps": self.steps, **sums}

    def restored(self, document: Mapping[str, Any]) -> Self:
        """Return this with what `document` has of the steps.

        Raises:
            ValueError: it is not such a document.
        """
        (steps,) = numbers([document.get("steps")], 1)
        return replace(
            self,
            started=numbers(document.get("started"), len(BETS)),
            steps=int(steps),
            **{name: numbers(document.get(name), len(FITTED)) for name in _SUMS},
        )


def _fit(ratio: float, share: float, canary_bad: float, bad: float) -> tuple[float, ...]:
    """Return what a split adds to each sum, if the canary fails by this ratio more often."""
    spread = (ratio - 1) * share
    expected = ratio * share / (1 + spread)
    variance = expected * (1 - expected)
    deviation = (canary_bad - bad * expected) ** 2
    likelihood = canary_bad * log(ratio) - bad * log1p(spread)
    # Of a binomial number that is standardised and squared; less than 0 only by rounding.
    of_square = max(2 + (1 - 6 * variance) / (bad * variance), 0.0)
    return likelihood, deviation / (bad * variance), of_square, deviation, bad * variance


def _added(sums: tuple[float, ...], terms: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum_ + term for sum_, term in zip(sums, terms, strict=True))


_SUMS: Final = ("likelihoods", "surprises", "spreads", "deviations", "variances")
_EVEN: Final = (1 / len(BETS),) * len(BETS)
