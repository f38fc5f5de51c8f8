"""Futures drawn from a history in whole weeks."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.intervals import AHEAD, Trial, summary, trials
from benchmarks.services import SERVICES
from gate.history.calendar_forecast import HELD, LEAST, Expected, futures, known_part
from gate.measure.history import Series
from tests.amounts import EXPLORING

STEP = timedelta(hours=6)
DAY, WEEK = 4, 28
"""Steps."""


def series(bad: Sequence[float | None]) -> Series:
    total = tuple(None if one is None else 100.0 for one in bad)
    return Series(total=total, bad=tuple(bad), query="asked")


HISTORIES = st.lists(st.integers(0, 9).map(float), min_size=2 * WEEK, max_size=4 * WEEK)


@settings(max_examples=5)
@given(HISTORIES)
def test_a_future_of_a_week_is_one_of_the_history_or_twice_as_bad_as_the_worst_of_it(
    bad: list[float],
) -> None:
    round_ = bad * 2
    days = range(len(bad) % DAY, len(bad), DAY)
    weeks = {sum(round_[start : start + WEEK]) for start in days}

    drawn = list(futures(series(bad), STEP, WEEK))

    # A week of the history, whose end meets its start.
    assert {one.bad for one in drawn} <= {*weeks, 2 * max(weeks)}
    assert {one.total for one in drawn} == {WEEK * 100}
    assert len(drawn) == 1000


@settings(max_examples=5)
@given(HISTORIES, st.integers(1, 3 * WEEK))
def test_the_same_history_has_the_same_futures(bad: list[float], steps: int) -> None:
    first, again = (list(futures(series(bad), STEP, steps)) for _ in range(2))

    assert first == again


def test_what_comes_next_is_at_the_hour_that_it_is_now() -> None:
    # Every day is 1, 0, 0, 5, and a day has ended: the next three steps are 1, 0, 0.
    history = series([1, 0, 0, 5] * 21)

    assert {one.bad for one in futures(history, STEP, 3)} == {1, 2}
    # So it is where the history begins in the middle of a day.
    assert {one.bad for one in futures(series([5, *[1, 0, 0, 5] * 21]), STEP, 3)} == {1, 2}


def test_one_in_so_many_futures_is_worse_than_all_that_was_seen() -> None:
    # 21 days are 28 stretches of three steps: the next is the worst of 29 with 1 in 29.
    drawn = [one.bad for one in futures(series([1, 0, 0, 5] * 21), STEP, 3)]

    assert drawn.count(2) / len(drawn) == pytest.approx(1 / 29, abs=0.02)


def test_no_more_fails_than_there_is_in_a_future_that_is_worse_than_all() -> None:
    drawn = {one.bad for one in futures(series([60.0] * 84), STEP, 4)}

    assert drawn == {240, 400}


def test_the_mean_of_the_futures_is_that_of_the_history() -> None:
    history = [float(place % 13 == 0) for place in range(13 * WEEK)]
    drawn = [one.bad for one in futures(series(history), STEP, 3 * WEEK + 5)]

    # Of a week at most 3 fail, of 5 steps 1: twice that in 1 of 14, and in 5 of 13 weeks and 5.
    unseen = WEEK / (14 * WEEK) * 2 * 3 * 3 + 5 / (13 * WEEK + 5) * 2 * 1
    seen = fmean(history) * (3 * WEEK * 13 / 14 + 5 * 13 * WEEK / (13 * WEEK + 5))
    assert fmean(drawn) == pytest.approx(seen + unseen, rel=0.02)


def test_what_is_not_known_is_like_the_mean_of_the_rest() -> None:
    half = [2.0, None] * (2 * WEEK)

    drawn = {(one.total, one.bad) for one in futures(series(half), STEP, WEEK)}

    assert drawn == {(WEEK * 100, WEEK * 2), (WEEK * 100, WEEK * 4)}


@pytest.mark.parametrize(
    ("bad", "known"),
    [
        ([None, None, 1, None, 2], (1, None, 2)),
        ([3, 4], (3, 4)),
        ([None, None], ()),
        ([], ()),
    ],
)
def test_a_history_begins_with_what_is_known_first(
    bad: list[float | None], known: tuple[float | None, ...]
) -> None:
    assert known_part(series(bad)).bad == known
    assert len(known_part(series(bad)).total) == len(known)


def prediction(share: float, *, history: int, rest: int) -> Expected:
    return Expected(
        low=0.1,
        median=0.2,
        high=0.3,
        lasting_futures=share,
        history_length=timedelta(days=history),
        rest=timedelta(days=rest),
    )


@pytest.mark.parametrize(
    ("history", "rest", "most"), [(60, 30, 3 / 4), (90, 30, 4 / 5), (90, 3, 31 / 32)]
)
def test_what_has_always_lasted_so_far_is_not_said_to_last_always(
    history: int, rest: int, most: float
) -> None:
    assert prediction(1.0, history=history, rest=rest).lasting == pytest.approx(most)
    assert prediction(0.4, history=history, rest=rest).lasting == 0.4


@pytest.mark.parametrize(
    ("history", "days"), [(60, 60), (89, 60), (90, 90), (179, 90), (180, 180), (720, 180)]
)
def test_what_is_reported_about_an_interval_was_measured_with_no_more_history(
    history: int, days: int
) -> None:
    assert prediction(1.0, history=history, rest=9).held == HELD[timedelta(days=days)]


def test_an_interval_is_drawn_from_no_less_history_than_was_simulated() -> None:
    assert min(HELD) == LEAST == timedelta(days=60)


def test_the_interval_is_wide_where_failures_come_in_bursts() -> None:
    steady, bursty = (
        trials(service, days=90, ahead=10, count=6) for service in ("steady", "incidents")
    )

    assert width(bursty) > 5 * width(steady)


def width(done: Sequence[Trial]) -> float:
    return fmean(trial.expected.high - trial.expected.low for trial in done)


@pytest.mark.slow
@pytest.mark.parametrize("days", [60, 90, 180] if EXPLORING else [60, 90])
def test_what_the_report_tells_of_its_intervals_is_what_a_simulation_measures(days: int) -> None:
    """A reduced run of benchmarks/intervals.py, whose figures the report prints."""
    cells = [
        trials(service, days=days, ahead=ahead, count=25) for service in SERVICES for ahead in AHEAD
    ]

    measured, said = summary(cells), HELD[timedelta(days=days)]

    # 450 months: two standard deviations of 90% are 3%. The longest history takes as long as both
    # others and goes through the same code: `make test-all` has it.
    assert measured.within == pytest.approx(said.within, abs=4)
    assert measured.worse == pytest.approx(said.worse, abs=3)
