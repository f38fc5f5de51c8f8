"""The plan for a request under all names of its indicator, and the questions that come first."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from gate.backends.prometheus.alternatives import Alternatives
from gate.backends.prometheus.evidence import evidence_of_all
from gate.backends.prometheus.naming import Counted, Scope
from gate.backends.prometheus.plan import Plan, expressions_of, plan_name
from gate.backends.prometheus.probe import plan_probe
from gate.backends.prometheus.query import Query, Role
from gate.backends.prometheus.query_result import QueryResult, QueryResults, QueryValue
from gate.backends.prometheus.recorded import NOT_RECORDED, rule_questions, use_rules
from gate.backends.prometheus.slices import ratio_slices
from gate.measure import Cause, CountRequest, MeasurementError, Unmeasured
from gate.promql.expression import Expression
from gate.promql.grammar import ExpressionError
from gate.promql.moving import SECOND
from gate.promql.names import side_by_side
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""An arbitrary instant: the errors of an expression do not depend on it."""


def questions(request: CountRequest, scope: Scope) -> tuple[Query, ...]:
    """Return the questions about the server that come before a request can be planned.

    Args:
        request: the indicator and its span.
        scope: the scope of the questions.
    """
    try:
        ways = Alternatives.of(request.sli, scope.span)
        return (*ways.questions(), *rule_questions(request, scope.slos))
    except ExpressionError:
        return ()  # `plan` reports the error


def further_questions(
    request: CountRequest, scope: Scope, readings: QueryResults
) -> tuple[Query, ...]:
    """Return the questions that follow from the answers to `questions`; most have none."""
    try:
        return tuple(Alternatives.of(request.sli, scope.span).further(readings))
    except (ExpressionError, MeasurementError):
        return ()  # `plan` reports the error


def guesses(request: CountRequest, *, stepwise: bool = False) -> Iterator[Plan]:
    """Yield the plans that `plan` most likely returns, so that their queries need not wait.

    If the answers to the `questions` lead to another plan, that plan has the queries to send
    instead.

    Args:
        request: the indicator and its span.
        stepwise: the span is short, one of many steps.
    """
    if request.span.length < SECOND:
        return
    try:
        guessed = list(Alternatives.of(request.sli, request.span).guesses())
    except ExpressionError:
        return  # `plan` reports the error
    for counted in guessed:
        scope = Scope(request.span)
        planned = plan_name(request, counted, scope, _nothing, stepwise=stepwise)
        if isinstance(planned, Plan):
            yield planned


def mistake_in(sli: Sli, slices: Slices | None) -> str | None:
    """Return the error in an indicator that every server would report; None: no error.

    Args:
        sli: the indicator.
        slices: the slices of the SLO, if it counts slices of time.
    """
    span = Span(_EPOCH, _EPOCH + timedelta(days=1))
    request = CountRequest(sli=sli, span=span, slices=slices, amount=sli.spent is not None)
    try:
        guessed = list(Alternatives.of(sli, span).guesses())
    except ExpressionError as error:
        return str(error)
    names = [expressions_of(replace(request, sli=counted.resolved.sli)) for counted in guessed]
    refused = [name.reason for name in names if isinstance(name, Unmeasured)]
    return refused[0] if refused and len(refused) == len(names) else None


def _nothing(_part: Query) -> QueryResult:
    """Return an empty result for a part that was not asked for."""
    return QueryValue(number=None)


def plan(
    request: CountRequest,
    scope: Scope,
    readings: QueryResults,
    *,
    stepwise: bool = False,
    guessed: Sequence[Plan] = (),
) -> Plan | Unmeasured:
    """Plan the count of a request, or return why it cannot be counted.

    Args:
        request: the indicator and its span.
        scope: the scope of its `questions`.
        readings: the answers to them.
        stepwise: the span is short, one of many steps.
        guessed: the `guesses`, which are not made anew where they turn out to be right.
    """
    if request.span.length < SECOND:
        reason = "the period began only now, there is nothing to count yet"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason)
    try:
        ways = Alternatives.of(request.sli, scope.span)
        counted, note = ways.counted(readings), ways.note(readings)
    except ExpressionError as error:
        return Unmeasured(cause=Cause.INVALID, reason=str(error))
    except MeasurementError as error:
        return error.answer()
    if len(counted) > 1:
        request = replace(request, rule_labels=None)  # rules recorded only one of the names
    plans = list[Plan]()
    for name in counted:
        planned = _right(guessed, request, name, scope, readings) or plan_name(
            request, name, scope, readings, stepwise=stepwise
        )
        if isinstance(planned, Unmeasured):
            return planned
        plans.append(planned)
    combined = combine(plans, stepwise=stepwise)
    return replace(combined, notes=(*combined.notes, *((note,) if note else ())))


def _right(
    guessed: Sequence[Plan],
    request: CountRequest,
    name: Counted,
    scope: Scope,
    readings: QueryResults,
) -> Plan | None:
    """Return the guessed plan of a name unless rules have recorded it; None: none was guessed."""
    for planned in guessed:
        if planned.counted == name:
            lacking, expressions = name.resolved.lacking, planned.expressions
            recorded = use_rules(expressions, lacking, request, scope.slos, readings)
            return planned if recorded == NOT_RECORDED else None
    return None


def combine(plans: Sequence[Plan], *, stepwise: bool = False) -> Plan:
    """Return the plan that counts an indicator under several names, each for its part of the time.

    Args:
        plans: the plans of each name.
        stepwise: the span is short, one of many steps.
    """
    first = plans[0]
    if len(plans) == 1:
        return first
    parts = {role: Query.added([plan.parts[role] for plan in plans]) for role in first.parts}
    if first.request.slices is not None:
        counts = {role: _in_a_slice(plans, role) for role in first.expressions}
        slices, span = first.request.slices, first.request.span
        parts |= ratio_slices(counts, slices, span, stepwise=stepwise)
    sums = [plan.sum for plan in plans if plan.sum is not None]
    sources = [source for plan in plans if plan.probe for source in plan.probe.sources]
    expressions = {role: _either(plans, role) for role in first.expressions}
    every = next(iter(expressions.values()))
    probe = plan_probe(sources, first.request.span) if sources else None
    return replace(
        first,
        expressions=expressions,
        parts=parts,
        probe=probe,
        evidence=evidence_of_all((plan.evidence for plan in plans), every, probe),
        lacking=tuple(part for plan in plans for part in plan.lacking),
        sum=Query.added(sums) if len(sums) == len(plans) else None,
        notes=tuple(dict.fromkeys(note for plan in plans for note in plan.notes)),
        names=tuple(plans),
    )


def _either(plans: Sequence[Plan], role: Role) -> Expression:
    """Return one expression for the series of all names, for questions about series only."""
    expressions = [plan.expressions[role] for plan in plans]
    selectors = dict.fromkeys(text for each in expressions for text in each.selectors)
    return replace(expressions[0], selectors=tuple(selectors), union=True)


def _in_a_slice(plans: Sequence[Plan], role: Role) -> Expression:
    """Return the counts of all names over a timeslice as one vector, to be added up."""
    text = side_by_side(
        plan.presence.within_step(text) if plan.presence is not None else text
        for plan in plans
        for text in (plan.expressions[role].over("$window"),)
    )
    return replace(plans[0].expressions[role], pieces=tuple(text.split("$window")))
