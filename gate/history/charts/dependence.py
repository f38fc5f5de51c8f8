"""The spread of values, and the correlation of neighbours: it makes their number count for less."""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import Final

from gate.dataclass import dataclass

_MOST_ALIKE: Final = 0.98
_FEWEST: Final = 3.5
"""The minimum number of independent points that a baseline must be worth for a limit."""
_LIMIT: Final = 3.0
"""The normal quantile of the limits, in sigmas."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """Values that consist of noise and of a part that decays by the same factor at each step.

    If events are few, most of each value is chance: neighbours then seem to have little in common,
    although the underlying rate hardly changes. So the correlation of neighbours, and its decay,
    are two numbers.
    """

    neighbours: float = 0.0
    """The correlation of neighbours, 0 to 1."""
    memory: float = 0.0
    """The factor by which the correlation shrinks with each further step, ``neighbours`` to 1."""

    @property
    def share(self) -> float:
        """The share of the variance that is not noise, 0 to 1."""
        return self.neighbours / self.memory if self.memory else 0.0

    def inflation(self, weight: float = 0.0) -> float:
        """Return the variance of a mean, divided by that of independent values.

        Args:
            weight: the weight of the newest value in a moving average; 0: equal weights.
        """
        still = self.memory * (1 - weight)
        return 1 - self.share + self.share * (1 + still) / (1 - still)

    def widening(self, count: int) -> float:
        """Return the factor by which limits are wider because sigma is estimated from few values.

        It uses Student's t with as many degrees of freedom as independent values, less one; the
        quantile is that of R. A. Fisher and E. A. Cornish, The percentile points of distributions
        having known cumulants, Technometrics 2(2), 1960.
        """
        degrees = max(count / self.inflation(), _FEWEST) - 1
        z = _LIMIT
        first = (z**3 + z) / 4
        second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
        return 1 + (first / degrees + second / degrees**2) / z


def dependence(values: Sequence[float]) -> Dependence:
    """Return the dependence of values on earlier ones; none for noise."""
    neighbours, further = correlation(values), correlation(values, 2)
    if neighbours <= 2 / sqrt(len(values)) or not further:
        return Dependence(neighbours, neighbours)
    return Dependence(neighbours, min(max(further / neighbours, neighbours), _MOST_ALIKE))


def correlation(values: Sequence[float], lag: int = 1) -> float:
    """Return the correlation of values with those this many steps before; 0 if it is negative.

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


D2: Final = 1.128
"""The mean range of two standard normal values: 2 / sqrt(pi)."""


def moving_sigma(values: Sequence[float], autocorrelation: float = 0.0) -> float:
    """Return the standard deviation by the mean moving range of at least two values.

    Args:
        values: the values in the order of time.
        autocorrelation: the correlation of neighbours, below 1.
    """
    moved = sum(abs(after - before) for before, after in pairwise(values))
    return moved / (len(values) - 1) / D2 / sqrt(1 - autocorrelation)
