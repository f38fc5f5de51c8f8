"""Incidents of SLOs of which few samples are judged, held against what truly was wrong."""

from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.history.incidents import IncidentEnding, find_incidents
from gate.history.sampled_incidents import find_sampled_incidents
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.budget.building import AT, DAY, HOUR, MINUTE

STEP = 5 * MINUTE
A_DAY = DAY // STEP
BUDGET, THRESHOLD = 0.02, 6.0
"""One bad sample in eight and a third burns at 6: a window has 5 / 0.12 = 42 samples."""


def asked(steps: int) -> SeriesRequest:
    return SeriesRequest(sli=Sli(bad="b", total="t"), span=Span(AT - steps * STEP, AT), step=STEP)


def found(total: list[float | None], bad: list[float | None]) -> list[tuple[int, int, str]]:
    """Return the first and the last step of each incident, and how it ended."""
    request = asked(len(total))
    series = Series(total=tuple(total), bad=tuple(bad), query="asked")
    incidents = find_sampled_incidents(series, request, budget=BUDGET, threshold=THRESHOLD)
    start = request.span.start
    return [
        ((one.start - start) // STEP, (one.end - start) // STEP - 1, str(one.ending))
        for one in incidents
    ]


def sampled(
    days: int, wrong: Span | None, *, seed: int, each: float = 1.5, share: float = 0.17
) -> tuple[list[float | None], list[float | None]]:
    """Return samples of days and nights, of which half a percent is bad, and in a time a share."""
    chance = Random(seed)
    total: list[float | None] = []
    bad: list[float | None] = []
    for place in range(days * A_DAY):
        at = AT - days * DAY + place * STEP
        busy = each if 7 <= at.hour < 20 else each / 5
        count = int(busy) + (chance.random() < busy % 1)
        p = share if wrong is not None and wrong.start <= at < wrong.end else 0.005
        total.append(float(count))
        bad.append(float(sum(chance.random() < p for _ in range(count))))
    return total, bad


@pytest.mark.variants(4)
@pytest.mark.parametrize("seed", range(12))
def test_two_bad_days_are_one_incident_and_not_ten(seed: int) -> None:
    wrong = Span(AT - 5 * DAY, AT - 3 * DAY)
    total, bad = sampled(12, wrong, seed=seed)
    request = asked(len(total))
    series = Series(total=tuple(total), bad=tuple(bad), query="asked")

    (incident,) = find_sampled_incidents(series, request, budget=BUDGET, threshold=THRESHOLD)

    assert abs(incident.start - wrong.start) < 5 * HOUR
    assert abs(incident.end - wrong.end) < 5 * HOUR
    assert incident.ending is IncidentEnding.CALM
    # By a quarter of an hour it is many.
    assert len(find_incidents(series, request, budget=BUDGET, threshold=THRESHOLD)) > 5


@pytest.mark.parametrize("seed", range(12))
def test_half_a_percent_is_not_an_incident_by_day_or_night(seed: int) -> None:
    total, bad = sampled(12, None, seed=seed)

    assert found(total, bad) == []


def test_single_bad_samples_far_apart_are_not_an_incident() -> None:
    # One in twenty, at two an hour: 2.5 times the budget.
    total: list[float | None] = [1.0, *[0.0] * 5] * 200
    bad: list[float | None] = [1.0 if place % 120 == 0 else 0.0 for place in range(1200)]

    assert found(total, bad) == []


def test_it_is_dated_by_the_samples_that_were_bad() -> None:
    # A stray bad sample, thirty good ones, then ten bad ones in a row.
    total: list[float | None] = [1.0] * 400
    bad: list[float | None] = [0.0] * 400
    for place in (169, *range(200, 210)):
        bad[place] = 1.0

    assert found(total, bad) == [(200, 209, "calm")]


def test_what_still_goes_on_is_open_to_the_end() -> None:
    total: list[float | None] = [1.0] * 100
    bad: list[float | None] = [0.0] * 100
    bad[80:95] = [1.0 for _ in range(15)]

    assert found(total, bad) == [(80, 99, "open")]


def test_where_nothing_is_known_for_long_it_is_lost() -> None:
    total: list[float | None] = [1.0] * 100 + [None] * 60 + [1.0] * 100
    bad: list[float | None] = [0.0, *[0.0] * 84, *[1.0] * 15, *[None] * 60, *[0.0] * 100]

    assert found(total, bad) == [(85, 99, "lost")]


def test_a_short_hole_neither_ends_nor_begins_one() -> None:
    total: list[float | None] = [1.0] * 60 + [None] * 12 + [1.0] * 100
    bad: list[float | None] = [0.0] * 50 + [1.0] * 10 + [None] * 12 + [1.0] * 5 + [0.0] * 95
    (incident,) = find_sampled_incidents(
        Series(total=tuple(total), bad=tuple(bad), query="asked"),
        asked(len(total)),
        budget=BUDGET,
        threshold=THRESHOLD,
    )

    assert (incident.bad, incident.unknown) == (15, 12 * STEP)
    assert incident.duration == (10 + 12 + 5) * STEP


def test_two_that_are_far_apart_are_two() -> None:
    total: list[float | None] = [1.0] * 400
    bad: list[float | None] = [0.0] * 400
    for place in (*range(100, 110), *range(300, 310)):
        bad[place] = 1.0

    assert found(total, bad) == [(100, 109, "calm"), (300, 309, "calm")]


def test_with_many_samples_a_quarter_of_an_hour_is_enough() -> None:
    total: list[float | None] = [1000.0] * 60
    bad: list[float | None] = [0.0] * 60
    bad[30] = 500.0

    assert found(total, bad) == [(30, 30, "calm")]


def test_before_there_are_enough_samples_there_is_no_incident() -> None:
    assert found([1.0] * 40, [1.0] * 40) == []


@given(st.lists(st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=150))
def test_incidents_never_overlap_and_none_is_without_a_bad_sample(
    steps: list[tuple[int, int] | None],
) -> None:
    total = [None if step is None else float(sum(step)) for step in steps]
    bad = [None if step is None else float(step[0]) for step in steps]
    incidents = found(total, bad)

    assert all(first <= last for first, last, _ in incidents)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(incidents))
    assert all(any(bad[first : last + 1]) for first, last, _ in incidents)


def test_dates_are_instants_of_the_clock() -> None:
    request = SeriesRequest(
        sli=Sli(bad="b", total="t"), span=Span(AT - 99 * STEP - timedelta(minutes=2), AT), step=STEP
    )
    series = Series(total=(1.0,) * 100, bad=(*[0.0] * 60, *[1.0] * 40), query="asked")
    (incident,) = find_sampled_incidents(series, request, budget=BUDGET, threshold=THRESHOLD)

    start: datetime = incident.start
    assert (start, incident.end) == (request.span.start + 60 * STEP, AT)
