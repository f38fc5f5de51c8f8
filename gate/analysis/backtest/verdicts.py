"""What a policy would have said at each instant, and what that comes to."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass
from gate.history.explanations import BEFORE
from gate.history.records import Deployment
from gate.history.service_incidents import ServiceIncident
from gate.measure import Cause
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.tiers import Tier

CANDIDATES: Final = tuple(Fraction(percent, 100) for percent in (5, 10, 20, 30, 50))
"""The candidates of a budget: below how much is left a policy might stop changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVerdict:
    """What ``gate check`` would have said at one instant."""

    at: datetime
    change: str
    """The class that was judged."""
    deploy: Deployment | None
    """What went live then; None: an instant of the clock."""
    verdict: Verdict
    usual: Verdict
    """The verdict on the class that is judged at every instant, be ``change`` another one."""
    usual_reasons: tuple[str, ...]
    """Of what gives that verdict; empty where it allows."""
    tier: str | None
    """None: no budget was measured, or too little of it."""
    worst: str | None
    """The SLO that decides the tier."""
    left: Fraction | None
    """What was compared with the tiers; None where ``tier`` is."""
    remaining: Mapping[str, Fraction]
    """By SLO, of those that were measured: what was compared with the tiers."""
    bound_below: Mapping[str, Fraction]
    """How far that is below what was measured, by the same SLOs; 0 where nothing is sampled."""
    findings: tuple[Finding, ...]
    """The worst first."""
    measured: bool
    """Whether every SLO that can stop a change was."""

    @property
    def objections(self) -> tuple[Finding, ...]:
        """The findings that give it its verdict; none where it allows."""
        return objecting(self.findings, self.verdict)


def objecting(findings: Iterable[Finding], verdict: Verdict) -> tuple[Finding, ...]:
    """Return the findings that give a verdict; none where it allows."""
    if verdict is Verdict.ALLOW:
        return ()
    return tuple(finding for finding in findings if finding.verdict is verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """How instants lie to the incidents of a service."""

    incidents: tuple[ServiceIncident, ...]
    step: timedelta
    """As finely as the start of an incident is known."""

    def before(self, at: datetime) -> ServiceIncident | None:
        """Return the incident that began within an hour, as a deploy counts as before it."""
        return next(
            (
                incident
                for incident in self.incidents
                if incident.start - BEFORE <= at <= incident.start + self.step
            ),
            None,
        )

    def during(self, at: datetime) -> bool:
        """Return whether an incident was going on that had begun before."""
        return any(incident.start + self.step < at < incident.end for incident in self.incidents)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictCount:
    """How often a verdict was given, and how often an incident followed."""

    count: int = 0
    before: int = 0
    """An incident began within an hour."""
    during: int = 0
    """No other began, and one was going on."""


def outcomes(verdicts: Iterable[PastVerdict], nearness: Nearness) -> dict[Verdict, VerdictCount]:
    """Return how often each verdict was given; every verdict has its outcome."""
    counts, before, during = Counter[Verdict](), Counter[Verdict](), Counter[Verdict]()
    for past in verdicts:
        counts[past.verdict] += 1
        if nearness.before(past.at) is not None:
            before[past.verdict] += 1
        elif nearness.during(past.at):
            during[past.verdict] += 1
    return {
        verdict: VerdictCount(count=counts[verdict], before=before[verdict], during=during[verdict])
        for verdict in Verdict
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What a rule, or a doubt, would have stopped."""

    rule: Rule
    slo: str | None
    """None: it is about the change as a whole."""
    cause: Cause | None
    """Why something is not known; None: that is not what it is about."""
    stopped: int
    """By it, be it with others."""
    alone: int
    """How many of these nothing else would have stopped in this way."""
    before: int
    """How many of these were before an incident."""
    example: str
    """The newest reason."""


_Source = tuple[Rule, str | None, Cause | None]


def objections(
    verdicts: Sequence[PastVerdict], verdict: Verdict, nearness: Nearness
) -> tuple[Objection, ...]:
    """Return what gave this verdict: the most frequent first."""
    stopped, alone, before = Counter[_Source](), Counter[_Source](), Counter[_Source]()
    examples: dict[_Source, str] = {}
    for past in verdicts:
        if past.verdict is not verdict:
            continue
        firing = {
            (finding.rule, finding.slo, finding.cause): finding.reason
            for finding in past.objections
        }
        examples |= firing
        stopped.update(firing.keys())
        if len(firing) == 1:
            alone.update(firing.keys())
        if nearness.before(past.at) is not None:
            before.update(firing.keys())
    return tuple(
        Objection(
            rule=rule,
            slo=slo,
            cause=cause,
            stopped=count,
            alone=alone[rule, slo, cause],
            before=before[rule, slo, cause],
            example=examples[rule, slo, cause],
        )
        for (rule, slo, cause), count in stopped.most_common()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdCandidate:
    """What a policy of a single threshold would have stopped, by the budgets alone."""

    threshold: Fraction
    """It stops where so much of the worst budget is left, or less."""
    stopped: int
    before: int
    """How many of these were before an incident."""
    through: int
    through_before: int
    """How many of those that it lets through were before an incident."""


def candidates(
    verdicts: Iterable[PastVerdict], strictest: Tier, nearness: Nearness
) -> tuple[ThresholdCandidate, ...]:
    """Return what each of `CANDIDATES` would have stopped, where a budget was measured.

    Args:
        verdicts: of a policy.
        strictest: its last tier: a class that this allows is never stopped.
        nearness: to the incidents.
    """
    known_budgets = [
        (past.left, strictest.allows(past.change), nearness.before(past.at) is not None)
        for past in verdicts
        if past.left is not None
    ]
    rows = []
    for threshold in CANDIDATES:
        split = [(left <= threshold and not spared, near) for left, spared, near in known_budgets]
        stopped = [near for stops, near in split if stops]
        through = [near for stops, near in split if not stops]
        rows.append(
            ThresholdCandidate(
                threshold=threshold,
                stopped=len(stopped),
                before=sum(stopped),
                through=len(through),
                through_before=sum(through),
            )
        )
    return tuple(rows)
