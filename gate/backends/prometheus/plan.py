"""What has to be asked for one count request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise

from gate.backends.prometheus.probe import Probe, gauge_slices, plan_probe, ratio_slices
from gate.backends.prometheus.query import SECOND, Query, Role
from gate.backends.prometheus.query_result import QueryError, QueryResults, is_absent
from gate.backends.prometheus.resolve import Resolved, discovery, resolve, rule_questions, use_rules
from gate.measure import Cause, CountRequest, MeasurementError, Unmeasured
from gate.promql.expression import Expression, read_expression
from gate.promql.grammar import ExpressionError
from gate.slo.indicator import Sli

_RATIO = ({Role.TOTAL, Role.BAD}, {Role.TOTAL, Role.GOOD}, {Role.GOOD, Role.BAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The parts of one request."""

    request: CountRequest
    expressions: Mapping[Role, Expression]
    """At least one."""
    parts: Mapping[Role, Query]
    probe: Probe | None
    objective: Query | None = None
    """What the tool promises whose series are counted."""
    lacking: tuple[Query, ...] = ()
    """Each counts histograms that lacked a boundary in a part of the window."""
    sum: Query | None = None
    """The sum of all values that were measured; None: the indicator measures none."""
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Query]:
        """Go through what is asked in the first round."""
        yield from self.parts.values()
        yield from self.lacking
        if self.probe is not None:
            yield from self.probe.first_round
        if self.objective is not None:
            yield self.objective

    def second_round(self, readings: QueryResults) -> tuple[Query, ...]:
        """Return what else to ask once the first round is read."""
        counts = [readings(part) for part in self.parts.values()]
        if (
            self.probe is None
            or is_absent(counts[0])
            or any(isinstance(c, QueryError) for c in counts)
        ):
            return ()
        return self.probe.second_round(readings)

    @property
    def query(self) -> str:
        """The expressions, for people to repeat."""
        return "\n".join(f"{role}: {part.text}" for role, part in self.parts.items())


@lru_cache(maxsize=64)
def _expression(text: str, labels: tuple[tuple[str, str], ...], *, gauge: bool) -> Expression:
    # Each SLO is asked about over several windows, one after the other.
    return read_expression(text, dict(labels), gauge=gauge)


def questions(request: CountRequest) -> tuple[Query, ...]:
    """Return what must be known of the server before a request can be planned."""
    try:
        return (*discovery(request.sli), *rule_questions(request))
    except ExpressionError:
        return ()  # said when it is planned


def plan(request: CountRequest, readings: QueryResults) -> Plan | Unmeasured:
    """Say what to ask for a request, or why it cannot be asked.

    Args:
        request: the indicator and its span.
        readings: the answers to its `questions`.
    """
    if request.span.length < SECOND:
        reason = "the period began only now, there is nothing to count yet"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason)
    try:
        resolved = resolve(request.sli, readings)
    except ExpressionError as error:
        return Unmeasured(cause=Cause.INVALID, reason=str(error))
    except MeasurementError as error:
        return error.answer()
    return _plan(replace(request, sli=resolved.sli), resolved, readings)


def _plan(request: CountRequest, resolved: Resolved, readings: QueryResults) -> Plan | Unmeasured:
    texts = _texts(request.sli)
    wrong = _check(set(texts), request)
    if wrong is not None:
        return Unmeasured(cause=Cause.INVALID, reason=wrong)
    expressions = {}
    for role, text in texts.items():
        try:
            labels = tuple((request.sli.labels or {}).items())
            expressions[role] = _expression(text, labels, gauge=role is Role.GAUGE)
        except ExpressionError as error:
            return Unmeasured(cause=Cause.INVALID, reason=f"{role}: {error}", query=text)
    length = request.span.length // SECOND * SECOND
    recorded = use_rules(expressions, resolved.lacking, request, readings)
    lacking = resolved.lacking if request.probe and not recorded.parts else ()
    return Plan(
        request=request,
        expressions=expressions,
        parts=recorded.parts or _parts(expressions, request),
        probe=plan_probe(expressions.values(), request.span) if request.probe else None,
        objective=_objective(request),
        lacking=tuple(
            replace(_written(text, length), grain=SECOND, largest=True) for text in lacking
        ),
        sum=_written(resolved.sum, length) if resolved.sum else None,
        notes=(*request.sli.notes, *resolved.notes, *recorded.notes),
    )


def _written(text: str, length: timedelta) -> Query:
    """Return a part of an expression that the gate wrote itself."""
    return Query(pieces=tuple(text.split("$window")), length=length)


def _texts(sli: Sli) -> dict[Role, str]:
    """Return the expressions by role, the one that best tells whether there is data first."""
    given = {
        Role.TOTAL: sli.total,
        Role.GOOD: sli.good,
        Role.BAD: sli.bad,
        Role.SPENT: sli.spent,
        Role.GAUGE: sli.gauge,
    }
    if sli.total is not None and sli.bad is not None:
        del given[Role.GOOD]  # follows from the other two
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


def _parts(expressions: Mapping[Role, Expression], request: CountRequest) -> dict[Role, Query]:
    if Role.GAUGE in expressions and request.slices is not None:
        return gauge_slices(expressions[Role.GAUGE], request.slices, request.span)
    length = request.span.length // SECOND * SECOND
    parts = {role: _count(expression, length) for role, expression in expressions.items()}
    if request.slices is not None:
        parts |= ratio_slices(expressions, request.slices, request.span)
    return parts


def _count(expression: Expression, length: timedelta) -> Query:
    return Query(
        pieces=expression.pieces,
        length=length,
        open_start=any(piece.startswith(":") for piece in expression.pieces),  # a subquery's step
        grain=SECOND if expression.additive else None,
        counters=expression.selectors if _counts_steps(expression) else (),
    )


def _counts_steps(expression: Expression) -> bool:
    """Return whether it is made of increases over the window, and not within a subquery."""
    return any(
        "increase" in before and not after.startswith(":")
        for before, after in pairwise(expression.pieces)
    )
