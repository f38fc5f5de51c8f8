"""What records and deploys say of the incidents that were found."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass
from gate.history.incidents import Incident
from gate.history.records import Deployment, IncidentRecord, UnreadableRecord
from gate.history.service_incidents import ServiceIncident, SloImpact
from gate.measure.history import Series, SeriesRequest
from gate.slo.objective import CompositeSlo, Slo, Span

BEFORE: Final = timedelta(hours=1)
"""How long before an incident a deploy still counts as shortly before it."""
HALF: Final = Fraction(1, 2)
"""The share of an incident's bad events that records must cover to explain it."""


@dataclass(frozen=True, slots=True)
class HistoryPart:
    """The history of an SLO, in which its incidents were found."""

    slo: str
    request: SeriesRequest
    series: Series
    weight: Fraction = Fraction(1)
    """Of a bad event, beside those of a composite's other members."""

    def bad_steps(self, incident: Incident) -> Iterator[tuple[datetime, datetime, Fraction]]:
        """Yield start, end and bad events of each step of an incident that has any."""
        for place, bad in enumerate(self.series.bad):
            start, end = self.request.end_of(place - 1), self.request.end_of(place)
            if bad and incident.start < end and start < incident.end:
                yield start, end, self.weight * Fraction(bad)


HistoryParts = Mapping[str, Sequence[HistoryPart]]
"""By SLO its own history, or of a composite those of its members."""


def slo_parts(slos: Iterable[Slo], parts: Mapping[str, HistoryPart]) -> HistoryParts:
    """Return the history of each SLO that has one, of a composite as far as its members have any.

    Args:
        slos: of a policy.
        parts: the histories, by SLO.
    """
    return {
        slo.name: [
            replace(parts[member.slo], weight=member.weight)
            for member in slo.members
            if member.slo in parts
        ]
        if isinstance(slo, CompositeSlo)
        else [parts[slo.name]]
        for slo in slos
        if isinstance(slo, CompositeSlo) or slo.name in parts
    }


def is_about(record: IncidentRecord, service: str, slo: str, parts: Iterable[HistoryPart]) -> bool:
    """Return whether a record names an SLO of a service, or of a composite any member."""
    return any(record.names(service, name) for name in (slo, *(part.slo for part in parts)))


def covered_share(
    records: Sequence[IncidentRecord],
    incident: Incident,
    parts: Iterable[HistoryPart],
    *,
    service: str,
    slo: str,
) -> Fraction:
    """Return which share of an incident's bad events lies in the time of records, 0 to 1.

    What happened when within a step is not known: a step that a record touches counts whole. Of a
    composite a record covers the members that it names, or all where it names the composite.

    Args:
        records: any.
        incident: of the SLO.
        parts: of the SLO.
        service: that has the SLO.
        slo: which one.
    """
    overlapping = [record for record in records if record.overlaps(incident.start, incident.end)]
    every = covered = Fraction(0)
    for part in parts:
        about = [record for record in overlapping if is_about(record, service, slo, [part])]
        for start, end, bad in part.bad_steps(incident):
            every += bad
            if any(record.covers(start, end) for record in about):
                covered += bad
    return covered / every if every else Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the records say of what an incident did to one SLO."""

    records: tuple[IncidentRecord, ...]
    """Those about the SLO that overlap it."""
    share: Fraction
    """Of its bad events, that lies in the time of these records, 0 to 1."""

    @property
    def explained(self) -> bool:
        """Whether that is enough: at least half."""
        return bool(self.records) and self.share >= HALF


def explain(
    records: Sequence[IncidentRecord],
    impact: SloImpact,
    parts: Sequence[HistoryPart],
    *,
    service: str,
) -> Explanation:
    """Return what records say of what an incident did to one SLO of a service."""
    incident = impact.incident
    about = tuple(
        record
        for record in records
        if is_about(record, service, impact.slo, parts)
        and record.overlaps(incident.start, incident.end)
    )
    share = covered_share(about, incident, parts, service=service, slo=impact.slo)
    return Explanation(records=about, share=share)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedIncident:
    """An incident of the service with the records and deploys that may explain it."""

    incident: ServiceIncident
    explanations: Mapping[str, Explanation]
    """By SLO, of each that felt it."""
    deploys: tuple[Deployment, ...] = ()
    """Those shortly before it, the oldest first."""
    unreadable: tuple[UnreadableRecord, ...] = ()
    """Records with a mistake that may explain what no other record explains."""

    @property
    def records(self) -> tuple[IncidentRecord, ...]:
        """Those that explain what it did to some SLO."""
        return self._records(explained=True)

    @property
    def insufficient(self) -> tuple[IncidentRecord, ...]:
        """Those that overlap it and explain nothing, since they cover too little of it."""
        used = self.records
        return tuple(record for record in self._records(explained=False) if record not in used)

    @property
    def explained(self) -> bool:
        """Whether there are records for all SLOs that felt it."""
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
    """What is known from elsewhere, of any service."""

    records: Sequence[IncidentRecord] = ()
    unreadable: Sequence[UnreadableRecord] = ()
    deploys: Sequence[Deployment] = ()


def deploys_before(
    incident: ServiceIncident, deploys: Iterable[Deployment], *, service: str, step: timedelta
) -> tuple[Deployment, ...]:
    """Return the deploys of a service, of any service, shortly before an incident, oldest first.

    A step is as exact as its start is known: a deploy within the first step counts as before it.
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
    parts: HistoryParts,
) -> AnnotatedIncident:
    """Return an incident with the records that explain it, and the deploys shortly before it.

    Args:
        incident: of the service.
        annotations: of any service.
        service: whose incident it is.
        step: of the history.
        parts: the history of each SLO that felt it.
    """
    explanations = {
        impact.slo: explain(annotations.records, impact, parts[impact.slo], service=service)
        for impact in incident.impacts
    }
    unreadable = {
        record: None
        for impact in incident.impacts
        if not explanations[impact.slo].explained
        for record in annotations.unreadable
        if record.may_concern(service, impact.slo, impact.incident.start, impact.incident.end)
    }
    return AnnotatedIncident(
        incident=incident,
        explanations=explanations,
        unreadable=tuple(unreadable),
        deploys=deploys_before(incident, annotations.deploys, service=service, step=step),
    )


def records_without_impact(
    records: Sequence[IncidentRecord],
    impacts: Mapping[str, Sequence[SloImpact]],
    span: Span,
) -> tuple[IncidentRecord, ...]:
    """Return the records, of those that overlap the span, of whose time no SLO felt anything.

    Args:
        records: of any service; those of services that were not looked at are left out.
        impacts: what the SLOs of each service felt, however little it cost.
        span: the time that was looked at.
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
