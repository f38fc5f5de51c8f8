"""The checks that an SLO needs."""

from collections.abc import Iterator, Sequence
from typing import Final

from gate.backends.prometheus.doctor.counters import BoundaryCheck, FirstValueCheck, MonotonicCheck
from gate.backends.prometheus.doctor.counts import NumberCheck, ReplicaCheck, SourceCheck
from gate.backends.prometheus.doctor.history import CoverageCheck, FreshnessCheck
from gate.backends.prometheus.doctor.peers import FrozenCheck, StuckCheck, TwinCheck
from gate.backends.prometheus.doctor.presence import PresenceCheck
from gate.backends.prometheus.doctor.server import FeatureCheck
from gate.backends.prometheus.doctor.slo_check import SelectorSource, SloCheck, sources_of
from gate.backends.prometheus.doctor.sums import AddedUpCheck, ZeroCheck
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.probe import plan_probe
from gate.backends.prometheus.query import Role
from gate.measure import Unmeasured
from gate.measure.diagnosis import CheckedSlo
from gate.promql.buckets import Buckets
from gate.promql.expression import read_expression
from gate.promql.grammar import ExpressionError
from gate.slo.indicator import Histogram

_WHOLE: Final = (Role.TOTAL, Role.SPENT, Role.GOOD)
"""The first of these roles that an indicator has counts all events, or nearly all."""
_LOOKED_AT_BY_CHECK: Final = frozenset({Role.BAD, Role.SPENT})
"""The roles whose births `gate check` checks itself."""


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
