"""A control chart of one indicator: its points beside their limits, and what is out of control."""

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
    """One sample, and what was to be expected of it."""

    sample: Sample
    centre: float
    sigma: float
    """Above 0."""
    skew: float
    """What a limit at s sigmas is moved by, per s^2 - 1; at least 0."""

    def limit(self, sigmas: float) -> float:
        """Return the value this many sigmas above the centre; below it, if negative.

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

    The tail is that of a log-normal distribution, as latencies have it.
    """
    points = []
    for sample in samples:
        centre, sigma = usual.centre_of(sample), usual.sigma_of(sample)
        skew = sigma**2 / (2 * centre) if centre > sigma else 0.0
        points.append(Point(sample=sample, centre=centre, sigma=sigma, skew=skew))
    return points


class ChartKind(StrEnum):
    """What is charted."""

    RATIO = "ratio"
    """Bad events of all: a p' chart."""
    MEAN = "mean"
    """Of what is measured, such as a latency: an individuals chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A point after the baseline."""

    point: Point
    average: float
    """The moving average up to it, in sigmas above the centre."""
    average_limit: float
    """Above 0."""
    worse: tuple[str, ...]
    """The rules by which it is worse than usual."""
    better: bool
    """Whether it is better than usual, by any of the same rules turned round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Points that are not what is usual, and those between them while it went on."""

    points: tuple[Watched, ...]
    """At least one."""
    worse: bool
    since: datetime
    """When it probably began: a moving average sees a shift some points late."""
    open: bool
    """Whether it goes on at the newest point."""
    records: tuple[IncidentRecord, ...]
    """Known incidents that overlap it."""

    @property
    def end(self) -> datetime:
        """The end of its last point."""
        return self.points[-1].point.sample.end

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that some point of it breaks, each once."""
        return tuple(dict.fromkeys(name for watched in self.points for name in watched.worse))

    @property
    def peak(self) -> Point:
        """Its point farthest from what is usual."""
        sign = 1 if self.worse else -1
        return max((watched.point for watched in self.points), key=lambda point: sign * point.score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart that could be drawn."""

    kind: ChartKind
    unit: str
    """The unit of its values; empty if it is unknown, or the values have no unit."""
    step: timedelta
    """The step of a point; where few events are bad, several of the history's."""
    usual: Baseline
    baseline: tuple[Point, ...]
    """Those that say what is usual, the oldest first."""
    excluded: tuple[Point, ...]
    """Those of the baseline's time that are in incidents."""
    watched: tuple[Watched, ...]
    """All after it; at least one."""
    signals: tuple[Signal, ...]
    """The newest first."""
    chronic: bool = False
    """Whether most of the baseline is in incidents, so that these are what is usual."""

    @property
    def points(self) -> tuple[Point, ...]:
        """All of them, the oldest first."""
        every = (*self.baseline, *self.excluded, *(watched.point for watched in self.watched))
        return tuple(sorted(every, key=lambda point: point.sample.start))

    @property
    def newest(self) -> datetime:
        """The end of its newest point."""
        return self.watched[-1].point.sample.end

    @property
    def worse(self) -> tuple[Signal, ...]:
        """The signals that something is worse than usual."""
        return tuple(signal for signal in self.signals if signal.worse)

    def write(self, value: float) -> str:
        """Write a value with three digits that say something, and a ratio as a percentage."""
        percent = self.kind is ChartKind.RATIO
        digits = Decimal(f"{100 * value if percent else value:.2e}").normalize()
        return f"{digits:f}%" if percent else f"{digits:f} {self.unit}".rstrip()

    @property
    def unruly(self) -> int:
        """How many points of the baseline are beyond its own limits."""
        return sum(point.score > LIMIT for point in self.baseline)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoChart:
    """A chart that could not be drawn, which is not the same as in control."""

    kind: ChartKind
    reason: str
    cause: Cause | None
    """None: the chart would be empty, since nothing was bad at all."""


ChartResult = Chart | NoChart
