"""The budgets in the replayed time, and what the policy would have saved of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from gate.analysis.backtest.verdicts import Nearness, PastVerdict
from gate.dataclass import dataclass
from gate.history.incidents import Incident
from gate.history.service_incidents import ServiceIncident
from gate.policy.findings import Verdict
from gate.policy.policy import Policy
from gate.slo.objective import CompositeSlo, PlatformSlo, RatioSlo, Span, SpendSlo


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedBudget:
    """The budget of one SLO over the replayed time."""

    slo: str
    lowest: Fraction
    """The least that was left at any of the instants, as it is compared with the tiers."""
    lowest_at: datetime
    ran_out: int
    """How many times the budget ran out; a budget that was empty at the start counts as one."""
    left: Fraction | None
    """The share that was left at the end; None: not measured."""
    bound_below: Fraction
    """How far `left` is below the measured value; 0 if the SLO is not sampled."""
    spared: Fraction
    """The share of the budget that incidents after blocked deploys used in the window that ends the
    replay; at least 0."""

    @property
    def left_at_most(self) -> Fraction | None:
        """The share that would be left at the end without these incidents."""
        return None if self.left is None else self.left + self.bound_below + self.spared


def past_budgets(
    policy: Policy, verdicts: Sequence[PastVerdict], last: PastVerdict, nearness: Nearness
) -> tuple[ReplayedBudget, ...]:
    """Return the budgets that were measured at any of the instants, in the policy's order.

    Args:
        policy: the policy that has the budgets.
        verdicts: the verdicts at the replayed instants, the oldest first.
        last: the verdict at the end.
        nearness: the relation of instants to the incidents.
    """
    avoided = _after_blocked_deploys(verdicts, nearness)
    # A platform's SLO without an objective is not measured at any instant.
    slos = {slo.name: slo for slo in policy.slos if not isinstance(slo, PlatformSlo)}
    budgets = []
    for slo in slos.values():
        course = [
            (past.remaining[slo.name], past.at)
            for past in (*verdicts, last)
            if slo.name in past.remaining
        ]
        if course:
            lowest, lowest_at = min(course)
            budgets.append(
                ReplayedBudget(
                    slo=slo.name,
                    lowest=lowest,
                    lowest_at=lowest_at,
                    ran_out=_ran_out(left for left, _ in course),
                    left=last.remaining.get(slo.name),
                    bound_below=last.bound_below.get(slo.name, Fraction(0)),
                    spared=_spared(slo, slos, avoided, last.at),
                )
            )
    return tuple(budgets)


def _ran_out(course: Iterable[Fraction]) -> int:
    count, spent = 0, False
    for left in course:
        count += left <= 0 and not spent
        spent = left <= 0
    return count


def _after_blocked_deploys(
    verdicts: Iterable[PastVerdict], nearness: Nearness
) -> list[ServiceIncident]:
    """Return the incidents that began within an hour after a deploy that the policy blocks."""
    begun = [
        nearness.before(past.at)
        for past in verdicts
        if past.deploy is not None and past.verdict is Verdict.BLOCK
    ]
    return [incident for incident in nearness.incidents if incident in begun]


_Known = RatioSlo | SpendSlo | CompositeSlo


def _spared(
    slo: _Known, slos: Mapping[str, _Known], incidents: Sequence[ServiceIncident], at: datetime
) -> Fraction:
    if isinstance(slo, CompositeSlo):
        parts = (
            member.weight * _spared(slos[member.slo], slos, incidents, at) for member in slo.members
        )
        return sum(parts, Fraction(0))
    window = slo.window.counted(at)
    shares = (
        Fraction(impact.share) * _within(impact.incident, window)
        for incident in incidents
        for impact in incident.impacts
        if impact.slo == slo.name
    )
    return sum(shares, Fraction(0))


def _within(incident: Incident, window: Span) -> Fraction:
    """Return the share of an incident's time that is still in a window."""
    inside = min(incident.end, window.end) - max(incident.start, window.start)
    return max(Fraction(inside / incident.duration), Fraction(0))
