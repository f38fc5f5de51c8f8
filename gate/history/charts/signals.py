"""Signals after a baseline: by run rules, and by a moving average."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from math import sqrt
from typing import Final, Protocol

from gate.dataclass import dataclass
from gate.history.charts.baseline import Baseline
from gate.history.charts.chart import Point, Signal, Watched
from gate.history.charts.dependence import Dependence
from gate.history.records import IncidentRecord


class RunRule(Protocol):
    """A pattern that ends at a point."""

    @property
    def name(self) -> str:
        """The name of the rule, with its source."""
        ...

    @property
    def says(self) -> str:
        """The pattern that it looks for."""
        ...

    def fires(self, scores: Sequence[float], place: int) -> bool:
        """Return whether the points up to this index form the pattern."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """A number of the newest points that lie above a line."""

    name: str
    says: str
    least: int
    of: int
    above: float
    """The line, in sigmas."""

    def fires(self, scores: Sequence[float], place: int) -> bool:
        """Return whether the point itself and enough of the points before it lie above the line."""
        newest = scores[max(place - self.of + 1, 0) : place + 1]
        above = sum(score > self.above for score in newest)
        return above >= self.least and scores[place] > self.above


@dataclass(frozen=True, slots=True)
class Rise:
    """A number of points in a row, each above the one before."""

    name: str
    says: str
    count: int

    def fires(self, scores: Sequence[float], place: int) -> bool:
        """Return whether such a row ends at this point."""
        row = scores[max(place - self.count + 1, 0) : place + 1]
        return len(row) == self.count and all(before < after for before, after in pairwise(row))


_LIMIT: Final = Run("Western Electric 1", "a point beyond 3 sigma", 1, 1, 3)


# Western Electric Company, Statistical Quality Control Handbook, 1956, pages 25 to 28.
_WESTERN_ELECTRIC: Final = (
    _LIMIT,
    Run("Western Electric 2", "2 of 3 points beyond 2 sigma", 2, 3, 2),
    Run("Western Electric 3", "4 of 5 points beyond 1 sigma", 4, 5, 1),
    Run("Western Electric 4", "8 points in a row on the worse side", 8, 8, 0),
)


# L. S. Nelson, The Shewhart control chart: tests for special causes, Journal of Quality Technology
# 16(4), 1984. Tests 4 (alternating), 7 (hugging the centre) and 8 (avoiding it) have no worse side.
_NELSON: Final = (
    Run("Nelson 1", "a point beyond 3 sigma", 1, 1, 3),
    Run("Nelson 2", "9 points in a row on the worse side", 9, 9, 0),
    Rise("Nelson 3", "6 points in a row, each worse", 6),
    Run("Nelson 5", "2 of 3 points beyond 2 sigma", 2, 3, 2),
    Run("Nelson 6", "4 of 5 points beyond 1 sigma", 4, 5, 1),
)
RULES: Final[Mapping[str, tuple[RunRule, ...]]] = {
    "limits": (_LIMIT,),
    "western-electric": _WESTERN_ELECTRIC,
    "nelson": _NELSON,
}
"""The sets by name."""
DEFAULT: Final = "limits"
"""The default: with an average that shows small shifts. More rules show the smallest shifts sooner,
at four times as many false alarms, and even more if neighbours are correlated: docs/anomalies.md
has measurements of both."""


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """The number of charts with a false alarm, out of 100 simulated weeks in control."""

    every: int
    """The mean over all kinds of services, with equal weights."""
    most: int
    """The maximum over the kinds of services: hours are correlated, or the usual value drifts."""


FALSE_ALARMS: Final = {
    "limits": FalseAlarms(every=19, most=29),
    "western-electric": FalseAlarms(every=58, most=75),
    "nelson": FalseAlarms(every=62, most=77),
}
"""The false alarms by the set of rules, measured by ``python -m benchmarks.anomalies`` on hourly
ratios that have a daily and weekly rhythm, are correlated, or drift, with 7 days of baseline."""
FALSE_ALARMS_OF_SLICES: Final = {
    "limits": FalseAlarms(every=9, most=20),
    "western-electric": FalseAlarms(every=40, most=85),
    "nelson": FalseAlarms(every=37, most=81),
}
"""The false alarms on charts of timeslices, measured by ``python -m benchmarks.slices`` on hours of
slices of one and of five minutes, of which 0.1% to 20% are bad: independent or in runs, with and
without a daily rhythm. Only kinds of history with a chart in a fifth of the weeks are counted:
where bursts of bad slices are rare, no chart is drawn."""
INDEPENDENT: Final = Dependence()
WEIGHT: Final = 0.2
"""The weight of the newest point: lambda."""
WIDTH: Final = 2.962
"""The width of the limits, in standard deviations of the average: L."""
CAP: Final = 4.0
"""The maximum score that counts: the limits of the points show an outage already, and it would keep
the average high long after its end. A single point of 4 does not reach the limit."""


def averages(scores: Iterable[float]) -> Iterator[float]:
    """Yield the average up to each point; it starts at the centre, 0."""
    average = 0.0
    for score in scores:
        average += WEIGHT * (max(-CAP, min(score, CAP)) - average)
        yield average


def average_limits(
    count: int, *, dependence: Dependence = INDEPENDENT, baseline: int | None = None
) -> Iterator[float]:
    """Yield the upper limit of each average, in sigmas of a point; the lower is its negative.

    Args:
        count: the number of averages.
        dependence: the correlation of neighbours, which increases the variance of the average (W.
            Schmid, On EWMA charts for time series, 1997, for an autoregressive process of order 1;
            here, with noise added).
        baseline: the number of points from which the centre was estimated, and whose mean has an
            error; None: the centre is exact.
    """
    varies = WEIGHT / (2 - WEIGHT) * dependence.inflation(WEIGHT)
    unsure = dependence.inflation() / baseline if baseline else 0.0
    for place in range(1, count + 1):
        yield WIDTH * sqrt(varies * (1 - (1 - WEIGHT) ** (2 * place)) + unsure)


EWMA: Final = "EWMA"
"""The name of the moving average's own rule."""


