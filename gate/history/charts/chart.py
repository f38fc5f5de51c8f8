"""A control chart of one indicator: its points, their limits, and the signals."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import sqrt
from typing import Final

from gate.dataclass import dataclass
from gate.history.charts import Sample
from gate.history.charts.baseline import Baseline
from gate.history.records import IncidentRecord
from gate.measure import Cause

LIMIT: Final = 3.0
"""Sigmas between the centre line and the control limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One sample, and its expected value."""

    sample: Sample
    centre: float
    sigma: float
    """Above 0."""
    skew: float
    """The shift of a limit at s sigmas, divided by s^2 - 1; at least 0."""

    def limit(self, sigmas: float) -> float:
        """Return the value that is this many sigmas above the centre; below it, if negative.

        Counts and latencies have a longer tail above. The limits are shifted for it by the first
        term of Cornish and Fisher; for a plain p chart, see A. Winterbottom, Simple adjustments to
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
        """The lower control limit; for a very long tail, the lowest value of `limit`."""
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


def ratio_points(samples: Sequence[Sample], usual: Baseline) -> list[Point]:
    """Return the points of a p' chart.

    The tail is that of a binomial count whose rate varies by a gamma distribution.
    """
    points = []
    for sample in samples:
        centre, sigma = usual.centre_of(sample), usual.sigma_of(sample)
        wider = sigma**2 / (centre * (1 - centre) / sample.events)
        skew = max(1 - 2 * centre, 0.0) * (2 * wider - 1) / (6 * sample.events)
        points.append(Point(sample=sample, centre=centre, sigma=sigma, skew=skew))
    return points


def mean_points(samples: Sequence[Sample], usual: Baseline) -> list[Point]:
    """Return the points of an individuals chart; ``usual.spread`` is above 0.

    The tail is that of a log-normal distribution, which latencies have.
    """
    points = []
    for sample in samples:
        centre, sigma = usual.centre_of(sample), usual.sigma_of(sample)
        skew = sigma**2 / (2 * centre) if centre > sigma else 0.0
        points.append(Point(sample=sample, centre=centre, sigma=sigma, skew=skew))
    return points


class ChartKind(StrEnum):
    """The kind of values on a chart."""

    RATIO = "ratio"
    """The share of bad events: a p' chart."""
    MEAN = "mean"
    """The mean of measured values, such as latencies: an individuals chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A point after the baseline."""

    point: Point
    average: float
    """The moving average up to it, in sigmas above the centre."""
    average_limit: float
    """Above 0."""
    worse: tuple[str, ...]
    """The rules by which the point is worse than usual."""
    better: bool
    """Whether the point is better than usual by any of the same rules, mirrored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A run of points that are not as usual, with the points between them."""

    points: tuple[Watched, ...]
    """At least one."""
    worse: bool
    since: datetime
    """The probable start: a moving average shows a shift some points late."""
    open: bool
    """Whether it continues at the newest point."""
    records: tuple[IncidentRecord, ...]
    """Known incidents that overlap it."""

    @property
    def end(self) -> datetime:
        """The end of its last point."""
        return self.points[-1].point.sample.end

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that its points break, each once."""
        return tuple(dict.fromkeys(name for watched in self.points for name in watched.worse))

    @property
    def peak(self) -> Point:
        """The point that is farthest from the usual value."""
        sign = 1 if self.worse else -1
        return max((watched.point for watched in self.points), key=lambda point: sign * point.score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart that could be built."""

    kind: ChartKind
    unit: str
    """The unit of its values; empty if it is unknown, or the values have no unit."""
    step: timedelta
    """The length of a point: several steps of the history if few events are bad."""
    usual: Baseline
    baseline: tuple[Point, ...]
    """The points of the baseline, the oldest first."""
    excluded: tuple[Point, ...]
    """The points in the time of the baseline that are in incidents."""
    watched: tuple[Watched, ...]
    """All points after the baseline; at least one."""
    signals: tuple[Signal, ...]
    """The newest first."""
    chronic: bool = False
    """Whether incidents cover most of the baseline: then they are the usual state."""

    @property
    def points(self) -> tuple[Point, ...]:
        """All points, the oldest first."""
        every = (*self.baseline, *self.excluded, *(watched.point for watched in self.watched))
        return tuple(sorted(every, key=lambda point: point.sample.start))

    @property
    def newest(self) -> datetime:
        """The end of its newest point."""
        return self.watched[-1].point.sample.end

    @property
    def worse(self) -> tuple[Signal, ...]:
        """The signals that an indicator is worse than usual."""
        return tuple(signal for signal in self.signals if signal.worse)

    def write(self, value: float) -> str:
        """Write a value with three significant digits, and a ratio as a percentage."""
        percent = self.kind is ChartKind.RATIO
        digits = Decimal(f"{100 * value if percent else value:.2e}").normalize()
        return f"{digits:f}%" if percent else f"{digits:f} {self.unit}".rstrip()

    @property
    def unruly(self) -> int:
        """The number of points in the baseline that are beyond its own limits."""
        return sum(point.score > LIMIT for point in self.baseline)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoChart:
    """A chart that could not be built, which does not mean that the indicator is in control."""

    kind: ChartKind
    reason: str
    cause: Cause | None
    """None: the chart would be empty, since no event was bad."""


ChartResult = Chart | NoChart
