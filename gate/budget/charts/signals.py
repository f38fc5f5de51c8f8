"""What is out of control after a baseline: by run rules, and by a moving average."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from gate.budget.charts.chart import Signal, Watched
from gate.budget.charts.ewma import average_limits, averages
from gate.budget.charts.points import Point
from gate.budget.charts.rules import Rule
from gate.budget.charts.usual import Usual
from gate.budget.explained import Record

EWMA: Final = "EWMA"
"""The name of the moving average's own rule."""


def watch(points: Sequence[Point], usual: Usual, rules: Sequence[Rule]) -> Iterator[Watched]:
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


def find_signals(watched: Sequence[Watched], records: Sequence[Record]) -> tuple[Signal, ...]:
    """Return the points in a row that are out of control, the newest first."""
    found = [*_stretches(watched, records, worse=True), *_stretches(watched, records, worse=False)]
    return tuple(sorted(found, key=lambda one: one.end, reverse=True))


def _stretches(
    watched: Sequence[Watched], records: Sequence[Record], *, worse: bool
) -> Iterator[Signal]:
    def is_out(place: int) -> bool:
        # Of a point that is both, such as an outage amid better days, the worse counts.
        one = watched[place]
        return bool(one.worse) if worse else one.better and not one.worse

    for out, places in groupby(range(len(watched)), key=is_out):
        if not out:
            continue
        stretch = list(places)
        points = tuple(watched[place] for place in stretch)
        since = _since(watched, stretch[0], worse=worse)
        end = points[-1].point.sample.end
        yield Signal(
            points=points,
            worse=worse,
            since=since,
            open=stretch[-1] == len(watched) - 1,
            records=tuple(one for one in records if one.overlaps(since, end)),
        )


def _since(watched: Sequence[Watched], first: int, *, worse: bool) -> datetime:
    """Return when a signal probably began.

    Seen by the average alone, it began after the average was last on the other side of the centre
    (K. Nishina, A comparison of control charts from the viewpoint of change-point estimation,
    Quality and Reliability Engineering International 8(6), 1992).
    """
    sign = 1 if worse else -1
    if abs(watched[first].average) > watched[first].average_limit:
        while first and sign * watched[first - 1].average > 0:
            first -= 1
    return watched[first].point.sample.start
