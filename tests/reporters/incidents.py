"""Reports on incidents, made by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from gate.analysis.incidents import IncidentReport, SearchedSlo, ServiceIncidents
from gate.history.explanations import AnnotatedIncident, Explanation
from gate.history.incidents import Incident, IncidentEnding
from gate.history.records import Deployment, IncidentRecord, RecordStatus, UnreadableRecord
from gate.history.service_incidents import Reliability, ServiceIncident, SloImpact
from gate.slo.objective import Span
from tests.reporters.builders import policy_of, source

AT = datetime(2026, 11, 1, tzinfo=UTC)
START = AT - timedelta(hours=10)
MONTH = timedelta(days=30)
RECORD = IncidentRecord(
    id="INC-42",
    title="the database",
    services=("chat",),
    start=START,
    end=START + timedelta(hours=1),
    status=RecordStatus.RESOLVED,
    cause="a failover",
    link="https://wiki.example/42",
)
GOING_ON = IncidentRecord(
    id="INC-43",
    title="a queue",
    services=("chat",),
    start=START,
    end=None,
    status=RecordStatus.OPEN,
)
DEPLOY = Deployment(time=START - timedelta(minutes=5), revision="abc123", change="model-update")


def impact(
    slo: str = "availability", ending: IncidentEnding = IncidentEnding.CALM, share: float = 0.3
) -> SloImpact:
    incident = Incident(
        start=START,
        end=START + timedelta(minutes=30),
        ending=ending,
        bad=68_378.0000001,
        peak=999.9999999999,
        unknown=timedelta(),
    )
    return SloImpact(slo=slo, incident=incident, share=share)


def explained(
    *parts: SloImpact,
    records: tuple[IncidentRecord, ...] = (),
    deploys: tuple[Deployment, ...] = (),
    unreadable: tuple[UnreadableRecord, ...] = (),
    share: Fraction = Fraction(1),
) -> AnnotatedIncident:
    """An incident of which records cover so much of the bad events of each SLO."""
    incident = ServiceIncident(impacts=parts or (impact(),))
    explanation = Explanation(records=records, share=share)
    return AnnotatedIncident(
        incident=incident,
        explanations={(felt.slo, felt.incident.start): explanation for felt in incident.impacts},
        deploys=deploys,
        unreadable=unreadable,
    )


def looked_at(**fields: Any) -> SearchedSlo:
    known = SearchedSlo(
        slo="availability", impacts=(), unknown=Fraction(0), query="q", unmeasured=None
    )
    return replace(known, **fields)


def service(*incidents: AnnotatedIncident, **fields: Any) -> ServiceIncidents:
    half_hour = timedelta(minutes=30)
    figures = Reliability(
        count=len(incidents),
        mttr=half_hour if incidents else None,
        longest=2 * half_hour if incidents else None,
        mtbf=timedelta(days=15) if incidents else None,
    )
    names = dict.fromkeys(
        felt.slo for annotated in incidents for felt in annotated.incident.impacts
    )
    known = ServiceIncidents(
        policy=policy_of(()),
        source=source(),
        slos=tuple(looked_at(slo=name) for name in names or ("availability",)),
        left_out=(),
        annotated=incidents,
        reliability=figures,
        drain=None,
    )
    return replace(known, **fields)


def report(
    *services: ServiceIncidents, without_impact: tuple[IncidentRecord, ...] = ()
) -> IncidentReport:
    return IncidentReport(
        services=services,
        span=Span(AT - MONTH, AT),
        step=timedelta(minutes=5),
        threshold=Fraction(6),
        without_impact=without_impact,
        tool_version="1",
    )
