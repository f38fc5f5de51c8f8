"""Tests and intervals for two shares of failures, and the smallest detectable difference."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from math import erfc, exp, inf, lgamma, log, sqrt
from statistics import NormalDist
from typing import Final

from gate.history.differences import Table


def two_sided(z: float) -> float:
    """Return the probability that a standard normal number is at least this far from 0, 0 to 1."""
    return erfc(abs(z) / sqrt(2))


def critical(level: float) -> float:
    """Return the number with a tail probability of ``level``, two-sided; 0 < level < 1."""
    return -NormalDist().inv_cdf(level / 2)


_HALVINGS: Final = 60
"""The halvings of an interval: the rest is as small as a float can be."""
LEVEL: Final = 0.05
"""The probability of a false difference, over all comparisons together."""
POWER: Final = 0.8
"""The probability with which the smallest detectable effect is seen."""
_FEW: Final = 5.0
"""The fewest expected events in a cell for the normal approximation."""
_WIDEST: Final = 40.0
"""The search for ratios is limited to exp(-40) to exp(40)."""


class Method(StrEnum):
    """The method of a probability. The names are part of the JSON report."""

    EXACT = "exact"
    """Fisher's test with the mid-p value."""
    SCORE = "score"
    """The chi-squared test with N - 1."""
    STRATIFIED = "stratified"
    """The test of Cochran, Mantel and Haenszel."""


def compare(table: Table) -> tuple[float, Method]:
    """Return the probability of at least this difference if the shares are equal, and the method.

    Args:
        table: whole numbers; total and rest_total are above 0.
    """
    cells = [
        total * other / table.events
        for total in (table.total, table.rest_total)
        for other in (table.failed, table.events - table.failed)
    ]
    if min(cells) < _FEW:
        return mid_p_value(table), Method.EXACT
    return two_sided(_score(table, 1.0)), Method.SCORE


def mid_p_value(table: Table) -> float:
    """Return Fisher's two-sided mid-p value: less likely tables, and half of the equally likely.

    Fisher's own value is conservative where counts are small; the mid-p value holds its level
    closely. Sources: H. O. Lancaster, "Significance tests in discrete distributions", Journal of
    the American Statistical Association 56 (1961), 223-234; S. Lydersen, M. W. Fagerland and
    P. Laake, "Recommended tests for association in 2 x 2 tables", Statistics in Medicine 28 (2009).
    """
    first, second = round(table.total), round(table.rest_total)
    failed, mine = round(table.failed), round(table.bad)
    every = _choices(first + second, failed)
    likely = {
        bad: exp(_choices(first, bad) + _choices(second, failed - bad) - every)
        for bad in range(max(0, failed - second), min(first, failed) + 1)
    }
    seen = likely[mine] * (1 + 1e-7)  # equally likely, up to errors of floats
    less = sum(probability for probability in likely.values() if probability <= seen)
    return min(less - likely[mine] / 2, 1.0)


def score_interval(table: Table, level: float = LEVEL) -> tuple[float, float]:
    """Return the score interval of the ratio of the shares: 0 <= low <= ratio <= high <= infinity.

    It contains the ratios that the score test would not reject, so it agrees with `compare` where
    that uses the score; 0 failures are handled. Source: O. Miettinen and M. Nurminen, "Comparative
    analysis of two rates", Statistics in Medicine 4 (1985), 213-226.
    """
    z = critical(level)
    low = _solve(lambda ratio: _score(table, ratio) > z) if table.bad else 0.0
    high = _solve(lambda ratio: _score(table, ratio) > -z) if table.rest_bad else inf
    return low, high


def ratio_of(table: Table) -> float | None:
    """Return the group's failure ratio relative to the rest's; None without failures."""
    if not table.failed:
        return None
    share = table.bad / table.total
    return share * table.rest_total / table.rest_bad if table.rest_bad else inf


def detectable(table: Table, level: float) -> float | None:
    """Return the smallest failure ratio, above the rest's, that such a sample would show.

    It is detected in `POWER` of all samples of the same size, by a two-sided test at this level
    (normal approximation, pooled variance without a difference). None: not even if everything
    failed. Source: J. L. Fleiss, "Statistical Methods for Rates and Proportions", chapter on sample
    size.
    """
    rest = table.rest_bad / table.rest_total
    z, power = critical(level), critical(2 * (1 - POWER))
    part = table.total / table.events

    def shows(share: float) -> bool:
        pooled = part * share + (1 - part) * rest
        even = sqrt(pooled * (1 - pooled) * (1 / table.total + 1 / table.rest_total))
        apart = share * (1 - share) / table.total + rest * (1 - rest) / table.rest_total
        return share - rest >= z * even + power * sqrt(apart)

    low, high = rest, 1.0
    all_fail = replace(table, bad=table.total).whole()
    if not shows(high) or compare(all_fail)[0] > level:
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high


