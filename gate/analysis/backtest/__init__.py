"""The verdicts that one or several policies would have given in the past: ``gate backtest``."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property

from gate.analysis import seen_exit_code
from gate.analysis.backtest.budgets import ReplayedBudget, past_budgets
from gate.analysis.backtest.freezes import FrozenMonth, Standing, months, standings
from gate.analysis.backtest.verdicts import (
    Nearness,
    Objection,
    PastVerdict,
    ThresholdCandidate,
    VerdictCount,
    candidates,
    objections,
    outcomes,
)
from gate.analysis.incidents import ServiceIncidents
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource
from gate.errors import ExitCode
from gate.policy.findings import Verdict
from gate.policy.policy import Policy
from gate.slo.objective import Span


@dataclass(frozen=True, kw_only=True)  # without slots: what it comes to is counted once
class PolicyBacktest:
    """The verdicts that one policy would have given."""

    policy: Policy
    source: PolicySource
    change: str
    """The class judged at every instant, and the class of deploys whose own the policy lacks."""
    verdicts: tuple[PastVerdict, ...]
    """The verdicts, the oldest first."""
    last: PastVerdict
    """The verdict at the end of the replayed time; it is not counted among the instants."""
    nearness: Nearness
    """The relation of instants to the incidents of the service."""
    by_deploys: bool
    """Whether deploys are counted, and not instants of the clock."""
    every: timedelta | None
    """The time between the instants of the clock; None: only deploys are judged."""

    @property
    def unit(self) -> str:
        """The unit of the counts: ``deploy``, ``hour`` or ``instant``."""
        if self.by_deploys:
            return "deploy"
        return "hour" if self.every == timedelta(hours=1) else "instant"

    @cached_property
    def counted(self) -> tuple[PastVerdict, ...]:
        """The counted verdicts; if there are deploys, only those on the deploys."""
        if not self.by_deploys:
            return self.verdicts
        return tuple(past for past in self.verdicts if past.deploy is not None)

    @cached_property
    def outcomes(self) -> dict[Verdict, VerdictCount]:
        """How often each verdict was given, and how often an incident followed."""
        return outcomes(self.counted, self.nearness)

    @cached_property
    def blocked_by(self) -> tuple[Objection, ...]:
        """The rules that block."""
        return objections(self.counted, Verdict.BLOCK, self.nearness)

    @cached_property
    def undecided_by(self) -> tuple[Objection, ...]:
        """The causes of the undecided verdicts."""
        return objections(self.counted, Verdict.UNDECIDED, self.nearness)

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """How long each verdict on ``change`` lasted, the oldest first."""
        return standings(self.verdicts, self.last.at)

    @cached_property
    def months(self) -> tuple[FrozenMonth, ...]:
        """How long the policy was closed to ``change`` in each month."""
        return months(self.standings)

    @property
    def freezes(self) -> tuple[Standing, ...]:
        """The times in which the policy was closed to ``change``."""
        return tuple(standing for standing in self.standings if standing.verdict is Verdict.BLOCK)

    @property
    def frozen(self) -> timedelta:
        """The total time in which the policy was closed to ``change``."""
        return sum((freeze.span.length for freeze in self.freezes), timedelta())

    @cached_property
    def candidates(self) -> tuple[ThresholdCandidate, ...]:
        """The changes that policies with a single threshold would have stopped."""
        return candidates(self.counted, self.policy.tiers[-1], self.nearness)

    @cached_property
    def budgets(self) -> tuple[ReplayedBudget, ...]:
        """The budgets in the replayed time."""
        return past_budgets(self.policy, self.verdicts, self.last, self.nearness)

    @property
    def unseen(self) -> int:
        """The number of counted verdicts that are undecided or lack the measurement of a budget."""
        return sum(not past.measured or past.verdict is Verdict.UNDECIDED for past in self.counted)

    @property
    def seen_enough(self) -> bool:
        """Whether at least one verdict is counted, and at least half of them were measured."""
        return bool(self.counted) and 2 * self.unseen <= len(self.counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBacktest:
    """The verdicts of a service's policy, and of another policy at the same instants."""

    incidents: ServiceIncidents
    """The incidents of the service, by the policy that is tested."""
    tried: PolicyBacktest
    against: PolicyBacktest | None
    """The other policy at the same instants; None: no other policy was given."""

    @property
    def differing(self) -> Iterator[tuple[PastVerdict, PastVerdict]]:
        """Yield the verdicts of both policies at each instant at which they differ."""
        other = () if self.against is None else self.against.verdicts
        for pair in zip(self.tried.verdicts, other, strict=False):
            if pair[0].verdict is not pair[1].verdict:
                yield pair


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """The verdicts of all policies."""

    services: tuple[ServiceBacktest, ...]
    """The services, at least one."""
    span: Span
    every: timedelta | None
    """The time between the instants of the clock; None: only deploys are judged."""
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """The exit code: always undecided if too little of the past was measured."""
        looked_at = [slo for service in self.services for slo in service.incidents.slos]
        policies = [
            policy
            for service in self.services
            for policy in (service.tried, service.against)
            if policy is not None
        ]
        if not all(policy.seen_enough for policy in policies):
            return ExitCode.UNDECIDED
        return seen_exit_code(looked_at)
