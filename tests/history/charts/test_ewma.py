"""The moving average, beside the published run lengths of its design."""

import random
from itertools import count, islice

import pytest

from gate.history.charts.dependence import Dependence
from gate.history.charts.signals import CAP, average_limits, averages

STEADY = list(average_limits(200))[-1]


def run_length(rng: random.Random, shift: float) -> int:
    """Return how many points it takes to be beyond a limit, on either side."""
    moving = zip(count(1), averages(rng.gauss(shift, 1) for _ in count()))
    return next(place for place, average in moving if abs(average) > STEADY)


def test_by_hand() -> None:
    # 0.2 x 1; 0.2 x 2 + 0.8 x 0.2; 0.2 x -1 + 0.8 x 0.56. Beyond the cap, 4 counts.
    assert list(averages([1, 2, -1])) == pytest.approx([0.2, 0.56, 0.248])
    assert list(averages([100.0])) == pytest.approx([0.2 * CAP])


def test_the_limits_begin_narrow_and_settle() -> None:
    # 2.962 x 0.2 at first; 2.962 x sqrt(0.2 / 1.8) in the end.
    first, second, *_ = average_limits(2)

    assert first == pytest.approx(0.5924)
    assert second == pytest.approx(0.5924 * (1 + 0.8**2) ** 0.5)
    assert pytest.approx(0.98733, rel=1e-5) == STEADY


def test_a_single_outage_alone_does_not_reach_the_settled_limit() -> None:
    assert 0.2 * CAP < STEADY


def test_alike_neighbours_and_a_short_baseline_widen_the_limits() -> None:
    alike = list(average_limits(200, dependence=Dependence(0.5, 0.5)))[-1]
    unsure = list(average_limits(200, baseline=20))[-1]

    # The average of an AR(1) process: (1 + 0.4) / (1 - 0.4) times the variance; a mean of 20: 1/20.
    assert alike == pytest.approx(STEADY * (1.4 / 0.6) ** 0.5)
    assert unsure == pytest.approx(2.962 * (0.2 / 1.8 + 1 / 20) ** 0.5)


@pytest.mark.parametrize(
    ("shift", "published", "runs"),
    [(0.0, 500, 400), (0.5, 41.8, 1000), (1.0, 10.5, 1000), (2.0, 3.7, 1000)],
)
def test_run_lengths_are_those_that_are_published(
    shift: float, published: float, runs: int
) -> None:
    # Lucas and Saccucci 1990, also D. C. Montgomery, Introduction to Statistical Quality Control,
    # 6th edition, table 9.11: lambda 0.2, L 2.962, both sides.
    rng = random.Random(5)

    lengths = [run_length(rng, shift) for _ in range(runs)]

    assert sum(lengths) / runs == pytest.approx(published, rel=4 / runs**0.5)


def test_averages_of_nothing_are_nothing() -> None:
    assert list(averages([])) == []
    assert list(islice(average_limits(0), 1)) == []
