"""Whether what costly incidents taught is written down, and what the reviewed ones excuse."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Final, NamedTuple

from gate.budget.assessment import Assessment, Doubt
from gate.budget.coverage import coverage_cause
from gate.dataclass import dataclass
from gate.history.explanations import Steps
from gate.history.incidents import Incident, IncidentEnding, bad_between
from gate.history.records import IncidentRecord
from gate.history.service_incidents import ServiceIncident, SloImpact, merge_incidents
from gate.measure import Cause, Unmeasured
from gate.policy.case import NOT_LOOKED_AT, Case, SloIncidents, calm
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.reviewed import SloRecords
from gate.policy.rule_settings import PostmortemRule
from gate.policy.tiers import tier_of
from gate.slo.objective import CompositeSlo, RatioSlo, counts_events
from gate.wording import left_or_overspent, percent_left, percent_spent, stretch

_ABOUT: Final = "incidents of the past: "


class _LookedAt(NamedTuple):
    """An SLO and its history."""

    slo: RatioSlo
    history: SloIncidents


def findings(case: Case, rule: PostmortemRule) -> list[Finding]:
    """Return a finding for every costly incident, and for every history that is not known.

    Where there are none, a single finding says so.
    """
    firing, impacts = list[Finding](), list[SloImpact]()
    looked_at: dict[str, _LookedAt] = {}
    for assessment in case.assessments:
        slo = assessment.slo
        if counts_events(slo):
            history = case.past.incidents.get(slo.name, NOT_LOOKED_AT)
            firing += _doubted(case, rule, assessment, history)
            if isinstance(history, SloIncidents):
                looked_at[slo.name] = _LookedAt(slo, history)
                impacts += _costly(rule, slo, history, case.at)
    firing += [_incident(case, rule, looked_at, incident) for incident in merge_incidents(impacts)]
    if looked_at and not firing:
        names = ", ".join(looked_at)
        reason = f"no incident took more than {_share(rule)} of the budget of {names}"
        return [calm(Rule.POSTMORTEM, reason)]
    return firing


def _doubted(
    case: Case, rule: PostmortemRule, assessment: Assessment, history: SloIncidents | Unmeasured
) -> Iterator[Finding]:
    """Yield what it means that the history, or too much of it, is not known."""
    if isinstance(history, Unmeasured):
        doubt = Doubt(cause=history.cause, reason=history.reason)
    else:
        guards = case.policy.guards
        cause = coverage_cause(history.coverage, history.gaps, guards)
        if cause is None:
            return
        has, needs = floor(history.coverage * 1000) / 10, float(guards.min_coverage * 100)
        reason = f"only {has:g} % of the time looked at is known; min_coverage is {needs:g} %"
        doubt = Doubt(cause=cause, reason=reason)
    yield from case.doubted_history(
        assessment, doubt, about=_ABOUT, rule=Rule.POSTMORTEM, allow=rule.allow
    )


def _costly(
    rule: PostmortemRule, slo: RatioSlo, history: SloIncidents, at: datetime
) -> list[SloImpact]:
    """Return the incidents that took more than the rule's share; compared exactly."""
    start = rule.counted_span(slo, at).start
    return [
        SloImpact(
            slo=slo.name, incident=incident, share=float(Fraction(incident.bad) / history.allowed)
        )
        for incident in history.incidents
        if incident.end > start and Fraction(incident.bad) > rule.share * history.allowed
    ]


def _incident(
    case: Case, rule: PostmortemRule, looked_at: Mapping[str, _LookedAt], incident: ServiceIncident
) -> Finding:
    """Return the finding for a costly incident: what it took, and the record that it needs."""
    impacts = sorted(incident.impacts, key=lambda impact: -impact.share)
    records = [_records(case, rule, looked_at[impact.slo], impact.incident) for impact in impacts]
    lacking = [of_slo for of_slo in records if not of_slo.reviewed]
    what, goes_on = _what(rule, incident), incident.ending is IncidentEnding.OPEN
    if goes_on:
        why = f"{what}: it goes on, and no record counts before it is over"
        return _fired(case, rule, looked_at, records, why, until=None)
    if not lacking:
        names = dict.fromkeys(record.id for of_slo in records for record in of_slo.reviewed)
        explains = f"{' and '.join(names)} explain{'s' * (len(names) == 1)} it, reviewed"
        return Finding(
            rule=Rule.POSTMORTEM,
            slo=impacts[0].slo,
            verdict=Verdict.ALLOW,
            reason=f"{what}: {explains}",
        )
    in_doubt = [record for of_slo in lacking for record in of_slo.unreadable]
    if in_doubt:
        why = f"a record that may explain it cannot be read: {in_doubt[0].first}"
        reason = f"{what}; {why}; correct that file"
        return _doubted_by_records(case, rule, lacking, reason)
    until = max(
        rule.forgotten_at(looked_at[of_slo.slo].slo, of_slo.incident.end, case.at)
        for of_slo in lacking
    )
    return _fired(case, rule, looked_at, lacking, f"{what}: {lacking[0].lacking}", until=until)


