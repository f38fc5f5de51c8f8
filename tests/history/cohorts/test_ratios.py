"""Two shares compared, beside scipy and statsmodels."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom, norm
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    power_proportions_2indep,
    test_proportions_2indep,
)

from gate.history.cohorts.ratios import (
    Method,
    compare,
    critical,
    detectable,
    mid_p_value,
    ratio_of,
    score_interval,
    two_sided,
)
from gate.history.differences import Table

test_proportions_2indep.__test__ = False  # statsmodels' own name

TABLES = [
    Table(420, 9, 10_000, 60),
    Table(420, 9, 10_000, 6),
    Table(30, 1, 50, 10),
    Table(1_000, 100, 1_000, 50),
    Table(1_000, 5, 100_000, 7_000),
]


@pytest.mark.parametrize("z", [0.0, 0.5, 1.96, -3.0, 8.0])
def test_the_tails_of_the_normal_distribution_are_scipys(z: float) -> None:
    assert two_sided(z) == pytest.approx(2 * norm.sf(abs(z)), rel=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.05, 0.05 / 20, 1e-9])
def test_its_quantiles_are_scipys(level: float) -> None:
    assert critical(level) == pytest.approx(norm.isf(level / 2), rel=1e-9)


@pytest.mark.variants(4)
@pytest.mark.parametrize("table", TABLES)
def test_fishers_mid_p_value_is_that_of_the_hypergeometric_distribution(table: Table) -> None:
    of = hypergeom(table.events, table.failed, table.total)
    likely = [of.pmf(k) for k in range(int(table.failed) + 1)]
    seen = of.pmf(table.bad)
    less = sum(one for one in likely if one <= seen * (1 + 1e-9))

    assert mid_p_value(table) == pytest.approx(less - seen / 2, rel=1e-6)


def test_small_counts_are_tested_exactly_and_large_ones_by_the_score() -> None:
    # 420 x 69 / 10,420 failures are expected in the first group: 2.8, fewer than five.
    small, large = TABLES[0], TABLES[3]
    known = test_proportions_2indep(100, 1_000, 50, 1_000, method="score", correction=True)

    assert compare(small) == (mid_p_value(small), Method.EXACT)
    assert compare(large)[1] is Method.SCORE
    assert compare(large)[0] == pytest.approx(known.pvalue, rel=1e-9)


@pytest.mark.parametrize("table", TABLES)
def test_the_interval_of_the_ratio_is_miettinen_and_nurminens(table: Table) -> None:
    known = confint_proportions_2indep(
        *(int(one) for one in (table.bad, table.total, table.rest_bad, table.rest_total)),
        method="score",
        compare="ratio",
        correction=True,
    )

    assert score_interval(table) == pytest.approx(known, rel=1e-6)
    assert ratio_of(table) == pytest.approx(
        table.bad / table.total / (table.rest_bad / table.rest_total)
    )


def test_no_failure_leaves_an_end_open() -> None:
    none, rest_none = Table(50, 0, 50, 5), Table(50, 5, 50, 0)

    assert (ratio_of(none), score_interval(none)[0]) == (0, 0)
    assert 0 < score_interval(none)[1] < 1
    assert (ratio_of(rest_none), score_interval(rest_none)[1]) == (inf, inf)
    assert 1 < score_interval(rest_none)[0] < inf
    assert score_interval(rest_none)[0] == pytest.approx(1 / score_interval(none)[1], rel=1e-6)
    assert ratio_of(Table(50, 0, 50, 0)) is None
    assert score_interval(Table(50, 0, 50, 0)) == (0, inf)


def test_where_all_fail_there_is_no_difference() -> None:
    everything = Table(5, 5, 9, 9)

    assert compare(everything)[0] == pytest.approx(0.5)  # half of the one table that can be
    assert score_interval(everything)[0] < 1 < score_interval(everything)[1]


@given(st.integers(20, 500), st.integers(0, 20), st.integers(20, 500), st.integers(0, 20))
def test_the_interval_holds_the_ratio_and_one_where_the_score_says_so(
    total: int, bad: int, rest_total: int, rest_bad: int
) -> None:
    table = Table(total, bad, rest_total, rest_bad)
    low, high = score_interval(table)
    ratio = ratio_of(table)

    assert ratio is None or low <= ratio * (1 + 1e-9)
    assert ratio is None or ratio <= high * (1 + 1e-9)
    probability, method = compare(table)
    if method is Method.SCORE and abs(probability - 0.05) > 1e-6:
        assert (low <= 1 <= high) == (probability > 0.05)


@pytest.mark.parametrize("level", [0.05, 0.05 / 12])
@pytest.mark.parametrize("table", TABLES)
def test_the_smallest_difference_that_shows_does_so_in_four_of_five_samples(
    table: Table, level: float
) -> None:
    found = detectable(table, level)
    assert found is not None
    rest = table.rest_bad / table.rest_total

    power = power_proportions_2indep(  # not counting samples that show the contrary
        found - rest,
        rest,
        table.total,
        table.rest_total / table.total,
        alpha=level / 2,
        alternative="larger",
    ).power
    assert power == pytest.approx(0.8, abs=1e-6)


def test_of_a_handful_of_events_nothing_shows() -> None:
    # That both fail is half as likely as 1% where a tenth do.
    assert detectable(Table(2, 0, 1_000, 100), 0.001) is None
    assert detectable(Table(2, 0, 1_000, 100), 0.01) is not None
    assert detectable(Table(2, 0, 1_000, 600), 0.05) is None


def test_counts_that_are_divided_are_rounded_and_none_is_left_without_events() -> None:
    assert Table(3, 3, 1_000, 49).thinned(10).whole() == Table(1, 0, 100, 5)
    assert Table(100, 26, 100, 100).thinned(10) == Table(10, 2.6, 10, 10)
