"""How much neighbours resemble each other, and how much less their number says for that."""

from collections.abc import Sequence
from math import sqrt
from typing import Final

from gate.dataclass import dataclass

_MOST_ALIKE: Final = 0.98
_FEWEST: Final = 3.5
"""Independent points that a baseline is worth at least; of fewer no limit could be told."""
_LIMIT: Final = 3.0
"""The normal quantile that limits are drawn for, in sigmas."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """Values that are a part noise and a part of what forgets by the same factor at each step.

    Where events are few, most of each value is chance, and neighbours seem to have little in
    common although what is behind them hardly changes from one to the next: so how alike neighbours
    are, and how long that lasts, are two numbers.
    """

    neighbours: float = 0.0
    """The correlation of neighbours, 0 to 1."""
    memory: float = 0.0
    """By which the correlation shrinks with each further step, ``neighbours`` to 1."""

    @property
    def share(self) -> float:
        """The share of the variance that is not noise, 0 to 1."""
        return self.neighbours / self.memory if self.memory else 0.0

    def inflation(self, weight: float = 0.0) -> float:
        """Return by how much the variance of a mean is larger than that of independent values.

        Args:
            weight: of the newest value in a moving average; 0: all values count alike.
        """
        still = self.memory * (1 - weight)
        return 1 - self.share + self.share * (1 + still) / (1 - still)

    def widening(self, count: int) -> float:
        """Return by which factor limits are wider since sigma is known from this many values only.

        By Student's t with as many degrees as independent values, less one; the quantile is that of
        R. A. Fisher and E. A. Cornish, The percentile points of distributions having known
        cumulants, Technometrics 2(2), 1960.
        """
        degrees = max(count / self.inflation(), _FEWEST) - 1
        z = _LIMIT
        first = (z**3 + z) / 4
        second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
        return 1 + (first / degrees + second / degrees**2) / z


def dependence(values: Sequence[float]) -> Dependence:
    """Return how the values depend on those before; of noise, not at all."""
    neighbours, further = correlation(values), correlation(values, 2)
    if neighbours <= 2 / sqrt(len(values)) or not further:
        return Dependence(neighbours, neighbours)
    return Dependence(neighbours, min(max(further / neighbours, neighbours), _MOST_ALIKE))


def correlation(values: Sequence[float], lag: int = 1) -> float:
    """Return how much values resemble those this many before: 0 where that is negative.

    The estimate is too low by (1 + 3 r) / n, which is added (M. G. Kendall, Note on bias in the
    estimation of autocorrelation, Biometrika 41, 1954).
    """
    count = len(values)
    mean = sum(values) / count
    whole = sum((value - mean) ** 2 for value in values)
    if not whole:
        return 0.0
    pairs = zip(values, values[lag:], strict=False)
    raw = sum((before - mean) * (after - mean) for before, after in pairs) / whole
    return min(max(raw + (1 + 3 * raw) / count, 0.0), _MOST_ALIKE)
