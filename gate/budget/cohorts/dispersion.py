"""How much less a number of failures tells when they come in bursts.

A test on counts takes every event for a coin thrown by itself. In an outage a thousand requests
fail together: that is one accident and not a thousand. So the variance is estimated from how the
failures are spread over the steps (cluster-robust: what happens within a step may hang together in
any way, steps are taken as independent), and counts are divided by how many times it is that of
coins: the design effect.

Source: J. N. K. Rao and A. J. Scott, "A simple method for the analysis of clustered binary data",
Biometrics 48 (1992), 577-585; here one effect for the comparison, in which a burst that hits both
groups cancels out, in place of one for each group.
"""

from collections.abc import Sequence
from typing import Final

from gate.budget.cohorts.arms import Arm, Pair

FEWEST_STEPS: Final = 10
"""With events, of each group: in fewer it cannot be told how failures are spread."""


def design_effect(pairs: Sequence[Pair]) -> float:
    """Return by how much counts are to be divided before they are tested, at least 1.

    Of the Mantel-Haenszel ratio over the pairs (strata), which of one pair is the plain ratio: its
    logarithm is linear in the failures for small changes, so its variance is that of the weighted
    sum of the residuals by step. Where one of the groups has no failure, of the difference.

    The factor m / (m - 3) for m steps makes up for the mean being estimated from the same data,
    and for Student's t with m - 1 degrees being wider than the normal distribution.
    """
    weights = [_weights(pair) for pair in pairs]
    up = sum(pair.table.bad * own for pair, (own, _) in zip(pairs, weights, strict=True))
    down = sum(pair.table.rest_bad * other for pair, (_, other) in zip(pairs, weights, strict=True))
    scale = (1 / up, 1 / down) if up > 0 and down > 0 else (1.0, 1.0)
    steps = [0.0] * len(pairs[0].group.total)
    coins = 0.0
    for pair, (own, other) in zip(pairs, weights, strict=True):
        factors = own * scale[0], other * scale[1]
        both = zip(pair.group.residuals(), pair.rest.residuals(), strict=True)
        for place, (mine, theirs) in enumerate(both):
            steps[place] += factors[0] * mine - factors[1] * theirs
        coins += factors[0] ** 2 * _binomial(pair.group) + factors[1] ** 2 * _binomial(pair.rest)
    return _effect(steps, coins, fewest_steps(pairs))


def own_effect(one: Arm) -> float:
    """Return the design effect of one group's own error ratio, at least 1."""
    return _effect(one.residuals(), _binomial(one), one.busy_steps)


def fewest_steps(pairs: Sequence[Pair]) -> int:
    """Return in how many steps the group, or the rest, had events: the smaller number."""
    return min(
        sum(any(step) for step in zip(*(arm.total for arm in arms), strict=True))
        for arms in ([pair.group for pair in pairs], [pair.rest for pair in pairs])
    )


def _effect(residuals: Sequence[float], coins: float, steps: int) -> float:
    if coins <= 0 or steps < FEWEST_STEPS:
        return 1.0
    clustered = sum(one * one for one in residuals) * steps / (steps - 3)
    return max(clustered / coins, 1.0)


def _weights(pair: Pair) -> tuple[float, float]:
    table = pair.table
    if not table.events:
        return 0.0, 0.0
    return table.rest_total / table.events, table.total / table.events


def _binomial(one: Arm) -> float:
    """Return the variance of the failures, were each event a coin."""
    total, bad = one.sums
    return bad * (total - bad) / total if total else 0.0
