"""Bounds on how much more often a canary fails, which hold at all times together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import inf, log, log1p, log2
from typing import Any, Final, Self

from gate.dataclass import dataclass
from gate.history.sequential import ComparedStep, checked, log_mean, numbers

DROPS: Final = (0.95, 0.85, 0.7, *(0.5 * 2 ** (-place / 2) for place in range(24)))
"""The values of a for an upper bound, each 0 to 1: the smaller, the more requests it is for."""
LIFTS: Final = tuple(2.0**power for power in range(5, -13, -1))
"""The values of b for a lower bound, above 0."""
_USUAL: Final = 11
"""The first of each, which share half of the weight: they decide in watches of usual length."""
_HALVINGS: Final = 50
_LONGEST: Final = 2.0**40
"""How many times as many requests as there were an outlook looks ahead to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """By how much the canary's failure ratio is above the baseline's, on average over its requests.

    With p and q the ratios of a step and n the canary's requests this is sum n (p - q) / sum n.
    Where the baseline has no traffic q is not known, and nothing is held in the canary's favour: q
    counts as 0 in an upper bound, and as 1 in a lower one. The canary alone is compared with 0.
    """

    alone: bool = False
    """Whether there is no baseline, so that this is about the canary's own failure ratio."""
    canary_total: float = 0.0
    canary_bad: float = 0.0
    expected_bad: float = 0.0
    """What of the canary's would have failed at the baseline's ratio of the same steps."""
    drops: tuple[float, ...] = (0.0,) * len(DROPS)
    """What the baseline's failures add to the logarithm of the evidence, for each of `DROPS`."""
    lifts: tuple[float | None, ...] = (0.0,) * len(LIFTS)
    """The same for each of `LIFTS`; None: the canary had too much of the traffic for it once."""

    def after(self, step: ComparedStep) -> Self:
        """Return it with one more step.

        Raises:
            ValueError: a count is negative or not finite.
        """
        canary, canary_bad, baseline, baseline_bad = checked(step)
        drops, lifts, expected_bad = self.drops, self.lifts, self.expected_bad
        if not self.alone and baseline > 0:
            odds = canary / baseline
            expected_bad += baseline_bad * odds
            pairs = zip(self.drops, DROPS, strict=True)
            drops = tuple(sum_ + baseline_bad * log1p(drop * odds) for sum_, drop in pairs)
            lifts = tuple(
                _lifted(sum_, lift * odds, baseline_bad)
                for sum_, lift in zip(self.lifts, LIFTS, strict=True)
            )
        elif not self.alone:
            lifts = tuple(
                None if sum_ is None else sum_ - lift * canary
                for sum_, lift in zip(self.lifts, LIFTS, strict=True)
            )
        return replace(
            self,
            canary_total=self.canary_total + canary,
            canary_bad=self.canary_bad + canary_bad,
            expected_bad=expected_bad,
            drops=drops,
            lifts=lifts,
        )

    @property
    def excess_bad(self) -> float:
        """The canary's failures beyond those at the baseline's ratio; negative: fewer."""
        return self.canary_bad - self.expected_bad

    @property
    def ratio(self) -> float | None:
        """The excess itself, as a share of the canary's requests; None: it had no request."""
        return self.excess_bad / self.canary_total if self.canary_total > 0 else None

    def log_evidence_below(self, margin: float) -> float:
        """Return the logarithm of the e-value against an excess of at least the margin.

        At log(1 / alpha) it is shown that the excess is less than the margin, at the level alpha.
        """
        return self._log_below(margin, 1.0)

    def log_evidence_above(self, margin: float) -> float:
        """Return the logarithm of the e-value against an excess of at most the margin."""
        requests = self.canary_total
        logarithms = [
            -inf
            if sum_ is None
            else sum_ + log1p(lift) * self.canary_bad - lift * margin * requests
            for sum_, lift in zip(self.lifts, LIFTS, strict=True)
        ]
        return log_mean(logarithms, _LIFT_WEIGHTS) if max(logarithms) > -inf else -inf

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the lower and the upper bound, as shares of the canary's requests.

        Each holds at all times together with a probability of at least 1 - alpha. They are -1 (0
        where the canary is alone) and 1 where nothing narrower is shown.

        Args:
            alpha: above 0 and below 1.
        """
        needed, least = log(1 / alpha), 0.0 if self.alone else -1.0
        lower = upper = None
        if self.log_evidence_above(least) >= needed:
            lower = _crossing(lambda margin: self.log_evidence_above(margin) < needed, least, 1.0)
        if self.log_evidence_below(1.0) >= needed:
            upper = _crossing(lambda margin: self.log_evidence_below(margin) >= needed, least, 1.0)
        return least if lower is None else lower[0], 1.0 if upper is None else upper[1]

    def outlook(self, margin: float, alpha: float) -> float | None:
        """Return about how many requests of the canary are missing until it is within the margin.

        As many as it takes where both go on to fail as they did until now; 0: it is shown. None:
        it is not to be shown at this ratio, or there was no request yet.

        Args:
            margin: share of the canary's requests.
            alpha: above 0 and below 1.
        """
        needed = log(1 / alpha)
        if self._log_below(margin, 1.0) >= needed:
            return 0.0
        if self.canary_total <= 0 or self._log_below(margin, _LONGEST) < needed:
            return None
        _, power = _crossing(
            lambda power: self._log_below(margin, 2.0**power) >= needed, 0.0, log2(_LONGEST)
        )
        return float(2.0**power - 1) * self.canary_total

    def document(self) -> dict[str, Any]:
        """Return what the steps have added, for JSON."""
        return {
            "canary": [self.canary_total, self.canary_bad, self.expected_bad],
            "drops": list(self.drops),
            "lifts": list(self.lifts),
        }

    def restored(self, document: Mapping[str, Any]) -> Self:
        """Return this with what `document` has of the steps.

        Raises:
            ValueError: it is not such a document.
        """
        canary_total, canary_bad, expected_bad = numbers(document.get("canary"), 3)
        lifts = document.get("lifts")
        given = (
            [0.0 if sum_ is None else sum_ for sum_ in lifts] if isinstance(lifts, list) else lifts
        )
        sums = numbers(given, len(LIFTS))
        return replace(
            self,
            canary_total=canary_total,
            canary_bad=canary_bad,
            expected_bad=expected_bad,
            drops=numbers(document.get("drops"), len(DROPS)),
            lifts=tuple(
                None if kept is None else sum_ for kept, sum_ in zip(lifts or (), sums, strict=True)
            ),
        )

    def _log_below(self, margin: float, times: float) -> float:
        """Return `log_evidence_below` after this many times as much as was seen."""
        allowed = margin * self.canary_total
        logarithms = [
            (sum_ + log1p(-drop) * self.canary_bad + drop * allowed) * times
            for sum_, drop in zip(self.drops, DROPS, strict=True)
        ]
        return log_mean(logarithms, _DROP_WEIGHTS)


def excess_bounds(steps: Iterable[ComparedStep], alpha: float) -> tuple[float, float]:
    """Return `Excess.bounds` after all of these steps."""
    excess = Excess()
    for step in steps:
        excess = excess.after(step)
    return excess.bounds(alpha)


def _lifted(sum_: float | None, lift: float, baseline_bad: float) -> float | None:
    return None if sum_ is None or lift >= 1 else sum_ + baseline_bad * log1p(-lift)


def _crossing(holds: Callable[[float], bool], low: float, high: float) -> tuple[float, float]:
    """Return two neighbouring numbers of which only the higher holds, as the highest does."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return low, high


def _weights(count: int) -> tuple[float, ...]:
    """Return what each of this many values weighs in the mean of the evidence."""
    others = count - _USUAL
    return (0.5 / _USUAL,) * _USUAL + (0.5 / others,) * others


_DROP_WEIGHTS: Final = _weights(len(DROPS))
_LIFT_WEIGHTS: Final = _weights(len(LIFTS))
