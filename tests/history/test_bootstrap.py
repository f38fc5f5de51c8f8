"""Futures drawn from a history in whole weeks."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.intervals import coverage
from gate.history.calendar_forecast import futures, known_part
from gate.measure.history import Series

STEP = timedelta(hours=6)
DAY, WEEK = 4, 28
"""Steps."""


def series(bad: Sequence[float | None]) -> Series:
    total = tuple(None if one is None else 100.0 for one in bad)
    return Series(total=total, bad=tuple(bad), query="asked")


HISTORIES = st.lists(st.integers(0, 9).map(float), min_size=2 * WEEK, max_size=4 * WEEK)


@settings(max_examples=5)
@given(HISTORIES)
def test_a_future_of_a_week_is_a_week_of_the_history_whose_end_meets_its_start(
    bad: list[float],
) -> None:
    round_ = bad * 2
    days = range(len(bad) % DAY, len(bad), DAY)
    weeks = {sum(round_[start : start + WEEK]) for start in days}

    drawn = list(futures(series(bad), STEP, WEEK))

    assert {one.bad for one in drawn} <= weeks
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

    assert {one.bad for one in futures(history, STEP, 3)} == {1}
    # So it is where the history begins in the middle of a day.
    assert {one.bad for one in futures(series([5, *[1, 0, 0, 5] * 21]), STEP, 3)} == {1}


def test_the_mean_of_the_futures_is_that_of_the_history() -> None:
    history = [float(place % 11 == 0) for place in range(13 * WEEK)]
    drawn = [one.bad for one in futures(series(history), STEP, 3 * WEEK + 5)]

    assert fmean(drawn) == pytest.approx(fmean(history) * (3 * WEEK + 5), rel=0.01)


def test_what_is_not_known_is_like_the_mean_of_the_rest() -> None:
    half = [2.0, None] * (2 * WEEK)

    (future,) = {(one.total, one.bad) for one in futures(series(half), STEP, WEEK)}

    assert future == (WEEK * 100, WEEK * 2)


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


@pytest.mark.untraced
def test_the_interval_holds_most_of_what_comes_and_is_wide_where_failures_come_in_bursts() -> None:
    """A fast version of benchmarks/intervals.py, which tells how often it truly does."""
    steady, bursty = (
        coverage(service, days=90, ahead=10, trials=12) for service in ("steady", "incidents")
    )

    assert steady.share >= 0.75
    assert bursty.share >= 0.75
    assert bursty.width > 5 * steady.width
