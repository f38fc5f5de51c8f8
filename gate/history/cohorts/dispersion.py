"""How much less a number of failures tells when they come in bursts.

A test on counts takes every event for a coin thrown by itself. In an outage a thousand requests
fail together: that is one accident and not a thousand. So the variance is estimated from how the
failures are spread over time (cluster-robust: what happens within a stretch may hang together in
any way, stretches are taken as independent), and counts are divided by how many times it is that of
coins: the design effect. The stretches are of 1, 2, 4 and 8 steps, for bursts of any such length,
and the largest effect counts.

Source: J. N. K. Rao and A. J. Scott, "A simple method for the analysis of clustered binary data",
Biometrics 48 (1992), 577-585; here one effect for the comparison, in which a burst that hits both
groups cancels out, in place of one for each group.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from gate.history.cohorts.arms import Arm, Pair

FEWEST_STEPS: Final = 10
"""With events, of each group: in fewer it cannot be told how failures are spread."""
_STRETCHES: Final = (1, 2, 4, 8)
"""In steps."""
_FEWEST_STRETCHES: Final = 20
"""Of longer ones there are at least so many."""
Strata = Sequence[Pair]


def shared_effects(comparisons: Sequence[Strata]) -> list[float]:
    """Return the design effects of comparisons whose failures come about in the same way.

    A group that had few bursts by luck also looks as if it were calm: by itself it would seem sure
    to differ from the others. So each is taken to be at least as bursty as all are together: by
    their mean correlation between the events of a step, weighted by traffic.
    """
    own = [design_effect(strata) for strata in comparisons]
    events = [_events(strata) for strata in comparisons]
    crowds = [_crowd(strata) - 1 for strata in comparisons]
    excess = sum((effect - 1) * weight for effect, weight in zip(own, events, strict=True))
    pairs = sum(crowd * weight for crowd, weight in zip(crowds, events, strict=True))
    correlation = excess / pairs if pairs > 0 else 0.0
    return [max(effect, 1 + correlation * crowd) for effect, crowd in zip(own, crowds, strict=True)]


def design_effect(strata: Strata) -> float:
    """Return by how much counts are to be divided before they are tested, at least 1.

    Of the Mantel-Haenszel ratio over the pairs (strata), which of one pair is the plain ratio: its
    logarithm is linear in the failures for small changes, so its variance is that of the weighted
    sum of the residuals by stretch. Where one of the groups has no failure, of the difference.
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
    return _effect(steps, coins, fewest_steps(strata))


def own_effect(arm: Arm) -> float:
    """Return the design effect of one group's own error ratio, at least 1."""
    return _effect(arm.residuals(), _binomial(arm), arm.busy_steps)


def fewest_steps(strata: Strata) -> int:
    """Return in how many steps the group, or the rest, had events: the smaller number."""
    return min(
        sum(any(step) for step in zip(*(arm.total for arm in arms), strict=True))
        for arms in ([pair.group for pair in strata], [pair.rest for pair in strata])
    )


def _effect(residuals: Sequence[float], coins: float, steps: int) -> float:
    if coins <= 0 or steps < FEWEST_STEPS:
        return 1.0
    return max(1.0, *(spread / coins for spread in _spreads(residuals, steps)))


def _spreads(residuals: Sequence[float], steps: int) -> Iterator[float]:
    """Yield the variance of the sum of the residuals, estimated from stretches of each length.

    The factor m / (m - 3) for m stretches makes up for the mean being estimated from the same
    data, and for Student's t with m - 1 degrees being wider than the normal distribution.
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
    """Return with how many others of its group, itself among them, an event shares its step."""
    events = _events(strata)
    by_step = zip(*(pair.group.total for pair in strata), strict=True)
    return sum(sum(step) ** 2 for step in by_step) / events if events else 1.0


def _weights(pair: Pair) -> tuple[float, float]:
    table = pair.table
    if not table.events:
        return 0.0, 0.0
    return table.rest_total / table.events, table.total / table.events


def _binomial(arm: Arm) -> float:
    """Return the variance of the failures, were each event a coin."""
    total, bad = arm.sums
    return bad * (total - bad) / total if total else 0.0
