"""The steps of a history: their length, and the part of a window that they cover."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from weakref import ref

import pytest

from gate.measure.capabilities import each_answer
from gate.measure.history import (
    Series,
    SeriesAnswer,
    SeriesRequest,
    clock_part,
    clock_start,
    coverage_step,
    on_the_clock,
    step_of,
)
from gate.slo.indicator import Sli
from gate.slo.objective import Span

AT = datetime(2026, 11, 20, 14, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    "length, step",
    [
        (30 * DAY, HOUR),
        (30 * DAY + MINUTE, 61 * MINUTE),
        (60 * HOUR, 5 * MINUTE),
        (60 * HOUR + MINUTE, 6 * MINUTE),
    ],
)
def test_a_step_is_whole_minutes_at_least_five_and_720_at_most_make_a_window(
    length: timedelta, step: timedelta
) -> None:
    assert step_of(length) == coverage_step(length) == step


def test_a_window_shorter_than_five_minutes_is_one_step() -> None:
    assert step_of(DAY) == 5 * MINUTE
    assert step_of(2 * MINUTE) == 2 * MINUTE


@pytest.mark.parametrize(
    "length, seconds",
    [(DAY, 120), (12 * HOUR, 60), (3 * HOUR, 15), (3 * HOUR + MINUTE, 30), (10 * MINUTE, 15)],
)
def test_whether_there_are_data_is_seen_at_every_sample_of_a_short_window(
    length: timedelta, seconds: int
) -> None:
    assert coverage_step(length) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "length, minutes",
    [
        (MINUTE / 2, 1),
        (12 * HOUR, 1),
        (12 * HOUR + MINUTE, 5),
        (60 * HOUR, 5),
        (7 * DAY, 15),
        (14 * DAY, 30),
        (28 * DAY, 60),
        (30 * DAY, 60),
        (92 * DAY, 60),
        (93 * DAY, 360),
        (180 * DAY, 360),
        (366 * DAY, 720),
    ],
)
def test_the_parts_of_a_stretch_are_720_at_most_or_hours_of_a_quarter_of_a_year(
    length: timedelta, minutes: int
) -> None:
    assert clock_part(length) == minutes * MINUTE


def test_each_part_of_a_stretch_is_a_whole_number_of_those_of_all_shorter_ones() -> None:
    parts = sorted({clock_part(days * DAY / 4) for days in range(1, 4 * 366)})

    assert all(longer % shorter == timedelta(0) for shorter, longer in pairwise(parts))
    assert all(HOUR % part == timedelta(0) or DAY % part == timedelta(0) for part in parts)


@pytest.mark.parametrize("step", [MINUTE, 5 * MINUTE, 7 * MINUTE, HOUR, DAY, 7 * DAY])
@pytest.mark.parametrize("phase", [timedelta(), timedelta(seconds=1), 17 * MINUTE, 23 * HOUR])
def test_steps_hang_on_the_clock_whenever_a_stretch_begins(
    step: timedelta, phase: timedelta
) -> None:
    begun = clock_start(AT + phase, step)

    assert (begun - datetime(1970, 1, 1, tzinfo=UTC)) % step == timedelta()
    assert begun <= AT + phase < begun + step
    assert on_the_clock(Span(AT + phase, AT + DAY), step) == Span(begun, AT + DAY)


def test_the_newest_step_ends_with_the_run_whole_or_not() -> None:
    request = SeriesRequest(sli=Sli(), span=Span(AT, AT + 12 * MINUTE), step=5 * MINUTE)

    assert request.steps == 3
    assert [(request.end_of(place) - AT) // MINUTE for place in range(-1, 3)] == [0, 5, 10, 12]


class _WatchedSeries(Series):
    __slots__ = ("__weakref__",)


class _AllAtOnce:
    """A history that answers all requests together."""

    def __init__(self) -> None:
        self.rounds = 0
        self.answers = list[ref[_WatchedSeries]]()

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        self.rounds += 1
        answers = [
            _WatchedSeries(total=(float(place),), bad=(0.0,), query="q")
            for place, _ in enumerate(requests)
        ]
        self.answers = list(map(ref, answers))
        return [*answers]


def test_answers_that_came_together_are_let_go_one_after_the_other() -> None:
    history = _AllAtOnce()
    request = SeriesRequest(sli=Sli(bad="b", total="t"), span=Span(AT - HOUR, AT), step=HOUR)
    answers = each_answer(history, [request] * 3)

    for place in range(3):
        answer = next(answers)
        assert isinstance(answer, Series)
        assert answer.total == (float(place),)
        del answer
        assert [each() is None for each in history.answers] == [at <= place for at in range(3)]
    assert next(answers, None) is None
    assert history.rounds == 1


def test_no_history_is_requested_where_none_is_wanted() -> None:
    history = _AllAtOnce()

    assert list(each_answer(history, [])) == []
    assert history.rounds == 0
