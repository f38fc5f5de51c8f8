"""Event counts by each label that the series have, in a few stretches of time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import plan
from gate.backends.prometheus.query import EVENTS, Query, Role
from gate.backends.prometheus.query_result import QueryError, QueryResults
from gate.dataclass import dataclass
from gate.measure import Cause, CountRequest, MeasurementError, Unmeasured
from gate.measure.cohorts import IDENTITIES, EventCounts, LabelAnswer, LabelCounts, LabelRequest
from gate.promql.grammar import ExpressionError
from gate.promql.grouping import group_without
from gate.promql.moving import SECOND, window_text
from gate.slo.objective import Span

_WITHOUT: Final = ("le", *IDENTITIES)
"""The labels that are left out: a histogram's boundary is not a label of an event."""
_GRAIN: Final = timedelta(minutes=1)
_STEPS: Final = 1000
"""The number of steps in which a newer name of a metric is searched for."""
LabelNumbers = dict[str, dict[str, float]]
"""Numbers of events by label and value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlan:
    """The parts of a request in each of its stretches of time."""

    request: LabelRequest
    query: str
    parts: tuple[Mapping[Role, Query], ...]
    """The parts, one mapping for each span."""

    def __iter__(self) -> Iterator[Query]:
        """Iterate over all parts."""
        for by_role in self.parts:
            yield from by_role.values()


def longest(request: LabelRequest) -> CountRequest:
    """Return the count over the longest span, from which the other spans are planned."""
    span = max(request.spans, key=lambda span: span.length)
    return CountRequest(sli=request.sli, span=span)


def label_plan(
    request: LabelRequest, at: datetime, readings: QueryResults
) -> LabelPlan | Unmeasured:
    """Plan the queries for a request, or return why it cannot be measured.

    Args:
        request: its spans end at the instant of the run or before.
        at: the instant of the run.
        readings: the answers to the questions about its `longest` span.
    """
    whole = longest(request)
    planned = plan(whole, Scope(whole.span), readings)
    if isinstance(planned, Unmeasured):
        return planned
    if not EVENTS & planned.parts.keys():
        reason = "only events can be grouped by labels, not a gauge or an amount"
        return Unmeasured(cause=Cause.INVALID, reason=reason, query=planned.query)
    try:
        parts = tuple(_parts(planned, span, at) for span in request.spans)
    except MeasurementError as error:
        return error.answer(planned.query)
    return LabelPlan(request=request, query=planned.query, parts=parts)


def _parts(planned: Plan, span: Span, at: datetime) -> dict[Role, Query]:
    names = planned.names or (planned,)
    return {
        role: Query.added([_query(name, role, span, at) for name in names])
        for role in planned.expressions
    }


def _query(name: Plan, role: Role, span: Span, at: datetime) -> Query:
    try:
        grouped = group_without(name.expressions[role], _WITHOUT)
    except ExpressionError as error:
        raise MeasurementError(Cause.INVALID, f"{role}: {error}") from None
    text = "$window".join(grouped.pieces)
    length = max(span.length // SECOND * SECOND, SECOND)
    if name.presence is not None:
        step = max(_GRAIN, length // _STEPS // _GRAIN * _GRAIN)
        text = name.presence.over_window(text, window_text(step))
    return Query(
        pieces=tuple(text.split("$window")),
        length=length,
        offset=at - span.end,
        grain=_GRAIN,
        labelled=True,
    )


def label_answer(planned: LabelPlan, readings: QueryResults) -> LabelAnswer:
    """Combine the readings into an answer; invalid data make it `Unmeasured`."""
    try:
        spans = [_counts(by_role, readings) for by_role in planned.parts]
    except MeasurementError as error:
        return error.answer(planned.query)
    names = sorted({name for _, bad in spans for name in bad})
    labels, left_out = dict[str, dict[str, tuple[EventCounts, ...]]](), dict[str, int]()
    for name in names:
        values = sorted(
            {value for total, bad in spans for value in (*total.get(name, {}), *bad.get(name, {}))}
        )
        if len(values) > planned.request.most:
            left_out[name] = len(values)
            continue
        labels[name] = {
            value: tuple(
                EventCounts(total.get(name, {}).get(value, 0.0), bad.get(name, {}).get(value, 0.0))
                for total, bad in spans
            )
            for value in values
        }
    return LabelCounts(labels=labels, left_out=left_out)


def _counts(
    by_role: Mapping[Role, Query], readings: QueryResults
) -> tuple[LabelNumbers, LabelNumbers]:
    """Return the events and the bad ones of a span, by label."""
    numbers = {role: _by_label(role, part, readings) for role, part in by_role.items()}
    if Role.BAD not in numbers:
        return numbers[Role.TOTAL], _combined(numbers[Role.TOTAL], numbers[Role.GOOD], -1)
    bad = numbers[Role.BAD]
    if Role.TOTAL in numbers:
        return numbers[Role.TOTAL], bad
    return _combined(numbers[Role.GOOD], bad, 1), bad


def _combined(first: LabelNumbers, other: LabelNumbers, sign: int) -> LabelNumbers:
    """Add or subtract the second's events of each value; keep labels that only one of them has."""
    return {
        name: {
            value: max(first[name].get(value, 0.0) + sign * other[name].get(value, 0.0), 0.0)
            for value in dict.fromkeys([*first[name], *other[name]])
        }
        for name in first.keys() & other.keys()
    }


def _by_label(role: Role, part: Query, readings: QueryResults) -> LabelNumbers:
    """Return the events of each value of each label; series without a label have an empty one."""
    reading = readings(part)
    if isinstance(reading, QueryError):
        raise MeasurementError(reading.cause, f"{role}: {reading.reason}")
    if reading.warnings:
        reason = f"partial answer: {'; '.join(reading.warnings)}"
        raise MeasurementError(Cause.PARTIAL, reason)
    series = [(dict(labels), float(number)) for labels, number in reading.by_labels.items()]
    names = sorted({name for labels, _ in series for name in labels if name != "__name__"})
    numbers: LabelNumbers = {name: {} for name in names}
    for labels, number in series:
        for name in names:
            value = labels.get(name, "")
            numbers[name][value] = numbers[name].get(value, 0.0) + number
    return numbers


def questions_of(requests: Sequence[LabelRequest]) -> list[tuple[CountRequest, Scope]]:
    """Return the questions about the server that come before the requests can be planned."""
    return [(whole, Scope(whole.span)) for whole in map(longest, requests)]
