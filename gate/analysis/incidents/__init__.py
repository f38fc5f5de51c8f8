"""What ``gate incidents`` found in the history of one or several policies."""

from datetime import timedelta
from fractions import Fraction

from gate.analysis import (
    LeftOut,
    document_head,
    left_out_document,
    reservations_document,
    seen_exit_code,
    unmeasured_document,
)
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource, source_document
from gate.decision.slo_document import Json, rfc3339, share
from gate.errors import ExitCode
from gate.history.explanations import AnnotatedIncident
from gate.history.incidents import Incident, IncidentEnding
from gate.history.records import Deployment, IncidentRecord
from gate.history.service_incidents import (
    Drain,
    Reliability,
    ServiceIncident,
    SloImpact,
)
from gate.measure import Unmeasured
from gate.policy.coverage import Reservation
from gate.policy.policy import Policy
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedSlo:
    """An SLO whose history was searched."""

    slo: str
    impacts: tuple[SloImpact, ...]
    """The oldest first; empty also where nothing is known."""
    unknown: Fraction
    """The share of the time without data, 0 to 1."""
    query: str | None
    unmeasured: Unmeasured | None
    """The reason why there is no history; None if there is one."""
    smaller: tuple[SloImpact, ...] = ()
    """Incidents that cost less than the least share, which are only summed up."""
    notes: tuple[str, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    """Why what was found should not be taken at face value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIncidents:
    """The incidents of one policy."""

    policy: Policy
    source: PolicySource
    slos: tuple[SearchedSlo, ...]
    left_out: LeftOut
    """Nothing: whatever has a budget has a past."""
    annotated: tuple[AnnotatedIncident, ...]
    """All incidents of the service with what is known of them, the oldest first."""
    reliability: Reliability
    drain: Drain | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """The incidents of all policies."""

    services: tuple[ServiceIncidents, ...]
    """At least one."""
    span: Span
    step: timedelta
    threshold: Fraction
    without_impact: tuple[IncidentRecord, ...]
    """Known incidents in the time looked at that cost no SLO anything."""
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided if too little of a history was seen, else allow: findings are no verdict."""
        slos = [slo for service in self.services for slo in service.slos]
        return seen_exit_code(
            (slo.unmeasured for slo in slos),
            (reservation for slo in slos for reservation in slo.reservations),
        )


def incidents_document(report: IncidentReport) -> Json:
    """Return the report as plain data; durations are in seconds, shares fractions of 1."""
    return {
        **document_head(report.span.end, report.tool_version, report.exit_code),
        "from": rfc3339(report.span.start),
        "to": rfc3339(report.span.end),
        "step_seconds": _seconds(report.step),
        "burn_rate_threshold": share(report.threshold),
        "services": [_service(service) for service in report.services],
        "records_without_impact": [_record(record) for record in report.without_impact],
    }


def _service(service: ServiceIncidents) -> Json:
    figures = service.reliability
    return {
        "service": service.policy.service,
        "source": source_document(service.source),
        "slos": [_searched_slo(slo) for slo in service.slos],
        "left_out": left_out_document(service.left_out),
        "incidents": [_incident(incident, service) for incident in service.annotated],
        "count": figures.count,
        "mttr_seconds": _seconds(figures.mttr),
        "longest_seconds": _seconds(figures.longest),
        "mtbf_seconds": _seconds(figures.mtbf),
        "drain": _drain(service.drain),
    }


def _searched_slo(slo: SearchedSlo) -> Json:
    return {
        "name": slo.slo,
        "unknown_share": share(slo.unknown),
        "smaller_incidents": {
            "count": len(slo.smaller),
            "budget_share": sum(impact.share for impact in slo.smaller),
        },
        "query": slo.query,
        "notes": list(slo.notes),
        "reservations": reservations_document(slo.reservations),
        "unmeasured": unmeasured_document(slo.unmeasured),
    }


def _incident(annotated: AnnotatedIncident, service: ServiceIncidents) -> Json:
    return {
        "id": annotated.incident.id(service.policy.service),
        **_stretch(annotated.incident),
        "slos": [
            {
                "name": impact.slo,
                **_stretch(impact.incident),
                "bad": None if impact.parts else impact.incident.bad,
                "budget_share": impact.share,
                "peak_burn_rate": impact.incident.peak,
                "unknown_seconds": _seconds(impact.incident.unknown),
                "explained": annotated.explanations[impact.slo].explained,
                "share_in_records": share(annotated.explanations[impact.slo].share),
            }
            for impact in annotated.incident.impacts
        ],
        "records": [_record(record) for record in annotated.records],
        "insufficient_records": [_record(record) for record in annotated.insufficient],
        "unreadable_records": [record.first for record in annotated.unreadable],
        "deploys": [deploy_document(deploy) for deploy in annotated.deploys],
    }


def _stretch(incident: ServiceIncident | Incident) -> Json:
    return {
        "start": rfc3339(incident.start),
        "end": None if incident.ending is IncidentEnding.OPEN else rfc3339(incident.end),
        "ending": incident.ending,
        "duration_seconds": _seconds(incident.duration),
    }


def _record(record: IncidentRecord) -> Json:
    return {
        "id": record.id,
        "title": record.title,
        "services": list(record.services),
        "slos": list(record.slos),
        "start": rfc3339(record.start),
        "end": rfc3339(record.end),
        "status": record.status,
        "cause": record.cause,
        "remediation": record.remediation,
        "link": record.link,
    }


def deploy_document(deploy: Deployment) -> Json:
    """Return a deploy as plain data."""
    return {
        "time": rfc3339(deploy.time),
        "revision": deploy.revision,
        "service": deploy.service,
        "change": deploy.change,
    }


def _drain(drain: Drain | None) -> Json | None:
    if drain is None:
        return None
    return {
        "slo": drain.slo,
        "window_seconds": _seconds(drain.window),
        "incidents_per_window": drain.per_window,
        "budget_share_each": drain.each,
        "budget_share_per_window": drain.total,
    }


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
