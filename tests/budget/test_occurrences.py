from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.face_value import PRESENT
from gate.budget.ratio import burn_rate, composite_consumed
from gate.measure import Counts, Spent
from gate.slo.objective import Denominator, Span
from tests.budget.building import (
    AT,
    BERLIN,
    HOUR,
    MONTH,
    SATURDAYS,
    counts,
    counts_of,
    evidence,
    known,
    objectives,
    ratio,
    shares,
)

any_counts = counts_of(st.integers(1, 10**12))


def remaining(answer: Counts, objective: Fraction) -> Fraction:
    return known(ratio(answer, objective=objective).remaining)


def test_a_burn_rate_of_14_4_is_at_least_14_4() -> None:
    burn = burn_rate(Fraction(1_000_000), Fraction(14_400), 1 - Fraction("0.999"))
    assert burn == Fraction("14.4")
    assert burn >= Fraction("14.4")
    # What floats make of it.
    assert 14_400 / 1_000_000 / (1 - 0.999) < 14.4


@given(objectives, st.integers(1, 10**9))
def test_spending_all_of_a_budget_leaves_exactly_nothing(objective: Fraction, total: int) -> None:
    answer = counts(bad=(1 - objective) * total, total=total)
    left = remaining(answer, objective)
    assert left == 0
    assert not left > 0
    assert ratio(answer, objective=objective).consumed == 1


@given(any_counts, objectives)
def test_what_is_consumed_and_what_remains_are_the_whole_budget(
    answer: Counts, objective: Fraction
) -> None:
    budget = ratio(answer, objective=objective)
    assert known(budget.consumed) + known(budget.remaining) == 1
    assert budget.error_ratio == answer.bad / answer.total
    assert budget.consumed == known(budget.error_ratio) / (1 - objective)
    assert budget.exhausting_ratio == 1 - objective
    assert (budget.total, budget.bad) == (answer.total, answer.bad)


@given(any_counts, objectives, st.fractions(min_value=Fraction(1, 1000), max_value=1000))
def test_a_budget_does_not_depend_on_how_much_traffic_there_is(
    answer: Counts, objective: Fraction, factor: Fraction
) -> None:
    scaled = replace(answer, total=answer.total * factor, bad=answer.bad * factor)
    assert remaining(scaled, objective) == remaining(answer, objective)


@given(any_counts, objectives, st.integers(1, 10**6))
def test_one_more_failure_always_leaves_less(
    answer: Counts, objective: Fraction, more: int
) -> None:
    worse = replace(answer, total=answer.total + more, bad=answer.bad + more)
    if answer.bad == answer.total:
        assert remaining(worse, objective) == remaining(answer, objective)
    else:
        assert remaining(worse, objective) < remaining(answer, objective)


@given(objectives)
def test_a_total_outage_overspends_without_a_bound(objective: Fraction) -> None:
    left = remaining(counts(bad=7, total=7), objective)
    assert left == 1 - 1 / (1 - objective)
    assert left < 0


def test_a_budget_overspent_by_half_shows_minus_half() -> None:
    assert remaining(counts(bad=1_500, total=1_000_000), Fraction("0.999")) == Fraction(-1, 2)


def test_no_failure_leaves_all_of_it() -> None:
    assert remaining(counts(bad=0, total=1), Fraction("0.999")) == 1


@given(any_counts, objectives, shares.filter(lambda share: 0 < share < 1))
def test_the_contract_is_measured_against_its_own_budget(
    answer: Counts, objective: Fraction, laxer: Fraction
) -> None:
    sla = objective * laxer
    budget = ratio(answer, objective=objective, sla=sla)
    assert budget.sla_remaining == remaining(answer, sla)
    assert known(budget.sla_remaining) >= known(budget.remaining)


def test_without_a_contract_there_is_nothing_left_of_one() -> None:
    assert ratio(counts(bad=1, total=10_000)).sla_remaining is None


@given(any_counts, objectives)
def test_a_calendar_budget_is_spent_in_proportion_to_the_time_that_has_passed(
    answer: Counts, objective: Fraction
) -> None:
    budget = ratio(answer, objective=objective, window=MONTH)
    # 19 days and 14 hours of a November.
    passed = Fraction(19 * 24 + 14, 30 * 24)
    assert budget.consumed == (answer.bad / answer.total) / (1 - objective) * passed
    to_date = ratio(answer, objective=objective, window=MONTH, denominator=Denominator.TO_DATE)
    assert to_date.consumed == (answer.bad / answer.total) / (1 - objective)


def test_a_calendar_budget_is_full_in_the_first_minute_of_the_month() -> None:
    # 2026-11-01T00:01 in Berlin; every event of the first minute has failed.
    at = AT.replace(month=10, day=31, hour=23, minute=1)
    budget = ratio(counts(bad=60, total=60), at=at, window=BERLIN)
    assert budget.consumed == Fraction(1000, 30 * 24 * 60)
    assert known(budget.remaining) > Fraction(97, 100)
    assert budget.span is not None
    assert budget.span.length.total_seconds() == 60
    to_date = ratio(counts(bad=60, total=60), at=at, window=BERLIN, denominator=Denominator.TO_DATE)
    assert to_date.consumed == 1000


def test_a_week_from_saturday_noon_is_spent_from_there_to_the_next() -> None:
    # From Saturday, 17:00 UTC, to Friday, 14:00, are 141 of its 168 hours.
    present = {PRESENT: counts(bad=1, total=1_000)}
    budget = ratio(counts(bad=50, total=100_000), present, window=SATURDAYS)
    assert budget.consumed == Fraction(1, 2) * Fraction(141, 168)
    assert budget.span == Span(AT - 141 * HOUR, AT)
    assert budget.forecast is not None
    assert budget.forecast.resets_at == AT + (168 - 141) * HOUR


def test_nothing_can_be_spent_in_the_instant_in_which_a_month_begins() -> None:
    at = AT.replace(day=1, hour=0)
    budget = ratio(counts(bad=1, total=1), at=at, window=MONTH)
    assert budget.consumed == 0
    assert budget.remaining == 1
    assert budget.exhausting_ratio is None
    assert budget.price is not None
    assert budget.price.cost == 0


@given(st.lists(st.tuples(shares, st.fractions(min_value=0, max_value=50)), max_size=6))
def test_a_composite_has_consumed_the_weighted_sum(
    parts: list[tuple[Fraction, Fraction]],
) -> None:
    total = Fraction(0)
    for weight, share in parts:
        total += weight * share
    assert composite_consumed(parts) == total


@given(any_counts, objectives)
def test_a_burn_rate_of_one_spends_the_budget_in_one_window(
    answer: Counts, objective: Fraction
) -> None:
    budget = ratio(answer, {PRESENT: answer}, objective=objective)
    assert budget.burn_rates == {HOUR: known(budget.consumed)}


def test_counts_that_are_requested_must_come() -> None:
    spent = Spent(amount=Fraction(1), evidence=evidence())
    with pytest.raises(TypeError, match="availability: counts were requested, but Spent came"):
        ratio(spent)
    with pytest.raises(TypeError, match="availability: counts were requested, but Spent came"):
        ratio(counts(bad=0, total=1), {HOUR: spent})
