"""Incidents of one lasting cause, shown as one row: the parts stay countable.

A bad prompt at night, with few events, is found as many incidents: each ends where too little
happens to see the next failure. What was found stays as it is, in every number and in the document;
only the table puts together what belongs together.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from gate.analysis.incidents import SearchedSlo, ServiceIncidents
from gate.dataclass import dataclass
from gate.history.explanations import AnnotatedIncident
from gate.history.incidents import Incident
from gate.history.service_incidents import SloImpact

_SHORT: Final = timedelta(hours=6)
"""Between two incidents of one cause; after a longer calm they are two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Incidents of the same SLOs and the same cause, shortly after each other."""

    numbers: tuple[int, ...]
    """The numbers of its parts, from 1, as pictures have them."""
    parts: tuple[AnnotatedIncident, ...]
    """At least one, the oldest first."""

    @property
    def costliest(self) -> AnnotatedIncident:
        """The part that cost the most of any budget."""
        return max(self.parts, key=lambda part: max(x.share for x in part.incident.impacts))

    @property
    def impacts(self) -> tuple[SloImpact, ...]:
        """What it did to each SLO, from the start of its first part to the end of its last."""
        names = [impact.slo for impact in self.parts[0].incident.impacts]
        return tuple(
            _joined([x for part in self.parts for x in part.incident.impacts if x.slo == name])
            for name in names
        )


def episodes(service: ServiceIncidents) -> list[Episode]:
    """Return all incidents of a service, those of one cause together, the oldest first."""
    groups: list[list[tuple[int, AnnotatedIncident]]] = []
    slos = service.by_name
    for number, annotated in enumerate(service.annotated, start=1):
        for group in reversed(groups):
            if _goes_on(group[-1][1], annotated, slos):
                group.append((number, annotated))
                break
        else:
            groups.append([(number, annotated)])
    return [
        Episode(
            numbers=tuple(number for number, _ in group),
            parts=tuple(annotated for _, annotated in group),
        )
        for group in groups
    ]


def _goes_on(
    before: AnnotatedIncident, after: AnnotatedIncident, slos: dict[str, SearchedSlo]
) -> bool:
    """Return whether an incident has the cause of the one before it, which ended shortly before.

    It has where the failures of every SLO share the same value of a label.
    """
    earlier, later = (_causes(annotated, slos) for annotated in (before, after))
    calm = after.incident.start - before.incident.end
    if earlier.keys() != later.keys() or calm > _SHORT:
        return False
    return all(values & later[slo] for slo, values in earlier.items())


def _causes(
    annotated: AnnotatedIncident, slos: dict[str, SearchedSlo]
) -> dict[str, set[tuple[str, str]]]:
    """Return by SLO which values of labels its failures have in common."""
    return {
        impact.slo: {
            (standout.label, standout.value)
            for standout in slos[impact.slo].standouts(impact.incident)
        }
        for impact in annotated.incident.impacts
        if not impact.parts  # what a composite loses, its members have lost
    }


def _joined(impacts: Sequence[SloImpact]) -> SloImpact:
    """Return what several incidents did to one SLO as what one of them would have done."""
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
