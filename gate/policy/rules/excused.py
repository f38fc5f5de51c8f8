"""What part of a budget went in incidents with a reviewed record, and what that lets through."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.history.incidents import Incident, IncidentEnding, bad_between
from gate.history.records import IncidentRecord
from gate.policy.case import Case, SloIncidents
from gate.policy.reviewed import slo_records
from gate.policy.rule_settings import PostmortemRule
from gate.policy.tiers import tier_of
from gate.slo.objective import (
    CompositeSlo,
    PlatformSlo,
    SpendSlo,
)
from gate.wording import left_or_overspent, percent_left


@dataclass(frozen=True, slots=True, kw_only=True)
class _Excuse:
    """What part of a budget went in incidents that have a reviewed record."""

    share: Fraction
    """The share of the budget; at most what is consumed."""
    records: Mapping[str, IncidentRecord]
    """By id."""


_NONE: Final = _Excuse(share=Fraction(0), records={})


def excuses(case: Case, rule: PostmortemRule) -> Mapping[str, str]:
    """Say, by SLO, why the budgets that forbid the change do not stop it; empty: they do.

    Each of them must, without the incidents of its own window that have a reviewed record and are
    over, be in a tier that allows the change and requires nothing first.
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
    series, request = history.series, history.request
    start = slo.window.counted(case.at).start
    bad, records = Fraction(0), dict[str, IncidentRecord]()
    for incident in history.incidents:
        reviewed = _excusing(case, rule, slo.name, incident)
        within = bad_between(series, request, max(start, incident.start), incident.end)
        if reviewed and within:
            bad += within
            records |= reviewed
    # The larger of the two: bad events that the history does not know of are not excused.
    counted = assessment.spent if isinstance(slo, SpendSlo) else assessment.bad
    every = max(bad_between(series, request, start, case.at), counted or Fraction(0))
    return _Excuse(share=consumed * bad / every, records=records) if bad else _NONE


def _excusing(
    case: Case, rule: PostmortemRule, slo: str, incident: Incident
) -> dict[str, IncidentRecord]:
    """Return the reviewed records of an incident that is over, by id."""
    history = case.past.incidents[slo]
    if incident.ending is IncidentEnding.OPEN or not isinstance(history, SloIncidents):
        return {}
    records = slo_records(case, rule, slo, history, incident)
    return {record.id: record for record in records.reviewed}
