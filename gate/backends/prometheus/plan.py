"""The queries for one count request."""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Final

from gate.backends.prometheus.evidence import RoleEvidence, plan_evidence
from gate.backends.prometheus.naming import Counted, Scope
from gate.backends.prometheus.probe import Probe, plan_probe
from gate.backends.prometheus.query import Query, Role
from gate.backends.prometheus.query_result import (
    QueryError,
    QueryResults,
    QueryValue,
    is_absent,
)
from gate.backends.prometheus.recorded import use_rules
from gate.backends.prometheus.resolve import count_query, lacking_query, window_query
from gate.backends.prometheus.slices import gauge_slices, ratio_slices
from gate.dataclass import dataclass
from gate.measure import Cause, CountRequest, Unmeasured
from gate.promql.expression import Expression, read_expression
from gate.promql.grammar import ExpressionError
from gate.promql.moving import SECOND, window_text
from gate.promql.names import Presence
from gate.slo.indicator import Sli

_FINEST: Final = timedelta(minutes=1)
_MOST_STEPS: Final = 50_000
"""The most steps of a subquery: VictoriaMetrics evaluates 100,000
(-search.maxPointsSubqueryPerTimeseries)."""
_RATIO: Final = ({Role.TOTAL, Role.BAD}, {Role.TOTAL, Role.GOOD}, {Role.GOOD, Role.BAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The parts of one request's count."""

    counted: Counted
    """The name that is counted; of several names, the newest."""
    request: CountRequest
    expressions: Mapping[Role, Expression]
    """The expressions by role, at least one."""
    parts: Mapping[Role, Query]
    probe: Probe | None
    objective: Query | None = None
    """The query for the objective that the tool whose series are counted defines itself."""
    lacking: tuple[Query, ...] = ()
    """Queries that count the histograms that lacked a boundary in a part of the window."""
    sum: Query | None = None
    """The query for the sum of all measured values; None: the indicator measures no values."""
    evidence: RoleEvidence | None = None
    """The queries that look for reasons to doubt the count; None: no evidence was requested."""
    notes: tuple[str, ...] = ()
    given: Mapping[Query, QueryValue] = field(default_factory=dict)
    """Answers to some parts that other questions have returned already."""
    presence: Presence | None = None
    """If given, the name counts only those processes that export no newer name."""
    names: "tuple[Plan, ...]" = ()
    """If given, the plans for each name that counts in a part of the window, the newest first."""

    def readings(self, readings: QueryResults) -> QueryResults:
        """Return the readings, completed by the answers in `given`."""
        return (lambda part: self.given.get(part) or readings(part)) if self.given else readings

    def __iter__(self) -> Iterator[Query]:
        """Iterate over all queries that the first round may send."""
        yield from self.needed()
        yield from self.put_off()

    def needed(self) -> Iterator[Query]:
        """Yield the queries that every answer needs."""
        yield from (part for part in self.parts.values() if part not in self.given)
        yield from self.lacking
        if self.probe is not None:
            yield from self.probe.first_round
        if self.evidence is not None:
            yield from self.evidence.first_round()
        if self.objective is not None:
            yield self.objective

    def put_off(self) -> Iterator[Query]:
        """Return the other queries, which only some answers need."""
        return iter(()) if self.evidence is None else self.evidence.put_off()

    def second_round(self, readings: QueryResults) -> tuple[Query, ...]:
        """Return the queries that follow from the readings of the first round."""
        readings = self.readings(readings)
        counts = [readings(part) for part in self.parts.values()]
        if (
            self.probe is None
            or is_absent(counts[0])
            or any(isinstance(c, QueryError) for c in counts)
        ):
            return ()
        doubts = self.evidence.second_round(readings) if self.evidence is not None else ()
        return (*self.probe.second_round(readings), *doubts)

    @property
    def query(self) -> str:
        """The expressions, in a form that people can run themselves."""
        return "\n".join(f"{role}: {part.text}" for role, part in self.parts.items())


@lru_cache(maxsize=4096)
def _expression(text: str, labels: tuple[tuple[str, str], ...], *, gauge: bool) -> Expression:
    # Each SLO has several windows, and is planned again once all answers are complete.
    return read_expression(text, dict(labels), gauge=gauge)


def plan_name(
    request: CountRequest,
    counted: Counted,
    scope: Scope,
    readings: QueryResults,
    *,
    stepwise: bool = False,
) -> Plan | Unmeasured:
    """Plan the count of a request under one name, or return why it cannot be counted.

    Args:
        request: the request; its own indicator is not checked.
        counted: the name.
        scope: the scope of its questions.
        readings: the answers to the questions about recording rules.
        stepwise: the span is short, one of many steps.
    """
    resolved = counted.resolved
    if resolved.sli is not request.sli:
        request = replace(request, sli=resolved.sli)
    expressions = expressions_of(request)
    if isinstance(expressions, Unmeasured):
        return expressions
    length = request.span.length // SECOND * SECOND
    recorded = use_rules(expressions, resolved.lacking, request, scope.slos, readings)
    lacking = resolved.lacking if request.probe and not recorded.parts else ()
    own = [expression for expression in expressions.values() if expression.selectors][:1]
    sources = list(counted.sources()) if request.probe else own
    sources += [expression for expression in own if expression not in sources]
    parts = recorded.parts or _parts(expressions, request, stepwise)
    planned = Plan(
        counted=counted,
        request=request,
        expressions=expressions,
        parts=parts,
        probe=plan_probe(sources, request.span) if request.probe else None,
        evidence=plan_evidence(expressions, parts, request) if request.probe else None,
        objective=_objective(request),
        lacking=tuple(lacking_query(text, length) for text in lacking),
        sum=window_query(resolved.sum, length) if resolved.sum else None,
        notes=(*request.sli.notes, *resolved.notes, *recorded.notes),
        given=recorded.answers,
        presence=counted.presence,
    )
    return planned if counted.presence is None else _masked(planned, counted.presence, stepwise)


def expressions_of(request: CountRequest) -> dict[Role, Expression] | Unmeasured:
    """Return the expressions that count an indicator under one name, or why it has none."""
    texts = _texts(request.sli)
    wrong = _check(set(texts), request)
    if wrong is not None:
        return Unmeasured(cause=Cause.INVALID, reason=wrong)
    expressions, labels = {}, tuple((request.sli.labels or {}).items())
    for role, text in texts.items():
        try:
            expressions[role] = _expression(text, labels, gauge=role is Role.GAUGE)
        except ExpressionError as error:
            return Unmeasured(cause=Cause.INVALID, reason=f"{role}: {error}", query=text)
    blind = _blind(expressions)
    if blind is not None:
        return Unmeasured(cause=Cause.INVALID, reason=blind)
    return expressions


def _masked(planned: Plan, presence: Presence, stepwise: bool) -> Plan:
    """Exclude from each count the events that a newer name has counted."""

    def masked(part: Query) -> Query:
        text = "$window".join(part.pieces)
        if stepwise:
            return replace(part, pieces=tuple(presence.within_step(text).split("$window")))
        step = window_text(max(_FINEST, part.length // _MOST_STEPS // _FINEST * _FINEST))
        return replace(part, pieces=tuple(presence.over_window(text, step).split("$window")))

    parts = {
        role: masked(part) if role in planned.expressions else part
        for role, part in planned.parts.items()
    }
    return replace(planned, parts=parts, sum=planned.sum and masked(planned.sum))


def _texts(sli: Sli) -> dict[Role, str]:
    """Return the expressions by role; the one that best shows whether there is data comes first."""
    given = {
        Role.TOTAL: sli.total,
        Role.GOOD: sli.good,
        Role.BAD: sli.bad,
        Role.SPENT: sli.spent,
        Role.GAUGE: sli.gauge,
    }
    if sli.total is not None and sli.bad is not None:
        del given[Role.GOOD]  # total and bad determine it
    return {role: text for role, text in given.items() if text is not None}


def _objective(request: CountRequest) -> Query | None:
    text = request.sli.objective
    if text is None or not request.probe:
        return None
    expression = read_expression(text, request.sli.labels, gauge=True)
    return Query(pieces=expression.pieces, length=timedelta())


def _check(roles: set[Role], request: CountRequest) -> str | None:
    if roles not in ({Role.SPENT}, {Role.GAUGE}, *_RATIO):
        return "this backend needs total with good or bad, good with bad, a gauge, or spent"
    if roles == {Role.GAUGE} and request.slices is None:
        return "gauge: it is a value, not a count, and can only be judged by timeslices"
    return None


def _blind(expressions: Mapping[Role, Expression]) -> str | None:
    """Return the expression that selects no series; None: all that count events select some.

    A total may be a constant if a metric counts the bad events.
    """
    for role, expression in expressions.items():
        if role is not Role.TOTAL and not expression.selectors:
            return (
                f"{role}: the expression names no metric, so it says the same whatever happens;"
                " write one over a metric, for example sum(increase(errors_total[$window]))"
            )
    return None


def _parts(
    expressions: Mapping[Role, Expression], request: CountRequest, stepwise: bool
) -> dict[Role, Query]:
    if Role.GAUGE in expressions and request.slices is not None:
        return gauge_slices(expressions[Role.GAUGE], request.slices, request.span)
    length = request.span.length // SECOND * SECOND
    parts = {role: count_query(expression, length) for role, expression in expressions.items()}
    if request.slices is not None:
        parts |= ratio_slices(expressions, request.slices, request.span, stepwise=stepwise)
    return parts
