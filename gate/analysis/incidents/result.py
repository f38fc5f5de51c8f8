"""What ``gate incidents`` found in the history of one or several policies."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from gate.decision.decision import SCHEMA_VERSION, PolicySource
from gate.decision.document import source_document
from gate.decision.slo_document import Json, instant, share
from gate.errors import ExitCode
from gate.history.incidents import Incident, IncidentEnding
from gate.history.records import AnnotatedIncident, Deployment, IncidentRecord
from gate.history.service_incidents import (
    Drain,
    Reliability,
    ServiceIncident,
    SloImpact,
)
from gate.measure.counts import Unmeasured
from gate.policy.policy import Policy
from gate.slo.window import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """One SLO whose history was asked for."""

    slo: str
    felt: tuple[SloImpact, ...]
    """The oldest first; empty also where nothing is known."""
    unknown: Fraction
    """The share of the time of which nothing is known, 0 to 1."""
    query: str | None
    unmeasured: Unmeasured | None
    """Given: there is no history, and this is why."""
    smaller: tuple[SloImpact, ...] = ()
    """Those that cost the budget less than what makes one worth a word."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIncidents:
    """One policy."""

    policy: Policy
    source: PolicySource
    slos: tuple[LookedAt, ...]
    left_out: tuple[tuple[str, str], ...]
    """SLOs that have no burn rate by events, each with a sentence that says so."""
    explained: tuple[AnnotatedIncident, ...]
    """All episodes, the oldest first."""
    reliability: Reliability
    drain: Drain | None

    @property
    def unmeasured(self) -> bool:
        """Whether there is no history of some SLO."""
        return any(one.unmeasured is not None for one in self.slos)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """The whole."""

    services: tuple[ServiceIncidents, ...]
    """At least one."""
    span: Span
    step: timedelta
    threshold: Fraction
    unfelt: tuple[IncidentRecord, ...]
    """Known incidents of the time looked at that no SLO felt."""
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided where a history could not be had; there is no verdict on what was found."""
        unmeasured = any(service.unmeasured for service in self.services)
        return ExitCode.UNDECIDED if unmeasured else ExitCode.ALLOW


def incidents_document(report: IncidentReport) -> Json:
    """Return the report as plain data; durations are in seconds, shares fractions of 1."""
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluated_at": instant(report.span.end),
        "tool_version": report.tool_version,
        "exit_code": report.exit_code,
        "from": instant(report.span.start),
        "to": instant(report.span.end),
        "step_seconds": _seconds(report.step),
        "threshold": share(report.threshold),
        "services": [_service(service) for service in report.services],
        "known_but_not_felt": [_record(one) for one in report.unfelt],
    }


def _service(service: ServiceIncidents) -> Json:
    figures = service.reliability
    return {
        "service": service.policy.service,
        "source": source_document(service.source),
        "slos": [_looked_at(one) for one in service.slos],
        "left_out": [{"slo": slo, "reason": reason} for slo, reason in service.left_out],
        "incidents": [_episode(one) for one in service.explained],
        "count": figures.count,
        "mttr_seconds": _seconds(figures.mttr),
        "longest_seconds": _seconds(figures.longest),
        "mtbf_seconds": _seconds(figures.mtbf),
        "drain": _drain(service.drain),
    }


def _looked_at(one: LookedAt) -> Json:
    lost = one.unmeasured
    return {
        "name": one.slo,
        "unknown": share(one.unknown),
        "smaller": {
            "count": len(one.smaller),
            "share": sum(felt.share for felt in one.smaller),
        },
        "query": one.query,
        "notes": list(one.notes),
        "unmeasured": {"cause": lost.cause, "reason": lost.reason} if lost else None,
    }


def _episode(one: AnnotatedIncident) -> Json:
    return {
        **_stretch(one.episode),
        "slos": [
            {
                "name": felt.slo,
                **_stretch(felt.incident),
                "bad": felt.incident.bad,
                "budget_share": felt.share,
                "peak_burn_rate": felt.incident.peak,
                "unknown_seconds": _seconds(felt.incident.unknown),
            }
            for felt in one.episode.felt
        ],
        "known": [_record(record) for record in one.records],
        "deploys": [deploy_document(deploy) for deploy in one.deploys],
    }


def _stretch(one: ServiceIncident | Incident) -> Json:
    return {
        "start": instant(one.start),
        "end": None if one.ending is IncidentEnding.OPEN else instant(one.end),
        "ending": one.ending,
        "duration_seconds": _seconds(one.duration),
    }


def _record(one: IncidentRecord) -> Json:
    return {
        "id": one.id,
        "title": one.title,
        "start": instant(one.start),
        "end": instant(one.end),
        "status": one.status,
        "cause": one.cause,
        "remediation": one.remediation,
        "link": one.link,
    }


def deploy_document(one: Deployment) -> Json:
    """Return a deploy as plain data."""
    return {
        "time": instant(one.time),
        "revision": one.revision,
        "service": one.service,
        "change": one.change,
    }


def _drain(one: Drain | None) -> Json | None:
    if one is None:
        return None
    return {
        "slo": one.slo,
        "window_seconds": _seconds(one.window),
        "incidents_per_window": one.per_window,
        "budget_share_each": one.each,
        "budget_share_per_window": one.total,
    }


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
