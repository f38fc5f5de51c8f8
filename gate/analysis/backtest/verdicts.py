"""The verdicts of a policy at each instant, and the statistics about them."""

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
"""The shares of a budget that are tried as the threshold below which a policy stops changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVerdict:
    """The verdict of ``gate check`` at one instant."""

    at: datetime
    change: str
    """The class of the change that was judged."""
    deploy: Deployment | None
    """The change that was deployed at the instant; None: an instant of the clock."""
    verdict: Verdict
    usual: Verdict
    """The verdict on the class that is judged at every instant, even if ``change`` is another
    class."""
    usual_reasons: tuple[str, ...]
    """The reasons of that verdict; empty if it allows the change."""
    tier: str | None
    """The tier; None: no budget, or too little of it, was measured."""
    worst: str | None
    """The SLO that decides the tier."""
    left: Fraction | None
    """The share that was compared with the tiers; None: ``tier`` is None."""
    remaining: Mapping[str, Fraction]
    """The shares that were compared with the tiers, by measured SLO."""
    bound_below: Mapping[str, Fraction]
    """How far these are below the measured shares, by the same SLOs; 0 if an SLO is not sampled."""
    findings: tuple[Finding, ...]
    """The findings, the worst first."""
    measured: bool
    """Whether every SLO that can stop a change was measured."""

    @property
    def objections(self) -> tuple[Finding, ...]:
        """The findings that led to the verdict; none if it allows the change."""
        return objecting(self.findings, self.verdict)


def objecting(findings: Iterable[Finding], verdict: Verdict) -> tuple[Finding, ...]:
    """Return the findings that led to a verdict; none if it allows the change."""
    if verdict is Verdict.ALLOW:
        return ()
    return tuple(finding for finding in findings if finding.verdict is verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """The relation of instants to the incidents of a service."""

    incidents: tuple[ServiceIncident, ...]
    step: timedelta
    """The precision of the start of an incident."""

    def before(self, at: datetime) -> ServiceIncident | None:
        """Return the incident that began within an hour, as it counts for deploys."""
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
    """Verdicts followed by an incident that began within an hour."""
    during: int = 0
    """Verdicts during an incident that had begun before, with no other following."""


def outcomes(verdicts: Iterable[PastVerdict], nearness: Nearness) -> dict[Verdict, VerdictCount]:
    """Return how often each verdict was given; every verdict has an entry."""
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
    """The changes that a rule or a cause of doubt would have stopped."""

    rule: Rule
    slo: str | None
    """The SLO; None: the finding is about the change as a whole."""
    cause: Cause | None
    """The cause of missing data; None: the finding has another reason."""
    stopped: int
    """The number of changes that it stopped, alone or together with other findings."""
    alone: int
    """The number of these that no other finding would have stopped in this way."""
    before: int
    """The number of stopped changes before an incident."""
    example: str
    """The newest reason."""


_Source = tuple[Rule, str | None, Cause | None]


def objections(
    verdicts: Sequence[PastVerdict], verdict: Verdict, nearness: Nearness
) -> tuple[Objection, ...]:
    """Return the findings that led to this verdict, the most frequent first."""
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
    """The changes that a policy with a single threshold would have stopped by the budgets."""

    threshold: Fraction
    """The threshold: a change is stopped if at most this share of the worst budget is left."""
    stopped: int
    before: int
    """The number of stopped changes before an incident."""
    through: int
    through_before: int
    """The number of allowed changes before an incident."""


def candidates(
    verdicts: Iterable[PastVerdict], strictest: Tier, nearness: Nearness
) -> tuple[ThresholdCandidate, ...]:
    """Return the result of each of `CANDIDATES`, where a budget was measured.

    Args:
        verdicts: the verdicts of a policy.
        strictest: the last tier of the policy; a class that it allows is never stopped.
        nearness: the relation of instants to the incidents.
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
