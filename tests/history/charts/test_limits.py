"""How often a point in control lies beyond its limit, by scipy's distributions."""

import math

import pytest
from scipy import stats

from gate.history.charts.baseline import Baseline
from gate.history.charts.chart import mean_points, ratio_points
from gate.history.charts.dependence import Dependence
from tests.history.charts.plotting import samples_of

ONE_SIDE = stats.norm.sf(3)


def usual(centre: float, spread: float, events: float = 1000, *, ratios: bool = True) -> Baseline:
    return Baseline(
        ratios=ratios,
        centre=centre,
        by_time={},
        by_day={},
        events=events,
        chance=1,
        spread=spread,
        dependence=Dependence(),
        count=168,
    )


@pytest.mark.parametrize("expected", [0.5, 1, 2, 5, 10, 50, 200, 10_000])
@pytest.mark.parametrize("events", [20_000, 1_000_000])
def test_chance_alone_passes_a_plain_limit_no_more_than_half_as_often_again(
    expected: float, events: int
) -> None:
    (point,) = ratio_points(samples_of([0.0], events), usual(expected / events, 1, events))
    allowed = math.floor(point.upper * events)

    beyond = stats.binom.sf(allowed, events, expected / events)

    assert beyond < 1.5 * ONE_SIDE
    if expected >= 2:  # counts are whole: below, a limit cannot be just right
        assert beyond > ONE_SIDE / 3


@pytest.mark.parametrize("varies", [0.1, 0.3, 0.5])
def test_nor_do_counts_whose_rate_varies(varies: float) -> None:
    # A negative binomial: Poisson with a rate that varies by a gamma distribution.
    events, expected = 1_000_000, 1000
    spread = math.sqrt(1 + expected * varies**2)
    (point,) = ratio_points(samples_of([0.0], events), usual(expected / events, spread, events))
    shape = 1 / varies**2

    beyond = stats.nbinom.sf(math.floor(point.upper * events), shape, shape / (shape + expected))
    uncorrected = stats.nbinom.sf(expected * (1 + 3 * varies), shape, shape / (shape + expected))

    assert ONE_SIDE / 2 < beyond < 2.2 * ONE_SIDE
    assert beyond < uncorrected


@pytest.mark.parametrize("varies", [0.05, 0.1, 0.2, 0.3])
def test_nor_do_log_normal_means(varies: float) -> None:
    (point,) = mean_points(samples_of([1.0]), usual(1, varies, ratios=False))
    sigma = math.sqrt(math.log(1 + varies**2))

    beyond = stats.lognorm.sf(point.upper, sigma, scale=math.exp(-(sigma**2) / 2))

    assert ONE_SIDE / 2 < beyond < 2 * ONE_SIDE


def test_half_or_more_that_is_bad_has_no_tail_above() -> None:
    (point,) = ratio_points(samples_of([0.9]), usual(0.6, 1))

    assert point.skew == 0
