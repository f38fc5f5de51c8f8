"""A policy with three tiers, budgets with a given share left, and what it says of them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.budget.assessment import Assessment
from gate.budget.composite import assess_composite
from gate.measure import Answer
from gate.policy.case import Case
from gate.policy.changes import BUILT_IN_CHANGES
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.judge import Judgement, judge
from gate.policy.override import OverrideRule
from gate.policy.policy import DEFAULT_ACTIONS, Policy
from gate.policy.requirements import Claim
from gate.policy.tiers import Condition, Tier
from gate.slo.objective import CompositeSlo, Member
from tests.budget.building import AT, GUARDS, MONTH, counts, ratio

CAREFUL: Final = frozenset({"canary", "config-change", "security-patch", "rollback"})
HALF: Final = Condition(">", Fraction(1, 2))
TENTH: Final = Condition(">", Fraction(1, 10))
HEALTHY: Final = Tier(name="healthy", condition=HALF, allow=None)
CAUTION: Final = Tier(
    name="caution", condition=TENTH, allow=CAREFUL, warn=frozenset({"experiment"})
)
EXHAUSTED: Final = Tier(
    name="exhausted",
    condition=None,
    allow=frozenset({"security-patch", "rollback"}),
    require={"security-patch": (Claim(name="shadow"), Claim(name="review"))},
)
TIERS: Final = (HEALTHY, CAUTION, EXHAUSTED)
DONE: Final = {"shadow": "https://ci/1", "review": "https://ci/2"}


def left(
    share: str | Fraction,
    name: str = "availability",
    windows: Mapping[timedelta, Answer] | None = None,
    **fields: Any,
) -> Assessment:
    """A budget with this share left: 99.9% of 1,000,000 events."""
    spent = 1 - Fraction(share)
    if fields.get("window") is MONTH:
        # 470 of November's 720 hours have passed.
        spent *= Fraction(720, 470)
    return ratio(counts(bad=spent * 1_000, total=1_000_000), windows, name=name, **fields)


def overspent_composite() -> tuple[Assessment, Assessment]:
    """A composite that is overspent, after its one member, which has 60% left."""
    member = left("0.6", "a")
    slo = CompositeSlo(name="all", members=(Member(slo="a", weight=Fraction(3)),))
    return member, assess_composite(slo, {"a": member})


def policy_of(known: Iterable[Assessment], **fields: Any) -> Policy:
    made = Policy(
        service="chat",
        owners=("@acme/llm-platform",),
        slos=tuple(one.slo for one in known),
        tiers=TIERS,
        burn_rates=(),
        freezes=(),
        on=DEFAULT_ACTIONS,
        exempt=frozenset(),
        guards=GUARDS,
        change_classes=frozenset(BUILT_IN_CHANGES),
        default_change="full-rollout",
        matchers={},
        overrides=OverrideRule(),
        valid_for=timedelta(minutes=15),
    )
    return replace(made, **fields)


def judged(
    change: str,
    *known: Assessment,
    at: datetime = AT,
    satisfied: Mapping[str, str] | None = None,
    **fields: Any,
) -> Judgement:
    """Return the verdict of the policy, with these fields changed, on a change at these budgets."""
    return judge(
        Case(
            policy=policy_of(known, **fields),
            assessments=known,
            change=change,
            at=at,
            satisfied=satisfied or {},
        )
    )


def found(judgement: Judgement, rule: Rule) -> list[Finding]:
    return [finding for finding in judgement.findings if finding.rule is rule]


def said(judgement: Judgement, rule: Rule) -> tuple[Verdict, str]:
    """The verdict and the words of the only finding of a rule."""
    (finding,) = found(judgement, rule)
    return finding.verdict, finding.reason
