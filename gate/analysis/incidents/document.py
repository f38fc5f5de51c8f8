"""Incidents as plain data: the JSON report."""

from datetime import timedelta
from math import isinf

from gate.analysis import (
    document_head,
    left_out_document,
    reservations_document,
    service_head,
    unmeasured_document,
)
from gate.analysis.incidents import IncidentReport, SearchedSlo, ServiceIncidents, SinceDeploy
from gate.decision.slo_document import Json, rfc3339, share
from gate.history.burned import Burned, FailureLabels, Standout
from gate.history.explanations import AnnotatedIncident
from gate.history.incident_shares import Drain
from gate.history.incidents import Incident, IncidentEnding
from gate.history.records import Deployment, IncidentRecord
from gate.history.service_incidents import ServiceIncident
from gate.measure import Unmeasured
from gate.measure.cohorts import EventCounts
from gate.slo.objective import Span


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
        **service_head(service),
        "slos": [_searched_slo(slo) for slo in service.slos],
        "left_out": left_out_document(service.left_out),
        "incidents": [_incident(incident, service) for incident in service.annotated],
        "count": figures.count,
        "mttr_seconds": _seconds(figures.mttr),
        "longest_seconds": _seconds(figures.longest),
        "mtbf_seconds": _seconds(figures.mtbf),
        "drain": _drain(service.drain),
        "since_deploy": _since(service.since),
    }


def _searched_slo(slo: SearchedSlo) -> Json:
    return {
        "name": slo.slo,
        "unknown_share": share(slo.unknown),
        "smaller_incidents": {
            "count": len(slo.smaller),
            "budget_share": sum(impact.share for impact in slo.smaller),
        },
        "burned": _burned(slo.burned),
        "chronic_labels": _chronic(slo.labels),
        "query": slo.query,
        "notes": [*slo.notes, *([slo.low_traffic] if slo.low_traffic else [])],
        "reservations": reservations_document(slo.reservations),
        "unmeasured": unmeasured_document(slo.unmeasured),
    }


def _burned(burned: Burned | None) -> Json | None:
    if burned is None:
        return None
    return {
        "bad": burned.bad,
        "in_incidents": burned.in_incidents,
        "in_smaller_incidents": burned.in_smaller,
        "chronic": burned.chronic,
        "chronic_share": burned.share(burned.chronic),
    }


def _chronic(labels: FailureLabels | Unmeasured | None) -> Json | None:
    if labels is None:
        return None
    if isinstance(labels, Unmeasured):
        return {"unmeasured": unmeasured_document(labels)}
    return {
        "standouts": [_standout(standout) for standout in labels.chronic],
        "compared": list(labels.compared),
        "left_out": dict(labels.left_out),
    }


def _standout(standout: Standout) -> Json:
    return {
        "label": standout.label,
        "value": standout.value,
        "share_of_bad": standout.share,
        "share_of_events": standout.traffic,
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
                "standouts": [
                    _standout(standout)
                    for standout in service.by_name[impact.slo].standouts(impact.incident)
                ],
                "explained": annotated.explanation(impact).explained,
                "share_in_records": share(annotated.explanation(impact).share),
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
        "id": deploy.id,
    }


def _since(since: SinceDeploy | None) -> Json | None:
    if since is None:
        return None
    return {
        "deploy": deploy_document(since.deploy),
        "together_with": [deploy_document(other) for other in since.together],
        "until": rfc3339(since.until),
        "slos": [
            {
                "name": both.slo,
                "before": _counts(both.before, both.before_span),
                "since": _counts(both.since, both.since_span),
                "difference": both.difference,
                "ratio": _finite(both.ratio),
                "interval": [_finite(bound) for bound in both.interval],
            }
            for both in since.slos
        ],
    }


def _counts(counts: EventCounts, span: Span) -> Json:
    start, end = rfc3339(span.start), rfc3339(span.end)
    return {"from": start, "to": end, "total": counts.total, "bad": counts.bad}


def _finite(number: float | None) -> float | None:
    """Return a number for JSON; None: unlimited."""
    return None if number is None or isinf(number) else number


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
