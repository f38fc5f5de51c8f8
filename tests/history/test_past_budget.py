"""The contents of a picture and of a table of a history."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.history.burn_down import thin
from gate.history.past_budget import ShortSteps, Trace, trace
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.budget.building import AT, DAY, HOUR, ratio_slo
from tests.history.telling import asked, series

STEP = timedelta(minutes=5)
values = st.lists(st.none() | st.floats(-10, 10), max_size=200)


def month(*failures: tuple[timedelta, float]) -> Series:
    """Return thirty days of 100 events in five minutes, with failures in steps that ended then."""
    bad = [0.0] * 8640
    for ago, count in failures:
        bad[len(bad) - 1 - ago // STEP] = count
    return Series(total=(100.0,) * 8640, bad=tuple(bad), query="asked")


def told(history: Series, request: SeriesRequest | None = None) -> Trace:
    request = request or asked(8640, STEP)
    steps = ShortSteps(series=history, request=request, budget=0.001)
    return trace(ratio_slo(), None, request.span, steps)


@given(values, st.integers(1, 50))
def test_thinning_keeps_the_lowest_and_the_highest_and_invents_nothing(
    given_values: list[float | None], buckets: int
) -> None:
    points = thin(given_values, buckets)
    known = [one for one in given_values if one is not None]

    assert all(given_values[place] == value for place, value in points)
    assert [place for place, _ in points] == sorted({place for place, _ in points})
    assert len(points) <= max(2 * buckets, 2)
    kept = [value for _, value in points if value is not None]
    assert (min(kept, default=0), max(kept, default=0)) == (
        min(known, default=0),
        max(known, default=0),
    )


def test_a_bucket_without_any_value_is_a_gap() -> None:
    assert thin([1.0, 2.0, 3.0, None, None, None], 2) == [(0, 1.0), (2, 3.0), (3, None)]


def test_a_single_bad_step_of_a_month_is_seen() -> None:
    # 100 failures in the hour of 1,200 events, at 0.1%.
    found = told(month((10 * DAY, 100.0)))

    assert max(rate or 0 for _, rate in found.fast) == pytest.approx(100 / 1200 / 0.001)
    assert max(rate or 0 for _, rate in found.slow) == pytest.approx(100 / 28_800 / 0.001)
    assert len(found.fast) <= 400
    assert len(found.slow) <= 202
    assert found.slow[-1][0] == AT


def test_days_begin_at_midnight_and_sum_up_to_the_whole() -> None:
    # AT is 14:00: the first day has ten hours and the last fourteen.
    days = told(month((timedelta(), 3.0), (10 * DAY, 40.0))).stretches

    assert len(days) == 31
    assert (days[0].span, days[-1].span) == (
        Span(AT - 30 * DAY, AT - 30 * DAY + 10 * HOUR),
        Span(AT - 14 * HOUR, AT),
    )
    assert (days[0].total, days[1].total, days[-1].total) == (12_000, 28_800, 16_800)
    assert sum(one.bad or 0 for one in days) == 43
    assert [one.bad for one in days if one.bad] == [40, 3]
    assert days[-1].peak == pytest.approx(3 / 1200 / 0.001)


def test_a_short_history_is_reported_by_the_hour() -> None:
    found = told(series(*(0,) * 36), asked(36, HOUR))

    assert [one.span.length for one in found.stretches] == [HOUR] * 36


def test_what_is_not_known_is_reported_as_such() -> None:
    # Ten days by the hour, of which the third and fourth are not known.
    bad = [0.0] * 48 + [None] * 48 + [0.0] * 144
    request = SeriesRequest(sli=Sli(bad="b"), span=Span(AT - 10 * DAY, AT), step=HOUR)
    found = told(series(*bad), request)
    lost = Span(AT - 8 * DAY, AT - 6 * DAY)
    within = [one for one in found.stretches if lost.start < one.span.end <= lost.end - 14 * HOUR]

    assert found.unknown == (lost,)
    assert {value for at, value in found.fast if lost.start < at <= lost.end} == {None}
    assert {(one.total, one.bad) for one in within[1:]} == {(None, None)}
    assert {(one.left, one.peak) for one in within[1:]} == {(None, None)}


def test_without_a_history_of_the_budget_there_are_burn_rates_all_the_same() -> None:
    found = told(series(0, 2, 0), asked(3, DAY))

    assert found.left == found.compared == ()
    assert [rate for _, rate in found.fast] == pytest.approx([0, 2, 0])
    assert {one.left for one in found.stretches} == {None}


def test_without_steps_there_are_days_all_the_same() -> None:
    found = trace(ratio_slo(), None, Span(AT - 4 * DAY, AT), None)

    assert (found.fast, found.slow, found.unknown) == ((), (), ())
    assert [(one.total, one.bad, one.peak) for one in found.stretches] == [(None, None, None)] * 5
