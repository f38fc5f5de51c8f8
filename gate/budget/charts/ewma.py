"""The exponentially weighted moving average, which sees small shifts that last.

S. W. Roberts, Control chart tests based on geometric moving averages, Technometrics 1(3), 1959;
constants by J. M. Lucas and M. S. Saccucci, Exponentially weighted moving average control schemes,
Technometrics 32(1), 1990: of a process in control, 500 points until a false alarm, both sides
together.
"""

from collections.abc import Iterable, Iterator
from math import sqrt
from typing import Final

WEIGHT: Final = 0.2
"""Of the newest point: lambda."""
WIDTH: Final = 2.962
"""Of the limits, in standard deviations of the average: L."""
CAP: Final = 4.0
"""Scores beyond count as this: an outage is seen by the limits of the points, and would keep the
average up long after it is over. A point of 4 alone does not reach the limit."""


def averages(scores: Iterable[float]) -> Iterator[float]:
    """Yield the average up to each point; it begins at the centre, 0."""
    average = 0.0
    for score in scores:
        average += WEIGHT * (max(-CAP, min(score, CAP)) - average)
        yield average


def average_limits(
    count: int, *, alike: float = 0.0, baseline: int | None = None
) -> Iterator[float]:
    """Yield the upper limit of each average, in sigmas of a point; the lower is its negative.

    Args:
        count: how many there are.
        alike: the correlation of neighbours, which makes the average vary more (W. Schmid, On EWMA
            charts for time series, 1997, for a process that is autoregressive of order 1).
        baseline: how many points the centre was estimated from, which may be off by as much as
            their mean; None: it is known.
    """
    still = alike * (1 - WEIGHT)
    varies = WEIGHT / (2 - WEIGHT) * (1 + still) / (1 - still)
    unsure = (1 + alike) / (1 - alike) / baseline if baseline else 0.0
    for place in range(1, count + 1):
        yield WIDTH * sqrt(varies * (1 - (1 - WEIGHT) ** (2 * place)) + unsure)
