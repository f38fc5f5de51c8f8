"""Evidence for every role of an indicator: reasons to doubt the count.

The evidence is in the same batch as the counts; a second round follows only if the first raises a
suspicion that needs detail.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from gate.backends.prometheus.evidence.births import BirthWitness
from gate.backends.prometheus.evidence.contradiction import ContradictionWitness, may_contradict
from gate.backends.prometheus.evidence.drops import DropWitness
from gate.backends.prometheus.evidence.frozen import FrozenWitness
from gate.backends.prometheus.evidence.losses import LossWitness
from gate.backends.prometheus.evidence.roles import (
    JudgedSelector,
    is_counted,
    judged_selectors,
    rest_of_good,
    whole_of,
)
from gate.backends.prometheus.evidence.silence import SilenceWitness
from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.targets import target_witnesses
from gate.backends.prometheus.evidence.unmatched import UnmatchedWitness
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness
from gate.backends.prometheus.probe import Probe
from gate.backends.prometheus.query import EVENTS, Query, Role
from gate.backends.prometheus.query_result import QueryResults
from gate.dataclass import dataclass
from gate.measure import CountRequest, MeasurementError, Suspicion
from gate.promql.expression import Expression
from gate.promql.selectors import Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleEvidence:
    """All witnesses of one count."""

    witnesses: tuple[Witness, ...]

    def first_round(self) -> Iterator[Query]:
        """Yield the queries that are sent with the counts, and that every judgement needs."""
        for witness in self.witnesses:
            yield from witness.first_round()

    def put_off(self) -> Iterator[Query]:
        """Yield the further queries that some judgements need."""
        for witness in self.witnesses:
            yield from witness.put_off()

    def second_round(self, readings: QueryResults) -> Iterator[Query]:
        """Yield the queries that follow from a suspicion in the first answers."""
        answers = EvidenceAnswers(readings=readings)
        for witness in self.witnesses:
            try:
                yield from witness.second_round(answers)
            except MeasurementError:
                continue  # the judgement reports the error

    def suspicions(
        self, readings: QueryResults, total: Fraction, bad: Fraction
    ) -> tuple[Suspicion, ...]:
        """Return the reasons to doubt a count, each once.

        Args:
            readings: the answers.
            total: the total events; for an allowance 0.
            bad: the bad events; for an allowance the amount spent.
        """
        answers = EvidenceAnswers(readings=readings, total=total, bad=bad)
        suspicions = dict.fromkeys(s for w in self.witnesses for s in _suspicions(w, answers))
        return tuple(suspicions)


def plan_evidence(
    expressions: Mapping[Role, Expression], parts: Mapping[Role, Query], request: CountRequest
) -> RoleEvidence:
    """Plan the evidence for the counts of a request.

    Args:
        expressions: the expressions of the indicator, by role.
        parts: the queries that count them.
        request: its indicator and span.
    """
    role = whole_of(expressions)
    if role is None:
        return RoleEvidence(witnesses=())
    whole = Whole(
        role=role,
        expression=expressions[role],
        span=request.span,
        slices=request.slices,
    )
    counted = None if request.sli.some_failures else parts.get(Role.BAD)
    return RoleEvidence(witnesses=tuple(_witnesses(expressions, whole, counted)))


def evidence_of_all(
    evidence: Iterable[RoleEvidence | None], either: Expression, probe: Probe | None
) -> RoleEvidence | None:
    """Combine the evidence under each of several names; None: none exists.

    Whether there is data, and traffic, is judged for all names together: each may be present only
    in a part of the window. Whether there is far less traffic than a week ago is not checked: a
    process that had two names then, and has one now, would look like it.

    Args:
        evidence: the evidence of each name.
        either: all events, with the selectors of every name.
        probe: the probe of all names.
    """
    given = [witness for each in evidence if each is not None for witness in each.witnesses]
    if probe is None or not given:
        return None
    of_all = LossWitness | SilenceWitness | DropWitness
    own = [witness for witness in given if not isinstance(witness, of_all)]
    losses = [
        replace(witness, whole=replace(witness.whole, expression=either), coverage=probe.coverage)
        for witness in given
        if isinstance(witness, LossWitness)
    ]
    silences = [witness for witness in given if isinstance(witness, SilenceWitness)]
    names = tuple(witness.whole.expression.pieces for witness in silences)
    silence = [
        replace(witness, whole=replace(witness.whole, names=names)) for witness in silences[:1]
    ]
    return RoleEvidence(witnesses=tuple(dict.fromkeys([*own, *silence, *losses[:1]])))


def _witnesses(
    expressions: Mapping[Role, Expression], whole: Whole, counted: Query | None
) -> Iterator[Witness]:
    """Yield the witnesses; ``counted`` are all failures, None: only some of them."""
    counters = tuple(_counters(whole.expression))
    judged = list(judged_selectors(expressions, whole.role))
    rest = [] if Role.BAD in expressions else list(rest_of_good(judged, whole.expression))
    yield from _birth_witnesses(expressions, rest, whole)
    status = None
    if counted is not None and may_contradict(judged):
        own = tuple(
            j.selector.text for j in judged if j.own_metric and _is_increase(j, expressions)
        )
        status = ContradictionWitness(whole=whole, counted=counted, counters=own)
    for selector in (*judged, *rest):
        yield UnmatchedWitness(judged=selector, whole=whole, status=status)
    if whole.slices is None:
        yield from target_witnesses(judged, whole)
    if status is not None:
        yield status
    if whole.role in EVENTS:
        yield SilenceWitness(whole=whole)
        yield from _drop_witness(expressions, whole)
    if whole.role is not Role.GAUGE:
        yield LossWitness(whole=whole, counters=bool(counters))
        return
    for text in whole.expression.selectors:
        yield FrozenWitness(selector=text, whole=whole)


def _is_increase(judged: JudgedSelector, expressions: Mapping[Role, Expression]) -> bool:
    return judged.role is Role.BAD and is_counted(expressions[Role.BAD], judged.selector.text)


def _birth_witnesses(
    expressions: Mapping[Role, Expression], rest: list[JudgedSelector], whole: Whole
) -> Iterator[Witness]:
    counters = tuple(_counters(whole.expression))
    bad = [*_counters(expressions.get(Role.BAD)), *(r.selector for r in rest if counters)]
    for role, selectors in ((Role.BAD, bad), (Role.SPENT, _counters(expressions.get(Role.SPENT)))):
        for selector in selectors:
            yield BirthWitness(role=role, selectors=(selector,), whole=whole, counters=counters)
    good = tuple(_counters(expressions.get(Role.GOOD)))
    if Role.TOTAL in expressions and counters and good and not bad:
        yield BirthWitness(
            role=Role.BAD, selectors=counters, less=good, whole=whole, counters=counters
        )


def _drop_witness(expressions: Mapping[Role, Expression], whole: Whole) -> Iterator[Witness]:
    role = Role.BAD if Role.BAD in expressions else Role.GOOD
    if whole.slices is None:
        yield DropWitness(whole=whole, other=expressions[role], role=role)


def _counters(expression: Expression | None) -> Iterator[Selector]:
    """Yield the selectors whose increase is taken; None has no selectors."""
    if expression is not None:
        counted = (text for text in expression.selectors if is_counted(expression, text))
        yield from map(Selector.read, counted)


def _suspicions(witness: Witness, answers: EvidenceAnswers) -> Iterator[Suspicion]:
    try:
        yield from witness.suspicions(answers)
    except MeasurementError as error:
        yield Suspicion(
            cause=error.cause,
            reason=f"whether the count is to be believed was not answered: {error.reason}",
            remedy="allow the server more time, or ask it the query by hand",
            hidden=None,
        )
