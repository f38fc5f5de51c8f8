"""The rule about postmortems: whether costly incidents have reviewed records."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Final, NamedTuple

from gate.budget.assessment import Assessment, Doubt
from gate.budget.coverage import coverage_cause
from gate.history.incidents import IncidentEnding
from gate.history.service_incidents import (
    ServiceIncident,
    SloImpact,
    composite_impacts,
    merge_incidents,
)
from gate.measure import Cause, Unmeasured
from gate.policy.case import NOT_LOOKED_AT, Case, SloIncidents, calm
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.reviewed import SloRecords, slo_records
from gate.policy.rule_settings import PostmortemRule
from gate.slo.objective import CompositeSlo, PlatformSlo, RatioSlo, SpendSlo
from gate.wording import percent_spent, shown, stretch

_ABOUT: Final = "incidents of the past: "


class _LookedAt(NamedTuple):
    """An SLO and its history."""

    slo: RatioSlo | SpendSlo
    history: SloIncidents

    def records(self, case: Case, rule: PostmortemRule, impact: SloImpact) -> SloRecords:
        """Return the records of the policy, matched with an incident of the SLO."""
        return slo_records(case, rule, self.slo.name, self.history, impact.incident)


def findings(case: Case, rule: PostmortemRule) -> list[Finding]:
    """Return a finding for every costly incident, and for every unknown history.

    If there is no such incident or history, a single finding says so. For a composite, the
    histories of its members count.
    """
    firing, looked_at = list[Finding](), dict[str, _LookedAt]()
    counted, costly, names = list[SloImpact](), list[SloImpact](), list[str]()
    for assessment in case.assessments:
        slo = assessment.slo
        if isinstance(slo, CompositeSlo):
            whole = composite_impacts(slo, counted)
            costly += [impact for impact in whole if shown(impact.share) > rule.share]
            names += [slo.name] * all(member.slo in looked_at for member in slo.members)
            continue
        if isinstance(slo, PlatformSlo):
            continue  # an SLO that was not measured already has a finding
        history = case.past.incidents.get(slo.name, NOT_LOOKED_AT)
        firing += _doubted(case, rule, assessment, history)
        if isinstance(history, SloIncidents):
            looked_at[slo.name] = _LookedAt(slo, history)
            names.append(slo.name)
            for impact, share in _counted(rule, slo, history, case.at):
                counted.append(impact)
                costly += [impact] * (share > rule.share)
    firing += [_incident(case, rule, looked_at, incident) for incident in merge_incidents(costly)]
    if names and not firing:
        reason = f"no incident took more than {_share(rule)} of the budget of {', '.join(names)}"
        return [calm(Rule.POSTMORTEM, reason)]
    return firing


def _doubted(
    case: Case, rule: PostmortemRule, assessment: Assessment, history: SloIncidents | Unmeasured
) -> Iterator[Finding]:
    """Yield the findings for a history that is unknown, or too much of which is unknown."""
    if isinstance(history, Unmeasured):
        doubt = Doubt(cause=history.cause, reason=history.reason)
    else:
        guards = case.policy.guards_of(assessment.slo)
        cause = coverage_cause(history.coverage, history.gaps, guards)
        if cause is None:
            return
        has, needs = floor(history.coverage * 1000) / 10, float(guards.min_coverage * 100)
        reason = f"only {has:g}% of the examined time has data; min_coverage is {needs:g}%"
        doubt = Doubt(cause=cause, reason=reason)
    yield from case.doubted_history(
        assessment, doubt, about=_ABOUT, rule=Rule.POSTMORTEM, allow=rule.allow
    )


def _counted(
    rule: PostmortemRule, slo: RatioSlo | SpendSlo, history: SloIncidents, at: datetime
) -> Iterator[tuple[SloImpact, Fraction]]:
    """Yield the incidents of an SLO that are still in the counted span.

    Each comes with the share of the budget that it took, exactly, so that it can be compared.
    """
    start = rule.counted_span(slo, at).start
    for incident in history.incidents:
        if incident.end > start:
            share = history.budget.share(incident)
            yield SloImpact(slo=slo.name, incident=incident, share=float(share)), share


class _Felt(NamedTuple):
    """The impact of an incident on an SLO, or on a composite's members, and its records."""

    impact: SloImpact
    records: list[SloRecords]

    @property
    def lacking(self) -> list[SloRecords]:
        """The SLOs whose impact the records do not explain."""
        return [of_slo for of_slo in self.records if not of_slo.reviewed]