def _score(table: Table, ratio: float) -> float:
    """Return how far the shares are from this ratio, in standard deviations under it."""
    a = table.events * ratio
    b = table.total * ratio + table.bad + table.rest_total + table.rest_bad * ratio
    share = (b - sqrt(max(b * b - 4 * a * table.failed, 0.0))) / (2 * a)  # of the rest, likeliest
    mine = min(share * ratio, 1.0)
    variance = mine * (1 - mine) / table.total + ratio**2 * share * (1 - share) / table.rest_total
    apart = table.bad / table.total - ratio * table.rest_bad / table.rest_total
    if variance <= 0:
        return 0.0
    return apart / sqrt(variance * table.events / (table.events - 1))


def _solve(above: Callable[[float], bool]) -> float:
    """Return the largest ratio that satisfies a condition."""
    low, high = -_WIDEST, _WIDEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if above(exp(middle)) else (low, middle)
    return exp((low + high) / 2)


def _choices(every: int, some: int) -> float:
    """Return the logarithm of the number of combinations."""
    return lgamma(every + 1) - lgamma(some + 1) - lgamma(every - some + 1)


_FEW_IN_A_STRATUM: Final = 5.0
"""The difference that Mantel and Fleiss require between the expected and the possible count."""


def cmh(strata: Sequence[Table], effect: float = 1.0) -> float | None:
    """Return the probability of at least this difference if no stratum has a difference.

    None: too few events, by the criterion of Mantel and Fleiss.

    Args:
        strata: the counts of each stratum.
        effect: the design effect, by which the evidence is divided.
    """
    both = [table for table in strata if table.total and table.rest_total and table.events > 1]
    expected = sum(table.total * table.failed / table.events for table in both)
    least = sum(max(0.0, table.failed - table.rest_total) for table in both)
    most = sum(min(table.total, table.failed) for table in both)
    if min(expected - least, most - expected) / effect < _FEW_IN_A_STRATUM:
        return None
    apart = sum(table.bad for table in both) - expected
    variance = sum(
        table.total
        * table.rest_total
        * table.failed
        * (table.events - table.failed)
        / (table.events**2 * (table.events - 1))
        for table in both
    )
    return two_sided(apart / sqrt(variance * effect))


def common_ratio(strata: Sequence[Table]) -> float:
    """Return the Mantel-Haenszel ratio; some stratum must have both groups and failures."""
    up, down = _parts(strata)
    return up / down if down else inf


def common_interval(
    strata: Sequence[Table], effect: float = 1.0, level: float = LEVEL
) -> tuple[float, float]:
    """Return the interval of the Mantel-Haenszel ratio, by Greenland and Robins' variance.

    If one side never failed, the ratio has a bound only on the other side.
    """
    up, down = _parts(strata)
    if not up or not down:
        return _one_sided(strata, effect, level, all_are_the_groups=not down)
    spread = sum(
        (table.total * table.rest_total * table.failed - table.bad * table.rest_bad * table.events)
        / table.events**2
        for table in strata
        if table.events
    )
    half = critical(level) * sqrt(effect * spread / (up * down))
    centre = log(up / down)
    return exp(centre - half), exp(centre + half)


def _one_sided(
    strata: Sequence[Table], effect: float, level: float, *, all_are_the_groups: bool
) -> tuple[float, float]:
    """Return the interval of a ratio if one side never failed; it has one bound.

    Given the number of failures in each stratum, each failure is the group's with a probability
    that follows from the ratio and the traffic of both. The bound is the ratio at which all, or
    none, are the group's with the probability ``level`` / 2; it fits few failures among many
    events, and is wider than necessary for many failures. Without any failures it has no bound.
    """
    both = [table for table in strata if table.total and table.rest_total and table.failed]
    if not both:
        return 0.0, inf

    def likely(ratio: float) -> float:
        shares = [
            table.total * ratio / (table.total * ratio + table.rest_total)
            if all_are_the_groups
            else table.rest_total / (table.total * ratio + table.rest_total)
            for table in both
        ]
        failed = [table.failed / effect for table in both]
        return sum(count * log(share) for count, share in zip(failed, shares, strict=True))

    least = log(level / 2)
    if all_are_the_groups:
        return _solve(lambda ratio: likely(ratio) < least), inf
    return 0.0, _solve(lambda ratio: likely(ratio) > least)


def _parts(strata: Sequence[Table]) -> tuple[float, float]:
    with_any = [table for table in strata if table.events]
    up = sum(table.bad * table.rest_total / table.events for table in with_any)
    return up, sum(table.rest_bad * table.total / table.events for table in with_any)
