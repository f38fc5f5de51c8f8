"""What happened when: each expression over one step after the other, in few range queries.

The events of a step are an ``increase`` over that step. It needs two scrapes in each; where scrapes
do not fall on the ends of a step, the server extrapolates to them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gate.backends.prometheus.plan import Plan, plan
from gate.backends.prometheus.query import EVENTS, QueryGrid, Role
from gate.backends.prometheus.query_result import QueryError, QueryResults
from gate.measure.counts import Cause, CountRequest, Unmeasured
from gate.measure.history import Measured, Series, SeriesAnswer, SeriesRequest
from gate.slo.window import Span

Points = Mapping[Role, tuple[float | None, ...]]


def one_step(request: SeriesRequest) -> CountRequest:
    """Return the count of the newest step, which differs from the others only in its end."""
    end = request.span.end
    return CountRequest(sli=request.sli, span=Span(end - request.step, end))


def series_plan(request: SeriesRequest, readings: QueryResults) -> Plan | Unmeasured:
    """Say what to ask for a series, or why it cannot be asked."""
    planned = plan(one_step(request), readings)
    if isinstance(planned, Unmeasured):
        return planned
    if not EVENTS & planned.parts.keys():
        reason = "only events can be told step by step, neither a gauge nor what is spent"
        return Unmeasured(cause=Cause.INVALID, reason=reason, query=planned.query)
    grid = QueryGrid(request.span.start + request.step, request.step, request.steps)
    asked = dict(planned.parts)
    if request.mean and planned.sum is not None:
        asked[Role.SUM] = planned.sum
    parts = {role: replace(part, grid=grid, grain=None) for role, part in asked.items()}
    return replace(planned, parts=parts)


def series_answer(planned: Plan, readings: QueryResults) -> SeriesAnswer:
    """Put together what came back for a plan's parts."""
    points: dict[Role, tuple[float | None, ...]] = {}
    for role in [role for role in planned.parts if role is not Role.SUM]:
        found = _points(planned, role, readings)
        if isinstance(found, Unmeasured):
            return found
        points[role] = found
    steps = [_known(total, bad) for total, bad in _events(points)]
    return Series(
        total=tuple(total for total, _ in steps),
        bad=tuple(bad for _, bad in steps),
        query=planned.query,
        notes=planned.notes,
        measured=_measured(planned, points, readings),
    )


def _points(
    planned: Plan, role: Role, readings: QueryResults
) -> tuple[float | None, ...] | Unmeasured:
    reading = readings(planned.parts[role])
    if isinstance(reading, QueryError):
        reason = f"{role}: {reading.reason}"
        return Unmeasured(cause=reading.cause, reason=reason, query=planned.query)
    if reading.warnings:
        reason = f"partial answer: {'; '.join(reading.warnings)}"
        return Unmeasured(cause=Cause.PARTIAL, reason=reason, query=planned.query)
    return reading.points


def _measured(
    planned: Plan, points: Points, readings: QueryResults
) -> Measured | Unmeasured | None:
    """Return what the mean is made of; what spoils it does not spoil the counts."""
    if Role.SUM not in planned.parts:
        return None
    sums = _points(planned, Role.SUM, readings)
    if isinstance(sums, Unmeasured):
        return sums
    events = points[Role.TOTAL]
    known = [None not in pair for pair in zip(sums, events, strict=True)]
    return Measured(
        sums=tuple(one if there else None for one, there in zip(sums, known, strict=True)),
        events=tuple(one if there else None for one, there in zip(events, known, strict=True)),
    )


def _events(points: Points) -> Iterator[tuple[float | None, float | None]]:
    """Yield each step's events and bad ones, as far as they are told.

    A bad part that is absent is none beside a total, or a good one, that is there.
    """
    if Role.BAD not in points:
        for total, good in zip(points[Role.TOTAL], points[Role.GOOD], strict=True):
            yield total, _difference(total, good)
    elif Role.TOTAL in points:
        for total, bad in zip(points[Role.TOTAL], points[Role.BAD], strict=True):
            yield total, bad or 0.0
    else:
        for good, bad in zip(points[Role.GOOD], points[Role.BAD], strict=True):
            yield None if good is None else good + (bad or 0.0), bad or 0.0


def _known(total: float | None, bad: float | None) -> tuple[float | None, float | None]:
    """Return a step; nothing is known of it where what tells traffic is missing."""
    if total is None or bad is None:
        return None, None
    return total, min(max(bad, 0.0), total)


def _difference(total: float | None, good: float | None) -> float | None:
    if not total:
        return total
    return None if good is None else total - good
