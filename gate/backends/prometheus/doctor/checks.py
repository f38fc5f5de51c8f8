"""Which checks an SLO needs."""

from collections.abc import Iterator

from gate.backends.prometheus.doctor.buckets import Boundary
from gate.backends.prometheus.doctor.case import Look, Source, sources_of
from gate.backends.prometheus.doctor.counted import Numbers
from gate.backends.prometheus.doctor.counters import Born, Monotonic
from gate.backends.prometheus.doctor.duplicates import Replicas, Sources
from gate.backends.prometheus.doctor.features import Features
from gate.backends.prometheus.doctor.history import Freshness, History
from gate.backends.prometheus.doctor.presence import Presence
from gate.backends.prometheus.part import Role
from gate.backends.prometheus.plan import Plan
from gate.promql.expression import read_expression, read_selector
from gate.promql.tokens import ExpressionError
from gate.slo.diagnosis import Patient
from gate.slo.measurement import Histogram, Unmeasured

_WHOLE = (Role.TOTAL, Role.SPENT, Role.GOOD)
"""The first that an indicator has counts all events, or nearly."""


def checks_of(patient: Patient, planned: Plan | Unmeasured) -> Iterator[Look]:
    """Yield the checks of one SLO; where nothing can be counted, those that may say why."""
    if isinstance(planned, Unmeasured):
        histogram = patient.request.sli.histogram
        if histogram is not None:
            yield from _presence(patient, _of_histogram(histogram, patient))
        return
    sources = sources_of(planned.expressions)
    yield Features(texts=tuple(part.text for part in planned.parts.values()))
    yield from _presence(patient, sources)
    yield Numbers(plan=planned)
    history = _history(patient, planned)
    for source in sources:
        yield Boundary(source=source, lacking=planned.lacking)
        yield Replicas(source=source)
        if source.counter:
            yield Monotonic(source=source, span=patient.request.span)
            yield Born(
                source=source,
                span=patient.request.span,
                counted=planned.parts[source.role],
                oldest=history.oldest if history else None,
            )
    yield Sources(counters=_whole(planned, sources), span=patient.request.span)
    if history is not None:
        yield history
        yield Freshness(patient=patient, probe=history.probe)


def _presence(patient: Patient, sources: tuple[Source, ...]) -> Iterator[Presence]:
    own = frozenset(source.selector.name for source in sources)
    total = {m for s in sources if s.role is Role.TOTAL for m in s.selector.matchers}
    for source in sources:
        yield Presence(source=source, span=patient.request.span, own=own, total=frozenset(total))


def _of_histogram(histogram: Histogram, patient: Patient) -> tuple[Source, ...]:
    """Return the buckets of a histogram that was not found as what is looked for."""
    try:
        name, braces = read_selector(histogram.total, patient.request.sli.labels or {})
    except ExpressionError:
        return ()  # said where it is planned
    return sources_of({Role.TOTAL: read_expression(f"{name}_bucket{braces}", None)})


def _whole(planned: Plan, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    role = next((role for role in _WHOLE if role in planned.parts), None)
    return tuple(source for source in sources if source.role is role and source.counter)


def _history(patient: Patient, planned: Plan) -> History | None:
    """Return what is looked at over the whole window; None: no metric is named."""
    if planned.probe is None:
        return None
    selectors = next(e.selectors for e in planned.expressions.values() if e.selectors)
    return History(patient=patient, probe=planned.probe, selectors=selectors)
