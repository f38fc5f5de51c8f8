"""What the incidents of a service's SLOs come to: how often, how long, and at what cost."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from gate.dataclass import dataclass
from gate.history.incidents import Incident, IncidentEnding
from gate.slo.objective import CompositeSlo, Span

_OFTEN: Final = 2
"""Incidents per SLO window."""
_NEW_AFTER: Final = timedelta(days=1)
_COSTLY: Final = 0.2
"""The share of a budget that one incident may take before Google's policy asks for a postmortem.
https://sre.google/workbook/error-budget-policy/"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloImpact:
    """An incident, and the SLO that felt it."""

    slo: str
    incident: Incident
    """The incident of a composite: from its first member's start to its last one's end, with all
    bad events of its members, and the highest burn rate of any times its weight."""
    share: float
    """The share of the SLO's budget that it consumed; above 0, and above 1 where it took more than
    all."""
    parts: "tuple[SloImpact, ...]" = ()
    """The parts of a composite: what its members felt, each with its share of the composite's
    budget."""


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

    def ids(self, service: str) -> frozenset[str]:
        """Return all that it may be called: by each SLO that felt it."""
        return frozenset(incident_id(service, impact.incident.start) for impact in self.impacts)


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
    count: int
    """How many were seen."""
    observed: timedelta
    """In how much time of which something is known."""

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


def composite_impacts(slo: CompositeSlo, impacts: Iterable[SloImpact]) -> list[SloImpact]:
    """Return the incidents of a composite: those of its members that overlap are one of its own.

    It takes of the composite's budget what it took of each member's, times the weight.

    Args:
        slo: the composite.
        impacts: of its members and any other SLOs.
    """
    weights = {member.slo: float(member.weight) for member in slo.members}
    merged = merge_incidents(
        [
            replace(impact, share=weights[impact.slo] * impact.share)
            for impact in impacts
            if impact.slo in weights
        ]
    )
    return [
        SloImpact(
            slo=slo.name,
            incident=Incident(
                start=incident.start,
                end=incident.end,
                ending=incident.ending,
                bad=sum(part.incident.bad for part in incident.impacts),
                peak=max(weights[part.slo] * part.incident.peak for part in incident.impacts),
                unknown=max(part.incident.unknown for part in incident.impacts),
            ),
            share=sum(part.share for part in incident.impacts),
            parts=incident.impacts,
        )
        for incident in merged
    ]


def reliability(
    incidents: Sequence[ServiceIncident], measured: Iterable[Span], looked_at: Span
) -> Reliability:
    """Return how often and how long.

    Args:
        incidents: all incidents of the service.
        measured: of which times anything is known of any SLO.
        looked_at: the time that counts.
    """
    ended = [incident.duration for incident in incidents if incident.ending is IncidentEnding.CALM]
    failing = [Span(incident.start, incident.end) for incident in incidents]
    operating = total_time(_without(joined(measured, looked_at), joined(failing, looked_at)))
    return Reliability(
        count=len(incidents),
        mttr=sum(ended, timedelta()) / len(ended) if ended else None,
        longest=max(ended, default=None),
        mtbf=operating / len(incidents) if incidents else None,
    )


def joined(spans: Iterable[Span], within: Span) -> list[Span]:
    """Return the times that any of the spans has of a stretch, the oldest first, apart."""
    times: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        start, end = max(span.start, within.start), min(span.end, within.end)
        if start >= end:
            continue
        if times and start <= times[-1].end:
            times[-1] = Span(times[-1].start, max(times[-1].end, end))
        else:
            times.append(Span(start, end))
    return times


def _without(times: Iterable[Span], others: Sequence[Span]) -> Iterable[Span]:
    """Yield what is left of some times without others; each are in order and apart."""
    for time in times:
        start = time.start
        for other in others:
            if other.end > start and other.start < time.end:
                yield Span(start, max(other.start, start))
                start = other.end
        yield Span(start, max(time.end, start))


def total_time(spans: Iterable[Span]) -> timedelta:
    """Return how long some times are together."""
    return sum((span.length for span in spans), timedelta())


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
        drains.append(
            Drain(
                slo=slo,
                window=windows[slo],
                per_window=pace,
                each=each,
                count=len(shares),
                observed=known_time[slo],
            )
        )
    return max(drains, key=lambda drain_of_slo: drain_of_slo.total, default=None)
