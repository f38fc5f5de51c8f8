"""Whether what costly incidents taught is written down, and what the reviewed ones excuse."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Final

from gate.budget.assessment import Assessment, Doubt
from gate.budget.coverage import coverage_cause
from gate.dataclass import dataclass
from gate.history.events import keeps_past
from gate.history.explanations import HistoryPart, HistoryParts, slo_parts
from gate.history.incidents import Incident, IncidentEnding, bad_between
from gate.history.records import IncidentRecord
from gate.history.service_incidents import (
    ServiceIncident,
    SloImpact,
    composite_impacts,
    merge_incidents,
)
from gate.measure import Cause, Unmeasured
from gate.policy.case import NOT_LOOKED_AT, Case, SloIncidents, calm
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.reviewed import SloRecords
from gate.policy.rule_settings import PostmortemRule
from gate.policy.tiers import tier_of
from gate.slo.objective import CompositeSlo, RatioSlo, Slo, SpendSlo
from gate.wording import left_or_overspent, percent_left, percent_spent, shown, stretch

_ABOUT: Final = "incidents of the past: "


def findings(case: Case, rule: PostmortemRule) -> list[Finding]:
    """Return a finding for every costly incident, and for every history that is not known.

    Where there are none, a single finding says so. Of a composite the members' histories count.
    """
    firing, looked_at = list[Finding](), list[str]()
    counted, costly = list[SloImpact](), list[SloImpact]()
    for assessment in case.assessments:
        slo = assessment.slo
        if isinstance(slo, CompositeSlo):
            whole = composite_impacts(slo, counted)
            costly += [impact for impact in whole if shown(impact.share) > rule.share]
            looked_at += [slo.name] * all(member.slo in looked_at for member in slo.members)
            continue
        history = case.past.incidents.get(slo.name, NOT_LOOKED_AT)
        firing += _doubted(case, rule, assessment, history)
        if isinstance(history, SloIncidents):
            looked_at.append(slo.name)
            for impact, share in _counted(rule, slo, history, case.at):
                counted.append(impact)
                costly += [impact] * (share > rule.share)
    parts = history_parts(case)
    firing += [_incident(case, rule, parts, incident) for incident in merge_incidents(costly)]
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


def _counted(
    rule: PostmortemRule, slo: RatioSlo | SpendSlo, history: SloIncidents, at: datetime
) -> Iterator[tuple[SloImpact, Fraction]]:
    """Yield the incidents of an SLO that have not left the time that counts.

    Each with what it took of the budget: exactly, to be compared.
    """
    start = rule.counted_span(slo, at).start
    for incident in history.incidents:
        if incident.end > start:
            share = history.budget.share(incident)
            yield SloImpact(slo=slo.name, incident=incident, share=float(share)), share


def _incident(
    case: Case, rule: PostmortemRule, parts: HistoryParts, incident: ServiceIncident
) -> Finding:
    """Return the finding for a costly incident: what it took, and the record that it needs."""
    impacts = sorted(incident.impacts, key=lambda impact: -impact.share)
    records = [
        _records(case, rule, impact.slo, impact.incident, parts[impact.slo]) for impact in impacts
    ]
    lacking = [of_slo for of_slo in records if not of_slo.reviewed]
    goes_on = incident.ending is IncidentEnding.OPEN
    what = _what(rule, incident, case.policy.service)
    if goes_on:
        why = f"{what}: it goes on, and no record counts before it is over"
        return _fired(case, rule, records, why, until=None)
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
    slos = {slo.name: slo for slo in case.policy.slos}
    until = max(
        rule.forgotten_at(part, of_slo.incident.end, case.at)
        for of_slo in lacking
        for part in _parts(of_slo.slo, slos)
    )
    return _fired(case, rule, lacking, f"{what}: {lacking[0].lacking}", until=until)


def _fired(
    case: Case,
    rule: PostmortemRule,
    lacking: Sequence[SloRecords],
    reason: str,
    *,
    until: datetime | None,
) -> Finding:
    names = {of_slo.slo for of_slo in lacking}
    return case.fired(
        Rule.POSTMORTEM,
        reason,
        slo=lacking[0].slo,
        allow=rule.allow,
        advisory=all(slo.advisory for slo in case.policy.slos if slo.name in names),
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
    case: Case, rule: PostmortemRule, slo: str, incident: Incident, parts: Sequence[HistoryPart]
) -> SloRecords:
    """Return the records of the policy, put to an incident of an SLO."""
    return SloRecords(
        rule=rule, service=case.policy.service, slo=slo, incident=incident, parts=parts
    )


def history_parts(case: Case) -> HistoryParts:
    """Return the histories in which incidents were found, by SLO."""
    return slo_parts(
        case.policy.slos,
        {
            name: HistoryPart(name, history.request, history.series)
            for name, history in case.past.incidents.items()
            if isinstance(history, SloIncidents)
        },
    )


def _parts(name: str, slos: Mapping[str, Slo]) -> list[RatioSlo | SpendSlo]:
    """Return the SLO of this name, or of a composite its members."""
    slo = slos[name]
    parts = [slos[member.slo] for member in slo.members] if isinstance(slo, CompositeSlo) else [slo]
    return [part for part in parts if keeps_past(part)]


def _what(rule: PostmortemRule, incident: ServiceIncident, service: str) -> str:
    """Say what it is called, when it was and what it took: the most first."""
    first, *others = sorted(incident.impacts, key=lambda impact: -impact.share)
    took = f"{percent_spent(Fraction(first.share))} of the budget"
    took += "".join(
        f" and {percent_spent(Fraction(other.share))} of {other.slo}'s" for other in others
    )
    when = stretch(incident.start, incident.end, open_=incident.ending is IncidentEnding.OPEN)
    return f"the incident {incident.id(service)} of {when} took {took}, more than {_share(rule)}"


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
    if not isinstance(history, SloIncidents) or not consumed:
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
    if incident.ending is IncidentEnding.OPEN:
        return {}
    records = _records(case, rule, slo, incident, history_parts(case)[slo])
    return {record.id: record for record in records.reviewed}
