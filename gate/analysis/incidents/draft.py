"""A draft of an incident's record: all known facts, and placeholders for people."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import yaml

from gate.analysis.incidents import IncidentReport, ServiceIncidents
from gate.config.known_incidents import PLACEHOLDER
from gate.errors import UsageError, nearest
from gate.history.explanations import deploys_before
from gate.history.incidents import IncidentEnding
from gate.history.records import Deployment, RecordStatus
from gate.history.service_incidents import (
    ServiceIncident,
    SloImpact,
    impacts_by_slo,
    merge_incidents,
)

_HEAD: Final = f"""\
# A draft by gate: fill in what says {PLACEHOLDER}, and set the status to reviewed once people have
# agreed on it. Until then it says that the incident is being investigated.
"""
_TO_FILL: Final = {
    "title": f"{PLACEHOLDER}: what happened, in a line",
    "cause": f"{PLACEHOLDER}: why it happened",
    "remediation": f"{PLACEHOLDER}: what was changed so that it does not come back",
}
_DIGITS: Final = 4


def draft_record(report: IncidentReport, name: str, deploys: Iterable[Deployment]) -> str:
    """Return the record of an incident as YAML, even of one that cost too little to be shown.

    Args:
        report: the incidents.
        name: the incident's id.
        deploys: the deploys of any service.

    Raises:
        UsageError: no incident has this id.
    """
    for service in report.services:
        for incident in _incidents(service):
            if name in incident.ids(service.policy.service):
                record = _record(service, incident, report, deploys)
                text = yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=100)
                return f"{_HEAD}{text}"
    names = [
        incident.id(service.policy.service)
        for service in report.services
        for incident in _incidents(service)
    ]
    if not names:
        raise UsageError(f"no incident {name} was found, nor any other in the examined time")
    raise UsageError(f"no incident {name} was found in the examined time{nearest(name, names)}")


def _incidents(service: ServiceIncidents) -> Iterator[ServiceIncident]:
    yield from (annotated.incident for annotated in service.annotated)
    yield from merge_incidents([impact for slo in service.slos for impact in slo.smaller])


def _record(
    service: ServiceIncidents,
    incident: ServiceIncident,
    report: IncidentReport,
    deploys: Iterable[Deployment],
) -> dict[str, Any]:
    name, goes_on = service.policy.service, incident.ending is IncidentEnding.OPEN
    impacts = impacts_by_slo(incident.impacts)
    return {
        "id": incident.id(name),
        "title": _TO_FILL["title"],
        "service": name,
        "slos": [impact.slo for impact in impacts],
        "start": _instant(incident.start),
        **({} if goes_on else {"end": _instant(incident.end)}),
        "status": str(RecordStatus.OPEN if goes_on else RecordStatus.RESOLVED),
        "cause": _TO_FILL["cause"],
        "remediation": _TO_FILL["remediation"],
        "measured": {
            "at": _instant(report.span.end),
            "impact": {impact.slo: _impact(impact) for impact in impacts},
            "stood_out": [
                {
                    "slo": impact.slo,
                    "label": standout.label,
                    "value": standout.value,
                    "share_of_bad": _number(standout.share),
                    "share_of_events": _number(standout.traffic or 0.0),
                }
                for impact in incident.impacts
                for standout in service.by_name[impact.slo].standouts(impact.incident)
            ],
            "deploys": [
                _deploy(deploy)
                for deploy in deploys_before(incident, deploys, service=name, step=report.step)
            ],
        },
    }


def _impact(impact: SloImpact) -> dict[str, float | int]:
    """Return what an SLO lost; the bad events of a composite's members cannot be added up."""
    bad = {} if impact.parts else {"bad": _number(impact.incident.bad)}
    share, peak = _number(impact.share), _number(impact.incident.peak)
    return {**bad, "budget_share": share, "peak_burn_rate": peak}


def _deploy(deploy: Deployment) -> dict[str, str]:
    change = {} if deploy.change is None else {"change": deploy.change}
    return {"time": _instant(deploy.time), "revision": deploy.revision, **change}


def _number(value: float) -> float | int:
    """Return a number as people write it: without decimals if it is whole."""
    rounded = round(value, _DIGITS)
    return int(rounded) if rounded == int(rounded) else rounded


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
