"""The records and deploys that may explain incidents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass
from gate.history.incidents import Incident
from gate.history.records import Deployment, IncidentRecord, UnreadableRecord
from gate.history.service_incidents import ServiceIncident, SloImpact
from gate.measure.history import Series, SeriesRequest
from gate.slo.objective import Span

BEFORE: Final = timedelta(hours=1)
"""The longest time between a deploy and an incident for which it counts as shortly before it."""
HALF: Final = Fraction(1, 2)
"""The share of an incident's bad events that records must cover to explain it."""


@dataclass(frozen=True, slots=True)
class SloHistory:
    """The history of an SLO in which its incidents were found, or a part of it."""

    request: SeriesRequest
    series: Series

    def during(self, incident: Incident) -> "SloHistory":
        """Return the steps of an incident alone."""
        request, series = self.request, self.series
        begin, step = request.span.start, request.step
        first = max((incident.start - begin) // step, 0)
        last = min(max(-((begin - incident.end) // step), 0), request.steps)
        return SloHistory(
            replace(request, span=Span(request.end_of(first - 1), request.end_of(last - 1))),
            replace(
                series, total=series.total[first:last], bad=series.bad[first:last], measured=None
            ),
        )


def covered_share(
    records: Iterable[IncidentRecord], incident: Incident, steps: SloHistory
) -> Fraction:
    """Return the share of an incident's bad events that lies in the time of records, 0 to 1.

    The times of events within a step are unknown: a step that overlaps a record counts as a whole.
    """
    about = [record for record in records if record.overlaps(incident.start, incident.end)]
    if not about:
        return Fraction(0)
    begin, step = steps.request.span.start, steps.request.step
    first = max((incident.start - begin) // step, 0)
    last = max(-((begin - incident.end) // step), 0)
    every = covered = Fraction(0)
    for place, bad in enumerate(steps.series.bad[first:last], first):
        if not bad:
            continue
        every += Fraction(bad)
        start, end = steps.request.end_of(place - 1), steps.request.end_of(place)
        if any(record.covers(start, end) for record in about):
            covered += Fraction(bad)
    return covered / every if every else Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The records that explain the effect of an incident on one SLO."""

    records: tuple[IncidentRecord, ...]
    """The records about the SLO that overlap the incident."""
    share: Fraction
    """The share of its bad events that lies in the time of these records, 0 to 1."""

    @property
    def explained(self) -> bool:
        """Whether the share is large enough: at least half."""
        return bool(self.records) and self.share >= HALF


Explanations = Mapping[tuple[str, datetime], Explanation]
"""The explanations by SLO and by the start of its impact: an SLO may be affected several times."""


def explain(
    records: Sequence[IncidentRecord], impact: SloImpact, steps: SloHistory, *, service: str
) -> Explanation:
    """Return the explanation of an incident's effect on one SLO of a service.

    Args:
        records: the records of any service.
        impact: its effect on an SLO that is not a composite.
        steps: the history of the SLO.
        service: the service of the SLO.
    """
    incident = impact.incident
    about = tuple(
        record
        for record in records
        if record.names(service, impact.slo) and record.overlaps(incident.start, incident.end)
    )
    return Explanation(records=about, share=covered_share(about, incident, steps))


def _explained(impact: SloImpact, explanations: Explanations) -> Explanation:
    """Return the explanation of an impact on an SLO; for a composite, on its members."""
    if not impact.parts:
        return explanations[impact.slo, impact.incident.start]
    parts = [_explained(part, explanations) for part in impact.parts]
    pairs = zip(parts, impact.parts, strict=True)
    shares = [part.share * Fraction(felt.share) for part, felt in pairs]
    return Explanation(
        records=tuple(dict.fromkeys(record for part in parts for record in part.records)),
        share=sum(shares, Fraction(0)) / sum(Fraction(felt.share) for felt in impact.parts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedIncident:
    """An incident of the service with the records and deploys that may explain it."""

    incident: ServiceIncident
    explanations: Explanations
    """The explanations of all its impacts."""
    deploys: tuple[Deployment, ...] = ()
    """The deploys shortly before it, the oldest first."""
    unreadable: tuple[UnreadableRecord, ...] = ()
    """Invalid records that may explain an effect that no other record explains."""

    def explanation(self, impact: SloImpact) -> Explanation:
        """Return the explanation of one of its impacts."""
        return self.explanations[impact.slo, impact.incident.start]

    @property
    def records(self) -> tuple[IncidentRecord, ...]:
        """The records that explain its effect on some SLO."""
        return self._records(explained=True)

    @property
    def insufficient(self) -> tuple[IncidentRecord, ...]:
        """The records that overlap it but cover too little to explain anything."""
        used = self.records
        return tuple(record for record in self._records(explained=False) if record not in used)

    @property
    def explained(self) -> bool:
        """Whether records explain its effect on every affected SLO."""
        return all(explanation.explained for explanation in self.explanations.values())

    def _records(self, *, explained: bool) -> tuple[IncidentRecord, ...]:
        by_id = {
            record.id: record
            for explanation in self.explanations.values()
            if explanation.explained is explained
            for record in explanation.records
        }
        return tuple(by_id.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """The records and deploys of all services."""

    records: Sequence[IncidentRecord] = ()
    unreadable: Sequence[UnreadableRecord] = ()
    deploys: Sequence[Deployment] = ()


def deploys_before(
    incident: ServiceIncident, deploys: Iterable[Deployment], *, service: str, step: timedelta
) -> tuple[Deployment, ...]:
    """Return the deploys of a service, or of any, shortly before an incident, oldest first.

    The start is known to a step: a deploy within the first step counts as before the incident.
    """
    earliest, latest = incident.start - BEFORE, incident.start + step
    before = [
        deployment
        for deployment in deploys
        if deployment.service in {None, service} and earliest <= deployment.time <= latest
    ]
    return tuple(sorted(before, key=lambda deployment: deployment.time))


def annotate(
    incident: ServiceIncident,
    annotations: Annotations,
    *,
    service: str,
    step: timedelta,
    explanations: Explanations,
) -> AnnotatedIncident:
    """Return an incident with the records that explain it, and the deploys shortly before it.

    Args:
        incident: the incident of the service.
        annotations: the annotations of any service.
        service: the service of the incident.
        step: the step of the history.
        explanations: the result of `explain` for the impact on each SLO, including composites'
            members; composites themselves are left out.
    """
    annotated = AnnotatedIncident(
        incident=incident,
        explanations={
            (impact.slo, impact.incident.start): _explained(impact, explanations)
            for impact in incident.impacts
        },
        deploys=deploys_before(incident, annotations.deploys, service=service, step=step),
    )
    unreadable = {
        record: None
        for impact in incident.impacts
        if not annotated.explanation(impact).explained
        for record in annotations.unreadable
        if record.may_concern(service, impact.slo, impact.incident.start, impact.incident.end)
    }
    return replace(annotated, unreadable=tuple(unreadable))


def records_without_impact(
    records: Sequence[IncidentRecord], impacts: Mapping[str, Sequence[SloImpact]], span: Span
) -> tuple[IncidentRecord, ...]:
    """Return the records that overlap the span although no SLO was affected in their time.

    Args:
        records: the records of any service; services that were not checked are left out.
        impacts: the effects on the SLOs of each service, however small.
        span: the examined time.
    """

    def felt(record: IncidentRecord) -> bool:
        return any(
            record.names(service, impact.slo)
            and record.overlaps(impact.incident.start, impact.incident.end)
            for service, felt_by_slos in impacts.items()
            for impact in felt_by_slos
        )

    return tuple(
        record
        for record in records
        if record.overlaps(span.start, span.end)
        and impacts.keys() & set(record.services)
        and not felt(record)
    )
