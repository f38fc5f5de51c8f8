"""The frequency, duration and cost of the incidents of a service's SLOs."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from gate.dataclass import dataclass
from gate.history.incidents import Incident, IncidentEnding
from gate.slo.objective import CompositeSlo, Span

_NEW_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SloImpact:
    """An incident, and the SLO that it affected."""

    slo: str
    incident: Incident
    """The incident; for a composite from its first member's start to its last one's end, with all
    bad events of its members, and the highest burn rate times its weight."""
    share: float
    """The consumed share of the SLO's budget; above 0, and above 1 if it exceeded the budget."""
    parts: "tuple[SloImpact, ...]" = ()
    """The impacts on the members of a composite, each with its share of the composite's budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIncident:
    """Overlapping incidents of several SLOs: for people, one incident of the service."""

    impacts: tuple[SloImpact, ...]
    """The impacts, at least one, in the order of their starts."""

    @property
    def start(self) -> datetime:
        """The start for the first affected SLO."""
        return self.impacts[0].incident.start

    @property
    def end(self) -> datetime:
        """The end for the last affected SLO; for an open incident the end of the history."""
        return max(impact.incident.end for impact in self.impacts)

    @property
    def duration(self) -> timedelta:
        """The time from start to end."""
        return self.end - self.start

    @property
    def ending(self) -> IncidentEnding:
        """The ending: calm only if it was calm for every SLO."""
        endings = {impact.incident.ending for impact in self.impacts}
        return next(
            ending
            for ending in (IncidentEnding.OPEN, IncidentEnding.LOST, IncidentEnding.CALM)
            if ending in endings
        )

    def id(self, service: str) -> str:
        """Return the id for people: the service, and the start for the SLO with the highest cost.

        It does not depend on the other incidents found, for example when smaller ones are included.
        """
        worst = max(self.impacts, key=lambda impact: impact.share)
        return incident_id(service, worst.incident.start)

    def ids(self, service: str) -> frozenset[str]:
        """Return all possible ids: one for each affected SLO."""
        return frozenset(incident_id(service, impact.incident.start) for impact in self.impacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How often a service fails, and how long it takes to recover."""

    count: int
    mttr: timedelta | None
    """Mean time to recover, of the incidents whose end was seen; None without such incidents."""
    longest: timedelta | None
    mtbf: timedelta | None
    """Mean operating time between failures: the known time outside of incidents, divided by their
    number (IEC 60050-192-05-13); None without incidents."""


_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._]+")


def incident_id(service: str, start: datetime) -> str:
    """Return the id of an incident of a service: ``chat-20261023-0940``, in UTC."""
    name = _NO_NAME.sub("-", service).strip("-")
    return f"{name}-{start.astimezone(UTC):%Y%m%d-%H%M}"


def impacts_by_slo(impacts: Iterable[SloImpact]) -> tuple[SloImpact, ...]:
    """Return one impact for each SLO, as if one incident had affected it all the time.

    Args:
        impacts: all impacts of an incident, or of several; those of one SLO the oldest first.
    """
    by_slo = dict[str, list[SloImpact]]()
    for impact in impacts:
        by_slo.setdefault(impact.slo, []).append(impact)
    return tuple(map(_one_impact, by_slo.values()))


def _one_impact(impacts: Sequence[SloImpact]) -> SloImpact:
    first, last = impacts[0].incident, impacts[-1].incident
    whole = Incident(
        start=first.start,
        end=last.end,
        ending=last.ending,
        bad=sum(impact.incident.bad for impact in impacts),
        peak=max(impact.incident.peak for impact in impacts),
        unknown=sum((impact.incident.unknown for impact in impacts), timedelta()),
    )
    share = sum(impact.share for impact in impacts)
    return replace(impacts[0], incident=whole, share=share)


def merge_incidents(impacts: Sequence[SloImpact]) -> tuple[ServiceIncident, ...]:
    """Merge incidents that overlap, directly or by way of others; the oldest first.

    An incident that begins more than a day into another one stays separate: a slow afternoon on the
    second day of a bad prompt has another cause, and concerns other people.
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
    """Return the incidents of a composite: overlapping incidents of its members are one.

    It uses of the composite's budget the share that it used of each member's, times the weight.

    Args:
        slo: the composite.
        impacts: the impacts on its members and any other SLOs.
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
    """Return the frequency of incidents and the time to recover.

    Args:
        incidents: all incidents of the service.
        measured: the times in which any SLO is known.
        looked_at: the examined time.
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
    """Return the union of the spans within a stretch, as separate spans, the oldest first."""
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
    """Yield some times minus others; each are in order and do not overlap."""
    for time in times:
        start = time.start
        for other in others:
            if other.end > start and other.start < time.end:
                yield Span(start, max(other.start, start))
                start = other.end
        yield Span(start, max(time.end, start))


def total_time(spans: Iterable[Span]) -> timedelta:
    """Return the total length of some times."""
    return sum((span.length for span in spans), timedelta())
