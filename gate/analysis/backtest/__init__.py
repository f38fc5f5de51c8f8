"""What one or several policies would have said at instants of the past: ``gate backtest``."""

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
    """What one policy would have said."""

    policy: Policy
    source: PolicySource
    change: str
    """The class that is judged at every instant, and where a deploy has none of the policy's."""
    verdicts: tuple[PastVerdict, ...]
    """The oldest first."""
    last: PastVerdict
    """At the end of the time looked at, which is none of the instants that are counted."""
    nearness: Nearness
    """To the incidents of the service."""
    by_deploys: bool
    """Whether the deploys are counted, and not the instants of the clock."""
    every: timedelta | None
    """How often it was asked beside the deploys; None: at the deploys only."""

    @property
    def unit(self) -> str:
        """What is counted: ``deploy``, ``hour`` or ``instant``."""
        if self.by_deploys:
            return "deploy"
        return "hour" if self.every == timedelta(hours=1) else "instant"

    @cached_property
    def counted(self) -> tuple[PastVerdict, ...]:
        """The verdicts that are counted; where there are deploys, those on the deploys only."""
        if not self.by_deploys:
            return self.verdicts
        return tuple(past for past in self.verdicts if past.deploy is not None)

    @cached_property
    def outcomes(self) -> dict[Verdict, VerdictCount]:
        """How often each verdict was given, and what followed."""
        return outcomes(self.counted, self.nearness)

    @cached_property
    def blocked_by(self) -> tuple[Objection, ...]:
        """The rules that block."""
        return objections(self.counted, Verdict.BLOCK, self.nearness)

    @cached_property
    def undecided_by(self) -> tuple[Objection, ...]:
        """The reasons why it was not known."""
        return objections(self.counted, Verdict.UNDECIDED, self.nearness)

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """How long each verdict on ``change`` stood, the oldest first."""
        return standings(self.verdicts, self.last.at)

    @cached_property
    def months(self) -> tuple[FrozenMonth, ...]:
        """How long it was closed to ``change`` in each month."""
        return months(self.standings)

    @property
    def freezes(self) -> tuple[Standing, ...]:
        """When it was closed to ``change``."""
        return tuple(standing for standing in self.standings if standing.verdict is Verdict.BLOCK)

    @property
    def frozen(self) -> timedelta:
        """For how long it was closed to ``change``."""
        return sum((freeze.span.length for freeze in self.freezes), timedelta())

    @cached_property
    def candidates(self) -> tuple[ThresholdCandidate, ...]:
        """What single thresholds would have stopped."""
        return candidates(self.counted, self.policy.tiers[-1], self.nearness)

    @cached_property
    def budgets(self) -> tuple[ReplayedBudget, ...]:
        """What became of the budgets."""
        return past_budgets(self.policy, self.verdicts, self.last, self.nearness)

    @property
    def unseen(self) -> int:
        """Of how many counted ones the verdict is undecided, or a budget was not measured."""
        return sum(not past.measured or past.verdict is Verdict.UNDECIDED for past in self.counted)

    @property
    def seen_enough(self) -> bool:
        """Whether at least half of what is counted, and anything at all, was seen."""
        return bool(self.counted) and 2 * self.unseen <= len(self.counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBacktest:
    """What the policy of a service would have said, and another one in its place."""

    incidents: ServiceIncidents
    """The incidents of the service, by the policy that is tried."""
    tried: PolicyBacktest
    against: PolicyBacktest | None
    """At the same instants; None: there is no other policy."""

    @property
    def differing(self) -> Iterator[tuple[PastVerdict, PastVerdict]]:
        """Yield the verdicts of both at each instant at which they are not the same."""
        other = () if self.against is None else self.against.verdicts
        for pair in zip(self.tried.verdicts, other, strict=False):
            if pair[0].verdict is not pair[1].verdict:
                yield pair


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """What all policies would have said."""

    services: tuple[ServiceBacktest, ...]
    """At least one."""
    span: Span
    every: timedelta | None
    """How often they were asked beside the deploys; None: at the deploys only."""
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided where the past was not measured in large part, whatever else was found."""
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
