"""The counts of each step, from the readings of its parts."""

from collections.abc import Iterator, Mapping, Sequence

from gate.backends.prometheus.counting import slices_ended
from gate.backends.prometheus.query import Role
from gate.backends.prometheus.query_result import QueryResults
from gate.backends.prometheus.series import Points, SeriesPlan
from gate.measure import MeasurementError, Unmeasured
from gate.measure.coverage import between_samples
from gate.measure.history import Measured, Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span

PointsByRole = Mapping[Role, Points]
TotalAndBadOfStep = tuple[float | None, float | None]
"""The total and the bad events of a step; None: unknown."""


def series_answer(planned: SeriesPlan, readings: QueryResults) -> SeriesAnswer:
    """Combine the readings of a plan into a history; invalid data make it `Unmeasured`."""
    roles = [role for role in planned.roles if role is not Role.SUM]
    try:
        points: PointsByRole = {role: planned.points(role, readings) for role in roles}
        doubts = planned.doubts(readings)
    except MeasurementError as error:
        return error.answer(planned.query)
    total, bad = _total_and_bad(_between_samples(points, planned.request), planned.request)
    return Series(
        total=total,
        bad=bad,
        query=planned.query,
        notes=(*planned.notes, *doubts),
        measured=_measured(planned, points, readings),
    )


def _measured(
    planned: SeriesPlan, points: PointsByRole, readings: QueryResults
) -> Measured | Unmeasured | None:
    """Return the sum and the number behind the mean; an error in it does not affect the counts."""
    if Role.SUM not in planned.roles:
        return None
    try:
        sums = planned.points(Role.SUM, readings)
    except MeasurementError as error:
        return error.answer(planned.query)
    events = points[Role.TOTAL]
    complete = [None not in pair for pair in zip(sums, events, strict=True)]
    return Measured(
        sums=_only_where(complete, sums),
        events=_only_where(complete, events),
    )


def _only_where(complete: Sequence[bool], values: Points) -> Points:
    return tuple(value if there else None for value, there in zip(values, complete, strict=True))


def _between_samples(points: PointsByRole, request: SeriesRequest) -> PointsByRole:
    """Return the points, with 0 for a step without samples in which none is missing.

    Steps may be shorter than the time between two scrapes. What was counted in between belongs to
    the step of the later sample.
    """
    if request.slices is not None:
        return points
    seen = [
        any(value is not None for value in values) for values in zip(*points.values(), strict=True)
    ]
    silent = between_samples([place for place, there in enumerate(seen) if there], request.step)
    if not silent:
        return points
    return {
        role: tuple(0.0 if place in silent else value for place, value in enumerate(values))
        for role, values in points.items()
    }


def _total_and_bad(points: PointsByRole, request: SeriesRequest) -> tuple[Points, Points]:
    """Return the total and the bad events of each step, as far as they are known."""
    if request.amount:
        return points[Role.SPENT], points[Role.SPENT]
    if request.slices is not None:
        steps = list(_slices(points, request, request.slices))
        return tuple([total for total, _ in steps]), tuple([bad for _, bad in steps])
    if points.keys() >= {Role.TOTAL, Role.BAD}:
        total, bad = points[Role.TOTAL], points[Role.BAD]
    else:
        steps = list(_events(points))
        total = tuple([None if bad is None else total for total, bad in steps])
        bad = tuple([bad for _, bad in steps])
    return total, tuple(map(_within, bad, total))


def _within(bad: float | None, total: float | None) -> float | None:
    """Limit the bad events to 0 to all; an absent count is 0 if the other count is present."""
    if total is None:
        return None
    return (min(total, bad)) if bad and bad > 0 else 0.0


def _events(points: PointsByRole) -> Iterator[TotalAndBadOfStep]:
    """Yield each step's total and bad events; good events give the one that is missing."""
    if Role.TOTAL in points:
        for total, good in zip(points[Role.TOTAL], points[Role.GOOD], strict=True):
            yield total, _difference(total, good)
    else:
        for good, bad in zip(points[Role.GOOD], points[Role.BAD], strict=True):
            yield None if good is None else good + (bad or 0.0), bad or 0.0


def _difference(total: float | None, good: float | None) -> float | None:
    if not total:
        return total
    return None if good is None else total - good


def _slices(
    points: PointsByRole, request: SeriesRequest, slices: Slices
) -> Iterator[TotalAndBadOfStep]:
    """Yield the slices of each step; slices without events count as the policy says.

    The number is unknown for a step in which some slices cannot be judged.
    """
    seen_by_step = points[Role.SLICES]
    nothing = all(seen is None for seen in seen_by_step)
    rows = zip(seen_by_step, points[Role.JUDGED_SLICES], points[Role.BAD_SLICES], strict=True)
    for place, (seen, judged, bad) in enumerate(rows):
        ended = slices_ended(Span(request.end_of(place - 1), request.end_of(place)), slices)
        if not ended and not nothing:
            yield 0.0, 0.0
        elif nothing or (seen or 0.0) != (judged or 0.0):
            yield None, None
        elif slices.empty is EmptySlice.LEFT_OUT:
            yield (None, None) if seen is None else (seen, bad or 0.0)
        else:
            empty = max(ended - (seen or 0.0), 0.0)
            yield float(ended), (bad or 0.0) + (empty if slices.empty is EmptySlice.BAD else 0.0)