def watch(points: Sequence[Point], usual: Baseline, rules: Sequence[RunRule]) -> Iterator[Watched]:
    """Yield the points after the baseline with the rules that each breaks.

    The moving average starts with these points, at the centre: the end of the baseline is part of
    the usual state.
    """
    worse = [point.score for point in points]
    better = [-score for score in worse]
    limits = average_limits(len(points), dependence=usual.dependence, baseline=usual.count)
    moving = zip(points, averages(worse), limits, strict=True)
    for place, (point, average, limit) in enumerate(moving):
        broken = [rule.name for rule in rules if rule.fires(worse, place)]
        yield Watched(
            point=point,
            average=average,
            average_limit=limit,
            worse=(*broken, *([EWMA] if average > limit else ())),
            better=average < -limit or any(rule.fires(better, place) for rule in rules),
        )


def find_signals(
    watched: Sequence[Watched], records: Sequence[IncidentRecord]
) -> tuple[Signal, ...]:
    """Return the runs of points that are out of control, the newest first."""
    signals = [
        _signal(watched, stretch, records, worse=worse)
        for worse in (True, False)
        for stretch in _stretches(watched, worse=worse)
    ]
    return tuple(sorted(signals, key=lambda signal: signal.end, reverse=True))


def _signal(
    watched: Sequence[Watched], stretch: range, records: Sequence[IncidentRecord], *, worse: bool
) -> Signal:
    points = tuple(watched[place] for place in stretch)
    since = watched[_first(watched, stretch.start, worse=worse)].point.sample.start
    end = points[-1].point.sample.end
    return Signal(
        points=points,
        worse=worse,
        since=since,
        open=stretch.stop == len(watched),
        records=tuple(record for record in records if record.overlaps(since, end)),
    )


def _stretches(watched: Sequence[Watched], *, worse: bool) -> list[range]:
    """Return the runs of points; two runs of a shift that continues between them become one."""

    def is_out(place: int) -> bool:
        # For a point that is both, such as an outage during better days, the worse counts.
        point = watched[place]
        return bool(point.worse) if worse else point.better and not point.worse

    stretches: list[range] = []
    for out, places in groupby(range(len(watched)), key=is_out):
        row = list(places)
        if not out:
            continue
        if stretches and _first(watched, row[0], worse=worse) < stretches[-1].stop:
            stretches[-1] = range(stretches[-1].start, row[-1] + 1)
        else:
            stretches.append(range(row[0], row[-1] + 1))
    return stretches


def _first(watched: Sequence[Watched], seen: int, *, worse: bool) -> int:
    """Return the point at which a signal probably began.

    A signal of the average began after the average was last on the other side of the centre (K.
    Nishina, A comparison of control charts from the viewpoint of change-point estimation, Quality
    and Reliability Engineering International 8(6), 1992).
    """
    sign = 1 if worse else -1
    if abs(watched[seen].average) > watched[seen].average_limit:
        while seen and sign * watched[seen - 1].average > 0:
            seen -= 1
    return seen
