"""The table of incidents, in which those with one lasting cause share a row.

A bad prompt at night, with few events, leads to many incidents: each ends when too few events show
the next failure. The results stay as they are, in every number and in the document; only the table
combines incidents that belong together.
"""

from datetime import timedelta
from typing import Final, NamedTuple

from gate import wording
from gate.analysis.incidents import SearchedSlo, ServiceIncidents
from gate.dataclass import dataclass
from gate.history.explanations import AnnotatedIncident
from gate.history.incident_shares import SPENDING
from gate.history.incidents import WINDOW, IncidentEnding
from gate.history.service_incidents import SloImpact, impacts_by_slo
from gate.policy.findings import Verdict
from gate.reporters.page import MUST, Cell, Column
from gate.slo.objective import RatioSlo, SpendSlo
from gate.slo.quantities import format_duration
from gate.wording import describe_time

_SHORT: Final = timedelta(hours=6)
"""The maximum time between two incidents of one cause; after a longer calm they are separate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Incidents of the same SLOs with the same cause, in quick succession."""

    numbers: tuple[int, ...]
    """The numbers of its parts, from 1, as in pictures."""
    parts: tuple[AnnotatedIncident, ...]
    """At least one, the oldest first."""

    @property
    def costliest(self) -> AnnotatedIncident:
        """The part that cost the largest share of any budget."""
        return max(self.parts, key=lambda part: max(x.share for x in part.incident.impacts))

    @property
    def impacts(self) -> tuple[SloImpact, ...]:
        """Its impact on each SLO, from the start of its first part to the end of its last."""
        return impacts_by_slo(x for part in self.parts for x in part.incident.impacts)

    def times(self, slo: str) -> int:
        """Return how many times it affected an SLO: in each part once, or several times."""
        return sum(x.slo == slo for part in self.parts for x in part.incident.impacts)


def episodes(service: ServiceIncidents) -> list[Episode]:
    """Return all incidents of a service, those of one cause combined, the oldest first."""
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
    """Return whether an incident has the cause of the one that ended shortly before it.

    It has if the failures of every SLO share the same value of a label.
    """
    earlier, later = (_causes(annotated, slos) for annotated in (before, after))
    calm = after.incident.start - before.incident.end
    if earlier.keys() != later.keys() or calm > _SHORT:
        return False
    return all(values & later[slo] for slo, values in earlier.items())


def _causes(
    annotated: AnnotatedIncident, slos: dict[str, SearchedSlo]
) -> dict[str, set[tuple[str, str]]]:
    """Return by SLO the values of labels that its failures have in common."""
    return {
        impact.slo: {
            (standout.label, standout.value)
            for standout in slos[impact.slo].standouts(impact.incident)
        }
        for impact in annotated.incident.impacts
        if not impact.parts  # the loss of a composite is that of its members
    }


UNEXPLAINED: Final = "unexplained"
_ENDINGS: Final = {
    IncidentEnding.CALM: "",
    IncidentEnding.OPEN: ", open",
    IncidentEnding.LOST: " or more",
}


class IncidentRow(NamedTuple):
    """The impact of an incident of the service on one SLO, as a row."""

    episode: Episode
    id: str
    """The id of the incident, or of the costliest of several with one cause."""
    first: bool
    """Whether it is the first row of the incident."""
    impact: SloImpact


def incident_rows(service: ServiceIncidents) -> list[IncidentRow]:
    """Return a row for each SLO of each incident, the oldest incident first."""
    name = service.policy.service
    return [
        IncidentRow(episode, episode.costliest.incident.id(name), not place, impact)
        for episode in episodes(service)
        for place, impact in enumerate(episode.impacts)
    ]


def budget_used(number: float) -> str:
    """Write the share of a budget that was used."""
    return wording.spent(wording.shown(number))


def _number(row: IncidentRow) -> str:
    if not row.first:
        return ""
    first, *others = row.episode.numbers
    if others and others[-1] - first == len(others):
        return f"#{first}-{others[-1]}"
    return f"#{', #'.join(map(str, row.episode.numbers))}"


def _id(row: IncidentRow) -> str:
    if not row.first:
        return ""
    more = len(row.episode.parts) - 1
    return f"{row.id} and {more} more" if more else row.id


def _amount(number: float) -> str:
    return wording.amount(wording.shown(number))


def _bad(row: IncidentRow) -> str:
    """Write the bad events; counts of a composite's members cannot be added up."""
    return wording.NOTHING if row.impact.parts else _amount(row.impact.incident.bad)


def _burn(rate: float) -> str:
    return wording.burn(wording.shown(rate))


def _start(row: IncidentRow) -> str:
    return wording.minute(row.impact.incident.start)


def _end(row: IncidentRow) -> str:
    incident = row.impact.incident
    return "open" if incident.ending is IncidentEnding.OPEN else wording.minute(incident.end)


def _lasted(row: IncidentRow) -> str:
    incident = row.impact.incident
    parts = row.episode.times(row.impact.slo)
    several = f" in {parts} parts" if parts > 1 else ""
    return f"{describe_time(incident.duration)}{_ENDINGS[incident.ending]}{several}"


def _records(row: IncidentRow) -> Cell:
    explanations = [
        part.explanation(impact)
        for part in row.episode.parts
        for impact in part.incident.impacts
        if impact.slo == row.impact.slo
    ]
    if not all(explanation.explained for explanation in explanations):
        return Cell(text=UNEXPLAINED, tone=Verdict.BLOCK)
    names = (record.id for explanation in explanations for record in explanation.records)
    return Cell(text=", ".join(dict.fromkeys(names)))


def _window(service: ServiceIncidents, slo: str) -> str:
    """Name the window of an SLO's burn rate in the search for incidents."""
    looked_at = {other.name: other for other in service.policy.slos}.get(slo)
    if isinstance(looked_at, RatioSlo) and looked_at.sampled is not None:
        return "samples"
    return format_duration(SPENDING if isinstance(looked_at, SpendSlo) else WINDOW)


def incident_columns(service: ServiceIncidents) -> tuple[Column[IncidentRow], ...]:
    """Return the columns in the order of reading; peaks are named by their window."""
    windows = {
        impact.slo: _window(service, impact.slo)
        for annotated in service.annotated
        for impact in annotated.incident.impacts
    }
    over = set(windows.values())

    def peak(row: IncidentRow) -> str:
        window = f" ({windows[row.impact.slo]})" if len(over) > 1 else ""
        return f"{_burn(row.impact.incident.peak)}{window}"

    window = f" {next(iter(over))}" if len(over) == 1 else ""
    return (
        Column(title="#", cell=_number, right=False, keep=1),
        Column(title="Incident", cell=_id, right=False, keep=MUST),
        Column(title="SLO", cell=lambda row: row.impact.slo, right=False, keep=MUST, share=4),
        Column(title="Start, UTC", cell=_start, right=False, keep=6),
        Column(title="End, UTC", cell=_end, right=False, keep=3),
        Column(title="Lasted", cell=_lasted, keep=MUST),
        Column(title="Bad", cell=_bad, keep=4),
        Column(title="Budget used", cell=lambda row: budget_used(row.impact.share), keep=8),
        Column(title=f"Peak burn{window}", cell=peak, keep=5),
        Column(title="Explained by", cell=_records, right=False, keep=MUST, share=5),
    )
