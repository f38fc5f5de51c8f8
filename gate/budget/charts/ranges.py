"""How much values vary, by how far each lies from the one before it.

That is for values that do not resemble their neighbours. Where they do (a queue that empties
slowly), the moving range is too small by the root of 1 - r, with r the correlation of neighbours,
and is corrected for it.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import Final

D2: Final = 1.128
"""The mean range of two standard normal values: 2 / sqrt(pi)."""
_MOST_ALIKE: Final = 0.98


def moving_sigma(values: Sequence[float], alike: float = 0.0) -> float:
    """Return the standard deviation by the mean moving range of at least two values.

    Args:
        values: in the order of time.
        alike: the correlation of neighbours, below 1.
    """
    moved = sum(abs(after - before) for before, after in pairwise(values))
    return moved / (len(values) - 1) / D2 / sqrt(1 - alike)


def correlation(values: Sequence[float]) -> float:
    """Return how much neighbours resemble each other: their correlation, 0 where it is negative.

    The estimate is too low by (1 + 3 r) / n, which is added (M. G. Kendall, Note on bias in the
    estimation of autocorrelation, Biometrika 41, 1954).
    """
    count = len(values)
    mean = sum(values) / count
    whole = sum((one - mean) ** 2 for one in values)
    if not whole:
        return 0.0
    raw = sum((a - mean) * (b - mean) for a, b in pairwise(values)) / whole
    return min(max(raw + (1 + 3 * raw) / count, 0.0), _MOST_ALIKE)
