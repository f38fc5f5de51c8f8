"""Bounds of a canary's excess failures that hold at all times together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import inf, log, log1p, log2
from typing import Any, Final, Self

from gate.dataclass import dataclass
from gate.history.sequential import ComparedStep, checked, log_mean, numbers

DROPS: Final = (0.95, 0.85, 0.7, *(0.5 * 2 ** (-place / 2) for place in range(24)))
"""The values of a for an upper bound, each 0 to 1: smaller values fit more requests."""
LIFTS: Final = tuple(2.0**power for power in range(5, -13, -1))
"""The values of b for a lower bound, above 0."""
_USUAL: Final = 11
"""The first values of each, which have half of the weight: they decide in watches of usual
length."""
_HALVINGS: Final = 50
_LONGEST: Final = 2.0**40
"""The outlook covers at most this many times the requests until now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """The excess of the canary's failure ratio over the baseline's, averaged over its requests.

    With p and q the ratios of a step and n the canary's requests it is sum n (p - q) / sum n. If
    the baseline has no traffic q is unknown, and the bounds assume the worst for the canary: q is 0
    in an upper bound, and 1 in a lower one. A canary alone is compared with 0.
    """

    alone: bool = False
    """Whether the canary has no baseline, so that this is its own failure ratio."""
    canary_total: float = 0.0
    canary_bad: float = 0.0
    expected_bad: float = 0.0
    """The canary's failures expected at the baseline's ratio of the same steps."""
    drops: tuple[float, ...] = (0.0,) * len(DROPS)
    """The addition of the baseline's failures to the logarithm of the evidence, for each of
    `DROPS`."""
    lifts: tuple[float | None, ...] = (0.0,) * len(LIFTS)
    """The same for each of `LIFTS`; None: in some step the canary's share of the traffic was too
    large."""

    def after(self, step: ComparedStep) -> Self:
        """Return the excess with one more step.

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
        """The canary's failures minus those expected at the baseline's ratio; negative: fewer."""
        return self.canary_bad - self.expected_bad

    @property
    def ratio(self) -> float | None:
        """The excess as a share of the canary's requests; None: it had no requests."""
        return self.excess_bad / self.canary_total if self.canary_total > 0 else None

    def log_evidence_below(self, margin: float) -> float:
        """Return the logarithm of the e-value against an excess of at least the margin.

        At log(1 / alpha) an excess of at least the margin is rejected at the level alpha.
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

        Each holds at all times together with a probability of at least 1 - alpha. Without evidence
        they are -1 (0 for a canary alone) and 1.

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
        """Return about how many further requests of the canary show that it is within the margin.

        It assumes that both continue to fail as until now; 0: it is shown already. None: this ratio
        cannot show it, or there were no requests yet.

        Args:
            margin: the margin as a share of the canary's requests.
            alpha: the level, above 0 and below 1.
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
        """Return the sums of the steps, for JSON."""
        return {
            "canary": [self.canary_total, self.canary_bad, self.expected_bad],
            "drops": list(self.drops),
            "lifts": list(self.lifts),
        }

    def restored(self, document: Mapping[str, Any]) -> Self:
        """Return the excess with the sums in a `document`.

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
        """Return `log_evidence_below` after this many times the present requests."""
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
    """Return two neighbouring numbers; only the higher meets the condition."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return low, high


def _weights(count: int) -> tuple[float, ...]:
    """Return the weights of this many values in the mean of the evidence."""
    others = count - _USUAL
    return (0.5 / _USUAL,) * _USUAL + (0.5 / others,) * others


_DROP_WEIGHTS: Final = _weights(len(DROPS))
_LIFT_WEIGHTS: Final = _weights(len(LIFTS))
