from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.assessment import Assessment, Doubt
from gate.budget.composite import assess_composite
from gate.budget.impact import Impact
from gate.measure import Cause
from gate.slo.objective import Bound, CompositeSlo, Member
from tests.budget.building import MINUTE, counts, known, lost, ratio, shares, spend

weights = st.fractions(min_value=Fraction(1, 100), max_value=5, max_denominator=100)


def composite(*parts: tuple[Assessment, Fraction | int]) -> Assessment:
    members = tuple(Member(slo=part.slo.name, weight=Fraction(weight)) for part, weight in parts)
    slo = CompositeSlo(name="experience", members=members)
    return assess_composite(slo, {part.slo.name: part for part, _ in parts})


def part(name: str, consumed: Fraction | int, **fields: Any) -> Assessment:
    """A member at 99.9% of 1,000,000 events."""
    return ratio(counts(bad=Fraction(consumed) * 1_000, total=1_000_000), name=name, **fields)


def test_a_composite_burns_when_any_member_burns() -> None:
    # OpenSLO's occurrences rule: 0.6 x 150% + 0.4 x 10% = 94%.
    a, b = part("a", Fraction(3, 2)), part("b", Fraction(1, 10))
    budget = composite((a, Fraction(6, 10)), (b, Fraction(4, 10)))
    assert budget.consumed == Fraction(94, 100)
    assert (budget.remaining, budget.compared) == (Fraction(6, 100), Fraction(6, 100))
    assert (budget.span, budget.forecast, budget.price) == (None, None, None)
    assert (budget.doubts, budget.impact_stated) == ((), False)


@given(st.lists(st.tuples(shares, weights), min_size=1, max_size=5))
def test_a_composite_is_never_clamped_and_weights_need_not_add_up_to_one(
    parts: list[tuple[Fraction, Fraction]],
) -> None:
    named = [(part(f"m{i}", consumed), weight) for i, (consumed, weight) in enumerate(parts)]
    spent = sum(consumed * weight for consumed, weight in parts)
    assert composite(*named).remaining == 1 - spent


@pytest.mark.parametrize("cause", Cause)
def test_a_composite_is_not_measured_when_a_member_is_not(cause: Cause) -> None:
    budget = composite((part("a", 0), 1), (ratio(lost(cause), name="b"), 1))
    assert not budget.measured
    assert budget.doubts == (Doubt(cause=cause, reason="a member could not be measured: b"),)


def test_every_member_that_is_not_measured_keeps_its_own_cause() -> None:
    lenient, strict = Cause.NO_TRAFFIC, Cause.BACKEND_ERROR
    budget = composite((ratio(lost(lenient), name="a"), 1), (ratio(lost(strict), name="b"), 1))
    assert [doubt.cause for doubt in budget.doubts] == [lenient, strict]


def test_a_member_in_doubt_is_reported_once_by_itself_unless_it_is_only_advisory() -> None:
    stale = counts(bad=0, total=1_000_000, warnings=("store A is down",))
    binding, advisory = ratio(stale, name="a"), ratio(stale, name="b", advisory=True)
    assert composite((binding, 1)).doubts == ()
    assert composite((binding, 1), (advisory, 1)).doubts == (
        Doubt(cause=Cause.PARTIAL, reason="its member b: partial answer: store A is down"),
    )


def test_the_impact_on_its_members_is_charged_to_a_composite() -> None:
    # All traffic fails for 1 of the 43,200 minutes: 1,000,000 / 43,200 of 1,000 failures.
    impact = Impact(detect=MINUTE)
    a, b = part("a", Fraction(1, 10), impact=impact), part("b", 0, impact=impact)
    cost = Fraction(1_000, 43_200)
    budget = composite((a, 2), (b, Fraction(1, 2)))
    assert budget.remaining == Fraction(8, 10)
    assert budget.stated_cost == cost * Fraction(5, 2)
    assert budget.compared == Fraction(8, 10) - cost * Fraction(5, 2)
    assert budget.impact_stated


def test_a_composite_has_no_interval_of_its_own() -> None:
    sampled = ratio(counts(bad=6, total=700), name="a", objective="0.98", sampled=Bound.PESSIMISTIC)
    budget = composite((sampled, 1))
    assert (budget.bound, budget.interval) == (Bound.POINT, None)
    assert budget.compared == sampled.remaining
    assert known(sampled.compared) < known(sampled.remaining)


@pytest.mark.parametrize("amount, left", [(0, "1"), (40, "0.6"), (100, "0"), (150, "-0.5")])
def test_an_allowance_is_spent_and_never_clamped(amount: int, left: str) -> None:
    budget = spend(amount)
    assert budget.spent == amount
    assert budget.remaining == budget.compared == Fraction(left)
    assert budget.consumed == 1 - Fraction(left)
    assert (budget.total, budget.bad, budget.error_ratio, budget.price) == (None,) * 4
    assert budget.burn_rates == {}


def test_an_amount_that_is_requested_must_come() -> None:
    with pytest.raises(TypeError, match="spend: an amount was requested, but Counts came"):
        spend(counts(bad=0, total=1))
