"""Points of a chart: each sample with the centre line and the limits that it is held against."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from gate.budget.charts.samples import Sample
from gate.budget.charts.usual import Usual

LIMIT: Final = 3.0
"""Sigmas between the centre line and the control limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One sample, and what was to be expected of it."""

    sample: Sample
    centre: float
    sigma: float
    """Above 0."""
    skew: float
    """What a limit at s sigmas is moved by, per s^2 - 1; at least 0."""

    def limit(self, sigmas: float) -> float:
        """Return the value so many sigmas above the centre; below it, if negative.

        Counts and latencies have a longer tail above. The limits are moved by the first term of
        Cornish and Fisher for it; of a plain p chart that is A. Winterbottom, Simple adjustments to
        improve control limits on attribute charts, Quality and Reliability Engineering
        International 9(2), 1993.
        """
        return self.centre + sigmas * self.sigma + (sigmas**2 - 1) * self.skew

    @property
    def upper(self) -> float:
        """The upper control limit."""
        return self.limit(LIMIT)

    @property
    def lower(self) -> float:
        """The lower control limit; where the tail is very long, as low as `limit` reaches."""
        lowest = -self.sigma / (2 * self.skew) if self.skew else -LIMIT
        return self.limit(max(-LIMIT, lowest))

    @property
    def score(self) -> float:
        """How many sigmas the value is above the centre: the inverse of `limit`."""
        above = self.sample.value - self.centre
        if not self.skew:
            return above / self.sigma
        root = sqrt(max(self.sigma**2 + 4 * self.skew * (above + self.skew), 0.0))
        return (root - self.sigma) / (2 * self.skew)


def ratio_points(samples: Sequence[Sample], usual: Usual) -> list[Point]:
    """Return the points of a p' chart.

    The tail is that of a binomial count whose rate varies by a gamma distribution.
    """
    points = []
    for one in samples:
        centre, sigma = usual.centre_of(one), usual.sigma_of(one)
        wider = sigma**2 / (centre * (1 - centre) / one.events)
        skew = max(1 - 2 * centre, 0.0) * (2 * wider - 1) / (6 * one.events)
        points.append(Point(sample=one, centre=centre, sigma=sigma, skew=skew))
    return points


def mean_points(samples: Sequence[Sample], usual: Usual) -> list[Point]:
    """Return the points of an individuals chart; ``usual.spread`` is above 0.

    The tail is that of a log-normal distribution, as latencies have it.
    """
    points = []
    for one in samples:
        centre, sigma = usual.centre_of(one), usual.sigma_of(one)
        skew = sigma**2 / (2 * centre) if centre > sigma else 0.0
        points.append(Point(sample=one, centre=centre, sigma=sigma, skew=skew))
    return points
