from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gate.budget.impact import Impact, Price, price
from gate.measure import Counts
from gate.slo.indicator import Slices
from gate.slo.objective import RatioSlo
from tests.budget.building import (
    HOUR,
    MINUTE,
    MINUTES,
    counts,
    counts_of,
    known,
    objectives,
    ratio,
    ratio_slo,
    shares,
)

impacts = st.builds(
    Impact,
    canary=shares,
    failures=shares,
    detect=st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=3)),
)
lefts = st.fractions(min_value=-2, max_value=1, max_denominator=1000)
rates = st.fractions(min_value=0, max_value=10_000, max_denominator=100)
small_shares = st.integers(1, 10**9).map(lambda whole: Fraction(1, whole))
half_slices = Slices(length=5 * MINUTE, target=Fraction(1, 2))


def priced(
    impact: Impact, left: Fraction, rate: Fraction, share: Fraction, slo: RatioSlo | None = None
) -> Price:
    return price(impact, slo or ratio_slo(), share=share, remaining=left, rate=rate)


def test_the_cost_is_f_q_d_times_the_rate_over_b_n() -> None:
    # A tenth of the traffic fails half the time for 5 minutes at 20/s: 300 failures, and the
    # budget of 10,000,000 events at 99.9% is 10,000.
    impact = Impact(canary=Fraction(1, 10), failures=Fraction(1, 2), detect=5 * MINUTE)
    windows = {HOUR: counts(bad=0, total=72_000)}
    budget = ratio(counts(bad=2_000, total=10_000_000), windows, impact=impact)
    assert budget.price is not None
    assert budget.price.cost == Fraction(300, 10_000)
    assert budget.price.impact == impact
    # What is left is 8,000 failures: 1% of the traffic is 60 of them in the same time, and at
    # the same share it takes 8,000 seconds to make them.
    assert budget.price.largest_canary == 1
    assert budget.price.longest_detect == timedelta(seconds=8_000)
    assert (budget.impact_stated, budget.stated_cost) == (True, Fraction(3, 100))
    assert budget.compared == known(budget.remaining) - Fraction(3, 100)


def test_an_impact_that_nobody_stated_is_priced_and_not_charged() -> None:
    budget = ratio(counts(bad=2_000, total=10_000_000), {HOUR: counts(bad=0, total=72_000)})
    assert budget.price is not None
    # All of the traffic fails for 5 minutes: 6,000 of 10,000.
    assert budget.price.cost == Fraction(6, 10)
    assert (budget.impact_stated, budget.stated_cost) == (False, None)
    assert budget.compared == budget.remaining == Fraction(8, 10)


@pytest.mark.parametrize(
    "hour, cost",
    [
        # 25,920,000 in 30 days are 10 a second, of which 3,000 fail in 5 minutes, of 25,920.
        (36_000, Fraction(3_000, 25_920)),
        (3_600, Fraction(3_000, 25_920)),
        # A busy hour has more.
        (108_000, Fraction(9_000, 25_920)),
    ],
)
def test_a_quiet_hour_makes_a_failure_no_cheaper_and_a_busy_one_dearer(
    hour: int, cost: Fraction
) -> None:
    budget = ratio(counts(bad=0, total=25_920_000), {HOUR: counts(bad=0, total=hour)})

    assert budget.price is not None
    assert budget.price.cost == cost


@given(impacts, lefts, rates, small_shares)
def test_the_largest_canary_spends_exactly_what_is_left(
    impact: Impact, left: Fraction, rate: Fraction, share: Fraction
) -> None:
    largest = priced(impact, left, rate, share).largest_canary
    assert 0 <= largest <= 1
    paid = Impact(canary=largest, failures=impact.failures, detect=impact.detect)
    cost = priced(paid, left, rate, share).cost
    if left <= 0:
        assert largest == 0
    elif largest < 1:
        assert cost == left
    else:
        assert cost <= left


@given(impacts, lefts, rates, small_shares)
def test_the_longest_time_to_detect_can_be_paid_and_a_microsecond_more_cannot(
    impact: Impact, left: Fraction, rate: Fraction, share: Fraction
) -> None:
    longest = priced(impact, left, rate, share).longest_detect

    def cost(detect: timedelta) -> Fraction:
        spent = Impact(canary=impact.canary, failures=impact.failures, detect=detect)
        return priced(spent, left, rate, share).cost

    if left <= 0:
        assert longest == timedelta()
    elif longest is None:
        assert cost(timedelta.max) <= left
    else:
        assert cost(longest) <= left < cost(longest + timedelta(microseconds=1))


def test_a_failure_that_can_last_for_ages_may_last_any_time() -> None:
    one_in_ages = priced(Impact(), Fraction(1), Fraction(1, 10**9), Fraction(1, 10**9))
    assert one_in_ages.longest_detect is None
    assert one_in_ages.cost == Fraction(300, 10**18)


@given(impacts, lefts, shares)
def test_the_largest_canary_of_timeslices_fails_no_slice(
    impact: Impact, left: Fraction, share: Fraction
) -> None:
    assume(share)
    slo = ratio_slo(slices=half_slices)
    largest = priced(impact, left, Fraction(0), share, slo).largest_canary
    paid = Impact(canary=largest, failures=impact.failures, detect=impact.detect)
    cost = priced(paid, left, Fraction(0), share, slo).cost
    if left <= 0:
        assert largest == 0
    else:
        assert cost <= left
    if 0 < largest < 1:
        assert cost == 0
        assert largest * impact.failures == Fraction(1, 2)


@pytest.mark.parametrize(
    "canary, bad_slices",
    # The slice's target is 95%: exactly 5% of failures do not fail it.
    [("0.05", 0), ("0.0501", 12), ("1", 12)],
)
def test_a_slice_is_spent_as_a_whole_or_not_at_all(canary: str, bad_slices: int) -> None:
    impact = Impact(canary=Fraction(canary), detect=12 * MINUTE)
    budget = ratio(counts(bad=0, total=43_200), impact=impact, slices=MINUTES)
    # 30 days are 43,200 minutes, of which 43.2 may be bad.
    assert budget.stated_cost == Fraction(bad_slices) / Fraction("43.2")
    assert budget.price is not None
    free = budget.price.longest_detect is None
    assert free == (bad_slices == 0)


def test_the_whole_canary_is_too_much_for_slices_when_only_minutes_are_left() -> None:
    impact = Impact(detect=12 * MINUTE)
    budget = ratio(counts(bad=40, total=43_200), impact=impact, slices=MINUTES)
    assert budget.price is not None
    # 3.2 bad minutes are left.
    assert budget.price.longest_detect == timedelta(minutes=3, seconds=12)
    assert budget.price.largest_canary == Fraction(5, 100)


@given(counts_of(st.integers(1, 10**9)), objectives)
def test_without_the_last_hour_the_mean_traffic_is_priced(
    answer: Counts, objective: Fraction
) -> None:
    budget = ratio(answer, objective=objective)
    assert budget.price is not None
    # 5 minutes of 30 days' traffic, all of it failing.
    assert budget.price.cost == Fraction(5, 30 * 24 * 60) / (1 - objective)
