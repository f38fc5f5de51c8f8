"""The usual values of a baseline: centre, spread, time of day."""

import math
import random
from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from gate.history.charts import Sample
from gate.history.charts.baseline import baseline_of_means, baseline_of_ratios
from gate.history.charts.chart import mean_points, ratio_points
from gate.history.charts.dependence import Dependence, correlation, dependence, moving_sigma
from tests.history.charts.plotting import sample, samples_of

WAVE = [math.cos(hour * math.tau / 24) for hour in range(24)]


def test_sigma_is_the_mean_moving_range_by_1_128() -> None:
    # Ranges 2, 1 and 4: by hand 7 / 3 / 1.128; three of them are the 2.66 of XmR charts.
    assert moving_sigma([1, 3, 2, 6]) == pytest.approx(7 / 3 / 1.128)
    assert 3 * moving_sigma([1, 3, 2, 6]) == pytest.approx(2.66 * 7 / 3, rel=1e-3)


def test_neighbours_that_are_alike_hide_a_part_of_sigma() -> None:
    # Of an autoregressive process with r = 0.75, the mean range shows half of sigma.
    assert moving_sigma([1, 3, 2, 6], 0.75) == pytest.approx(2 * moving_sigma([1, 3, 2, 6]))


def test_the_correlation_of_neighbours_is_numpys_with_kendalls_correction() -> None:
    rng = random.Random(1)
    values = [rng.gauss(0, 1)]
    for _ in range(400):
        values.append(0.6 * values[-1] + rng.gauss(0, 1))
    raw = float(np.corrcoef(values[1:], values[:-1])[0, 1])

    assert correlation(values) == pytest.approx(raw + (1 + 3 * raw) / 401, abs=0.01)
    assert correlation(values) == pytest.approx(0.6, abs=0.1)


def test_what_alternates_or_stands_still_is_not_alike() -> None:
    assert correlation([1, -1] * 20) == 0
    assert correlation([5.0] * 20) == 0


def test_laneys_sigma_z_by_hand() -> None:
    # 1%, 2%, 1%, 2% of 10,000: p is 1.5%, a plain sigma sqrt(.015 x .985 / 10,000), so the
    # scores are -/+ 4.1135, their ranges 8.2270, and sigma z is 8.2270 / 1.128.
    usual = baseline_of_ratios(samples_of([0.01, 0.02] * 2, 10_000))

    assert usual.centre == pytest.approx(0.015)
    assert usual.dependence.neighbours == 0
    # Known from four ratios only.
    assert usual.spread == pytest.approx(8.2270 / 1.128 * Dependence().widening(4), rel=1e-4)


def test_the_centre_is_of_all_events_and_no_mean_of_ratios() -> None:
    baseline = [sample(0, 0.1, 100), sample(1, 0.01, 9_900)]

    assert baseline_of_ratios(baseline).centre == pytest.approx((10 + 99) / 10_000)


def test_a_chart_is_never_narrower_than_chance() -> None:
    usual = baseline_of_ratios(samples_of([0.01] * 30, 10_000))

    assert usual.spread == Dependence().widening(30)


def test_a_daily_rhythm_is_compared_with_the_same_time_of_day() -> None:
    rng = random.Random(2)
    values = [10 + 3 * WAVE[hour % 24] + rng.gauss(0, 0.2) for hour in range(7 * 24)]

    usual = baseline_of_means(samples_of(values))

    assert usual.centre == pytest.approx(10, abs=0.05)
    assert usual.centre_of(sample(24 * 30, 0)) == pytest.approx(13, abs=0.3)
    assert usual.centre_of(sample(24 * 30 + 12, 0)) == pytest.approx(7, abs=0.3)
    # Centres of seven days lie nearer to these days, by sqrt(6 / 7), and are off themselves by a
    # seventh of the variance: to another day it is sqrt(8 / 7).
    own = [fmean(values[hour::24]) for hour in range(24)]
    left = [value - own[hour % 24] for hour, value in enumerate(values)]
    sigma = moving_sigma(left, correlation(left))
    alike = dependence([value / usual.spread for value in left])
    assert usual.spread == pytest.approx(sigma * math.sqrt(8 / 6) * alike.widening(168), rel=0.01)


def test_a_ratio_with_a_daily_rhythm_is_too_and_none_at_night_is_not_never() -> None:
    ratios = [max(0.02 * (1 + WAVE[hour % 24]), 0) if hour % 24 != 12 else 0 for hour in range(168)]
    baseline = samples_of(ratios, 10_000)

    usual = baseline_of_ratios(baseline)

    assert usual.centre_of(baseline[0]) == pytest.approx(0.04, rel=0.01)
    # One bad event more than none of 70,000, at a ratio of 2%.
    assert usual.centre_of(baseline[12]) == pytest.approx(1 / (70_000 + 50), rel=1e-3)


@pytest.mark.parametrize("days", [3, 7])
def test_noise_has_no_time_of_day(days: int) -> None:
    rng = random.Random(3)

    usual = baseline_of_means(samples_of([rng.gauss(10, 1) for _ in range(24 * days)]))

    assert usual.by_time == {}
    assert usual.centre_of(sample(3, 0)) == usual.centre


