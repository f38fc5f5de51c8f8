"""Steps that windows of several instants share."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.query import ClockSteps, Query
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.backends.prometheus.shared_steps import SharedSteps
from gate.measure import Cause

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PRESENCE = ClockSteps("count(x)", MINUTE)
FAILURES = ClockSteps("(x > bool 1)", MINUTE, adds_up=True)
WINDOWS = (range(10, 40), range(12, 42), range(25, 55))


class ReadSteps:
    """Has a number at each multiple of a minute, or what else came back."""

    def __init__(self, number: Callable[[int], float | None], instead: QueryResult | None) -> None:
        self.number, self.instead = number, instead

    def reading(self, query: Query) -> QueryResult:
        grid = query.grid
        assert grid is not None
        first = (grid.first - EPOCH) // grid.step
        points = tuple(map(self.number, range(first, first + grid.count)))
        return self.instead or QueryValue(number=None, points=points)


def some(place: int) -> float | None:
    return None if place % 7 == 0 else float(place % 3)


def shared_steps(instead: QueryResult | None = None) -> SharedSteps:
    return SharedSteps(cast("Fetch", ReadSteps(some, instead)))


def noted(steps: ClockSteps, *windows: range, instead: QueryResult | None = None) -> SharedSteps:
    shared = shared_steps(instead)
    for window in windows:
        shared.note(steps, window)
    return shared


@pytest.mark.parametrize("steps", [PRESENCE, FAILURES])
def test_each_window_has_its_own_steps_of_what_is_asked_once(steps: ClockSteps) -> None:
    shared = noted(steps, *WINDOWS)

    (query,) = shared.queries()

    grid = query.grid
    assert grid is not None
    assert (grid.first, grid.step, grid.count) == (EPOCH + 10 * MINUTE, MINUTE, 45)
    for window in WINDOWS:
        points = [some(place) for place in window]
        values = [point for point in points if point is not None]
        assert shared.shares(steps, window)
        assert shared.reading(steps, window) == (len(values), sum(values))
        assert shared.points(steps, window) == tuple(points)
    assert shared.queries() == []


def test_of_what_is_counted_it_is_asked_whether_it_is_there() -> None:
    (counts,) = noted(PRESENCE, *WINDOWS).queries()
    (values,) = noted(FAILURES, *WINDOWS).queries()

    assert counts.text == "(count(x)) >= bool 0"
    assert values.text == "(x > bool 1)"


@pytest.mark.parametrize(
    "windows",
    [WINDOWS[:2], (range(30), range(100, 130), range(200, 230))],
    ids=["few", "far apart"],
)
def test_windows_with_little_in_common_are_asked_about_by_themselves(
    windows: tuple[range, ...],
) -> None:
    shared = noted(PRESENCE, *windows)

    assert shared.queries() == []
    assert not any(shared.shares(PRESENCE, window) for window in windows)
    assert shared.reading(PRESENCE, windows[0]) is None
    assert shared.points(PRESENCE, windows[0]) is None


def test_a_later_window_is_shared_if_what_was_asked_holds_it() -> None:
    shared = noted(PRESENCE, *WINDOWS)
    shared.queries()
    for window in (range(20, 30), range(50, 60)):
        shared.note(PRESENCE, window)

    assert shared.queries() == []
    assert shared.shares(PRESENCE, range(20, 30))
    assert not shared.shares(PRESENCE, range(50, 60))


@pytest.mark.parametrize(
    "instead",
    [
        QueryError(cause=Cause.BACKEND_ERROR, reason="no"),
        QueryValue(number=None, points=(1.0,) * 45, warnings=("a store is down",)),
        QueryValue(number=None, points=(1.0,) * 45, notes=("no counter",)),
    ],
)
def test_what_is_not_clear_is_not_read(instead: QueryResult) -> None:
    shared = noted(PRESENCE, *WINDOWS, instead=instead)
    shared.queries()

    assert shared.shares(PRESENCE, WINDOWS[0])
    assert shared.reading(PRESENCE, WINDOWS[0]) is None
    assert shared.points(PRESENCE, WINDOWS[0]) is None


@pytest.mark.parametrize("seconds", [0, 0.001, 59.999, 60, 1234.5678])
def test_a_window_leaves_its_start_out_and_includes_its_end(seconds: float) -> None:
    end = EPOCH + timedelta(hours=1, seconds=seconds)
    length = timedelta(minutes=10)

    places = PRESENCE.multiples(end, length)

    expected = [n for n in range(200) if end - length < EPOCH + n * MINUTE <= end]
    assert list(places) == expected
