"""Whether what a costly incident taught is written down and reviewed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Final

from gate.budget.assessment import Assessment, Doubt
from gate.history.incidents import IncidentEnding
from gate.history.records import IncidentRecord
from gate.history.service_incidents import (
    ServiceIncident,
    SloImpact,
    merge_incidents,
)
from gate.measure.counts import Cause, Unmeasured
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.measurement_findings import unless_spared
from gate.policy.past import Past, SloIncidents
from gate.policy.policy import Policy
from gate.policy.postmortems import PostmortemRule
from gate.slo.objective import RatioSlo, counts_events
from gate.wording import percent_spent, stretch

_NOT_ASKED: Final = Unmeasured(cause=Cause.NO_DATA, reason="the history was not looked at")
_ABOUT: Final = "incidents of the past: "


def postmortem_findings(
    policy: Policy,
    rule: PostmortemRule,
    assessments: Sequence[Assessment],
    change: str,
    *,
    at: datetime,
    past: Past,
) -> list[Finding]:
    """Return a finding for every costly incident, and for every history that is not known.

    Where there are none, one that says so.
    """
    findings, felt = list[Finding](), list[SloImpact]()
    slos: dict[str, RatioSlo] = {}
    for assessment in assessments:
        slo = assessment.slo
        if counts_events(slo):
            told = past.incidents.get(slo.name, _NOT_ASKED)
            findings += _untold(policy, rule, assessment, told, change)
            if isinstance(told, SloIncidents):
                slos[slo.name] = slo
                felt += _costly(rule, slo, told, at)
    findings += [_finding(rule, slos, one, change, at) for one in merge_incidents(felt)]
    if slos and not findings:
        calm = f"no incident took more than {_share(rule)} of the budget of {', '.join(slos)}"
        calm_finding = Finding(rule=Rule.POSTMORTEM, slo=None, verdict=Verdict.ALLOW, reason=calm)
        findings.append(calm_finding)
    return findings


def _untold(
    policy: Policy,
    rule: PostmortemRule,
    assessment: Assessment,
    told: SloIncidents | Unmeasured,
    change: str,
) -> list[Finding]:
    """Return what it means that the history is not known, unless the budget has said it already."""
    doubt = _doubt(policy, told)
    if doubt is None or any(said.cause is doubt.cause for said in assessment.doubts):
        return []
    finding = unless_spared(
        policy,
        assessment,
        doubt,
        change,
        about=_ABOUT,
        rule=Rule.POSTMORTEM,
        allow=rule.allow,
    )
    return [finding]


def _doubt(policy: Policy, told: SloIncidents | Unmeasured) -> Doubt | None:
    if isinstance(told, Unmeasured):
        return Doubt(cause=told.cause, reason=told.reason)
    least = policy.guards.min_coverage
    if told.known >= least:
        return None
    has, needs = floor(told.known * 1000) / 10, float(least * 100)
    reason = f"only {has:g} % of the time looked at is known; min_coverage is {needs:g} %"
    return Doubt(cause=Cause.LOW_COVERAGE, reason=reason)


def _costly(
    rule: PostmortemRule, slo: RatioSlo, told: SloIncidents, at: datetime
) -> list[SloImpact]:
    """Return the incidents that took more than the rule's share; compared exactly."""
    start = rule.counts(slo, at).start
    return [
        SloImpact(slo=slo.name, incident=one, share=float(Fraction(one.bad) / told.allowed))
        for one in told.found
        if one.end > start and Fraction(one.bad) > rule.share * told.allowed
    ]


def _finding(
    rule: PostmortemRule,
    slos: Mapping[str, RatioSlo],
    episode: ServiceIncident,
    change: str,
    at: datetime,
) -> Finding:
    goes_on = episode.ending is IncidentEnding.OPEN
    records = rule.explaining(episode.start, episode.end)
    reviewed = [one for one in records if not one.missing]
    verdict, why = Verdict.BLOCK, _lacking(rule, records)
    if goes_on:
        why = "it goes on, and no record counts before it is over"
    elif reviewed:
        verdict, why = Verdict.ALLOW, f"{reviewed[0].id} explains it, reviewed"
    if verdict is Verdict.BLOCK and change in rule.allow:
        verdict, why = Verdict.ALLOW, f"{why}; {change} may ship"
    elif verdict is Verdict.BLOCK and all(slos[one.slo].advisory for one in episode.felt):
        verdict = Verdict.WARN
    passes = verdict is Verdict.ALLOW or goes_on
    until = max(rule.forgets(slos[one.slo], one.incident.end, at) for one in episode.felt)
    return Finding(
        rule=Rule.POSTMORTEM,
        slo=max(episode.felt, key=lambda one: one.share).slo,
        verdict=verdict,
        reason=f"{_what(rule, episode)}: {why}",
        until=None if passes else until,
        if_calm=not passes,
    )


def _what(rule: PostmortemRule, episode: ServiceIncident) -> str:
    """Say when it was and what it took: the most first."""
    first, *others = sorted(episode.felt, key=lambda one: -one.share)
    took = f"{percent_spent(Fraction(first.share))} of the budget"
    took += "".join(f" and {percent_spent(Fraction(one.share))} of {one.slo}'s" for one in others)
    when = stretch(episode.start, episode.end, open_=episode.ending is IncidentEnding.OPEN)
    return f"the incident of {when} took {took}, more than {_share(rule)}"


def _lacking(rule: PostmortemRule, records: Sequence[IncidentRecord]) -> str:
    """Say what must be written, and where."""
    if not records:
        where = " or ".join(rule.patterns)
        keys = "id, title, start, end, cause, remediation and status: reviewed"
        return f"no record in {where} explains it; write one with {keys}"
    nearest = min(records, key=lambda one: len(one.missing))
    return f"its record {nearest.id} ({nearest.place}) lacks {' and '.join(nearest.missing)}"


def _share(rule: PostmortemRule) -> str:
    return f"{float(rule.share * 100):g} %"
