from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.assessment import Assessment
from gate.budget.composite import assess_composite
from gate.budget.impact import Impact
from gate.policy.findings import Rule, Verdict
from gate.policy.tiers import Condition, Tier
from gate.slo.objective import Bound, CompositeSlo, Member
from tests.budget.building import AT, MINUTE, MONTH, counts, ratio
from tests.policy.building import DONE, TIERS, found, judged, left, said

ALLOW, WARN, _UNDECIDED, BLOCK = Verdict


def sample(bad: Fraction | int = 6, total: int = 700, impact: Impact | None = None) -> Assessment:
    """6 of 700 at 98%: 57.1% is left, by Wilson's interval between 7.1% and 80.3%."""
    return ratio(counts(bad=bad, total=total), objective="0.98", sampled=Bound.POINT, impact=impact)


def test_a_threshold_in_the_interval_cannot_be_distinguished_from_these_samples() -> None:
    # Half of the budget is a bad share of 1%: z^2 0.01 0.99 / (0.01 - 6/700)^2 = 18,634.3.
    assert said(judged("full-rollout", sample()), Rule.SAMPLES) == (
        WARN,
        "not enough samples: between 7.1% and 80.3% of the budget is left (95%"
        " interval), which has the threshold 50% inside; about 18,635 samples at this ratio"
        " would settle it",
    )


def test_the_threshold_that_matters_to_the_change_is_named() -> None:
    # A canary may ship on either side of 50%: what it needs is to be above 10%, which is a bad
    # share of 1.8%: z^2 0.018 0.982 / (0.018 - 6/700)^2 = 763.8.
    _, reason = said(judged("canary", sample()), Rule.SAMPLES)
    assert "has the threshold 10% inside; about 764 samples" in reason


def test_as_many_samples_as_it_says_settle_it() -> None:
    ratio_of_bad = Fraction(6, 700)
    for number, settled in ((18_634, False), (18_635, True)):
        judgement = judged("full-rollout", sample(ratio_of_bad * number, number))
        assert bool(found(judgement, Rule.SAMPLES)) is not settled


def test_where_events_resemble_each_other_it_takes_more_of_them() -> None:
    alike = ratio(
        counts(bad=6, total=700), objective="0.98", sampled=Bound.POINT, design_effect=Fraction(2)
    )

    _, reason = said(judged("full-rollout", alike), Rule.SAMPLES)
    assert "about 37,270 samples at this ratio would settle it" in reason


@pytest.mark.parametrize("change", ["rollback", "security-patch"])
def test_a_change_that_may_ship_on_both_sides_needs_no_more_samples(change: str) -> None:
    tiers = tuple(Tier(name=one.name, condition=one.condition, allow=one.allow) for one in TIERS)
    assert found(judged(change, sample(), tiers=tiers), Rule.SAMPLES) == []


@pytest.mark.parametrize("change, threshold", [("security-patch", "10%"), ("experiment", "50%")])
def test_a_side_that_asks_for_more_or_warns_is_another_answer(change: str, threshold: str) -> None:
    # Below 10% a security patch needs its requirements; below 50% an experiment is warned of.
    _, reason = said(judged(change, sample(), satisfied=DONE), Rule.SAMPLES)
    assert f"has the threshold {threshold} inside" in reason


def test_a_stated_impact_moves_the_interval() -> None:
    # 1% of the events at a budget of 2% is half of it: -42.9% to 30.3% is left.
    impact = Impact(detect=432 * MINUTE)
    assert found(judged("full-rollout", sample(impact=impact)), Rule.SAMPLES) == []
    _, reason = said(judged("canary", sample(impact=impact)), Rule.SAMPLES)
    assert "the budget is anything from overspent by 42.9% to 30.3% left" in reason
    # 10% after the impact is 60% before it: a bad share of 0.8%, closer than 1%.
    needed = 1.959964**2 * 0.008 * 0.992 / (0.008 - 6 / 700) ** 2
    assert f"about {int(needed) + 1:,} samples" in reason


@pytest.mark.parametrize("bad, total", [(7, 700), (6, 600)])
def test_a_sample_that_lies_on_the_threshold_is_never_enough(bad: int, total: int) -> None:
    _, reason = said(judged("full-rollout", sample(bad, total)), Rule.SAMPLES)
    assert reason.endswith("50% inside; no number of samples at this ratio would settle it")


def test_a_band_that_lies_within_the_interval_is_not_overlooked() -> None:
    # Allowed above 60% and up to 40%, not between: both ends allow it.
    tiers = (
        Tier(name="high", condition=Condition(">", Fraction(6, 10)), allow=None),
        Tier(name="low", condition=Condition("<=", Fraction(4, 10)), allow=None),
        Tier(name="between", condition=None, allow=frozenset()),
    )
    judgement = judged("canary", sample(), tiers=tiers)
    assert "the threshold 60% inside" in said(judgement, Rule.SAMPLES)[1]


def test_a_threshold_with_decimals_is_written_out() -> None:
    tiers = (
        Tier(name="high", condition=Condition(">", Fraction(125, 1000)), allow=None),
        Tier(name="low", condition=None, allow=frozenset()),
    )
    _, reason = said(judged("canary", sample(), tiers=tiers), Rule.SAMPLES)
    assert "the threshold 12.5% inside" in reason


def test_what_is_counted_in_full_needs_no_samples() -> None:
    composite = assess_composite(
        CompositeSlo(name="all", members=(Member(slo="a", weight=Fraction(1)),)),
        {"a": left("0.5", "a")},
    )
    for known in (left("0.5"), composite):
        assert found(judged("full-rollout", known), Rule.SAMPLES) == []


def test_a_month_that_begins_this_instant_has_nothing_to_tell() -> None:
    begun = MONTH.whole(AT).start
    known = ratio(counts(bad=1, total=9), window=MONTH, at=begun, sampled=Bound.PESSIMISTIC)
    assert found(judged("full-rollout", known), Rule.SAMPLES) == []


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_without_a_warning_both_ends_of_the_interval_get_the_same_answer(
    counted: tuple[int, int],
) -> None:
    bad, total = counted
    judgements = {
        bound: judged(
            "canary", ratio(counts(bad=bad, total=total), objective="0.98", sampled=bound)
        )
        for bound in Bound
    }
    tiers = {bound: said(judgement, Rule.TIER)[0] for bound, judgement in judgements.items()}
    warned = bool(found(judgements[Bound.POINT], Rule.SAMPLES))
    assert warned == (tiers[Bound.PESSIMISTIC] is not tiers[Bound.OPTIMISTIC])
