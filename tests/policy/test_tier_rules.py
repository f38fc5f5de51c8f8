from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.assessment import Assessment
from gate.budget.impact import Impact
from gate.policy.findings import Rule, Verdict
from gate.policy.tiers import Condition, Tier, tier_of, tier_shown
from gate.slo.objective import Bound
from tests.budget.building import MINUTE, counts, lost, ratio, spend
from tests.policy.building import (
    DONE,
    EXHAUSTED,
    HALF,
    HEALTHY,
    TIERS,
    found,
    judged,
    left,
    overspent_composite,
    said,
)

ALLOW, WARN, UNDECIDED, BLOCK = Verdict


@pytest.mark.parametrize(
    "share, tier, verdicts",
    # Full rollout, experiment, canary, rollback.
    [
        ("1", "healthy", [ALLOW, ALLOW, ALLOW, ALLOW]),
        ("0.500001", "healthy", [ALLOW, ALLOW, ALLOW, ALLOW]),
        ("0.5", "caution", [BLOCK, WARN, ALLOW, ALLOW]),
        ("0.100001", "caution", [BLOCK, WARN, ALLOW, ALLOW]),
        ("0.1", "exhausted", [BLOCK, BLOCK, BLOCK, ALLOW]),
        ("0", "exhausted", [BLOCK, BLOCK, BLOCK, ALLOW]),
        ("-0.5", "exhausted", [BLOCK, BLOCK, BLOCK, ALLOW]),
    ],
)
def test_the_first_tier_that_holds_says_what_may_ship(
    share: str, tier: str, verdicts: list[Verdict]
) -> None:
    for change, verdict in zip(
        ["full-rollout", "experiment", "canary", "rollback"], verdicts, strict=True
    ):
        judgement = judged(change, left(share))
        assert judgement.verdict is verdict
        assert judgement.tier is not None
        assert judgement.tier.name == tier


@pytest.mark.parametrize(
    "operator, below, exactly, above",
    [
        (">", False, False, True),
        (">=", False, True, True),
        ("<", True, False, False),
        ("<=", True, True, False),
    ],
)
def test_a_comparison_is_exact(operator: str, below: bool, exactly: bool, above: bool) -> None:
    condition = Condition(operator, Fraction(1, 3))
    hair = Fraction(1, 10**30)
    lefts = [Fraction(1, 3) - hair, Fraction(1, 3), Fraction(1, 3) + hair]
    assert [condition.holds(one) for one in lefts] == [below, exactly, above]


def test_a_budget_that_is_exactly_gone_is_not_above_zero() -> None:
    some = Tier(name="some", condition=Condition(">", Fraction(0)), allow=None)
    assert tier_of((some, EXHAUSTED), Fraction(0)) is EXHAUSTED
    assert tier_of((some, EXHAUSTED), Fraction(1, 10**30)) is some


def test_a_condition_is_written_as_people_write_it() -> None:
    assert str(HALF) == "> 50%"
    assert str(Condition("<=", Fraction(-1, 8))) == "<= -12.5%"


@pytest.mark.parametrize(
    "change, share, reason",
    [
        ("canary", "0.76", "76.0% of its budget is left; tier healthy (> 50%) allows canary"),
        (
            "experiment",
            "0.49999",
            "49.9% of its budget is left; tier caution (> 10%) allows, with a warning, experiment",
        ),
        (
            "canary",
            "-0.5",
            "its budget is overspent by 50.0%; tier exhausted (10% or less) does not allow canary",
        ),
    ],
)
def test_the_reason_holds_the_number_against_the_threshold(
    change: str, share: str, reason: str
) -> None:
    assert said(judged(change, left(share)), Rule.TIER)[1] == reason


@given(st.lists(st.fractions(min_value=-3, max_value=1), min_size=1, max_size=6))
def test_the_worst_budget_decides_whatever_the_others_are(shares: list[Fraction]) -> None:
    known = [left(share, f"slo-{place}") for place, share in enumerate(shares)]
    judgement = judged("canary", *known)
    assert judgement.worst is not None
    assert judgement.worst.remaining == min(shares)
    assert judgement.tier is tier_of(TIERS, min(shares))
    assert judgement.verdict is (ALLOW if min(shares) > Fraction(1, 10) else BLOCK)


