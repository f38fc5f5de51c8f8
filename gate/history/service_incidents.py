"""What the incidents of a service's SLOs come to: how often, how long, and at what cost."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from gate.dataclass import dataclass
from gate.history.incidents import Incident, IncidentEnding

_OFTEN: Final = 2
"""Incidents per SLO window."""
_NEW_AFTER: Final = timedelta(days=1)
_COSTLY: Final = 0.2
"""Of a budget: what a single incident may take before Google's policy asks for a postmortem.
https://sre.google/workbook/error-budget-policy/"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloImpact:
    """An incident, and the SLO that felt it."""

    slo: str
    incident: Incident
    share: float
    """Of the SLO's budget that it consumed; above 0, and above 1 where it took more than all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIncident:
    """Incidents of several SLOs that overlap: to people, one incident of the service."""

    impacts: tuple[SloImpact, ...]
    """At least one, the first to begin first."""

    @property
    def start(self) -> datetime:
        """When the first SLO felt it."""
        return self.impacts[0].incident.start

    @property
    def end(self) -> datetime:
        """When the last SLO had recovered; of an open one the end of the history."""
        return max(impact.incident.end for impact in self.impacts)

    @property
    def duration(self) -> timedelta:
        """From start to end."""
        return self.end - self.start

    @property
    def ending(self) -> IncidentEnding:
        """Calm only if it was so for every SLO."""
        endings = {impact.incident.ending for impact in self.impacts}
        return next(
            ending
            for ending in (IncidentEnding.OPEN, IncidentEnding.LOST, IncidentEnding.CALM)
            if ending in endings
        )

    def id(self, service: str) -> str:
        """Return what people call it: the service, and when the SLO felt it that it cost most.

        Whatever else is found beside it, be it that smaller incidents are looked for, too, leaves
        that as it is.
        """
        worst = max(self.impacts, key=lambda impact: impact.share)
        return incident_id(service, worst.incident.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How often a service fails, and how long it takes to recover."""

    count: int
    mttr: timedelta | None
    """Mean time to recover, of the incidents that were seen to end; None: of none."""
    longest: timedelta | None
    mtbf: timedelta | None
    """Mean operating time between failures: the known time outside of incidents, by their number
    (IEC 60050-192-05-13); None where there was no incident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """What incidents at this pace take out of an SLO's budget."""

    slo: str
    window: timedelta
    per_window: float
    """How many of them there are in a window of the SLO."""
    each: float
    """The share of the budget that one of them takes, in the mean."""

    @property
    def total(self) -> float:
        """The share of the budget that they take in a window."""
        return self.per_window * self.each

    @property
    def often(self) -> bool:
        """Whether a low MTBF drains the budget."""
        return self.per_window >= _OFTEN

    @property
    def costly(self) -> bool:
        """Whether a high MTTR, or a deep failure, drains the budget."""
        return self.each >= _COSTLY


_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._]+")


def incident_id(service: str, start: datetime) -> str:
    """Return the id of an incident of a service: ``chat-20261023-0940``, in UTC."""
    name = _NO_NAME.sub("-", service).strip("-")
    return f"{name}-{start.astimezone(UTC):%Y%m%d-%H%M}"


def merge_incidents(impacts: Sequence[SloImpact]) -> tuple[ServiceIncident, ...]:
    """Put together what overlaps, directly or by way of others; the oldest first.

    What begins more than a day into another incident is one of its own: a slow afternoon on the
    second day of a bad prompt has another cause, and other people to look for it.
    """
    groups: list[list[SloImpact]] = []
    for impact in sorted(impacts, key=lambda impact: (impact.incident.start, impact.slo)):
        group = next((group for group in reversed(groups) if _belongs(impact, group)), None)
        if group is None:
            groups.append([impact])
        else:
            group.append(impact)
    return tuple(ServiceIncident(impacts=tuple(group)) for group in groups)


def _belongs(impact: SloImpact, group: Sequence[SloImpact]) -> bool:
    """Return whether an incident began during one of a group, within its first day."""
    start = impact.incident.start
    return any(
        start < earlier.incident.end and start - earlier.incident.start <= _NEW_AFTER
        for earlier in group
    )


def reliability(
    incidents: Sequence[ServiceIncident],
    known_steps: Sequence[bool],
    *,
    start: datetime,
    step: timedelta,
) -> Reliability:
    """Return how often and how long.

    Args:
        incidents: all incidents of the service.
        known_steps: of which steps of the history anything is known.
        start: of the history.
        step: of the history.
    """
    ended = [incident.duration for incident in incidents if incident.ending is IncidentEnding.CALM]
    operating = sum(known_steps)
    for incident in incidents:
        first, last = ((at - start) // step for at in (incident.start, incident.end))
        operating -= sum(known_steps[first:last])
    return Reliability(
        count=len(incidents),
        mttr=sum(ended, timedelta()) / len(ended) if ended else None,
        longest=max(ended, default=None),
        mtbf=operating * step / len(incidents) if incidents else None,
    )


def drain(
    impacts: Sequence[SloImpact],
    windows: Mapping[str, timedelta],
    known_time: Mapping[str, timedelta],
) -> Drain | None:
    """Return what the incidents take from the SLO that they cost most; None where there are none.

    Args:
        impacts: all impacts of the service.
        windows: the length of each SLO's window.
        known_time: how much of the time something is known of the SLO.
    """
    drains = []
    for slo in {impact.slo: None for impact in impacts}:
        shares = [impact.share for impact in impacts if impact.slo == slo]
        each, pace = sum(shares) / len(shares), len(shares) / (known_time[slo] / windows[slo])
        drains.append(Drain(slo=slo, window=windows[slo], per_window=pace, each=each))
    return max(drains, key=lambda drain_of_slo: drain_of_slo.total, default=None)
