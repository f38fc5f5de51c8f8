"""What happened to whom: each expression by labels and by step, in few range queries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import fsum

from gate.backends.prometheus.answer import check_boundaries
from gate.backends.prometheus.counting import count_events
from gate.backends.prometheus.plan import Plan, plan
from gate.backends.prometheus.query import EVENTS, Query, QueryGrid, Role
from gate.backends.prometheus.query_result import (
    QueryError,
    QueryResults,
    QueryValue,
)
from gate.errors import nearest_first
from gate.measure.cohorts import (
    Cohort,
    CohortAnswer,
    CohortRequest,
    Cohorts,
    LabelValues,
    busiest,
    cut_note,
)
from gate.measure.counts import Cause, CountRequest, MeasurementError, Unmeasured
from gate.promql.grammar import ExpressionError
from gate.promql.grouping import group_by
from gate.promql.selectors import matchers

Points = tuple[float | None, ...]


LabelsOf = Callable[[str], Sequence[str]]
"""From a selector to the labels that its series have; empty: it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPlan:
    """A plan whose parts are asked for by labels and by step."""

    request: CohortRequest
    plan: Plan
    zero: frozenset[Role]
    """Roles of which nothing is none, as the policy has it."""

    def __iter__(self) -> Iterator[Query]:
        """Go through what is asked."""
        yield from self.plan


def whole(request: CohortRequest) -> CountRequest:
    """Return the count over all of the span, whose parts are then told apart.

    It is probed so that a histogram's boundary that came later is looked for.
    """
    return CountRequest(sli=request.sli, span=request.span, probe=True)


def cohort_plan(request: CohortRequest, readings: QueryResults) -> CohortPlan | Unmeasured:
    """Say what to ask for a request, or why it cannot be asked."""
    planned = plan(whole(request), readings)
    if isinstance(planned, Unmeasured):
        return planned
    if not EVENTS & planned.parts.keys():
        reason = "only events can be told apart by labels, neither a gauge nor what is spent"
        return Unmeasured(cause=Cause.INVALID, reason=reason, query=planned.query)
    grid = QueryGrid(request.span.start + request.step, request.step, request.steps)
    parts, zero = dict[Role, Query](), set[Role]()
    for role, expression in planned.expressions.items():
        try:
            grouped = group_by(expression, request.by)
        except ExpressionError as error:
            reason = f"{role}: {error}"
            return Unmeasured(cause=Cause.INVALID, reason=reason, query=planned.query)
        parts[role] = Query(pieces=grouped.pieces, length=request.step, grid=grid, by=request.by)
        zero |= {role} if grouped.zero else set()
    planned = replace(planned, parts=parts, probe=None, objective=None)
    return CohortPlan(request=request, plan=planned, zero=frozenset(zero))


def cohort_answer(told: CohortPlan, readings: QueryResults, labels_of: LabelsOf) -> CohortAnswer:
    """Put together what came back for a plan's parts; whatever is wrong makes it `Unmeasured`."""
    try:
        found = {role: _read(role, readings(part)) for role, part in told.plan.parts.items()}
        lacking = [_read("boundary", readings(part)).number for part in told.plan.lacking]
        check_boundaries(lacking)
        _check_labels(told, found, labels_of)
        groups = _groups(told, found)
    except MeasurementError as error:
        return error.answer(told.plan.query)
    cut = [
        cut_note(label, told.request.most, count)
        for place, label in enumerate(told.request.by)
        if (count := len({values[place] for values in groups})) > told.request.most
    ]
    return Cohorts(
        groups=busiest(groups, told.request),
        query=told.plan.query,
        notes=(*told.plan.notes, *cut),
    )


def _read(name: str, reading: QueryValue | QueryError) -> QueryValue:
    if isinstance(reading, QueryError):
        raise MeasurementError(reading.cause, f"{name}: {reading.reason}")
    if reading.warnings:
        reason = f"partial answer: {'; '.join(reading.warnings)}"
        raise MeasurementError(Cause.PARTIAL, reason)
    return reading


def _groups(told: CohortPlan, found: Mapping[Role, QueryValue]) -> dict[LabelValues, Cohort]:
    groups: dict[LabelValues, Cohort] = {}
    for values in sorted({values for one in found.values() for values in one.groups}):
        points = {role: one.groups.get(values) for role, one in found.items()}
        sums = {role: _sum(some, none=role in told.zero) for role, some in points.items()}
        if not any(sums.values()):
            continue  # nothing happened to it
        try:
            count_events(sums, told.request.span)
        except MeasurementError as error:
            whose = matchers(dict(zip(told.request.by, values, strict=True)))
            raise MeasurementError(error.cause, f"{{{whose}}}: {error.reason}") from None
        groups[values] = _cohort(points, told.request.steps)
    if not groups:  # why, is said as it is of any count
        count_events(
            {role: Fraction() if one.groups else None for role, one in found.items()},
            told.request.span,
        )
    return groups


def _sum(points: Points | None, *, none: bool) -> Fraction | None:
    if points is None:
        return Fraction() if none else None
    return Fraction(fsum(one for one in points if one is not None))


def _cohort(points: Mapping[Role, Points | None], steps: int) -> Cohort:
    """Return a group's events by step; a part that is absent there is none beside one that is."""
    nothing: Points = (None,) * steps
    known = [some or nothing for some in points.values()]
    filled = {role: [one or 0.0 for one in some or nothing] for role, some in points.items()}
    if Role.BAD in filled:
        bad = filled[Role.BAD]
    else:
        pairs = zip(filled[Role.TOTAL], filled[Role.GOOD], strict=True)
        bad = [total - good for total, good in pairs]
    if Role.TOTAL in filled:
        total = filled[Role.TOTAL]
    else:
        total = [good + failed for good, failed in zip(filled[Role.GOOD], bad, strict=True)]
    seen = [any(one is not None for one in step) for step in zip(*known, strict=True)]
    return Cohort(total=_where(seen, total), bad=_where(seen, bad))


def _where(seen: Sequence[bool], values: Sequence[float]) -> Points:
    return tuple(value if some else None for some, value in zip(seen, values, strict=True))


def _check_labels(told: CohortPlan, found: Mapping[Role, QueryValue], labels_of: LabelsOf) -> None:
    """Refuse labels that no series has; what only some lack them is a group of its own."""
    first = next(iter(found.values()))
    for place, label in enumerate(told.request.by):
        there = {values[place] for values in first.groups}
        for role, one in found.items():
            own = {values[place] for values in one.groups}
            if own == {""} and (there == own or "" not in there):
                selector = told.plan.expressions[role].selectors[0]
                near = nearest_first(label, labels_of(selector))
                has = f"; there are: {', '.join(near)}" if near else ""
                reason = f"{role}: no series of {selector} has the label {label}{has}"
                raise MeasurementError(Cause.INVALID, reason)
