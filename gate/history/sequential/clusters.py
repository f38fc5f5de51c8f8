"""Clusters of failures: evidence in which each step counts once, however many failed in it.

`Worse` treats every failure as a separate piece of evidence. A process that restarts, or a client
that retries, makes several failures of one event, all on the same side, and by chance that is the
canary. The results of this module hold for any dependence of the failures within one step.
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
"""The shares of the evidence that are lost in a step in which only the baseline fails."""
FITTED: Final = (1.0, *RATIOS)
"""The ratios of the canary's failures to the baseline's of which the most likely one is assumed, so
that a canary that is constantly worse does not look like clusters."""
_SURE: Final = 1.5
"""The excess variation of the split, in standard deviations, from which clusters are assumed."""
_WIDEST: Final = 100.0
_FEWEST: Final = 0.5
"""The fewest failures of a step whose split counts; fewer are remainders of extrapolation."""
_ANYHOW: Final = 2.0
"""The evidence that is required without clusters: more than one step must contribute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The split of the failures of each step between the canary and the baseline."""

    started: tuple[float, ...] = (log(FROM_THE_START),) * len(BETS)
    """The natural logarithm of the evidence by bet, over all start times until now."""
    steps: int = 0
    """The steps with failures in which both had traffic."""
    likelihoods: tuple[float, ...] = (0.0,) * len(FITTED)
    """The logarithm of the likelihood of the splits, for each of `FITTED`."""
    surprises: tuple[float, ...] = (0.0,) * len(FITTED)
    """The sum of squared standardised deviations of the splits, with a mean of 1 per step."""
    spreads: tuple[float, ...] = (0.0,) * len(FITTED)
    """The sum of the variances of these squares."""
    deviations: tuple[float, ...] = (0.0,) * len(FITTED)
    """The sum of squared deviations of the splits."""
    variances: tuple[float, ...] = (0.0,) * len(FITTED)
    """The expected value of these if failures are independent."""

    def after(self, step: ComparedStep) -> Self:
        """Return the evidence with one more step; a step without a comparison adds nothing.

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

        Among the failures of a step the canary's expected share is its share of the requests, if it
        is not worse, whatever the dependence of these failures.
        """
        return log_sum(log_mean(self.started, _EVEN), log(to_come(self.steps)))

    @property
    def factor(self) -> float:
        """The mean number of failures in a cluster, per failure; 1: no clusters were seen."""
        place = max(range(len(FITTED)), key=lambda place: self.likelihoods[place])
        if self.surprises[place] - self.steps <= _SURE * sqrt(self.spreads[place]):
            return 1.0
        return min(max(self.deviations[place] / self.variances[place], 1.0), _WIDEST)

    def bar(self, needed: float) -> float:
        """Return the `log_evidence` required beside evidence of `needed` by `Worse`."""
        return needed if self.factor > 1 else log(_ANYHOW)

    def document(self) -> dict[str, Any]:
        """Return the sums of the steps, for JSON."""
        sums = {name: list(getattr(self, name)) for name in _SUMS}
        return {"started": list(self.started), "steps": self.steps, **sums}

    def restored(self, document: Mapping[str, Any]) -> Self:
        """Return the evidence with the sums in a `document`.

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
    """Return the addition of a split to each sum if the canary's failure ratio has this factor."""
    spread = (ratio - 1) * share
    expected = ratio * share / (1 + spread)
    variance = expected * (1 - expected)
    deviation = (canary_bad - bad * expected) ** 2
    likelihood = canary_bad * log(ratio) - bad * log1p(spread)
    # The variance of a standardised binomial number squared; below 0 only by rounding.
    of_square = max(2 + (1 - 6 * variance) / (bad * variance), 0.0)
    return likelihood, deviation / (bad * variance), of_square, deviation, bad * variance


def _added(sums: tuple[float, ...], terms: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum_ + term for sum_, term in zip(sums, terms, strict=True))


_SUMS: Final = ("likelihoods", "surprises", "spreads", "deviations", "variances")
_EVEN: Final = (1 / len(BETS),) * len(BETS)
