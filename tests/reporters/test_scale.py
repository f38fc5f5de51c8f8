"""Where values stand in a picture, and which are written beside it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.reporters.drawing import Linear, Logarithmic, Times
from gate.slo.objective import Span

END = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)
lengths = st.timedeltas(timedelta(minutes=10), timedelta(days=1500))


def written(length: timedelta) -> list[str]:
    return [text for _, text in Times(Span(END - length, END)).ticks()]


@pytest.mark.parametrize(
    ("length", "ticks"),
    [
        (timedelta(hours=2), ["12:30", "13:00", "13:30", "14:00", "14:30"]),
        (timedelta(days=1), ["18:00", "25 Nov", "06:00", "12:00"]),
        (timedelta(days=7), ["20 Nov", "22 Nov", "24 Nov"]),
        (timedelta(days=30), ["2 Nov", "9 Nov", "16 Nov", "23 Nov"]),
        (timedelta(days=90), ["14 Sep", "5 Oct", "26 Oct", "16 Nov"]),
        (timedelta(days=400), ["2025-12-29", "2026-03-30", "2026-06-29", "2026-09-28"]),
    ],
)
def test_instants_are_round_in_utc_and_few(length: timedelta, ticks: list[str]) -> None:
    assert written(length) == ticks


@given(lengths)
def test_there_are_never_more_than_a_phone_can_show(length: timedelta) -> None:
    assert len(written(length)) <= 7


@given(lengths)
def test_instants_are_within_the_picture(length: timedelta) -> None:
    times = Times(Span(END - length, END))

    assert all(0 <= times.share(at) <= 1 for at, _ in times.ticks())


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.5, 1]),
        (-1.157, 1, [-1, 0, 1]),
        (-60, 1, [-50, -25, 0]),
        (0, 1.02, [0, 0.5, 1]),
    ],
)
def test_values_are_round_and_few(low: float, high: float, ticks: list[float]) -> None:
    assert Linear(low, high).ticks() == ticks


@given(st.floats(-1000, 0), st.floats(1, 3))
def test_even_steps_have_few_ticks_within_the_picture(low: float, high: float) -> None:
    scale = Linear(low, high)

    assert 1 <= len(scale.ticks()) <= 5
    assert all(-1e-9 <= scale.share(value) <= 1 + 1e-9 for value in scale.ticks())


def test_a_logarithmic_scale_shows_nothing_one_and_a_thousand() -> None:
    scale = Logarithmic(1100.0)

    assert scale.ticks() == [0, 1, 10, 100, 1000]
    assert (scale.share(0), scale.share(1100)) == (0, 1)
    steps = [scale.share(value) for value in scale.ticks()]
    assert all(later - earlier > 0.09 for earlier, later in pairwise(steps))
