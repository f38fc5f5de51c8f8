"""How much less failures tell when they come in bursts."""

import numpy as np
import pytest

from gate.history.cohorts import (
    Arm,
    Pair,
    arm,
    design_effect,
    fewest_steps,
    own_effect,
    shared_effects,
)
from gate.history.cohorts.ratios import common_ratio, ratio_of
from gate.history.differences import Table
from gate.measure.cohorts import Cohort
from tests.history.cohorts.building import burst, even, pair


def test_failures_that_are_spread_evenly_count_in_full() -> None:
    assert design_effect([pair((400, 40), (800, 40))]) == 1
    assert own_effect(even(400, 40)) == 1


def test_an_hour_in_which_all_of_them_fail_counts_as_about_one() -> None:
    # 30 of 4,800 fail, all in one of 48 hours. By hand: of 24 stretches of two hours 28.75 too many
    # once and 1.25 too few 23 times, 24/21 of whose squares count; as coins 30 x 0.99375 = 29.8.
    together = burst(100, [30.0, *(0.0,) * 47])

    assert own_effect(together) == pytest.approx((28.75**2 + 23 * 1.25**2) * 24 / 21 / 29.8125)


def test_a_burst_that_goes_on_for_several_steps_is_one_burst() -> None:
    # By hand, of 160 steps: stretches of eight, of which there are 20, have 80 failures once and 4
    # else; their mean is 7.8, and 20/17 of the squares of what is over or under counts.
    long = burst(100, [10.0] * 8 + [0.5] * 152)
    coins = 156 * (1 - 156 / 16_000)
    squares = (80 - 7.8) ** 2 + 19 * (4 - 7.8) ** 2

    assert own_effect(long) == pytest.approx(squares * 20 / 17 / coins)


def test_a_burst_that_hits_both_groups_alike_makes_no_difference_between_them() -> None:
    hours = [50.0, *(1.0,) * 47]
    both = Pair(burst(100, hours), burst(200, [2 * one for one in hours]))
    one = Pair(burst(100, hours), even(9_600, 194, 48))

    assert design_effect([both]) == 1
    assert design_effect([one]) > 10


def test_where_a_group_has_no_failures_the_other_tells_how_they_come() -> None:
    calm = even(4_800, 0, 48)
    wild = burst(100, [30.0, *(0.0,) * 47])

    assert design_effect([Pair(calm, wild)]) == pytest.approx(own_effect(wild))
    assert design_effect([Pair(wild, calm)]) == pytest.approx(own_effect(wild))
    assert design_effect([Pair(calm, calm)]) == 1


def test_a_stratum_without_events_changes_nothing() -> None:
    wild = Pair(burst(100, [30.0, *(0.0,) * 47]), even(9_600, 90, 48))
    empty = Pair(even(0, 0, 48), even(0, 0, 48))

    assert design_effect([wild, empty]) == pytest.approx(design_effect([wild]))


def test_of_few_steps_it_is_not_told() -> None:
    brief = Arm((100.0,) * 9 + (0.0,) * 39, (30.0, *(0.0,) * 47))

    assert own_effect(brief) == 1
    assert fewest_steps([Pair(brief, even(480, 1, 48))]) == 9


def test_a_group_that_had_no_burst_by_luck_is_taken_to_be_as_bursty_as_the_others() -> None:
    lucky = Pair(even(4_800, 24, 48), even(43_200, 500, 48))
    wild = Pair(burst(100, [60.0, *(0.0,) * 23, 60.0, *(0.0,) * 23]), even(43_200, 500, 48))

    calm, own = shared_effects([[lucky], [wild]])

    assert design_effect([lucky]) == 1
    assert own == design_effect([wild])
    assert calm == pytest.approx((own + 1) / 2)  # the mean correlation of two, of the same traffic
    assert shared_effects([]) == []
    assert shared_effects([[pair((0, 0), (0, 0))]]) == [1]


def test_the_variance_is_that_of_many_weeks_with_outages() -> None:
    # The truth by simulation: the spread of the difference of two groups with outages of their own.
    rng = np.random.default_rng(7)
    differences, effects = [], []
    for _ in range(400):
        shares = np.where(rng.random((168, 2)) < 0.1, 0.2, 0.01)
        bad = rng.binomial(100, shares)
        one, other = (Arm((100.0,) * 168, tuple(map(float, bad[:, place]))) for place in range(2))
        differences.append(one.sums[1] - other.sums[1])
        effects.append(design_effect([Pair(one, other)]))
    mean = 0.9 * 0.01 + 0.1 * 0.2
    coins = 2 * 16_800 * mean * (1 - mean)

    told = float(np.mean(effects))
    assert 1 <= told / (np.var(differences) / coins) < 1.35  # the largest of four counts


def test_what_is_spread_over_time_alike_stays_as_it_is() -> None:
    one, other = Arm((2.0, 4.0, 6.0), (1.0, 0.0, 2.0)), Arm((1.0, 2.0, 3.0), (0.0, 1.0, 0.0))

    matched = Pair(one, other).matched()

    assert matched.group.total == pytest.approx(one.total)
    assert matched.group.bad == pytest.approx(one.bad)
    assert matched.rest.bad == pytest.approx(other.bad)


def test_matching_weighs_steps_as_mantel_and_haenszel_do_strata() -> None:
    steps = [Table(90, 9, 10, 2), Table(10, 1, 40, 1), Table(0, 0, 50, 25)]
    group = Arm(tuple(one.total for one in steps), tuple(one.bad for one in steps))
    rest = Arm(tuple(one.rest_total for one in steps), tuple(one.rest_bad for one in steps))

    matched = Pair(group, rest).matched()

    assert ratio_of(matched.table) == pytest.approx(common_ratio(steps))
    assert matched.group.sums[0] == pytest.approx(100)
    assert matched.rest.sums[0] == pytest.approx(50)  # those of the steps that both have
    assert Pair(group, even(0, 0, 3)).matched().table == Table(0, 0, 0, 0)


def test_groups_are_put_together_and_what_is_not_known_adds_nothing() -> None:
    one = Cohort(total=(1.0, None, 3.0), bad=(0.0, None, 1.0))
    other = Cohort(total=(2.0, 5.0, None), bad=(2.0, 0.0, None))

    both = arm([one, other], 3)

    assert both == Arm((3.0, 5.0, 3.0), (2.0, 0.0, 1.0))
    assert (both.sums, both.busy_steps) == ((11.0, 3.0), 3)
    assert arm([], 2).residuals() == (0.0, 0.0)


def test_what_floats_are_off_is_not_a_failure() -> None:
    assert Arm((1.0, 1.0), (-1e-13, 0.0)).sums == (2.0, 0.0)
    assert Arm((1.0, 1.0), (1.0, 1.0 + 1e-13)).sums == (2.0, 2.0)
