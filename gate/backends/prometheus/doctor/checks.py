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
from gate.promql.expression import read_expression
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
    for source in sources:
        yield Boundary(source=source, lacking=planned.lacking)
        yield Replicas(source=source)
        if source.counter:
            yield Monotonic(source=source, span=patient.request.span)
            counted = planned.parts[source.role]
            yield Born(source=source, span=patient.request.span, counted=counted)
    yield Sources(counters=_whole(planned, sources), span=patient.request.span)
    yield from _history(patient, planned)


def _presence(patient: Patient, sources: tuple[Source, ...]) -> Iterator[Presence]:
    own = frozenset(source.selector.name for source in sources)
    total = {m for s in sources if s.role is Role.TOTAL for m in s.selector.matchers}
    for source in sources:
        yield Presence(source=source, span=patient.request.span, own=own, total=frozenset(total))


def _of_histogram(histogram: Histogram, patient: Patient) -> tuple[Source, ...]:
    """Return the buckets of a histogram that was not found as what is looked for."""
    try:
        whole = read_expression(histogram.total, patient.request.sli.labels)
    except ExpressionError:
        return ()
    (text,) = whole.selectors
    found = read_expression(
        text.replace("{", "_bucket{", 1) if "{" in text else f"{text}_bucket", None
    )
    return sources_of({Role.TOTAL: found})


def _whole(planned: Plan, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    role = next((role for role in _WHOLE if role in planned.parts), None)
    return tuple(source for source in sources if source.role is role and source.counter)


def _history(patient: Patient, planned: Plan) -> Iterator[Look]:
    probe = planned.probe
    selectors = next((e.selectors for e in planned.expressions.values() if e.selectors), ())
    if probe is not None:
        yield History(patient=patient, probe=probe, selectors=selectors)
        yield Freshness(patient=patient, probe=probe)
