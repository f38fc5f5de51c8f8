"""Sequential tests of a canary's failures, which may be evaluated at any time and repeatedly.

All of them rest on one inequality. Let n requests of the canary fail with the average probability p
in a step, and m of the baseline with q, each independently of the others: x and y fail. For b > 0
with b n < m, as 1 + z <= exp(z),

E[(1 + b)^x] <= exp(b n p)   and   E[(1 - b n / m)^y] <= exp(-b n q).

The product of (1 + b)^x (1 - b n / m)^y exp(-b n d) over the steps is then a supermartingale where
p - q <= d in each step. It reaches 1 / alpha with a probability of at most alpha, however often one
looks (Ville's inequality); so does a mean over several b. `docs/watch-statistics.md` has the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import exp, inf, isfinite, log, log1p
from typing import Any, Final, NamedTuple, Self

from gate.dataclass import dataclass

RATIOS: Final = (1.25, 1.5, 2.0, 3.0, 5.0, 8.0, 13.0, 30.0)
"""The ratios of the canary's failures to the baseline's that `Worse` tests, with equal weights. A
ratio r in a step is b = (r - 1) m / (r n + m) there, which is valid for any n and m."""
FROM_THE_START: Final = 0.7
"""The weight of the hypothesis in `Worse` that the canary is worse from its first request on; the
rest is for a canary that becomes worse later."""
_PACE: Final = 20.0
"""The pace, in failures (or steps): of the remaining weight a share of 1 - (1 + s / _PACE)^-0.5 has
started after s."""
_LARGEST: Final = 709.0
"""The logarithm of the largest float, approximately."""


class ComparedStep(NamedTuple):
    """The counts of one step. They need not be whole, as some servers extrapolate."""

    canary_total: float
    canary_bad: float
    baseline_total: float = 0.0
    """0 for a baseline without traffic, or without a baseline."""
    baseline_bad: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Worse:
    """Evidence that the canary fails more often than the baseline by more than a margin.

    The null hypothesis is that in no step the canary's failure ratio was above the baseline's by
    more than the margin, whatever both ratios and the canary's share of the traffic were. So
    outages that affect both raise no alarm.
    """

    margin: float = 0.0
    """The margin as a share of the canary's requests, at least 0; for a canary alone its allowed
    ratio."""
    alone: bool = False
    """Whether the canary has no baseline, so that its own ratio is compared with the margin."""
    lasting: bool = False
    """Whether the canary is worse from its first request on, or not at all: for a canary alone the
    hypothesis is then about the average over all of its requests. Else it may become worse
    later."""
    stake: float = 0.0
    """The failures of both until now, and the number of the canary's requests that the margin
    allows to fail."""
    started: tuple[float, ...] = (log(FROM_THE_START),) * len(RATIOS)
    """The natural logarithm of the evidence by ratio, over all start times until now."""

    def after(self, step: ComparedStep) -> Self:
        """Return the evidence with one more step; both must have traffic in it to add anything.

        Raises:
            ValueError: a count is negative or not finite.
        """
        canary, canary_bad, baseline, baseline_bad = checked(step)
        if canary <= 0 or (baseline <= 0 and not self.alone):
            return self
        share = 0.0 if self.alone else canary / (canary + baseline)
        bad = canary_bad if self.alone else canary_bad + baseline_bad
        allowed = self.margin * canary
        if not bad and not allowed:
            return self
        stake = self.stake + bad + allowed
        begun = 0.0 if self.lasting else to_come(self.stake) - to_come(stake)
        begins = log(begun) if begun > 0 else -inf  # starts after this step
        started = tuple(
            log_sum(evidence + _gain(ratio, share, canary_bad, bad, allowed), begins)
            for evidence, ratio in zip(self.started, RATIOS, strict=True)
        )
        return replace(self, stake=stake, started=started)

    @property
    def log_evidence(self) -> float:
        """The natural logarithm of the e-value, which may itself exceed a float.

        At log(1 / alpha) the null hypothesis is rejected at the level alpha.
        """
        evidence = log_mean(self.started, _EVEN)
        if self.lasting:
            return evidence - log(FROM_THE_START)
        rest = to_come(self.stake)
        return log_sum(evidence, log(rest)) if rest > 0 else evidence

    def document(self) -> dict[str, Any]:
        """Return the sums of the steps, for JSON."""
        return {"stake": self.stake, "started": list(self.started)}

    def restored(self, document: Mapping[str, Any]) -> Self:
        """Return this evidence with the sums in a `document`.

        Raises:
            ValueError: it is not such a document.
        """
        (stake,) = numbers([document.get("stake")], 1)
        return replace(self, stake=stake, started=numbers(document.get("started"), len(RATIOS)))


def worse_evidence(steps: Iterable[ComparedStep], *, margin: float = 0.0) -> float:
    """Return the e-value of `Worse` after all of these steps; infinite above the largest float."""
    worse = Worse(margin=margin)
    for step in steps:
        worse = worse.after(step)
    return exp(worse.log_evidence) if worse.log_evidence < _LARGEST else inf


def checked(step: ComparedStep) -> ComparedStep:
    """Return the step if it is valid.

    Raises:
        ValueError: a count is negative or not finite.
    """
    if not all(isfinite(count) and count >= 0 for count in step):
        raise ValueError("each count of a step is a finite number of at least 0")
    return step


def numbers(values: object, count: int) -> tuple[float, ...]:
    """Return this many numbers from a document.

    Raises:
        ValueError: the document has other values.
    """
    if not isinstance(values, Sequence) or len(values) != count:
        raise ValueError("the kept state does not have the numbers of this version")
    if not all(type(value) in (int, float) and isfinite(value) for value in values):
        raise ValueError("the kept state has something that is not a number")
    return tuple(map(float, values))


def log_mean(logarithms: Sequence[float], weights: Sequence[float]) -> float:
    """Return the logarithm of the mean of numbers, given their logarithms.

    Args:
        logarithms: minus infinity means 0; not all of them.
        weights: above 0, and 1 together.
    """
    largest = max(logarithms)
    pairs = zip(logarithms, weights, strict=True)
    return largest + log(sum(weight * exp(logarithm - largest) for logarithm, weight in pairs))


def _gain(ratio: float, share: float, canary_bad: float, bad: float, allowed: float) -> float:
    """Return the addition of a step to the logarithm of the evidence for a ratio."""
    spread = log1p((ratio - 1) * share)  # (1 + b)^x (1 - b n / m)^y is ratio^x exp(-spread)^(x + y)
    lift = (ratio - 1) * (1 - share) * exp(-spread)
    return canary_bad * log(ratio) - bad * spread - lift * allowed


def to_come(stake: float) -> float:
    """Return the weight of the evidence for canaries that become worse later than this.

    Args:
        stake: the failures, or steps, until now.
    """
    return float((1 - FROM_THE_START) * (1 + stake / _PACE) ** -0.5)


def log_sum(logarithm: float, other: float) -> float:
    """Return the logarithm of a sum; minus infinity is 0, but not for both."""
    larger, smaller = max(logarithm, other), min(logarithm, other)
    return larger + log1p(exp(smaller - larger))


_EVEN: Final = (1 / len(RATIOS),) * len(RATIOS)
