"""Event counts by the values of labels.

As in every history, one range query reads the whole steps on a grid, and an instant query reads the
part of the newest step that has passed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from math import fsum

from gate.backends.prometheus.answer import check_boundaries
from gate.backends.prometheus.counting import count_events
from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import plan
from gate.backends.prometheus.query import EVENTS, Query, Role
from gate.backends.prometheus.query_grid import QueryGrid
from gate.backends.prometheus.query_result import QueryError, QueryResults, QueryValue
from gate.backends.prometheus.series import Points
from gate.dataclass import dataclass
from gate.errors import nearest_first
from gate.measure import Cause, CountRequest, MeasurementError, Unmeasured
from gate.measure.cohorts import (
    Cohort,
    CohortAnswer,
    CohortRequest,
    Cohorts,
    LabelValues,
    busiest,
    cut_note,
)
from gate.promql.grammar import ExpressionError
from gate.promql.grouping import group_by
from gate.promql.selectors import matchers

PointsOfGroups = Mapping[LabelValues, Points]
"""The counts of each step, by the values of labels."""
LabelsOf = Callable[[str], Sequence[str]]
"""A function that returns the labels of the selectors' series; empty: the server does not
answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPlan:
    """A plan whose parts are counted by labels and by step."""

    request: CohortRequest
    plan: Plan
    """The plan of the parts on the first grid."""
    parts: Mapping[Role, Sequence[Query]]
    """The parts by labels: one query for each grid."""
    zero: frozenset[Role]
    """The roles that count 0 if the result is empty, as the policy says."""

    def __iter__(self) -> Iterator[Query]:
        """Iterate over all parts."""
        yield from self.plan
        for queries in self.parts.values():
            yield from queries[1:]


def whole(request: CohortRequest) -> CountRequest:
    """Return the count over the whole span, whose parts are then counted by label.

    It is probed so that a histogram's boundary that was added later is searched for.
    """
    return CountRequest(sli=request.sli, span=request.span, probe=True)


def cohort_plan(request: CohortRequest, readings: QueryResults) -> CohortPlan | Unmeasured:
    """Plan the queries for a request, or return why it cannot be measured."""
    planned = plan(whole(request), Scope(request.span), readings)
    if isinstance(planned, Unmeasured):
        return planned
    if not EVENTS & planned.parts.keys():
        reason = "only events can be grouped by labels, not a gauge or an amount"
        return Unmeasured(cause=Cause.INVALID, reason=reason, query=planned.query)
    try:
        of_names = [_by_labels(name, request) for name in planned.names or (planned,)]
    except MeasurementError as error:
        return error.answer(planned.query)
    parts = {
        role: [
            Query.added(queries)
            for queries in zip(*(some[role] for some, _ in of_names), strict=True)
        ]
        for role in planned.expressions
    }
    first = {role: queries[0] for role, queries in parts.items()}
    planned = replace(planned, parts=first, probe=None, objective=None, evidence=None)
    zero = frozenset.intersection(*(zero for _, zero in of_names))
    return CohortPlan(request=request, plan=planned, parts=parts, zero=zero)


def _grids(request: CohortRequest) -> Iterator[tuple[timedelta, QueryGrid]]:
    """Yield the length and the ends of the steps: of the whole steps, then of the newest one."""
    span, step = request.span, request.step
    whole, rest = divmod(span.length, step)
    if whole:
        yield step, QueryGrid(span.start + step, step, whole)
    if rest:
        yield rest, QueryGrid(span.end, step, 1)


def _by_labels(
    name: Plan, request: CohortRequest
) -> tuple[dict[Role, list[Query]], frozenset[Role]]:
    """Return the parts of one name by labels, and the roles that count 0 if the result is empty."""
    parts, zero = dict[Role, list[Query]](), set[Role]()
    for role, expression in name.expressions.items():
        try:
            grouped = group_by(expression, request.by)
        except ExpressionError as error:
            raise MeasurementError(Cause.INVALID, f"{role}: {error}") from None
        text = "$window".join(grouped.pieces)
        if name.presence is not None:
            text = name.presence.within_step(text)
        pieces = tuple(text.split("$window"))
        parts[role] = [
            Query(pieces=pieces, length=length, grid=grid, by=request.by)
            for length, grid in _grids(request)
        ]
        zero |= {role} if grouped.zero else set()
    return parts, frozenset(zero)


