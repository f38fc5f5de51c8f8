"""Charts of timeslices: a small part of what benchmarks/slices.py measures."""

import pytest

from benchmarks.slices import KINDS, Kind, alarming_weeks, chart, fortnight
from gate.history.charts.chart import Chart
from gate.history.charts.signals import DEFAULT
from gate.measure import Cause
from tests.history.charts.plotting import HOUR

RUNS = 20
IN_RUNS = Kind(minutes=1, share=0.05, run=15)


def test_bad_slices_in_runs_raise_few_false_alarms_in_longer_points() -> None:
    # Of hourly points 83 of 100 weeks had one.
    drawn = [chart(IN_RUNS, fortnight(IN_RUNS, number), DEFAULT) for number in range(RUNS)]
    steps = [each.step for each in drawn if isinstance(each, Chart)]
    alarms = alarming_weeks(IN_RUNS, DEFAULT, RUNS)

    assert len(steps) == len(alarms) > RUNS // 4
    assert min(steps) >= 3 * HOUR
    assert sum(alarms) <= len(alarms) // 3


@pytest.mark.parametrize("share", [0.001, 0.01])
def test_rare_runs_of_bad_slices_are_not_charted(share: float) -> None:
    rare = Kind(minutes=1, share=share, run=15)
    drawn = [chart(rare, fortnight(rare, number), DEFAULT) for number in range(5)]

    assert {None if isinstance(each, Chart) else each.cause for each in drawn} <= {
        Cause.LOW_TRAFFIC,
        None,
    }
    assert not any(isinstance(each, Chart) for each in drawn)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.share == 0.2], ids=str)
def test_of_slices_as_many_are_bad_as_is_said(kind: Kind) -> None:
    bad = sum(sum(fortnight(kind, number)) for number in range(4))

    slices = 4 * 14 * 24 * 60 / kind.minutes
    assert bad / slices == pytest.approx(0.2, abs=0.03)