@given(st.lists(st.fractions(min_value=-1, max_value=1), min_size=1, max_size=6))
def test_every_budget_whose_tier_objects_has_a_finding_the_worse_first(
    shares: list[Fraction],
) -> None:
    known = [left(share, f"slo-{place}") for place, share in enumerate(shares)]
    findings = found(judged("canary", *known), Rule.TIER)
    worse_first = sorted(range(len(shares)), key=lambda place: shares[place])
    objecting = [f"slo-{place}" for place in worse_first if shares[place] <= Fraction(1, 10)]
    if objecting:
        assert [(one.slo, one.verdict) for one in findings] == [(name, BLOCK) for name in objecting]
    else:
        assert [(one.slo, one.verdict) for one in findings] == [(f"slo-{worse_first[0]}", ALLOW)]


def test_a_budget_that_a_better_tier_forbids_does_not_overrule_the_worst() -> None:
    odd = (replace(HEALTHY, allow=frozenset({"rollback"})), replace(EXHAUSTED, allow=None))
    judgement = judged("canary", left("0.9", "good"), left("-1", "bad"), tiers=odd)
    assert [(one.slo, one.verdict) for one in found(judgement, Rule.TIER)] == [("bad", ALLOW)]


@pytest.mark.parametrize(
    "conditions, rest",
    [
        (["> 50", "> 10"], "10% or less"),
        ([">= 50", ">= 10"], "less than 10%"),
        (["> 10", ">= 10"], "less than 10%"),
        (["< 0", "> 50"], "otherwise"),
        ([], "otherwise"),
    ],
)
def test_the_last_tier_is_named_with_the_budgets_that_are_left_for_it(
    conditions: list[str], rest: str
) -> None:
    before = [
        Tier(
            name=f"tier {place}",
            condition=Condition(condition.split()[0], Fraction(int(condition.split()[1]), 100)),
            allow=None,
        )
        for place, condition in enumerate(conditions)
    ]
    assert tier_shown((*before, EXHAUSTED), EXHAUSTED) == f"exhausted ({rest})"
    assert all(tier_shown(before, tier).endswith(f"({tier.condition})") for tier in before)


def test_two_full_budgets_do_not_make_up_for_one_that_is_overspent() -> None:
    # Their mean has 50% left.
    judgement = judged("full-rollout", left("1", "a"), left("1", "b"), left("-0.5", "c"))
    assert judgement.verdict is BLOCK
    assert [finding.slo for finding in judgement.findings] == ["c"]


@pytest.mark.parametrize(
    "known", [(left("1"), spend(150)), overspent_composite()], ids=["spend", "composite"]
)
def test_every_kind_of_budget_can_decide(known: tuple[Assessment, ...]) -> None:
    judgement = judged("full-rollout", *known)
    assert judgement.verdict is BLOCK
    assert judgement.worst is known[-1]


def test_where_nothing_is_measured_no_tier_speaks() -> None:
    judgement = judged("canary", ratio(lost()), satisfied=DONE)
    assert (judgement.tier, judgement.worst, judgement.obligations) == (None, None, ())
    assert found(judgement, Rule.TIER) == []
    assert judgement.verdict is UNDECIDED


def test_a_known_budget_forbids_although_another_is_not_known() -> None:
    judgement = judged("canary", ratio(lost(), name="a"), left("0", "b"))
    assert judgement.verdict is BLOCK
    assert [finding.rule for finding in judgement.findings] == [Rule.TIER, Rule.MEASUREMENT]
    assert judged("canary", ratio(lost(), name="a"), left("1", "b")).verdict is UNDECIDED


