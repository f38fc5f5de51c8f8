"""The case that every rule looks at, and the one ladder from a rule that fires to its verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from gate.budget.assessment import Assessment, Doubt
from gate.dataclass import dataclass
from gate.measure import Cause, Unmeasured
from gate.measure.coverage import Gaps
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.policy import Action, Policy
from gate.policy.requirements import Requirement, RequirementResult
from gate.policy.rule_settings import Effect
from gate.policy.tiers import Tier, tier_of

if TYPE_CHECKING:  # every decision comes by here, and most policies do not look back
    from gate.history.charts.chart import ChartResult
    from gate.history.explanations import SloHistory
    from gate.history.incident_shares import WindowBudget
    from gate.history.incidents import Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class SloIncidents:
    """The incidents of one SLO, and what is kept of the history that they were found in."""

    incidents: "tuple[Incident, ...]"
    """The oldest first; also those from before the time that counts."""
    budget: "WindowBudget"
    """The total that they are a share of."""
    coverage: Fraction
    """The share of the measured time with known data, or that is usually silent; above 0,
    at most 1."""
    steps: "Mapping[datetime, SloHistory]"
    """The history during each incident, by its start."""
    bad: Fraction
    """The known bad events of the SLO's own window."""
    gaps: Gaps | None = None
    """Times without known data; None: that was not checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The past that each rule looks back at, by SLO; empty for a rule that is not set."""

    incidents: Mapping[str, SloIncidents | Unmeasured] = field(default_factory=dict)
    """The incidents of each SLO that has a history of its own; for ``postmortems``."""
    charts: "Mapping[str, tuple[ChartResult, ...] | Unmeasured]" = field(default_factory=dict)
    """Likewise; for ``control_charts``."""
    stated: "tuple[StatedFinding, ...]" = ()
    """The findings of a recorded case, which stand in the place of the past."""
    evidence: Mapping[Requirement, RequirementResult] = field(default_factory=dict)
    """The results of the checks of the tiers' requirements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFinding:
    """That a rule that looks back fires, without the past that makes it fire."""

    rule: Rule
    """``postmortem`` or ``control-chart``."""
    slo: str
    """Which SLO of the policy it is about."""


NO_PAST: Final = Past()
"""The past of a policy that does not look back."""
NOT_LOOKED_AT: Final = Unmeasured(cause=Cause.NO_DATA, reason="the history was not checked")
"""Stands for the history of an SLO that `Past` does not have."""
_DOUBTED: Final = {
    Action.BLOCK: Verdict.UNDECIDED,
    Action.WARN: Verdict.WARN,
    Action.ALLOW: Verdict.ALLOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A change of one class, and everything that a rule may look at to judge it."""

    policy: Policy
    assessments: Sequence[Assessment]
    """One per SLO of the policy, in its order."""
    change: str
    """One of the policy's change classes."""
    at: datetime
    """The instant of the run."""
    satisfied: Mapping[str, str] = field(default_factory=dict)
    """The requirements that were stated as met, by name, each with the link or note that was
    given."""
    past: Past = NO_PAST

    @property
    def worst(self) -> Assessment | None:
        """The worst measured budget that is not advisory; None where none was measured."""
        return deciding(self.assessments)

    @property
    def tier(self) -> Tier | None:
        """The band of the worst budget, which decides; None where none was measured."""
        worst = self.worst
        if worst is None or worst.compared is None:
            return None
        return tier_of(self.policy.tiers, worst.compared)

    @property
    def obligations(self) -> tuple[Requirement, ...]:
        """The requirements of the tier for the change; those of any tier if it is unknown."""
        tier = self.tier
        if tier is not None:
            return tier.require.get(self.change, ())
        allowing = [
            tier.require.get(self.change, ())
            for tier in self.policy.tiers
            if tier.allows(self.change)
        ]
        first = allowing[0] if allowing else ()
        return tuple(each for each in first if all(each in listed for listed in allowing))

    @property
    def objecting(self) -> list[Assessment]:
        """Those whose budgets, each by itself, are in a tier that does not allow the change."""
        return [
            assessment
            for assessment in self.assessments
            if assessment.compared is not None
            and not assessment.slo.advisory
            and not tier_of(self.policy.tiers, assessment.compared).allows(self.change)
        ]

    def fired(
        self,
        rule: Rule,
        reason: str,
        *,
        slo: str | None,
        allow: frozenset[str],
        effect: Effect = Effect.BLOCK,
        advisory: bool = False,
        until: datetime | None = None,
        if_calm: bool = False,
    ) -> Finding:
        """Return the finding of a rule that fires: the change is spared, warned of or blocked.

        Args:
            rule: the kind of the rule.
            reason: why it fires.
            slo: which SLO it is about; None: the change as a whole.
            allow: the change classes that it spares.
            effect: what it does to all others.
            advisory: whether it is about advisory SLOs only, which never block.
            until: when it no longer fires; None: not known.
            if_calm: whether that holds only if nothing more fails.
        """
        if self.change in allow:
            return self._spared(rule, reason, slo)
        warns = effect is Effect.WARN or advisory
        verdict = Verdict.WARN if warns else Verdict.BLOCK
        return Finding(
            rule=rule, slo=slo, verdict=verdict, reason=reason, until=until, if_calm=if_calm
        )

    def doubted(
        self,
        assessment: Assessment,
        doubt: Doubt,
        *,
        about: str = "",
        rule: Rule = Rule.MEASUREMENT,
        allow: frozenset[str] = frozenset(),
    ) -> Finding:
        """Return the finding for a doubt, with the verdict that the policy's ``on`` gives it.

        A pass that was not measured says so, and which words of the policy let it pass.

        Args:
            assessment: whose budget it is.
            doubt: why something is not known.
            about: which part of the SLO it touches, as the beginning of the reason.
            rule: the rule that needed to know it.
            allow: the change classes that this rule spares in any case, so that it matters nothing.
        """
        slo, reason = assessment.slo.name, f"{about}{doubt.reason}"
        if self.change in allow:
            return self._spared(rule, reason, slo)
        verdict = _DOUBTED[self.policy.action_of(assessment.slo, doubt.cause)]
        why = f"on.{doubt.cause}"
        if doubt.cause in self.policy.own_actions.get(slo, {}):
            why += f" of {slo}"
        if self.change in self.policy.exempt and verdict is not Verdict.ALLOW:
            verdict, why = Verdict.ALLOW, "on.except"
        elif assessment.slo.advisory and verdict is Verdict.UNDECIDED:
            verdict, why = Verdict.WARN, "advisory"
        if verdict is not Verdict.UNDECIDED:
            state = "in doubt" if assessment.measured and not about else "nothing was measured"
            if doubt.cause is Cause.NOT_COVERED:
                state = "not checked"
            reason = f"{state}: {reason}; the policy lets that pass ({why})"
        return Finding(
            rule=Rule.MEASUREMENT, slo=slo, verdict=verdict, reason=reason, cause=doubt.cause
        )

    def doubted_history(
        self,
        assessment: Assessment,
        doubt: Doubt,
        *,
        about: str,
        rule: Rule,
        allow: frozenset[str],
    ) -> list[Finding]:
        """Return the finding for a doubt about the history of an SLO, as `doubted` does.

        None where the budget is in doubt for the same cause: that has a finding already.
        """
        if any(other.cause is doubt.cause for other in assessment.doubts):
            return []
        return [self.doubted(assessment, doubt, about=about, rule=rule, allow=allow)]

    def _spared(self, rule: Rule, reason: str, slo: str | None) -> Finding:
        """Return the finding of a rule that lets the change pass whatever is wrong."""
        reason = f"{reason}; {self.change} may ship"
        return Finding(rule=rule, slo=slo, verdict=Verdict.ALLOW, reason=reason)


def calm(rule: Rule, reason: str) -> Finding:
    """Return the finding of a rule that checked all SLOs and fires for none."""
    return Finding(rule=rule, slo=None, verdict=Verdict.ALLOW, reason=reason)


def deciding(assessments: Sequence[Assessment]) -> Assessment | None:
    """Return the worst measured budget that is not advisory; None where none was measured."""
    measured = [
        (assessment.compared, assessment)
        for assessment in assessments
        if assessment.compared is not None and not assessment.slo.advisory
    ]
    return min(measured, key=lambda pair: pair[0], default=(None, None))[1]
