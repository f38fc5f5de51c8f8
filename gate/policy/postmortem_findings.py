"""Whether what a costly incident taught is written down and reviewed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Final

from gate.budget.assessment import Assessment, Doubt
from gate.budget.episodes import Episode, Felt, episodes
from gate.budget.explained import Record
from gate.budget.incidents import Ending, known_steps
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.measurement_findings import doubt_finding
from gate.policy.past import Past, SloIncidents
from gate.policy.policy import Policy
from gate.policy.postmortems import PostmortemRule, counts_events
from gate.policy.rounding import percent_spent, stretch
from gate.slo.measurement import Cause, Unmeasured
from gate.slo.objective import RatioSlo

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
    findings, felt = list[Finding](), list[Felt]()
    slos: dict[str, RatioSlo] = {}
    for assessment in assessments:
        slo = assessment.slo
        if counts_events(slo):
            slos[slo.name] = slo
            told = past.incidents.get(slo.name, _NOT_ASKED)
            findings += _untold(policy, rule, assessment, told, change)
            if isinstance(told, SloIncidents):
                felt += _costly(rule, slo, told, at)
    findings += [_finding(rule, slos, one, change, at) for one in episodes(felt)]
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
    if change in rule.allow:
        reason = f"{_ABOUT}{doubt.reason}; {change} may ship"
        slo = assessment.slo.name
        return [Finding(rule=Rule.POSTMORTEM, slo=slo, verdict=Verdict.ALLOW, reason=reason)]
    return [doubt_finding(policy, assessment, doubt, change, about=_ABOUT)]


def _doubt(policy: Policy, told: SloIncidents | Unmeasured) -> Doubt | None:
    if isinstance(told, Unmeasured):
        return Doubt(cause=told.cause, reason=told.reason)
    known = Fraction(sum(known_steps(told.series)), told.request.steps)
    least = policy.guards.min_coverage
    if known >= least:
        return None
    has, needs = floor(known * 1000) / 10, float(least * 100)
    reason = f"only {has:g} % of the time looked at is known; min_coverage is {needs:g} %"
    return Doubt(cause=Cause.LOW_COVERAGE, reason=reason)


def _costly(rule: PostmortemRule, slo: RatioSlo, told: SloIncidents, at: datetime) -> list[Felt]:
    """Return the incidents that took more than the rule's share; compared exactly."""
    start = rule.counts(slo, at).start
    return [
        Felt(slo=slo.name, incident=one, share=float(Fraction(one.bad) / told.allowed))
        for one in told.found
        if one.end > start and Fraction(one.bad) > rule.share * told.allowed
    ]


def _finding(
    rule: PostmortemRule,
    slos: Mapping[str, RatioSlo],
    episode: Episode,
    change: str,
    at: datetime,
) -> Finding:
    first = max(episode.felt, key=lambda one: one.share)
    goes_on = episode.ending is Ending.OPEN
    records = [one for one in rule.records if one.overlaps(episode.start, episode.end)]
    reviewed = [one for one in records if not one.missing]
    verdict, reason = Verdict.BLOCK, f"{_what(rule, episode)}, {_lacking(rule, episode, records)}"
    if reviewed and not goes_on:
        verdict = Verdict.ALLOW
        reason = f"{_what(rule, episode)}, and {reviewed[0].id} explains it: {reviewed[0].title}"
    elif change in rule.allow:
        verdict, reason = Verdict.ALLOW, f"{reason}; {change} may ship"
    elif all(slos[one.slo].advisory for one in episode.felt):
        verdict = Verdict.WARN
    until = max(rule.forgets(slos[one.slo], one.incident.end, at) for one in episode.felt)
    return Finding(
        rule=Rule.POSTMORTEM,
        slo=first.slo,
        verdict=verdict,
        reason=reason,
        until=None if goes_on or verdict is Verdict.ALLOW else until,
        if_calm=not goes_on and verdict is not Verdict.ALLOW,
    )


def _what(rule: PostmortemRule, episode: Episode) -> str:
    """Say when it was and what it took: the most first."""
    worst_first = sorted(episode.felt, key=lambda one: -one.share)
    took = [f"{percent_spent(Fraction(one.share))} of {one.slo}" for one in worst_first]
    when = stretch(episode.start, episode.end, open_=episode.ending is Ending.OPEN)
    return f"the incident of {when} took {', '.join(took)} (more than {_share(rule)})"


def _lacking(rule: PostmortemRule, episode: Episode, records: Sequence[Record]) -> str:
    """Say what must be written, and where."""
    where = " or ".join(rule.patterns)
    if episode.ending is Ending.OPEN:
        return f"and no record counts before it is over; write it to {where} then"
    if not records:
        keys = "id, title, start, end, cause, remediation and status: reviewed"
        return f"and no record explains it; write one to {where} with {keys}"
    nearest = min(records, key=lambda one: len(one.missing))
    lacks = " and ".join(nearest.missing)
    return f"and its record {nearest.id} ({nearest.place}) is not complete; it lacks {lacks}"


def _share(rule: PostmortemRule) -> str:
    return f"{float(rule.share * 100):g} %"
