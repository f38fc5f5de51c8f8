"""The difference of two shares: values from the literature, and from likelihoods maximised anew."""

import math
from collections.abc import Callable
from itertools import product

import pytest
from scipy.optimize import minimize_scalar

from gate.history.differences import Table, difference_score, excess_at, paired_score

Z = 1.959963984540054


def interval(score: Callable[[float], float]) -> tuple[float, float]:
    return excess_at(score, Z), excess_at(score, -Z)


def table(bad: float, total: float, rest_bad: float, rest_total: float) -> Table:
    return Table(total, bad, rest_total, rest_bad)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        # R. G. Newcombe, "Interval estimation for the difference between independent proportions",
        # Statistics in Medicine 17 (1998), 873-890, table II, method 6 (Miettinen and Nurminen).
        ((56, 70, 48, 80), 0.0528, 0.3382),
        ((9, 10, 3, 10), 0.1700, 0.8406),
        ((10, 10, 0, 20), 0.7156, 1.0000),
        ((10, 10, 0, 10), 0.6636, 1.0000),
        ((5, 56, 0, 29), -0.0326, 0.1933),
        ((0, 10, 0, 20), -0.1658, 0.2844),
    ],
)
def test_the_interval_of_two_samples_is_that_of_the_literature(
    counts: tuple[int, int, int, int], low: float, high: float
) -> None:
    found = interval(lambda excess: difference_score(table(*counts), excess))

    assert list(found) == pytest.approx([low, high], abs=6e-5)


def likeliest(bad: float, total: float, rest_bad: float, rest_total: float, excess: float) -> float:
    """Return the score with shares that a general optimiser finds."""

    def unlikely(share: float) -> float:
        parts = (
            (bad, share + excess),
            (total - bad, 1 - share - excess),
            (rest_bad, share),
            (rest_total - rest_bad, 1 - share),
        )
        return -sum(count * math.log(place) for count, place in parts if count)

    ends = max(0.0, -excess) + 1e-13, min(1.0, 1 - excess) - 1e-13
    share = minimize_scalar(unlikely, bounds=ends, method="bounded", options={"xatol": 1e-13}).x
    mine, events = share + excess, total + rest_total
    variance = mine * (1 - mine) / total + share * (1 - share) / rest_total
    apart = bad / total - rest_bad / rest_total - excess
    return float(apart / math.sqrt(variance * events / (events - 1)))


@pytest.mark.parametrize(
    "counts", [(5, 1_000, 3, 2_000), (120, 61_000, 100, 600_000), (0, 30_000, 7, 3_000)]
)
@pytest.mark.parametrize("excess", [0.0001, 0.001, -0.002, 0.05])
def test_the_score_is_that_of_a_likelihood_which_is_maximised_in_another_way(
    counts: tuple[int, int, int, int], excess: float
) -> None:
    found = difference_score(table(*counts), excess)

    assert found == pytest.approx(likeliest(*counts, excess), rel=2e-3)


@pytest.mark.parametrize("events", [768, 30_000, 1_000_000])
def test_without_any_failure_the_bound_is_z_squared_over_the_requests(events: int) -> None:
    # With none of n the likeliest share of the rest is 0, so the score is -sqrt(n d / (1 - d)).
    bound = Z**2 / (events + Z**2)

    separate = interval(lambda excess: difference_score(table(0, events, 0, 10**9), excess))
    paired = interval(lambda excess: paired_score(events, 0, 0, excess))

    assert separate[1] == pytest.approx(bound, rel=1e-5)
    assert list(paired) == pytest.approx([-bound, bound], rel=1e-9)


def test_nothing_is_reported_about_an_excess_of_none_where_nothing_failed() -> None:
    assert difference_score(table(0, 10, 0, 10), 0.0) == 0.0
    assert paired_score(10, 0, 0, 0.0) == 0.0
    assert difference_score(table(0.5, 0.5, 0, 0.5), 0.25) > 0


def test_the_interval_of_pairs_is_that_of_the_literature() -> None:
    # 21 patients, 1 of whom was better and 7 worse: M. W. Fagerland, S. Lydersen and P. Laake,
    # "Recommended tests and confidence intervals for paired binomial proportions", Statistics in
    # Medicine 33 (2014), 2850-2875, Tango's score interval.
    found = interval(lambda excess: paired_score(21, 1, 7, excess))

    assert list(found) == pytest.approx([-0.517, -0.026], abs=6e-4)


@pytest.mark.parametrize(
    ("only", "other", "excess"), list(product((2, 30, 400), (5, 80), (-0.03, 0.004, 0.1)))
)
def test_the_score_of_pairs_is_that_of_a_likelihood_which_is_maximised_in_another_way(
    only: int, other: int, excess: float
) -> None:
    pairs = 1_000

    def unlikely(share: float) -> float:
        same = 1 - 2 * share - excess
        parts = ((only, share + excess), (other, share), (pairs - only - other, same))
        return -sum(count * math.log(place) for count, place in parts)

    ends = max(0.0, -excess) + 1e-12, (1 - excess) / 2 - 1e-12
    share = minimize_scalar(unlikely, bounds=ends, method="bounded", options={"xatol": 1e-12}).x
    variance = pairs * (2 * share + excess * (1 - excess))
    score = (only - other - pairs * excess) / math.sqrt(variance)

    assert paired_score(pairs, only, other, excess) == pytest.approx(score, rel=1e-4)