@pytest.mark.parametrize(
    "change, share, verdict",
    [
        ("canary", "0", WARN),
        ("experiment", "0.3", WARN),
        ("experiment", "0", WARN),
        ("canary", "1", None),
    ],
)
def test_an_advisory_budget_warns_where_it_objects_and_never_blocks(
    change: str, share: str, verdict: Verdict | None
) -> None:
    judgement = judged(change, left("1", "binding"), left(share, "advisory", advisory=True))
    advised = [f.verdict for f in found(judgement, Rule.TIER) if f.slo == "advisory"]
    assert advised == ([verdict] if verdict else [])
    assert judgement.verdict is (verdict or ALLOW)
    assert judgement.worst is not None
    assert judgement.worst.slo.name == "binding"
    for finding in found(judgement, Rule.TIER):
        assert finding.reason.endswith("(advisory)") == (finding.slo == "advisory")


def test_an_advisory_budget_that_is_not_known_only_warns() -> None:
    judgement = judged("canary", left("1", "a"), ratio(lost(), name="b", advisory=True))
    assert judgement.verdict is WARN


@pytest.mark.parametrize(
    "satisfied, verdicts",
    [
        ({}, [BLOCK, BLOCK]),
        ({"shadow": "https://ci/1"}, [BLOCK, ALLOW]),
        (DONE, [ALLOW, ALLOW]),
    ],
)
def test_what_a_tier_requires_must_have_been_done(
    satisfied: dict[str, str], verdicts: list[Verdict]
) -> None:
    judgement = judged("security-patch", left("0"), satisfied=satisfied, claims=True)
    assert judgement.obligations == ("shadow", "review")
    assert [f.verdict for f in found(judgement, Rule.REQUIREMENT)] == verdicts
    assert judgement.verdict is verdicts[0]


def test_a_requirement_says_what_is_to_be_done_and_then_that_it_is() -> None:
    todo, done = found(
        judged("security-patch", left("0"), satisfied={"shadow": "https://ci/1"}, claims=True),
        Rule.REQUIREMENT,
    )
    assert todo.reason == ("review: required first; when it is done, state it as met: review=URL")
    assert done.reason == "shadow: claimed, not verified: https://ci/1"


@pytest.mark.parametrize("change, share", [("rollback", "0"), ("security-patch", "0.3")])
def test_another_class_and_another_tier_require_nothing(change: str, share: str) -> None:
    judgement = judged(change, left(share))
    assert (judgement.obligations, judgement.verdict) == ((), ALLOW)


def test_a_stated_impact_counts_as_consumed() -> None:
    # 50.5% is left, and all traffic failing for one of 43,200 minutes costs 2.3%.
    impact = Impact(detect=MINUTE)
    assert judged("full-rollout", left("0.505")).verdict is ALLOW
    judgement = judged("full-rollout", left("0.505", impact=impact))
    assert said(judgement, Rule.TIER) == (
        BLOCK,
        "48.1% of its budget is left, after the impact of 2.3% (50.5% measured); tier caution"
        " (> 10%) does not allow full-rollout",
    )


@pytest.mark.parametrize(
    "bound, verdict, says",
    # 6 of 700 at 98%: 57.1% is left, between 7.1% and 80.3%.
    [
        (Bound.PESSIMISTIC, BLOCK, "7.1% of its budget is left, at the worse end of its 95%"),
        (Bound.POINT, ALLOW, "57.1% of its budget is left; tier healthy"),
        (Bound.OPTIMISTIC, ALLOW, "80.3% of its budget is left, at the better end of its 95%"),
    ],
)
def test_the_bound_of_a_sample_that_the_policy_names_decides(
    bound: Bound, verdict: Verdict, says: str
) -> None:
    sampled = ratio(counts(bad=6, total=700), objective="0.98", sampled=bound)
    found_verdict, reason = said(judged("canary", sampled), Rule.TIER)
    assert found_verdict is verdict
    assert reason.startswith(says)


def test_both_a_bound_and_an_impact_are_named() -> None:
    sampled = ratio(
        counts(bad=6, total=700),
        objective="0.98",
        sampled=Bound.PESSIMISTIC,
        impact=Impact(detect=432 * MINUTE),
    )
    # 1% of the events at a budget of 2% is 50%.
    assert said(judged("canary", sampled), Rule.TIER)[1].startswith(
        "its budget is overspent by 42.9%, at the worse end of its 95% interval after the impact"
        " of 50.0% (57.1% measured); "
    )