def test_three_days_say_nothing_of_the_time_of_day_and_the_limits_are_wide_instead() -> None:
    values = [10 + 3 * WAVE[hour % 24] for hour in range(3 * 24)]

    usual = baseline_of_means(samples_of(values))

    assert usual.by_time == {}
    assert usual.dependence.neighbours > 0.9
    assert usual.spread > 2  # of a wave with a standard deviation of 2.1; by its ranges 0.4


def test_the_points_of_a_mean_are_sigmas_from_it_with_a_longer_tail_above() -> None:
    usual = baseline_of_means(samples_of([9, 11] * 15))
    low, usually, high = mean_points(samples_of([8, 10, 20]), usual)

    assert usually.score == pytest.approx(0, abs=0.1)
    assert low.score < -1
    # sigma is 2 / 1.128; of a log-normal one, the limit is 8/2 sigma^2 / centre farther.
    sigma = 2 / 1.128 * Dependence().widening(30)
    assert high.upper == pytest.approx(10 + 3 * sigma + 4 * sigma**2 / 10)
    assert high.limit(high.score) == pytest.approx(20)
    assert low.limit(low.score) == pytest.approx(8)


def test_means_about_zero_have_no_tail() -> None:
    usual = baseline_of_means(samples_of([-1, 1] * 15))
    (point,) = mean_points(samples_of([3]), usual)

    assert point.skew == 0
    sigma = 2 / 1.128 * Dependence().widening(30)
    assert point.score == pytest.approx(3 / sigma)
    assert (point.lower, point.upper) == pytest.approx((-3 * sigma, 3 * sigma))


def test_a_lower_limit_ends_where_the_tail_does() -> None:
    # With sigma z 50, a plain quadratic in s would turn up again before s = -3.
    usual = baseline_of_ratios(samples_of([0.002, 0.03] * 15, 100_000))
    (point,) = ratio_points(samples_of([0.0], 100_000), usual)

    assert point.lower == pytest.approx(
        min(point.limit(s / 100) for s in range(-400, 400)), rel=1e-3
    )
    assert point.score > -3


def varying(within: float, between: float, *, swing: float = 0.8, seed: int = 5) -> list[Sample]:
    """Return means of 40 to 360 events that vary by both: within / sqrt(events), and between."""
    rng = random.Random(seed)
    made = []
    for hour in range(7 * 24):
        events = 200 * (1 + swing * WAVE[hour % 24])
        sigma = math.sqrt(within**2 / events + between**2)
        made.append(sample(hour, 10 + rng.gauss(0, sigma), events))
    return made


def test_a_mean_of_few_events_may_lie_farther_away() -> None:
    usual = baseline_of_means(varying(1.0, 0.0))

    few, many = (usual.sigma_of(sample(0, 10, events)) for events in (40, 360))
    assert usual.chance > 0.8
    assert few == pytest.approx(1 / math.sqrt(40), rel=0.3)
    assert many == pytest.approx(1 / math.sqrt(360), rel=0.3)


def test_what_varies_whatever_the_traffic_has_the_same_limits_at_night() -> None:
    usual = baseline_of_means(varying(0.0, 0.1))

    few, many = (usual.sigma_of(sample(0, 10, events)) for events in (40, 360))
    assert few == pytest.approx(0.1, rel=0.4)
    assert many == pytest.approx(0.1, rel=0.4)


def test_even_traffic_says_nothing_of_fewer_events() -> None:
    assert baseline_of_means(varying(1.0, 0.0, swing=0.1)).chance == 0


@pytest.mark.parametrize("busy", [0.0, 0.1])
def test_more_than_fewer_events_can_explain_is_all_chance(busy: float) -> None:
    # Half as many events, but a hundred times the variance, or infinitely many times.
    made = [sample(hour, 10 + busy * (hour % 2), 200) for hour in range(40)]
    made += [sample(hour, 10 + hour % 2, 100) for hour in range(40, 80)]

    assert baseline_of_means(made).chance == 1


def test_of_a_ratio_what_is_beyond_chance_is_the_same_for_many_events_as_for_few() -> None:
    # A standard deviation of 20% of the ratio, beside which chance is 1 / sqrt(bad events).
    rng = random.Random(6)
    made = []
    for hour in range(7 * 24):
        events = 100_000 * (1 + 0.9 * WAVE[hour % 24])
        sigma = math.sqrt(0.01 * 0.99 / events + 0.002**2)
        made.append(sample(hour, max(rng.gauss(0.01, sigma), 0), events))

    usual = baseline_of_ratios(made)

    for events in (10_000, 190_000):
        true = math.sqrt(0.01 * 0.99 / events + 0.002**2)
        assert usual.sigma_of(sample(0, 0, events)) == pytest.approx(true, rel=0.2)


def test_without_any_variation_there_is_no_spread() -> None:
    assert baseline_of_means(samples_of([0.1] * 30)).spread == 0
    assert (
        baseline_of_means(samples_of([0.1 + 1e-15 * (place % 3) for place in range(30)])).spread
        == 0
    )
    assert baseline_of_ratios(samples_of([1.0] * 30)).spread == 0


