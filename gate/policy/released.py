"""After exhaustion: what a budget would be without the incidents that people have dealt with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from gate.budget.assessment import Assessment
from gate.history.incidents import Incident, IncidentEnding, bad_between
from gate.history.records import IncidentRecord
from gate.policy.past import Past, SloIncidents
from gate.policy.policy import Policy
from gate.policy.postmortems import PostmortemRule
from gate.policy.tiers import tier_of
from gate.slo.objective import CompositeSlo, counts_events
from gate.wording import percent_left


@dataclass(frozen=True, slots=True, kw_only=True)
class _Excuse:
    """What part of a budget went in incidents that have a reviewed record."""

    share: Fraction
    """Of the budget; at most what is consumed."""
    records: Mapping[str, IncidentRecord]
    """By id."""


_NONE = _Excuse(share=Fraction(0), records={})


def released(
    policy: Policy,
    objecting: Sequence[Assessment],
    assessments: Sequence[Assessment],
    change: str,
    *,
    at: datetime,
    past: Past,
) -> str | None:
    """Say why the budgets that forbid the change do not stop it all the same; None: they do.

    Each of them must, without the incidents of its own window that have a reviewed record and are
    over, be in a tier that allows the change and asks for nothing first.
    """
    rule = policy.postmortems
    if rule is None or not rule.excuse_reviewed:
        return None
    known = {one.slo.name: one for one in assessments}
    words = []
    for assessment in objecting:
        excuse = _excuse(rule, assessment, known, at, past)
        without = assessment.without(excuse.share)
        if without is None or not excuse.share:
            return None
        tier = tier_of(policy.tiers, without)
        if not tier.allows(change) or change in tier.require:
            return None
        whose = f" of {assessment.slo.name}" if len(objecting) > 1 else ""
        words.append(
            f"{percent_left(excuse.share)} of the budget{whose} went in"
            f" {' and '.join(excuse.records)}, reviewed and remediated: without it"
            f" {percent_left(without)} would be left (tier {tier.name})"
        )
    return "; ".join(words)


def _excuse(
    rule: PostmortemRule,
    assessment: Assessment,
    known: Mapping[str, Assessment],
    at: datetime,
    past: Past,
) -> _Excuse:
    slo, consumed = assessment.slo, assessment.consumed
    if isinstance(slo, CompositeSlo):
        parts = [(m.weight, _excuse(rule, known[m.slo], known, at, past)) for m in slo.members]
        return _Excuse(
            share=sum((weight * part.share for weight, part in parts), Fraction(0)),
            records={name: one for _, part in parts for name, one in part.records.items()},
        )
    told = past.incidents.get(slo.name)
    if not counts_events(slo) or not isinstance(told, SloIncidents) or not consumed:
        return _NONE
    start = slo.window.counted(at).start
    bad, records = Fraction(0), dict[str, IncidentRecord]()
    for incident in told.found:
        reviewed = _reviewed(rule, incident)
        within = bad_between(told.series, told.request, max(start, incident.start), incident.end)
        if reviewed and within:
            bad += within
            records |= reviewed
    # The larger of the two: bad events that the history does not know of are not excused.
    every = max(bad_between(told.series, told.request, start, at), assessment.bad or Fraction(0))
    return _Excuse(share=consumed * bad / every, records=records) if bad else _NONE


def _reviewed(rule: PostmortemRule, incident: Incident) -> dict[str, IncidentRecord]:
    """Return the complete records of an incident that is over, by id."""
    if incident.ending is IncidentEnding.OPEN:
        return {}
    explaining = rule.explaining(incident.start, incident.end)
    return {record.id: record for record in explaining if not record.missing}
