"""The checks that an SLO needs, and the reasons why others were not made, or need not be."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from gate.backends.prometheus.doctor.counters import BoundaryCheck, FirstValueCheck, MonotonicCheck
from gate.backends.prometheus.doctor.counts import NumberCheck, ReplicaCheck, SourceCheck
from gate.backends.prometheus.doctor.history import CoverageCheck, FreshnessCheck
from gate.backends.prometheus.doctor.peers import FrozenCheck, StuckCheck, TwinCheck
from gate.backends.prometheus.doctor.presence import PresenceCheck
from gate.backends.prometheus.doctor.server import FeatureCheck
from gate.backends.prometheus.doctor.slo_check import SelectorSource, SloCheck, sources_of
from gate.backends.prometheus.doctor.sums import AddedUpCheck, ZeroCheck
from gate.backends.prometheus.evidence.births import BirthWitness
from gate.backends.prometheus.evidence.contradiction import ContradictionWitness
from gate.backends.prometheus.evidence.unmatched import UnmatchedWitness
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.probe import plan_probe
from gate.backends.prometheus.query import Role
from gate.measure import Answer, Unmeasured
from gate.measure.diagnosis import Check, CheckedSlo, CheckResult, SkippedCheck
from gate.promql.buckets import Buckets
from gate.promql.expression import read_expression
from gate.promql.grammar import ExpressionError
from gate.slo.indicator import Histogram

_WHOLE: Final = (Role.TOTAL, Role.SPENT, Role.GOOD)
"""The first of these roles that an indicator has counts all events, or nearly all."""
_LOOKED_AT_BY_CHECK: Final = frozenset({Role.BAD, Role.SPENT})
"""The roles whose births `gate check` checks itself."""

EXPECTED: Final = (
    Check.METRIC,
    Check.LABELS,
    Check.BOUNDARY,
    Check.ONE_NUMBER,
    Check.WITHIN_TOTAL,
    Check.COUNTED,
    Check.PARTIAL,
    Check.COUNTER,
    Check.BORN,
    Check.CONTRADICTED,
    Check.VALUES,
    Check.MOVING,
    Check.COVERAGE,
    Check.GAPS,
    Check.FRESHNESS,
    Check.REPLICAS,
    Check.SOURCES,
)
"""The checks that each SLO needs; a check that is not made has a reason."""
_REASONS: Final = {
    Check.BOUNDARY: "no boundary of a histogram is named",
    Check.COUNTER: "no increase of a counter is taken",
    Check.VALUES: "no buckets of a histogram are counted",
    Check.MOVING: "no increase of a counter is taken, and no gauge",
}
_NO_METRIC: Final = "no metric is named"
_WITNESSES: Final = (
    (Check.LABELS, UnmatchedWitness, "no label distinguishes bad events from others"),
    (Check.BORN, BirthWitness, "no increase of a counter is taken"),
    (Check.CONTRADICTED, ContradictionWitness, "no label of the total shows how events ended"),
)
"""The witnesses that search for the suspicions of `gate check`, by check."""
_OF_EVIDENCE: Final = frozenset(check for check, _, _ in _WITNESSES)
_ALWAYS: Final = frozenset({Check.COUNTED, Check.PARTIAL, Check.ONE_NUMBER, Check.WITHIN_TOTAL})


def checks_of(slo: CheckedSlo, planned: Plan | Unmeasured) -> Iterator[SloCheck]:
    """Yield the checks of one SLO; if it cannot be counted, those that may show why."""
    if isinstance(planned, Unmeasured):
        histogram = slo.request.sli.histogram
        if histogram is not None:
            yield from _presence(slo, _of_histogram(histogram, slo))
        return
    sources = sources_of(planned.expressions)
    yield FeatureCheck(texts=tuple(part.text for part in planned.parts.values()))
    yield from _presence(slo, sources)
    yield NumberCheck(plan=planned)
    for source in sources:
        yield BoundaryCheck(source=source, lacking=planned.lacking)
        yield ReplicaCheck(source=source)
        if source.counter:
            counted_as = planned.parts[source.role]
            yield MonotonicCheck(source=source, span=slo.request.span)
            yield AddedUpCheck(source=source, span=slo.request.span, counted=counted_as)
            if source.role not in _LOOKED_AT_BY_CHECK:
                yield FirstValueCheck(
                    source=source,
                    span=slo.request.span,
                    counted=counted_as,
                    every=sources[0].text,
                )
    yield from _of_peers(slo, sources, _whole(planned, sources))
    probe = planned.probe or plan_probe(tuple(planned.expressions.values()), slo.request.span)
    yield CoverageCheck(slo=slo, probe=probe)
    yield FreshnessCheck(slo=slo, probe=probe)


def _of_peers(
    slo: CheckedSlo, sources: Sequence[SelectorSource], whole: tuple[SelectorSource, ...]
) -> Iterator[SloCheck]:
    span = slo.request.span
    yield SourceCheck(counters=whole, span=span)
    for source in whole:
        yield TwinCheck(source=source, span=span)
        yield StuckCheck(source=source, span=span)
    for source in sources:
        if source.role is Role.GAUGE:
            yield FrozenCheck(source=source, span=span, max_age=slo.max_age)
        if source.counter and source.selector.name.endswith("_bucket"):
            yield ZeroCheck(source=source, span=span)


def _presence(slo: CheckedSlo, sources: tuple[SelectorSource, ...]) -> Iterator[PresenceCheck]:
    own = frozenset(source.selector.name for source in sources)
    total = {m for s in sources if s.role is Role.TOTAL for m in s.selector.matchers}
    for source in sources:
        yield PresenceCheck(source=source, span=slo.request.span, own=own, total=frozenset(total))


def _of_histogram(histogram: Histogram, slo: CheckedSlo) -> tuple[SelectorSource, ...]:
    """Return the buckets of a histogram that was not found as the selectors to search for."""
    try:
        buckets = Buckets.of(histogram, slo.request.sli.labels)
    except ExpressionError:
        return ()  # the plan reports the error
    return sources_of({Role.TOTAL: read_expression(buckets.total.suffixed("_bucket"), None)})


def _whole(planned: Plan, sources: tuple[SelectorSource, ...]) -> tuple[SelectorSource, ...]:
    role = next((role for role in _WHOLE if role in planned.parts), None)
    return tuple(source for source in sources if source.role is role and source.counter)


def not_applicable(planned: Plan, checks: Sequence[SloCheck]) -> Iterator[SkippedCheck]:
    """Yield the checks that do not apply, because the indicator has no such part."""
    made = {check.check for check in checks} | {Check.GAPS} | _ALWAYS | _OF_EVIDENCE
    for check in EXPECTED:
        if check not in made:
            yield SkippedCheck(check=check, reason=_REASONS.get(check, _NO_METRIC))
    if Role.TOTAL not in planned.parts:
        yield SkippedCheck(check=Check.WITHIN_TOTAL, reason="no total is named")


def looked_for(
    planned: Plan, count: Answer, doubted: Collection[Check]
) -> Iterator[CheckResult | SkippedCheck]:
    """Yield the checks whose suspicions `gate check` searched for and did not find.

    Args:
        planned: the plan with its witnesses.
        count: the count, without which nothing was searched for.
        doubted: the checks with a suspicion.
    """
    if isinstance(count, Unmeasured):
        return
    witnesses = planned.evidence.witnesses if planned.evidence is not None else ()
    for check, kind, reason in _WITNESSES:
        if check in doubted:
            continue
        if any(isinstance(witness, kind) for witness in witnesses):
            yield CheckResult(check=check, examined=planned.query)
        else:
            yield SkippedCheck(check=check, reason=reason)