def cohort_answer(planned: CohortPlan, readings: QueryResults, labels_of: LabelsOf) -> CohortAnswer:
    """Combine the readings of a plan into an answer; invalid data make it `Unmeasured`."""
    try:
        by_role = {
            role: _joined([_read(role, readings(query)) for query in queries], planned.request)
            for role, queries in planned.parts.items()
        }
        lacking = [_read("boundary", readings(part)).number for part in planned.plan.lacking]
        check_boundaries(lacking)
        _check_labels(planned, by_role, labels_of)
        groups = _groups(planned, by_role)
    except MeasurementError as error:
        return error.answer(planned.plan.query)
    cut = [
        cut_note(label, planned.request.most, count)
        for place, label in enumerate(planned.request.by)
        if (count := len({values[place] for values in groups})) > planned.request.most
    ]
    return Cohorts(
        groups=busiest(groups, planned.request),
        query=planned.plan.query,
        notes=(*planned.plan.notes, *cut),
    )


def _read(name: str, reading: QueryValue | QueryError) -> QueryValue:
    if isinstance(reading, QueryError):
        raise MeasurementError(reading.cause, f"{name}: {reading.reason}")
    if reading.warnings:
        reason = f"partial answer: {'; '.join(reading.warnings)}"
        raise MeasurementError(Cause.PARTIAL, reason)
    return reading


def _joined(readings: Sequence[QueryValue], request: CohortRequest) -> PointsOfGroups:
    """Join the points of each group on all grids, the oldest first."""
    counts = [grid.count for _, grid in _grids(request)]
    return {
        values: tuple(
            point
            for reading, count in zip(readings, counts, strict=True)
            for point in reading.groups.get(values, (None,) * count)
        )
        for values in dict.fromkeys(values for reading in readings for values in reading.groups)
    }


def _groups(
    planned: CohortPlan, by_role: Mapping[Role, PointsOfGroups]
) -> dict[LabelValues, Cohort]:
    groups: dict[LabelValues, Cohort] = {}
    for values in sorted({values for points in by_role.values() for values in points}):
        points = {role: some.get(values) for role, some in by_role.items()}
        sums = {role: _sum(some, none=role in planned.zero) for role, some in points.items()}
        if not any(sums.values()):
            continue  # the group has no events
        try:
            count_events(sums, planned.request.span)
        except MeasurementError as error:
            whose = matchers(dict(zip(planned.request.by, values, strict=True)))
            raise MeasurementError(error.cause, f"{{{whose}}}: {error.reason}") from None
        groups[values] = _cohort(points, planned.request.steps)
    if not groups:  # the reason is the one of any count
        count_events(
            {role: Fraction() if points else None for role, points in by_role.items()},
            planned.request.span,
        )
    return groups


def _sum(points: Points | None, *, none: bool) -> Fraction | None:
    if points is None:
        return Fraction() if none else None
    return Fraction(fsum(point for point in points if point is not None))


def _cohort(points: Mapping[Role, Points | None], steps: int) -> Cohort:
    """Return a group's events by step; an absent part counts 0 if the other part is present."""
    nothing: Points = (None,) * steps
    rows = [some or nothing for some in points.values()]
    filled = {role: [point or 0.0 for point in some or nothing] for role, some in points.items()}
    if Role.BAD in filled:
        bad = filled[Role.BAD]
    else:
        pairs = zip(filled[Role.TOTAL], filled[Role.GOOD], strict=True)
        bad = [total - good for total, good in pairs]
    if Role.TOTAL in filled:
        total = filled[Role.TOTAL]
    else:
        total = [good + failed for good, failed in zip(filled[Role.GOOD], bad, strict=True)]
    seen = [any(point is not None for point in step) for step in zip(*rows, strict=True)]
    return Cohort(total=_where(seen, total), bad=_where(seen, bad))


def _where(seen: Sequence[bool], values: Sequence[float]) -> Points:
    return tuple(value if some else None for some, value in zip(seen, values, strict=True))


def _check_labels(
    planned: CohortPlan, by_role: Mapping[Role, PointsOfGroups], labels_of: LabelsOf
) -> None:
    """Raise an error for labels that no series has; series without a label form a group."""
    first = next(iter(by_role.values()))
    for place, label in enumerate(planned.request.by):
        there = {values[place] for values in first}
        for role, points in by_role.items():
            own = {values[place] for values in points}
            if own == {""} and (there == own or "" not in there):
                selector = planned.plan.expressions[role].selectors[0]
                near = nearest_first(label, labels_of(selector))
                has = f"; there are: {', '.join(near)}" if near else ""
                reason = f"{role}: no series of {selector} has the label {label}{has}"
                raise MeasurementError(Cause.INVALID, reason)