def _fired(
    case: Case,
    rule: PostmortemRule,
    looked_at: Mapping[str, _LookedAt],
    lacking: Sequence[SloRecords],
    reason: str,
    *,
    until: datetime | None,
) -> Finding:
    return case.fired(
        Rule.POSTMORTEM,
        reason,
        slo=lacking[0].slo,
        allow=rule.allow,
        advisory=all(looked_at[of_slo.slo].slo.advisory for of_slo in lacking),
        until=until,
        if_calm=until is not None,
    )


def _doubted_by_records(
    case: Case, rule: PostmortemRule, lacking: Sequence[SloRecords], reason: str
) -> Finding:
    """Return the finding for an incident whose record has a mistake; advisory if all SLOs are."""
    names = [of_slo.slo for of_slo in lacking]
    felt = [assessment for assessment in case.assessments if assessment.slo.name in names]
    felt.sort(key=lambda assessment: (assessment.slo.advisory, names.index(assessment.slo.name)))
    doubt = Doubt(cause=Cause.INVALID, reason=reason)
    return case.doubted(felt[0], doubt, about=_ABOUT, rule=Rule.POSTMORTEM, allow=rule.allow)


def _records(
    case: Case, rule: PostmortemRule, looked_at: _LookedAt, incident: Incident
) -> SloRecords:
    """Return the records of the policy, put to an incident of an SLO."""
    slo, history = looked_at
    return SloRecords(
        rule=rule,
        service=case.policy.service,
        slo=slo.name,
        incident=incident,
        steps=Steps(history.request, history.series),
    )


def _what(rule: PostmortemRule, incident: ServiceIncident) -> str:
    """Say when it was and what it took: the most first."""
    first, *others = sorted(incident.impacts, key=lambda impact: -impact.share)
    took = f"{percent_spent(Fraction(first.share))} of the budget"
    took += "".join(
        f" and {percent_spent(Fraction(other.share))} of {other.slo}'s" for other in others
    )
    when = stretch(incident.start, incident.end, open_=incident.ending is IncidentEnding.OPEN)
    return f"the incident of {when} took {took}, more than {_share(rule)}"


def _share(rule: PostmortemRule) -> str:
    return f"{float(rule.share * 100):g} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Excuse:
    """What part of a budget went in incidents that have a reviewed record."""

    share: Fraction
    """Of the budget; at most what is consumed."""
    records: Mapping[str, IncidentRecord]
    """By id."""


_NONE: Final = _Excuse(share=Fraction(0), records={})


def excused(case: Case, rule: PostmortemRule) -> str | None:
    """Say why the budgets that forbid the change do not stop it all the same; None: they do.

    Each of them must, without the incidents of its own window that have a reviewed record and are
    over, be in a tier that allows the change and requires nothing first.
    """
    if not rule.excuse_reviewed:
        return None
    by_name = {assessment.slo.name: assessment for assessment in case.assessments}
    objecting, reasons = case.objecting, []
    for assessment in objecting:
        excuse = _excuse(case, rule, assessment, by_name)
        without = assessment.without(excuse.share)
        if without is None or not excuse.share:
            return None
        tier = tier_of(case.policy.tiers, without)
        if not tier.allows(case.change) or case.change in tier.require:
            return None
        whose = f" of {assessment.slo.name}" if len(objecting) > 1 else ""
        reasons.append(
            f"{percent_left(excuse.share)} of the budget{whose} went in"
            f" {' and '.join(excuse.records)}, reviewed and remediated: without it"
            f" {left_or_overspent(without)}{' would be left' * (without >= 0)} (tier {tier.name})"
        )
    return "; ".join(reasons)


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
    if not counts_events(slo) or not isinstance(history, SloIncidents) or not consumed:
        return _NONE
    series, request = history.series, history.request
    start = slo.window.counted(case.at).start
    bad, records = Fraction(0), dict[str, IncidentRecord]()
    for incident in history.incidents:
        reviewed = _excusing(case, rule, _LookedAt(slo, history), incident)
        within = bad_between(series, request, max(start, incident.start), incident.end)
        if reviewed and within:
            bad += within
            records |= reviewed
    # The larger of the two: bad events that the history does not know of are not excused.
    every = max(bad_between(series, request, start, case.at), assessment.bad or Fraction(0))
    return _Excuse(share=consumed * bad / every, records=records) if bad else _NONE


def _excusing(
    case: Case, rule: PostmortemRule, looked_at: _LookedAt, incident: Incident
) -> dict[str, IncidentRecord]:
    """Return the reviewed records of an incident that is over, by id."""
    if incident.ending is IncidentEnding.OPEN:
        return {}
    return {record.id: record for record in _records(case, rule, looked_at, incident).reviewed}
