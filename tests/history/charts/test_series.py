"""The charts of one SLO: of its ratio and of its mean."""

import random
from dataclasses import replace

import pytest

from gate.history.charts.build import Charting, charts
from gate.history.charts.chart import Chart, ChartKind, ChartResult, NoChart
from gate.history.charts.signals import DEFAULT
from gate.measure import Cause, Unmeasured
from gate.measure.history import Measured, Series
from tests.history.charts.plotting import DAY, request

HOURS = 14 * 24
CHARTING = Charting(baseline=7 * DAY, rules=DEFAULT)


def series() -> Series:
    rng = random.Random(11)
    bad = [10 + rng.gauss(0, 2) for _ in range(HOURS)]
    bad[20] = 500.0  # a burn rate of 50 at 99%
    return Series(total=(1000.0,) * HOURS, bad=tuple(bad), query="q")


def drawn(one: Series) -> list[ChartResult]:
    return list(charts(one, request(HOURS), budget=0.01, charting=CHARTING))


def test_an_incident_that_is_found_is_left_out_of_the_baseline() -> None:
    (ratio,) = drawn(series())

    assert isinstance(ratio, Chart)
    assert (ratio.kind, len(ratio.excluded)) == (ChartKind.RATIO, 1)
    assert 0.009 < ratio.usual.centre < 0.011


def test_what_is_measured_has_a_chart_of_its_mean() -> None:
    sums = tuple(400.0 + hour % 5 for hour in range(HOURS))
    measured = Measured(sums=sums, events=(1000.0,) * HOURS)

    _, mean = drawn(replace(series(), measured=measured))

    assert isinstance(mean, Chart)
    assert mean.kind is ChartKind.MEAN
    assert 0.4 < mean.usual.centre < 0.405


def test_a_mean_that_is_not_available_is_reported() -> None:
    lost = Unmeasured(cause=Cause.INVALID, reason="sum: the value is NaN")

    _, mean = drawn(replace(series(), measured=lost))

    assert mean == NoChart(kind=ChartKind.MEAN, reason=lost.reason, cause=Cause.INVALID)


def test_a_baseline_that_is_nearly_all_in_incidents_is_what_is_usual() -> None:
    rng = random.Random(12)
    bad = [100 + rng.gauss(0, 5) for _ in range(HOURS)]  # a burn rate of 10 at 99%
    chronic = Series(total=(1000.0,) * HOURS, bad=tuple(bad), query="q")
    worse = replace(chronic, bad=(*bad[:-12], *[200.0] * 12))

    (usual,) = drawn(chronic)
    (seen,) = drawn(worse)

    assert isinstance(usual, Chart)
    assert isinstance(seen, Chart)
    assert (usual.chronic, usual.excluded, len(usual.baseline)) == (True, (), 7 * 24)
    assert usual.usual.centre == pytest.approx(0.1, rel=0.02)
    assert usual.worse == ()
    assert len(seen.worse) == 1


def test_a_baseline_with_a_few_incidents_leaves_these_out() -> None:
    one = series()
    spoilt = replace(one, bad=(*[100.0] * 60, *one.bad[60:]))

    (chart,) = drawn(spoilt)

    assert isinstance(chart, Chart)
    assert not chart.chronic
    assert len(chart.excluded) >= 60
    assert chart.usual.centre == pytest.approx(0.01, rel=0.1)
