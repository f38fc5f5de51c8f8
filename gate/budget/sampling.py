"""What a sample says about the whole: the Wilson score interval, and how many samples would do.

Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
Journal of the American Statistical Association 22 (1927), 209-212.
"""

from fractions import Fraction
from math import floor, sqrt

Z_95 = 1.959963984540054
"""The standard normal quantile at 0.975."""


def wilson_interval(bad: Fraction, total: Fraction) -> tuple[Fraction, Fraction]:
    """Return the 95 % interval of the bad share: 0 <= low <= bad/total <= high <= 1.

    ``total`` must be above 0.
    """
    n, ratio, square = float(total), float(bad / total), Z_95 * Z_95
    centre = (ratio + square / (2 * n)) / (1 + square / n)
    half = Z_95 / (1 + square / n) * sqrt(ratio * (1 - ratio) / n + square / (4 * n * n))
    exact = bad / total
    low = min(max(Fraction(centre - half), Fraction(0)), exact)
    high = max(min(Fraction(centre + half), Fraction(1)), exact)
    return (Fraction(0) if bad == 0 else low), (Fraction(1) if bad == total else high)


def samples_needed(ratio: Fraction, threshold: Fraction) -> int | None:
    """Return how many samples at this bad share would put the threshold outside the interval.

    A threshold is inside the Wilson interval exactly while n (ratio - threshold)^2 is at most
    z^2 threshold (1 - threshold): the interval inverts that score test. None where the two are
    equal, or the threshold is no share strictly between 0 and 1 (no number of samples tells).
    """
    if ratio == threshold or not 0 < threshold < 1:
        return None
    return floor(Fraction(Z_95) ** 2 * threshold * (1 - threshold) / (ratio - threshold) ** 2) + 1
