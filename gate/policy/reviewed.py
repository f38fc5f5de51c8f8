"""Which records a costly incident has, which of them count as reviewed, and what it still lacks."""

from collections.abc import Sequence
from datetime import datetime

from gate.dataclass import dataclass
from gate.history.explanations import HALF, SloHistory, covered_share
from gate.history.incidents import Incident
from gate.history.records import IncidentRecord, UnreadableRecord
from gate.policy.case import Case, SloIncidents
from gate.policy.rule_settings import PostmortemRule
from gate.wording import instant, percent_left


@dataclass(frozen=True, slots=True, kw_only=True)
class SloRecords:
    """The records of a policy, put to what an incident did to one of its SLOs."""

    rule: PostmortemRule
    service: str
    slo: str
    incident: Incident
    steps: SloHistory
    """The history of the SLO."""
    at: datetime
    """The instant of the run."""

    @property
    def reviewed(self) -> tuple[IncidentRecord, ...]:
        """Those that explain it: complete, and together over at least half of its bad events.

        Empty where they do not. A record whose end is still to come explains nothing yet: else one
        would do for every incident from now on.
        """
        complete = tuple(record for record in self._about if self._counts(record))
        covers = covered_share(complete, self.incident, self.steps) >= HALF
        return complete if covers else ()

    @property
    def unreadable(self) -> tuple[UnreadableRecord, ...]:
        """Records with a mistake that may be the one that explains it."""
        start, end = self.incident.start, self.incident.end
        return tuple(
            record
            for record in self.rule.unreadable
            if record.may_concern(self.service, self.slo, start, end)
        )

    @property
    def lacking(self) -> str:
        """Say what must be written, and where; for an incident without reviewed records."""
        about = self._about
        if about:
            return self._lacking_of(about)
        overlapping = self._overlapping
        ours = [record for record in overlapping if self.service in record.services]
        if ours:
            named = ", ".join(ours[0].slos)
            advice = f"add {self.slo} to them, if that is what happened"
            return f"the slos of {_name(ours[0])} are {named} only; {advice}"
        keys = f"id, title, service: {self.service}, start, end, cause, remediation"
        lead = f"no record in {' or '.join(self.rule.patterns)} explains it"
        if overlapping:
            services = " and ".join(overlapping[0].services)
            lead += f" ({_name(overlapping[0])} is about {services})"
        return f"{lead}; write one with {keys} and status: reviewed"

    def _lacking_of(self, about: Sequence[IncidentRecord]) -> str:
        share = covered_share(about, self.incident, self.steps)
        if share < HALF:
            names = " and ".join(_name(record) for record in about)
            covers = "covers" if len(about) == 1 else "cover"
            return (
                f"{names} {covers} {percent_left(share)} of its bad events, and it takes half of"
                " them to explain it; correct start and end, or write a record of its own"
            )
        incomplete = [record for record in about if not self._counts(record)]
        nearest = min(incomplete, key=lambda record: len(record.missing))
        its = f"its record {_name(nearest)}"
        if nearest.missing or nearest.end is None:
            return f"{its} lacks {' and '.join(nearest.missing)}"
        end = instant(nearest.end)
        return f"{its} ends at {end}, which is still to come; write when the incident was over"

    def _counts(self, record: IncidentRecord) -> bool:
        """Return whether a record is complete, and its end has come."""
        return not record.missing and (record.end is None or record.end <= self.at)

    @property
    def _overlapping(self) -> list[IncidentRecord]:
        start, end = self.incident.start, self.incident.end
        return [record for record in self.rule.records if record.overlaps(start, end)]

    @property
    def _about(self) -> list[IncidentRecord]:
        return [record for record in self._overlapping if record.names(self.service, self.slo)]


def slo_records(
    case: Case, rule: PostmortemRule, slo: str, history: SloIncidents, incident: Incident
) -> SloRecords:
    """Return the records of the policy, put to an incident of an SLO with this history."""
    return SloRecords(
        rule=rule,
        service=case.policy.service,
        slo=slo,
        incident=incident,
        steps=SloHistory(history.request, history.series),
        at=case.at,
    )


def _name(record: IncidentRecord) -> str:
    return f"{record.id} ({record.place})"
