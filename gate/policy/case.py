"""The input of every rule, and the one ladder from a rule that fires to its verdict."""

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

if TYPE_CHECKING:  # for types only: every decision imports this module, and few policies look back
    from gate.history.charts.chart import ChartResult
    from gate.history.explanations import SloHistory
    from gate.history.incident_shares import WindowBudget
    from gate.history.incidents import Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class SloIncidents:
    """The incidents of one SLO, with the parts of the history that are needed later."""

    incidents: "tuple[Incident, ...]"
    """The oldest first, with those from before the time that counts."""
    budget: "WindowBudget"
    """The total budget, of which the incidents' shares are parts."""
    coverage: Fraction
    """The share of the measured time that has data or is usually silent; above 0, at most 1."""
    steps: "Mapping[datetime, SloHistory]"
    """The history during each incident, by its start."""
    bad: Fraction
    """The known bad events of the SLO's own window."""
    gaps: Gaps | None = None
    """The times without known data; None: not checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The past that each rule needs, by SLO; empty for a rule that the policy does not have."""

    incidents: Mapping[str, SloIncidents | Unmeasured] = field(default_factory=dict)
    """The incidents of each SLO with a history of its own, for the rule ``postmortems``."""
    charts: "Mapping[str, tuple[ChartResult, ...] | Unmeasured]" = field(default_factory=dict)
    """The charts of each SLO with a history of its own, for the rule ``control_charts``."""
    stated: "tuple[StatedFinding, ...]" = ()
    """The findings of a recorded case, which replace the past."""
    evidence: Mapping[Requirement, RequirementResult] = field(default_factory=dict)
    """The results of the checks of the tiers' requirements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFinding:
    """A statement that a rule on the past fires or cannot be checked, without the past itself."""

    rule: Rule
    """``postmortem`` or ``control-chart``."""
    slo: str
    """The SLO of the policy that the finding is about."""
    unknown: Cause | None = None
    """Why the rule cannot be checked; None: it fires."""


NO_PAST: Final = Past()
"""The past of a policy without rules on the past."""
NOT_LOOKED_AT: Final = Unmeasured(cause=Cause.NO_DATA, reason="the history was not checked")
"""The history of an SLO that is not in a `Past`."""
_DOUBTED: Final = {
    Action.BLOCK: Verdict.UNDECIDED,
    Action.WARN: Verdict.WARN,
    Action.ALLOW: Verdict.ALLOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A change of one class, and everything that a rule may use to judge it."""

    policy: Policy
    assessments: Sequence[Assessment]
    """One for each SLO of the policy, in its order."""
    change: str
    """One of the policy's change classes."""
    at: datetime
    """The instant of the run."""
    satisfied: Mapping[str, str] = field(default_factory=dict)
    """The requirements that were stated as met, by name, each with its link or note."""
    past: Past = NO_PAST

    @property
    def worst(self) -> Assessment | None:
        """The worst measured budget that is not advisory; None if none was measured."""
        return deciding(self.assessments)

    @property
    def tier(self) -> Tier | None:
        """The tier of the worst budget, which decides; None if none was measured."""
        worst = self.worst
        if worst is None or worst.compared is None:
            return None
        return tier_of(self.policy.tiers, worst.compared)

    @property
    def obligations(self) -> tuple[Requirement, ...]:
        """The requirements of the tier for the change; those of all tiers if it is unknown."""
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
        """The assessments whose budget is in a tier that does not allow the change."""
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
        """Return the finding of a rule that fires: the change is exempt, warned of or blocked.

        Args:
            rule: the kind of the rule.
            reason: why it fires.
            slo: the SLO that it is about; None: the change as a whole.
            allow: the change classes that are exempt.
            effect: the effect on all other classes.
            advisory: whether it is about advisory SLOs only, which never block.
            until: the time when it no longer fires; None: unknown.
            if_calm: whether that time holds only if nothing more fails.
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
        """Return the finding for a doubt, with the verdict of the policy's ``on``.

        If the policy lets an unmeasured budget pass, the finding says so, and names the key.

        Args:
            assessment: the assessment with the doubtful budget.
            doubt: the reason why something is unknown.
            about: the part of the SLO that it concerns, as the beginning of the reason.
            rule: the rule that needs it.
            allow: the change classes that are exempt from this rule, so that the doubt has no
                effect.
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
            reason = f"{state}: {reason}; the policy allows that ({why})"
        return Finding(
            rule=Rule.MEASUREMENT,
            slo=slo,
            verdict=verdict,
            reason=reason,
            cause=doubt.cause,
            unchecked=None if rule is Rule.MEASUREMENT else rule,
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

        None if the budget is in doubt for the same cause: that doubt already has a finding.
        """
        if any(other.cause is doubt.cause for other in assessment.doubts):
            return []
        return [self.doubted(assessment, doubt, about=about, rule=rule, allow=allow)]

    def _spared(self, rule: Rule, reason: str, slo: str | None) -> Finding:
        """Return the finding of a rule from which the change is exempt."""
        reason = f"{reason}; {self.change} may ship"
        return Finding(rule=rule, slo=slo, verdict=Verdict.ALLOW, reason=reason)


def calm(rule: Rule, reason: str) -> Finding:
    """Return the finding of a rule that checked all SLOs and fires for none of them."""
    return Finding(rule=rule, slo=None, verdict=Verdict.ALLOW, reason=reason)


def deciding(assessments: Sequence[Assessment]) -> Assessment | None:
    """Return the worst measured budget that is not advisory; None if none was measured."""
    measured = [
        (assessment.compared, assessment)
        for assessment in assessments
        if assessment.compared is not None and not assessment.slo.advisory
    ]
    return min(measured, key=lambda pair: pair[0], default=(None, None))[1]
