"""What is out of control after a baseline: by run rules, and by a moving average."""

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
        """With its source."""
        ...

    @property
    def says(self) -> str:
        """What it looks for."""
        ...

    def fires(self, scores: Sequence[float], place: int) -> bool:
        """Return whether the points up to this place make the pattern."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """So many points of the newest ones lie above a line."""

    name: str
    says: str
    least: int
    of: int
    above: float
    """In sigmas."""

    def fires(self, scores: Sequence[float], place: int) -> bool:
        """Return whether the point itself and enough of those before it lie above the line."""
        newest = scores[max(place - self.of + 1, 0) : place + 1]
        above = sum(score > self.above for score in newest)
        return above >= self.least and scores[place] > self.above


@dataclass(frozen=True, slots=True)
class Rise:
    """So many points in a row, each above the one before."""

    name: str
    says: str
    count: int

    def fires(self, scores: Sequence[float], place: int) -> bool:
        """Return whether the row ends at this point."""
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
"""Beside an average that sees small shifts. More rules see the smallest sooner, at four times as
many false alarms, and more where neighbours are alike: docs/anomalies.md has both measured."""


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Out of 100 simulated weeks in control, how many had a false alarm on a chart."""

    every: int
    """Over all kinds of services, alike in number."""
    most: int
    """The most of one kind: hours resemble each other, or what is usual drifts."""


FALSE_ALARMS: Final = {
    "limits": FalseAlarms(every=19, most=29),
    "western-electric": FalseAlarms(every=58, most=75),
    "nelson": FalseAlarms(every=62, most=77),
}
"""The false alarms by the set of rules. Measured by ``python -m benchmarks.anomalies`` on hourly
ratios that have the rhythm of day and week, resemble the hours before, or drift, with 7 days of
baseline."""
FALSE_ALARMS_OF_SLICES: Final = {
    "limits": FalseAlarms(every=9, most=20),
    "western-electric": FalseAlarms(every=40, most=85),
    "nelson": FalseAlarms(every=37, most=81),
}
"""The false alarms on charts of timeslices. Measured by ``python -m benchmarks.slices`` on hours of
slices of one and of five minutes, of which 0.1% to 20% are bad: each by itself, or in runs, with
and without the rhythm of the day. Only kinds are counted of which a fifth of the weeks is charted:
where bursts of bad slices are rare, no chart is drawn."""
INDEPENDENT: Final = Dependence()
WEIGHT: Final = 0.2
"""The weight of the newest point: lambda."""
WIDTH: Final = 2.962
"""The width of the limits, in standard deviations of the average: L."""
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
    count: int, *, dependence: Dependence = INDEPENDENT, baseline: int | None = None
) -> Iterator[float]:
    """Yield the upper limit of each average, in sigmas of a point; the lower is its negative.

    Args:
        count: how many there are.
        dependence: how neighbours resemble each other, which makes the average vary more (W.
            Schmid, On EWMA charts for time series, 1997, for a process that is autoregressive of
            order 1; beside it there is noise here).
        baseline: how many points the centre was estimated from, which may be off by as much as
            their mean; None: it is known.
    """
    varies = WEIGHT / (2 - WEIGHT) * dependence.inflation(WEIGHT)
    unsure = dependence.inflation() / baseline if baseline else 0.0
    for place in range(1, count + 1):
        yield WIDTH * sqrt(varies * (1 - (1 - WEIGHT) ** (2 * place)) + unsure)


EWMA: Final = "EWMA"
"""The name of the moving average's own rule."""


def watch(points: Sequence[Point], usual: Baseline, rules: Sequence[RunRule]) -> Iterator[Watched]:
    """Yield the points after the baseline with the rules that each breaks.

    The moving average begins with them, at the centre: what it is that the baseline ended with is
    part of what is usual.
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
    """Return the points in a row that are out of control, the newest first."""
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
    """Return the points in a row; two rows of a shift that goes on between them are one."""

    def is_out(place: int) -> bool:
        # Of a point that is both, such as an outage amid better days, the worse counts.
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
    """Return the point at which what is seen at one probably began.

    Seen by the average, it began after the average was last on the other side of the centre
    (K. Nishina, A comparison of control charts from the viewpoint of change-point estimation,
    Quality and Reliability Engineering International 8(6), 1992).
    """
    sign = 1 if worse else -1
    if abs(watched[seen].average) > watched[seen].average_limit:
        while seen and sign * watched[seen - 1].average > 0:
            seen -= 1
    return seen
