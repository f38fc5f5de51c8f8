"""What is known of incidents from elsewhere: people's records of them, and deploys before them."""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.history.service_incidents import ServiceIncident
from gate.slo.objective import Span

BEFORE: Final = timedelta(hours=1)
"""How long before an incident a deploy still counts as shortly before it."""


class RecordStatus(StrEnum):
    """How far people have got with an incident."""

    OPEN = "open"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    REVIEWED = "reviewed"
    """Its cause was found and what follows from it agreed: there is a postmortem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """An incident that people have written down."""

    id: str
    title: str
    start: datetime
    end: datetime | None
    """After ``start``; None: it goes on."""
    status: RecordStatus
    cause: str | None = None
    remediation: str | None = None
    """What was changed so that it does not come back."""
    link: str | None = None
    place: str = field(default="", compare=False)
    """Where it is written: ``incidents/42.yaml:1``."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What it lacks of a reviewed record, as people write it: none, where it is one."""
        wanted = {
            "cause": self.cause,
            "remediation": self.remediation,
            f"status: {RecordStatus.REVIEWED}": self.status is RecordStatus.REVIEWED,
        }
        return tuple(name for name, there in wanted.items() if not there)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Return whether it has time in common with a stretch; touching is not enough."""
        return self.start < end and (self.end is None or start < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A change that went live."""

    time: datetime
    revision: str
    service: str | None = None
    """None: whatever service is looked at."""
    change: str | None = None
    """Its class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedIncident:
    """An incident of the service with the records and deploys that may explain it."""

    incident: ServiceIncident
    records: tuple[IncidentRecord, ...]
    """Those that overlap it; none: nobody has explained it."""
    deploys: tuple[Deployment, ...]
    """Those shortly before it, the oldest first."""


def annotate(
    incident: ServiceIncident,
    records: Sequence[IncidentRecord],
    deploys: Sequence[Deployment],
    *,
    service: str,
    step: timedelta,
) -> AnnotatedIncident:
    """Return an incident with the records that overlap it, and the deploys shortly before it.

    A step is as exact as its start is known: a deploy within the first step counts as before it.
    """
    earliest, latest = incident.start - BEFORE, incident.start + step
    before = [
        deployment
        for deployment in deploys
        if deployment.service in {None, service} and earliest <= deployment.time <= latest
    ]
    return AnnotatedIncident(
        incident=incident,
        records=tuple(
            record for record in records if record.overlaps(incident.start, incident.end)
        ),
        deploys=tuple(sorted(before, key=lambda deployment: deployment.time)),
    )


def records_without_impact(
    records: Sequence[IncidentRecord], incidents: Sequence[AnnotatedIncident], span: Span
) -> tuple[IncidentRecord, ...]:
    """Return the records, of those that overlap the span, that explain nothing that was found."""
    used = {record.id for annotated in incidents for record in annotated.records}
    return tuple(
        record
        for record in records
        if record.id not in used and record.overlaps(span.start, span.end)
    )
