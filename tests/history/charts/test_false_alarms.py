"""False alarms and delays: a small part of what benchmarks/anomalies.py measures."""

from functools import cache
from statistics import fmean

import numpy as np
import pytest

from benchmarks.anomalies import PROCESSES, SHIFTED, START, WEEK, Process, chart, plain, plain_mean
from gate.history.charts import StepCounts
from gate.history.charts.chart import Chart, ChartKind
from gate.history.charts.signals import DEFAULT
from tests.history.charts.plotting import HOUR

RUNS = 20
BY_NAME = {one.name: one for one in PROCESSES}
LIKELY = [
    "ratio, 10 bad an hour",
    "ratio that varies by 20%, 1,000 bad",
    "ratio +/- 50% by day, 100 bad",
    "mean, neighbours alike by 0.6",
    "mean +/- 30% by day",
]


@cache
def fortnights(name: str, shift: float = 0.0) -> list[list[StepCounts | None]]:
    draw = BY_NAME[name].draw
    return [draw(np.random.default_rng([9, run]), shift) for run in range(RUNS)]


def charts(process: Process, shift: float) -> list[Chart]:
    return [chart(process, counts, DEFAULT) for counts in fortnights(process.name, shift)]


@pytest.mark.variants(1)
@pytest.mark.parametrize("name", LIKELY)
def test_what_is_in_control_has_less_than_one_false_alarm_in_a_week(name: str) -> None:
    drawn = charts(BY_NAME[name], 0)

    # Measured: 0.1 to 0.4 a week; in 20 weeks chance makes at most 0.4 more.
    assert fmean(len(one.worse) for one in drawn) < 0.8


@pytest.mark.parametrize("name", LIKELY[1:])
def test_textbook_limits_alarm_all_week_instead(name: str) -> None:
    simple = plain if BY_NAME[name].kind is ChartKind.RATIO else plain_mean

    assert WEEK * fmean(map(simple, fortnights(name))) > 3


@pytest.mark.variants(1)
@pytest.mark.parametrize("name", [LIKELY[1], LIKELY[4]])
def test_a_shift_of_two_sigmas_is_seen_within_half_a_day(name: str) -> None:
    begun = START + SHIFTED * HOUR
    drawn = charts(BY_NAME[name], 2)

    seen = [
        next(
            one.point.sample.end
            for one in each.watched
            if one.worse and one.point.sample.end > begun
        )
        for each in drawn
    ]
    assert max(seen) - begun <= 16 * HOUR
    assert sorted(seen)[RUNS // 2] - begun <= 6 * HOUR