def weekly(weekend: float, noise: float, days: int = 7) -> list[float]:
    """Return hours of days, of which those of the weekend differ by a factor."""
    rng = random.Random(4)
    return [
        (10 + 3 * WAVE[hour % 24]) * (weekend if is_weekend(hour) else 1) + rng.gauss(0, noise)
        for hour in range(24 * days)
    ]


def is_weekend(hour: int) -> bool:
    return sample(hour, 0).start.weekday() >= 5


SATURDAY = next(hour for hour in range(24 * 28, 24 * 35, 24) if is_weekend(hour))
WORKING = SATURDAY + 3 * 24


def test_working_days_are_compared_with_working_days_and_weekends_against_weekends() -> None:
    usual = baseline_of_means(samples_of(weekly(0.5, 0.2)))

    assert usual.centre_of(sample(WORKING, 0)) == pytest.approx(13, abs=0.4)
    assert usual.centre_of(sample(WORKING + 12, 0)) == pytest.approx(7, abs=0.3)
    assert usual.centre_of(sample(SATURDAY, 0)) == pytest.approx(6.5, abs=0.3)
    assert usual.centre_of(sample(SATURDAY + 12, 0)) == pytest.approx(3.5, abs=0.3)
    assert usual.spread < 0.4


def test_ratios_are_too_and_by_their_events() -> None:
    ratios = [value / 1000 for value in weekly(2, 0.0)]
    baseline = [
        sample(hour, ratio, 100_000 if is_weekend(hour) else 1_000_000)
        for hour, ratio in enumerate(ratios)
    ]

    usual = baseline_of_ratios(baseline)

    assert usual.centre_of(sample(WORKING, 0)) == pytest.approx(0.013, rel=0.02)
    assert usual.centre_of(sample(SATURDAY, 0)) == pytest.approx(0.026, rel=0.02)


def test_a_high_ratio_is_never_taken_to_be_all() -> None:
    ratios = [0.99 if is_weekend(hour) else 0.5 for hour in range(168)]
    busy = [
        sample(hour, ratio, 100 if is_weekend(hour) else 10_000)
        for hour, ratio in enumerate(ratios)
    ]

    usual = baseline_of_ratios(busy)

    assert usual.by_day[True] * usual.centre > 0.98
    assert usual.centre_of(sample(SATURDAY, 0)) < 0.8


@pytest.mark.parametrize("weekend", [1.0, 1.05])
def test_weekends_that_hardly_differ_are_not_distinguished(weekend: float) -> None:
    usual = baseline_of_means(samples_of(weekly(weekend, 1.5)))

    assert usual.by_day == {}


def test_a_single_day_of_a_weekend_says_nothing_of_weekends() -> None:
    usual = baseline_of_means(samples_of(weekly(0.1, 0.2)[: 24 * 3]))

    assert usual.by_day == {}


def test_a_weekend_without_a_bad_event_is_not_mistaken_for_never() -> None:
    ratios = [0.0 if is_weekend(hour) else 0.01 + 0.002 * (hour % 3) for hour in range(168)]

    usual = baseline_of_ratios(samples_of(ratios, 10_000))

    assert usual.centre_of(sample(SATURDAY, 0)) > 0


def test_noise_on_what_resembles_itself_for_long_is_distinguished_from_what_forgets_at_once() -> (
    None
):
    rng = random.Random(6)
    level, values = 0.0, []
    for _ in range(20_000):
        level = 0.9 * level + rng.gauss(0, math.sqrt(1 - 0.81))
        values.append(level + rng.gauss(0, 1))

    alike = dependence(values)

    # Half of the variance is noise; the rest shrinks by a tenth at each step.
    assert alike.neighbours == pytest.approx(0.45, abs=0.05)
    assert alike.memory == pytest.approx(0.9, abs=0.03)
    assert alike.share == pytest.approx(0.5, abs=0.05)
    # The variance of the mean of all: 1 / 2 + 1 / 2 (1.9 / 0.1).
    assert alike.inflation() == pytest.approx(10, rel=0.3)


def test_of_noise_nothing_is_made() -> None:
    rng = random.Random(7)

    alike = dependence([rng.gauss(0, 1) for _ in range(168)])

    assert alike.memory == alike.neighbours < 0.16
    assert Dependence().inflation() == 1
    assert Dependence().share == 0


@pytest.mark.parametrize("count", [8, 20, 168, 10_000])
def test_limits_are_wider_by_students_t(count: int) -> None:
    exact = stats.t.ppf(stats.norm.cdf(3), count - 1) / 3

    assert Dependence().widening(count) == pytest.approx(exact, rel=0.06)
    assert Dependence(0.5, 0.5).widening(3 * count) == pytest.approx(exact, rel=0.06)


def test_what_resembles_itself_all_the_time_is_worth_some_values_at_least() -> None:
    assert Dependence(0.98, 0.98).widening(20) == Dependence(0.98, 0.98).widening(40) < 6
