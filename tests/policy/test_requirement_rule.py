"""The rule that a tier's requirements are met: by evidence, or by a statement where that counts."""

from dataclasses import replace
from fractions import Fraction

import pytest

from gate.measure import Cause
from gate.policy.case import Case, Past
from gate.policy.findings import Rule, Verdict
from gate.policy.judge import Judgement, allowed_now, judge
from gate.policy.policy import Action
from gate.policy.requirements import (
    Claim,
    EvaluationRequirement,
    Requirement,
    RequirementResult,
    RequirementState,
    as_stated,
)
from gate.policy.tiers import Tier
from tests.budget.building import AT, lost, ratio
from tests.policy.building import EXHAUSTED, HEALTHY, TENTH, found, left, policy_of

FAITHFUL = EvaluationRequirement(name="faithfulness", files=("*.json",), at_least=Fraction(9, 10))
REVIEW = Claim(name="review")


def case(
    *required: Requirement,
    evidence: dict[Requirement, RequirementResult] | None = None,
    satisfied: dict[str, str] | None = None,
    claims: bool = False,
) -> Case:
    budget = left("0.9")
    tier = replace(HEALTHY, require={"canary": required})
    return Case(
        policy=policy_of((budget,), tiers=(tier, EXHAUSTED), claims=claims),
        assessments=(budget,),
        change="canary",
        at=AT,
        satisfied=satisfied or {},
        past=Past(evidence=evidence or {}),
    )


def said(judgement: Judgement) -> list[tuple[Verdict, str]]:
    return [(finding.verdict, finding.reason) for finding in found(judgement, Rule.REQUIREMENT)]


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (RequirementState.MET, Verdict.ALLOW),
        (RequirementState.CLAIMED, Verdict.ALLOW),
        (RequirementState.NOT_MET, Verdict.BLOCK),
        (RequirementState.UNDECIDED, Verdict.UNDECIDED),
    ],
)
def test_the_verdict_follows_from_what_was_found(state: RequirementState, verdict: Verdict) -> None:
    result = RequirementResult(state=state, reason="196 of 200 cases passed")
    judgement = judge(case(FAITHFUL, evidence={FAITHFUL: result}))
    assert judgement.verdict is verdict
    assert said(judgement) == [(verdict, "faithfulness: 196 of 200 cases passed")]
    assert (judgement.obligations, judgement.requirements[0].result) == (("faithfulness",), result)


def test_what_was_not_checked_is_undecided_whatever_is_stated() -> None:
    judgement = judge(case(FAITHFUL, satisfied={"faithfulness": "URL"}, claims=True))
    assert said(judgement) == [
        (Verdict.UNDECIDED, "faithfulness: it was not checked here; run gate check for it")
    ]


@pytest.mark.parametrize(
    ("stated", "claims", "verdict", "reason"),
    [
        ({"review": "URL"}, True, Verdict.ALLOW, "review: claimed, not verified: URL"),
        ({}, True, Verdict.BLOCK,
         "review: required first; when it is done, state it as met: review=URL"),
        ({"review": "URL"}, False, Verdict.BLOCK,
         "review: it is only claimed (URL), and the policy refuses claims: say in the policy how it"
         " is checked, or add claims: allowed"),
        ({}, False, Verdict.BLOCK,
         "review: required first, and nothing checks it: say in the policy how it is checked,"
         " or add claims: allowed"),
    ],
)  # fmt: skip
def test_a_claim_counts_only_where_the_policy_says_so(
    stated: dict[str, str], claims: bool, verdict: Verdict, reason: str
) -> None:
    judgement = judge(case(REVIEW, satisfied=stated, claims=claims))
    assert said(judgement) == [(verdict, reason)]
    assert judgement.verdict is verdict


def test_where_a_statement_is_all_there_can_be_it_meets_anything() -> None:
    evidence = as_stated((FAITHFUL, REVIEW), {"faithfulness": "the case"})
    judgement = judge(case(FAITHFUL, REVIEW, evidence=evidence))
    assert said(judgement) == [
        (Verdict.BLOCK, "review: required first; when it is done, state it as met: review=URL"),
        (Verdict.ALLOW, "faithfulness: stated as met: the case"),
    ]


def test_what_else_would_ship_is_judged_by_the_same_evidence() -> None:
    result = RequirementResult(state=RequirementState.MET, reason="fine")
    assert "canary" not in allowed_now(replace(case(FAITHFUL), change="rollback"))
    met = replace(case(FAITHFUL, evidence={FAITHFUL: result}), change="rollback")
    assert "canary" in allowed_now(met)


ONLY_ROLLBACK = replace(EXHAUSTED, allow=frozenset({"rollback"}), require={})
UNKNOWN = ratio(lost())


def without_budget(change: str, *tiers: Tier) -> Case:
    """A change of which the policy says that it may ship though nothing is measured."""
    on = dict.fromkeys(Cause, Action.ALLOW)
    policy = policy_of((UNKNOWN,), tiers=tiers, on=on)
    return replace(case(), assessments=(UNKNOWN,), policy=policy, change=change)


@pytest.mark.parametrize(
    ("others", "expected"), [((FAITHFUL, REVIEW), (REVIEW,)), ((), ())], ids=["both", "one"]
)
def test_where_no_budget_is_known_what_every_tier_requires_is_required_still(
    others: tuple[Requirement, ...], expected: tuple[Requirement, ...]
) -> None:
    low = replace(EXHAUSTED, allow=frozenset({"canary"}), require={"canary": others})
    high = replace(HEALTHY, require={"canary": (REVIEW,)})
    tiers = (high, replace(low, condition=TENTH), ONLY_ROLLBACK)
    unknown = without_budget("canary", *tiers)
    assert unknown.obligations == expected
    assert judge(unknown).verdict is (Verdict.BLOCK if expected else Verdict.ALLOW)
    assert without_budget("model-update", *tiers).obligations == ()
    assert without_budget("canary", ONLY_ROLLBACK).obligations == ()


def test_a_policy_lists_what_its_tiers_require_once() -> None:
    assert case(FAITHFUL, REVIEW).policy.requirements == (FAITHFUL, REVIEW, Claim(name="shadow"))
