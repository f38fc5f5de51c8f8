"""The records of a costly incident that count as reviewed, and the changes that they allow."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.history.explanations import HALF, SloHistory, covered_share
from gate.history.incidents import Incident, IncidentEnding, bad_between
from gate.history.records import IncidentRecord, UnreadableRecord
from gate.policy.case import Case, SloIncidents
from gate.policy.rule_settings import PostmortemRule
from gate.policy.tiers import tier_of
from gate.slo.objective import CompositeSlo, PlatformSlo, SpendSlo
from gate.wording import instant, left_or_overspent, percent_left


@dataclass(frozen=True, slots=True, kw_only=True)
class SloRecords:
    """The records of a policy, matched with an incident's impact on one of its SLOs."""

    rule: PostmortemRule
    service: str
    slo: str
    incident: Incident
    steps: SloHistory
    """The history of the SLO during the incident."""
    at: datetime
    """The instant of the run."""

    @property
    def reviewed(self) -> tuple[IncidentRecord, ...]:
        """The complete records that explain it: together they cover half of its bad events or more.

        Empty if they cover less. A record whose end lies in the future explains nothing yet;
        otherwise one record would explain every incident from now on.
        """
        complete = tuple(record for record in self._about if self._counts(record))
        covers = covered_share(complete, self.incident, self.steps) >= HALF
        return complete if covers else ()

    @property
    def unreadable(self) -> tuple[UnreadableRecord, ...]:
        """The records with a mistake that may be the one that explains it."""
        start, end = self.incident.start, self.incident.end
        return tuple(
            record
            for record in self.rule.unreadable
            if record.may_concern(self.service, self.slo, start, end)
        )

    @property
    def lacking(self) -> str:
        """Say what must be written, and where, for an incident without reviewed records."""
        about = self._about
        if about:
            return self._lacking_of(about)
        overlapping = self._overlapping
        ours = [record for record in overlapping if self.service in record.services]
        if ours:
            named = ", ".join(ours[0].slos)
            advice = f"add {self.slo} to them, if the record is about this incident"
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
                f"{names} {covers} {percent_left(share)} of its bad events, and a record must"
                " cover at least half of them to explain it; correct start and end, or write a"
                " record of its own"
            )
        incomplete = [record for record in about if not self._counts(record)]
        nearest = min(incomplete, key=lambda record: len(record.missing))
        its = f"its record {_name(nearest)}"
        if nearest.missing or nearest.end is None:
            return f"{its} lacks {' and '.join(nearest.missing)}"
        end = instant(nearest.end)
        return f"{its} ends at {end}, which is in the future; write when the incident ended"

    def _counts(self, record: IncidentRecord) -> bool:
        """Return whether a record is complete, and its end is in the past."""
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
    """Return the records of the policy, matched with an incident of an SLO with this history."""
    return SloRecords(
        rule=rule,
        service=case.policy.service,
        slo=slo,
        incident=incident,
        steps=history.steps[incident.start],
        at=case.at,
    )


def _name(record: IncidentRecord) -> str:
    return f"{record.id} ({record.place})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Excuse:
    """The part of a budget that went in incidents with a reviewed record."""

    share: Fraction
    """The share of the budget; at most the consumed share."""
    records: Mapping[str, IncidentRecord]
    """The records by id."""


_NONE: Final = _Excuse(share=Fraction(0), records={})


def excuses(case: Case, rule: PostmortemRule) -> Mapping[str, str]:
    """Return, by SLO, why a budget that forbids the change does not stop it; empty: they stop it.

    Without its past incidents in the window that have a reviewed record, each of these budgets must
    be in a tier that allows the change and requires nothing first.
    """
    if not rule.excuse_reviewed:
        return {}
    by_name = {assessment.slo.name: assessment for assessment in case.assessments}
    objecting, reasons = case.objecting, dict[str, str]()
    for assessment in objecting:
        excuse = _excuse(case, rule, assessment, by_name)
        without = assessment.without(excuse.share)
        if without is None or not excuse.share:
            return {}
        tier = tier_of(case.policy.tiers, without)
        if not tier.allows(case.change) or case.change in tier.require:
            return {}
        incidents = " and ".join(excuse.records)
        reasons[assessment.slo.name] = (
            f"{percent_left(excuse.share)} of the budget went in {incidents}, reviewed and"
            f" remediated: without {'it' if len(excuse.records) == 1 else 'them'}"
            f" {left_or_overspent(without)}{' would be left' * (without >= 0)} (tier {tier.name})"
        )
    return reasons


def _excuse(
    case: Case, rule: PostmortemRule, assessment: Assessment, by_name: Mapping[str, Assessment]
) -> _Excuse:
    slo, consumed = assessment.slo, assessment.consumed
    if isinstance(slo, CompositeSlo):
        parts = [
            (member.weight, _excuse(case, rule, by_name[member.slo], by_name))
            for member in slo.members
        ]
        return _Excuse(
            share=sum((weight * part.share for weight, part in parts), Fraction(0)),
            records={name: record for _, part in parts for name, record in part.records.items()},
        )
    history = case.past.incidents.get(slo.name)
    if isinstance(slo, PlatformSlo) or not isinstance(history, SloIncidents) or not consumed:
        return _NONE
    start = slo.window.counted(case.at).start
    bad, records = Fraction(0), dict[str, IncidentRecord]()
    for incident in history.incidents:
        reviewed = _excusing(case, rule, slo.name, incident)
        steps = history.steps[incident.start]
        begun = max(start, incident.start)
        within = bad_between(steps.series, steps.request, begun, incident.end)
        if reviewed and within:
            bad += within
            records |= reviewed
    # The larger of the two, so that bad events which the history lacks are not excused.
    counted = assessment.spent if isinstance(slo, SpendSlo) else assessment.bad
    every = max(history.bad, counted or Fraction(0))
    return _Excuse(share=consumed * bad / every, records=records) if bad else _NONE


def _excusing(
    case: Case, rule: PostmortemRule, slo: str, incident: Incident
) -> dict[str, IncidentRecord]:
    """Return the reviewed records of a past incident, by id."""
    history = case.past.incidents[slo]
    if incident.ending is IncidentEnding.OPEN or not isinstance(history, SloIncidents):
        return {}
    records = slo_records(case, rule, slo, history, incident)
    return {record.id: record for record in records.reviewed}
