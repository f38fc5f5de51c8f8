"""Stretches of a history in which the budget burns too fast, found where they are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.history.incidents import (
    CALM,
    WINDOW,
    Incident,
    IncidentEnding,
    burn_rates,
    find_incidents,
)
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span

START = datetime(2026, 11, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
BUDGET = 0.01
TRAFFIC = 100.0
"""Events of a step: one bad event is a burn rate of 1."""
CALM_STEPS = CALM // STEP
LONG_CALM = [0] * (CALM_STEPS + 2)

Bad = list[int | None]
STEPS = st.lists(st.none() | st.just(0) | st.integers(0, 100), min_size=1, max_size=120)
THRESHOLDS = st.integers(1, 60)


def series(bad: Bad, traffic: float = TRAFFIC) -> Series:
    known = tuple(None if one is None else float(one) for one in bad)
    total = tuple(None if one is None else traffic for one in bad)
    return Series(total=total, bad=known, query="asked")


def request(steps: int, start: datetime = START, step: timedelta = STEP) -> SeriesRequest:
    return SeriesRequest(sli=Sli(), span=Span(start, start + steps * step), step=step)


def find(bad: Bad, threshold: float = 6, start: datetime = START) -> tuple[Incident, ...]:
    return find_incidents(series(bad), request(len(bad), start), budget=BUDGET, threshold=threshold)


def places(incident: Incident) -> tuple[int, int]:
    """Return the first step and the one after the last."""
    return (incident.start - START) // STEP, (incident.end - START) // STEP


def test_an_outage_is_dated_to_its_first_and_last_bad_step_although_the_window_lags() -> None:
    (found,) = find([*LONG_CALM, 50, 100, 50, *LONG_CALM])

    assert places(found) == (8, 11)
    assert found.duration == 3 * STEP
    assert (found.ending, found.bad, found.unknown) == (IncidentEnding.CALM, 200, timedelta())
    assert found.peak == pytest.approx(200 / 3)


def test_a_slow_rise_belongs_to_the_incident_once_it_is_half_as_high() -> None:
    # Rates over 15 minutes: 0.7, 2, 4, 6.7: at the fourth step it is found, from the second it was.
    (found,) = find([0, 0, 2, 4, 6, 10, *LONG_CALM])

    assert places(found) == (3, 6)


def test_what_flickers_is_one_incident() -> None:
    flickering = [90, 0, 0, 0, 0, 90, 0, 0, 0, 0, 90]

    (found,) = find([*LONG_CALM, *flickering, *LONG_CALM])

    assert found.bad == 270
    assert found.duration == 11 * STEP


def test_after_half_an_hour_of_calm_it_is_another_one() -> None:
    # The window of 15 minutes still holds the outage for two steps: calm begins after these.
    apart = [0] * (CALM_STEPS + WINDOW // STEP - 1)

    assert len(find([90, *apart, 90])) == 2
    assert len(find([90, *apart[1:], 90])) == 1


def test_between_half_of_the_threshold_and_the_threshold_it_goes_on_but_does_not_begin() -> None:
    smouldering: Bad = [4] * 20

    assert find(smouldering) == ()
    (found,) = find([10, 10, 10, *smouldering, *LONG_CALM])
    assert places(found) == (0, 23)


def test_at_the_threshold_it_begins() -> None:
    assert len(find([6, 6, 6], threshold=6)) == 1
    assert find([6, 6, 6], threshold=6.001) == ()


def test_what_has_not_been_calm_for_long_enough_is_open() -> None:
    (found,) = find([*LONG_CALM, 50, *[0] * (CALM_STEPS - 1)])

    assert found.ending is IncidentEnding.OPEN
    assert found.end == START + (len(LONG_CALM) + CALM_STEPS) * STEP


def test_a_hole_in_the_data_does_not_end_an_incident() -> None:
    hole: Bad = [None] * (CALM_STEPS - 1)

    (found,) = find([50, *hole, 50, *LONG_CALM])

    assert places(found) == (0, CALM_STEPS + 1)
    assert found.unknown == (CALM_STEPS - 1) * STEP
    assert found.bad == 100


def test_short_holes_do_not_add_up_to_a_long_one() -> None:
    hole: Bad = [None] * (CALM_STEPS // 2)

    (found,) = find([50, *hole, 50, *hole, 50, *LONG_CALM])

    assert found.duration == (2 * len(hole) + 3) * STEP


def test_a_long_hole_loses_it() -> None:
    hole: Bad = [None] * CALM_STEPS

    first, second = find([50, *hole, 50, *LONG_CALM])

    assert (first.ending, places(first)) == (IncidentEnding.LOST, (0, 1))
    assert (second.ending, places(second)) == (
        IncidentEnding.CALM,
        (CALM_STEPS + 1, CALM_STEPS + 2),
    )


def test_where_nothing_happens_nothing_burns() -> None:
    quiet = series([0] * 12, traffic=0.0)

    assert find_incidents(quiet, request(12), budget=BUDGET, threshold=0.001) == ()


def test_steps_longer_than_the_window_are_taken_one_by_one() -> None:
    hours = request(4, step=timedelta(hours=1))

    first, second = find_incidents(series([9, 0, 9, 0]), hours, budget=BUDGET, threshold=6)

    assert (first.start, first.duration) == (START, timedelta(hours=1))
    assert second.start == START + timedelta(hours=2)


@given(STEPS, THRESHOLDS)
def test_incidents_do_not_overlap_and_hold_no_more_than_there_is(bad: Bad, threshold: int) -> None:
    found = find(bad, threshold)
    ends = [START, *(one.end for one in found)]

    assert all(end <= one.start < one.end for end, one in zip(ends, found, strict=False))
    assert ends[-1] <= START + len(bad) * STEP
    assert sum(one.bad for one in found) <= sum(one or 0 for one in bad)
    for one in found:
        first, last = places(one)
        assert one.bad == sum(value or 0 for value in bad[first:last]) > 0
        assert one.unknown == bad[first:last].count(None) * STEP
        assert one.peak >= threshold
        assert first == 0 or bad[first] is not None
    assert all(one.ending is not IncidentEnding.OPEN for one in found[:-1])


@given(STEPS, THRESHOLDS, st.timedeltas(-timedelta(days=900), timedelta(days=900)))
def test_shifting_time_shifts_the_incidents(bad: Bad, threshold: int, shift: timedelta) -> None:
    shifted = tuple(
        replace(one, start=one.start + shift, end=one.end + shift) for one in find(bad, threshold)
    )

    assert find(bad, threshold, START + shift) == shifted


@given(STEPS)
def test_a_threshold_above_the_peak_finds_none(bad: Bad) -> None:
    peak = max((one or 0 for one in bad), default=0)

    assert find(bad, peak + 0.001) == ()


@given(STEPS, THRESHOLDS)
def test_every_step_in_which_it_begins_to_burn_is_in_an_incident(bad: Bad, threshold: int) -> None:
    covered = {place for one in find(bad, threshold) for place in range(*places(one))}

    for place in range(len(bad)):
        window = [one for one in bad[max(place - 2, 0) : place + 1] if one is not None]
        if bad[place] is not None and sum(window) > threshold * len(window):
            recent = set(range(max(place - 2, 0), place + 1))
            assert covered & recent


@pytest.mark.parametrize(
    ("bad", "rates"),
    [
        ([1.0, None, 3.0, 2.0], [0.5, None, 1.5, 2.5]),
        ([0.5, None, 1.25, 2.0], [0.25, None, 0.625, 1.625]),
        ([-1.0, None, 3.0, 2.0], [-0.5, None, 1.5, 2.5]),
    ],
    ids=["whole", "parts", "negative"],
)
def test_burn_rates_are_those_of_two_steps(
    bad: list[float | None], rates: list[float | None]
) -> None:
    history = Series(total=(2.0, None, 2.0, 0.0), bad=tuple(bad), query="asked")

    assert burn_rates(history, 1.0, 2) == rates


COUNTS = st.one_of(
    st.integers(0, 1000).map(float),
    st.floats(0, 1000),
    st.sampled_from([-1.0, 0.1, 0.5, 2.0**53 - 1, 2.0**53, 1e30]),
)


@given(
    values=st.lists(st.none() | COUNTS, max_size=40),
    window=st.integers(1, 45),
    idle=st.sampled_from([None, 0.0]),
)
def test_a_burn_rate_is_that_of_the_sums_of_its_window(
    values: list[float | None], window: int, idle: float | None
) -> None:
    history = Series(total=tuple(values), bad=tuple(values[::-1]), query="asked")
    rates = []
    for place, value in enumerate(values):
        first = max(place - window + 1, 0)
        total, bad = (
            sum(one for one in each[first : place + 1] if one is not None)
            for each in (history.total, history.bad)
        )
        rate = bad / (BUDGET * total) if total else idle
        rates.append(None if value is None else rate)

    assert burn_rates(history, BUDGET, window, idle=idle) == rates
    some = range(0, len(values), 3)
    assert burn_rates(history, BUDGET, window, some, idle=idle) == [rates[p] for p in some]