def _incident(
    case: Case, rule: PostmortemRule, looked_at: Mapping[str, _LookedAt], incident: ServiceIncident
) -> Finding:
    """Return the finding for a costly incident: what it took, and the record that it needs."""
    felt = [
        _Felt(
            impact,
            [looked_at[part.slo].records(case, rule, part) for part in impact.parts or (impact,)],
        )
        for impact in sorted(incident.impacts, key=lambda impact: -impact.share)
    ]
    what, unexplained = _what(rule, incident, case.policy.service), [f for f in felt if f.lacking]
    if incident.ending is IncidentEnding.OPEN:
        why = f"{what}: it goes on, and no record counts before it has ended"
        return _fired(case, rule, felt, why, until=None)
    if not unexplained:
        names = dict.fromkeys(
            record.id for each in felt for of_slo in each.records for record in of_slo.reviewed
        )
        explains = f"{' and '.join(names)} explain{'s' * (len(names) == 1)} it, reviewed"
        return Finding(
            rule=Rule.POSTMORTEM,
            slo=felt[0].impact.slo,
            verdict=Verdict.ALLOW,
            reason=f"{what}: {explains}",
        )
    lacking = [of_slo for each in unexplained for of_slo in each.lacking]
    in_doubt = [record for of_slo in lacking for record in of_slo.unreadable]
    if in_doubt:
        why = f"a record that may explain it cannot be read: {in_doubt[0].first}"
        reason = f"{what}; {why}; correct that file"
        return _doubted_by_records(case, rule, unexplained, reason)
    until = max(
        rule.forgotten_at(looked_at[of_slo.slo].slo, of_slo.incident.end, case.at)
        for of_slo in lacking
    )
    return _fired(case, rule, unexplained, f"{what}: {lacking[0].lacking}", until=until)


def _fired(
    case: Case,
    rule: PostmortemRule,
    felt: Sequence[_Felt],
    reason: str,
    *,
    until: datetime | None,
) -> Finding:
    slos = {assessment.slo.name: assessment.slo for assessment in case.assessments}
    return case.fired(
        Rule.POSTMORTEM,
        reason,
        slo=felt[0].impact.slo,
        allow=rule.allow,
        advisory=all(slos[each.impact.slo].advisory for each in felt),
        until=until,
        if_calm=until is not None,
    )


def _doubted_by_records(
    case: Case, rule: PostmortemRule, felt: Sequence[_Felt], reason: str
) -> Finding:
    """Return the finding for an incident whose record has a mistake; advisory if all SLOs are."""
    names = [each.impact.slo for each in felt]
    about = [assessment for assessment in case.assessments if assessment.slo.name in names]
    about.sort(key=lambda assessment: (assessment.slo.advisory, names.index(assessment.slo.name)))
    doubt = Doubt(cause=Cause.INVALID, reason=reason)
    return case.doubted(about[0], doubt, about=_ABOUT, rule=Rule.POSTMORTEM, allow=rule.allow)


def _what(rule: PostmortemRule, incident: ServiceIncident, service: str) -> str:
    """Write an incident's id, its time and what it took of each budget: the largest share first."""
    first, *others = sorted(incident.impacts, key=lambda impact: -impact.share)
    took = f"{percent_spent(Fraction(first.share))} of the budget"
    took += "".join(
        f" and {percent_spent(Fraction(other.share))} of {other.slo}'s" for other in others
    )
    when = stretch(incident.start, incident.end, open_=incident.ending is IncidentEnding.OPEN)
    return f"the incident {incident.id(service)} of {when} took {took}, more than {_share(rule)}"


def _share(rule: PostmortemRule) -> str:
    return f"{float(rule.share * 100):g}%"
