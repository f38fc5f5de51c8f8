"""The rows of a table of budgets, with each budget's tier and the one that decides."""

from collections.abc import Sequence
from fractions import Fraction

from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.decision.decision import PolicyDecision
from gate.policy.findings import Finding, Rule, Verdict, worst
from gate.policy.policy import Policy
from gate.policy.rounding import known_tier
from gate.policy.rules.tiers import tier_verdict
from gate.policy.tiers import Tier, severity


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """One SLO of a table: its budget, its tier, and their effect on the change."""

    assessment: Assessment
    tier: Tier | None
    """The tier of its budget; None: unknown."""
    says: Verdict | None
    """The effect of the tier on the change; None: unknown, or the table is not about a change."""
    burns: Verdict | None = None
    """The effect of the burn-rate rules that object to the change; None: none objects."""
    verdict: Verdict
    """The verdict whose colour the row has: the worst one about the SLO."""
    decides: bool = False
    """Whether the verdict is mainly about this SLO."""


def status_rows(policy: Policy, assessments: Sequence[Assessment]) -> tuple[BudgetRow, ...]:
    """Return the rows of a table that is not about a change, the worst budget first.

    Each row has the colour of its tier; unmeasured budgets come first.
    """
    return _sorted([_plain_row(policy, assessment) for assessment in assessments])


def decision_rows(decided: PolicyDecision) -> tuple[BudgetRow, ...]:
    """Return the rows of a table that shows what decides on a change, the objections first.

    Among rows with equal objections, the worst budget comes first.
    """
    first = _decisive(decided)
    rows = [_row(decided, assessment, first) for assessment in decided.assessments]
    return _sorted(rows)


def _sorted(rows: Sequence[BudgetRow]) -> tuple[BudgetRow, ...]:
    def place(row: BudgetRow) -> tuple[int, bool, Fraction]:
        compared = row.assessment.compared
        return -row.verdict.severity, compared is not None, compared or Fraction(0)

    return tuple(sorted(rows, key=place))


def _plain_row(policy: Policy, assessment: Assessment) -> BudgetRow:
    tier = _tier(policy, assessment)
    colour = Verdict.UNDECIDED if tier is None else severity(policy.tiers, tier)
    verdict = worst([colour, *_trust(assessment)])
    return BudgetRow(assessment=assessment, tier=tier, says=None, verdict=verdict)


def _row(decided: PolicyDecision, assessment: Assessment, first: str | None) -> BudgetRow:
    name = assessment.slo.name
    about = [finding for finding in decided.judgement.findings if finding.slo == name]
    tier, says = _tier(decided.policy, assessment), None
    if tier is not None:
        says = _said(about, {Rule.TIER}) or _of_tier(decided, assessment, tier)
    burns = _said(about, {Rule.BURN_RATE, Rule.EXHAUSTION})
    verdicts = [says or Verdict.UNDECIDED, *(f.verdict for f in about), *_trust(assessment)]
    return BudgetRow(
        assessment=assessment,
        tier=tier,
        says=says,
        burns=None if burns is Verdict.ALLOW else burns,
        verdict=worst(verdicts),
        decides=name == first,
    )


def _trust(assessment: Assessment) -> list[Verdict]:
    """Return the verdict of a doubt or a suspicion; None without either."""
    return [Verdict.WARN] if assessment.doubts or assessment.suspicions else []


def _said(findings: Sequence[Finding], rules: set[Rule]) -> Verdict | None:
    """Return the worst verdict of these rules; None: none exists."""
    verdicts = [finding.verdict for finding in findings if finding.rule in rules]
    return worst(verdicts) if verdicts else None


def _of_tier(decided: PolicyDecision, assessment: Assessment, tier: Tier) -> Verdict:
    """Return the verdict of a tier; for an advisory SLO, it stops nothing."""
    verdict = tier_verdict(tier, decided.change_class)
    return Verdict.WARN if assessment.slo.advisory and verdict is Verdict.BLOCK else verdict


def _tier(policy: Policy, assessment: Assessment) -> Tier | None:
    return known_tier(policy.tiers, assessment)


def _decisive(decided: PolicyDecision) -> str | None:
    """Return the SLO that the verdict is mainly about; None: none of them."""
    judgement = decided.judgement
    lowest = None if judgement.worst is None else judgement.worst.slo.name
    findings = [f for f in judgement.findings if f.verdict is judgement.verdict]
    if judgement.verdict is Verdict.ALLOW:
        return lowest
    by_tier = {Rule.TIER, Rule.REQUIREMENT}
    names = [lowest if f.rule in by_tier and f.slo is None else f.slo for f in findings]
    named = [name for name in names if name is not None]
    if judgement.verdict is Verdict.UNDECIDED:
        lost = {each.slo.name for each in decided.assessments if not each.measured}
        named.sort(key=lambda name: name not in lost)
    return next(iter(named), None)
