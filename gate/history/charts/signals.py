"""What is out of control after a baseline: by run rules, and by a moving average."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import sqrt
from typing import Final

from gate.history.charts.baseline import Baseline
from gate.history.charts.chart import Point, Signal, Watched
from gate.history.charts.rules import RunRule
from gate.history.records import IncidentRecord

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


EWMA: Final = "EWMA"
"""The name of the moving average's own rule."""


def watch(points: Sequence[Point], usual: Baseline, rules: Sequence[RunRule]) -> Iterator[Watched]:
    """Yield the points after the baseline with the rules that each breaks.

    The moving average begins with them, at the centre: what it is that the baseline ended with is
    part of what is usual.
    """
    worse = [one.score for one in points]
    better = [-score for score in worse]
    limits = average_limits(len(points), alike=usual.alike, baseline=usual.count)
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
    found = [
        _signal(watched, stretch, records, worse=worse)
        for worse in (True, False)
        for stretch in _stretches(watched, worse=worse)
    ]
    return tuple(sorted(found, key=lambda one: one.end, reverse=True))


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
        records=tuple(one for one in records if one.overlaps(since, end)),
    )


def _stretches(watched: Sequence[Watched], *, worse: bool) -> list[range]:
    """Return the points in a row; two rows of a shift that goes on between them are one."""

    def is_out(place: int) -> bool:
        # Of a point that is both, such as an outage amid better days, the worse counts.
        one = watched[place]
        return bool(one.worse) if worse else one.better and not one.worse

    found: list[range] = []
    for out, places in groupby(range(len(watched)), key=is_out):
        row = list(places)
        if not out:
            continue
        if found and _first(watched, row[0], worse=worse) < found[-1].stop:
            found[-1] = range(found[-1].start, row[-1] + 1)
        else:
            found.append(range(row[0], row[-1] + 1))
    return found


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
