"""Like compared with like, beside statsmodels, and many comparisons at once."""

from math import inf, log, sqrt

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests

from gate.history.cohorts.contests import holm
from gate.history.cohorts.ratios import cmh, common_interval, common_ratio, two_sided
from gate.history.differences import Table

MODELS = [Table(100, 10, 200, 5), Table(50, 20, 500, 80), Table(400, 3, 20, 1)]


def oracle(tables: list[Table]) -> StratifiedTable:
    return StratifiedTable(
        [
            np.array(
                [
                    [one.bad, one.total - one.bad],
                    [one.rest_bad, one.rest_total - one.rest_bad],
                ]
            )
            for one in tables
        ]
    )


def test_the_test_and_the_ratio_are_cochrans_mantels_and_haenszels() -> None:
    known = oracle(MODELS)

    assert cmh(MODELS) == pytest.approx(known.test_null_odds().pvalue, rel=1e-9)
    assert common_ratio(MODELS) == pytest.approx(known.riskratio_pooled, rel=1e-12)


def test_of_one_stratum_the_interval_is_that_of_the_logarithm() -> None:
    # D. Katz et al., "Obtaining confidence intervals for the risk ratio", Biometrics 34 (1978).
    low, high = common_interval([Table(100, 10, 200, 5)])
    half = 1.959963984540054 * sqrt(1 / 10 - 1 / 100 + 1 / 5 - 1 / 200)

    assert (log(low), log(high)) == pytest.approx((log(4) - half, log(4) + half))


def test_its_variance_is_that_of_many_samples() -> None:
    rng = np.random.default_rng(1)
    truths = [(400, 0.10, 800, 0.05), (200, 0.40, 900, 0.20), (900, 0.02, 300, 0.01)]
    drawn = [
        [Table(n, int(rng.binomial(n, p)), m, int(rng.binomial(m, q))) for n, p, m, q in truths]
        for _ in range(1_500)
    ]
    spread = np.std([log(common_ratio(tables)) for tables in drawn])
    told = np.mean([log(high / low) for low, high in map(common_interval, drawn)])

    assert told / (2 * 1.959963984540054) == pytest.approx(spread, rel=0.06)


def test_bursts_weaken_the_evidence() -> None:
    plain, weak = cmh(MODELS), cmh(MODELS, 2.0)
    assert plain is not None
    assert weak is not None
    (low, high), (wide_low, wide_high) = common_interval(MODELS), common_interval(MODELS, 4.0)

    assert weak > plain
    assert two_sided(0) == 1
    assert log(wide_high / wide_low) == pytest.approx(2 * log(high / low))


@pytest.mark.parametrize(
    "tables",
    [
        [Table(10, 1, 10, 2)],
        [Table(10_000, 3, 10_000, 1)],
        [Table(100, 10, 0, 0), Table(0, 0, 100, 10)],  # never both
        [Table(1, 1, 0, 0)],
    ],
)
def test_too_few_events_within_strata_say_nothing(tables: list[Table]) -> None:
    assert cmh(tables) is None


def test_where_one_side_never_failed_there_is_a_bound_on_the_other() -> None:
    # Of two failures among as many events of both, both are the group's with (r / (r + 1))^2.
    never = [Table(10, 2, 10, 0), Table(0, 0, 0, 0)]
    low, high = common_interval(never)
    assert (common_ratio(never), high) == (inf, inf)
    assert (low / (low + 1)) ** 2 == pytest.approx(0.025)

    turned = [Table(10, 0, 10, 2), Table(0, 0, 0, 0)]
    low, high = common_interval(turned)
    assert (common_ratio(turned), low) == (0, 0)
    assert (1 / (high + 1)) ** 2 == pytest.approx(0.025)
    # With bursts of two each there was but one.
    _, wide = common_interval(turned, 2.0)
    assert 1 / (wide + 1) == pytest.approx(0.025)


def test_where_nothing_failed_there_is_no_bound() -> None:
    assert common_interval([Table(10, 0, 10, 0)]) == (0, inf)


@pytest.mark.variants(2)
@pytest.mark.parametrize("ratio", [0.1, 0.5, 1, 3, 10])
def test_the_bound_holds_the_ratio_as_often_as_it_should_where_one_side_never_failed(
    ratio: float,
) -> None:
    rng = np.random.default_rng(3)
    held, cases = 0, 0
    for _ in range(3_000):
        tables = [
            Table(n, int(rng.poisson(n * p * ratio)), m, int(rng.poisson(m * p)))
            for n, m, p in ((500, 1_000, 0.001), (1_000, 300, 0.0005))
        ]
        bad, rest = sum(one.bad for one in tables), sum(one.rest_bad for one in tables)
        if bool(bad) is bool(rest):
            continue
        cases += 1
        low, high = common_interval(tables)
        held += low <= ratio <= high

    assert cases > 300
    assert held / cases > 0.95


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    "probabilities", [[0.01, 0.04, 0.03, 0.5], [0.2], [0.9, 0.9], [0.03, 0.001, 0.03, 1.0, 0.0]]
)
def test_holms_correction_is_statsmodels(probabilities: list[float]) -> None:
    known = multipletests(probabilities, method="holm")[1]

    assert holm(probabilities) == pytest.approx(list(known))
    assert holm([]) == []
