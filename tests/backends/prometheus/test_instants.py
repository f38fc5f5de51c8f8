"""The part of an answer for several instants that belongs to one of them."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import cast

from gate.backends.prometheus.evidence.births import BirthQuery
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.instants import GridInstant, InstantGrid, PastInstant
from gate.backends.prometheus.query import ClockSteps, Query
from gate.backends.prometheus.query_grid import QueryGrid, grid_of_two
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.backends.prometheus.shared_steps import SharedSteps
from gate.measure import Cause

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ATS = tuple(EPOCH + 10 * HOUR + timedelta(seconds=seconds) for seconds in (0, 1, 3601))
UNTIL = ATS[-1]
ALONE = QueryValue(number=Fraction(7))
FAILED = QueryError(cause=Cause.BACKEND_ERROR, reason="no")
COVERAGE = ClockSteps("count(x)", MINUTE).over(HOUR)
FAILURES = ClockSteps("(x > bool 1)", MINUTE, adds_up=True).over(HOUR)
BIRTH = BirthQuery(pieces=("x",), length=HOUR)


class ReadPoints:
    """Has an answer for every multiple of a step, and one for what is asked for one instant."""

    def __init__(self, every: int = 7, of_all: QueryResult | None = None) -> None:
        self.every, self.of_all = every, of_all

    def point(self, place: int) -> float | None:
        return None if place % self.every == 0 else float(place % 2)

    def reading(self, query: Query) -> QueryResult:
        if query.grid is None:
            return ALONE
        first = (query.grid.first - EPOCH) // query.grid.step
        points = tuple(map(self.point, range(first, first + query.grid.count)))
        return self.of_all or QueryValue(number=None, points=points)


def instants(fetch: ReadPoints, *parts: Query) -> list[PastInstant]:
    """Return the instants after all of them have asked the parts."""
    reads = cast("Fetch", fetch)
    shared = SharedSteps(reads)
    past = [PastInstant(at, UNTIL, reads, shared) for at in ATS]
    for each in past:
        for part in parts:
            if isinstance(part, BirthQuery):
                assert each.note_most(part)
            else:
                each.note(part)
    shared.queries()
    return past


def within(at: datetime, length: timedelta = HOUR, step: timedelta = MINUTE) -> list[int]:
    return [n for n in range(2000) if at - length < EPOCH + n * step <= at]


def test_each_instant_counts_the_steps_of_its_own_window() -> None:
    fetch = ReadPoints()
    for at, each in zip(ATS, instants(fetch, COVERAGE, FAILURES), strict=True):
        points = [point for n in within(at) if (point := fetch.point(n)) is not None]

        assert each.reading(COVERAGE) == QueryValue(number=Fraction(len(points)))
        assert each.reading(FAILURES) == QueryValue(number=Fraction(sum(points)))
        assert [*each.queries(COVERAGE), *each.again(COVERAGE)] == []


def test_steps_without_any_value_have_no_number() -> None:
    for each in instants(ReadPoints(every=1), COVERAGE):
        assert each.reading(COVERAGE) == QueryValue(number=None)


def test_an_instant_has_its_own_points_of_the_clock() -> None:
    fetch = ReadPoints()
    steps = ClockSteps("count(x)", MINUTE, adds_up=True)
    presence = [steps.points(range(first, first + 60)) for first in (9, 9, 30)]
    reads = cast("Fetch", fetch)
    shared = SharedSteps(reads)
    grid = QueryGrid(ATS[0], HOUR, 3)
    past = [
        GridInstant(ATS[0] + place * HOUR, grid.last, reads, shared, InstantGrid(grid))
        for place in range(3)
    ]
    for each, part in zip(past, presence, strict=True):
        each.note(part)
    shared.queries()

    for first, each, part in zip((9, 9, 30), past, presence, strict=True):
        points = tuple(map(fetch.point, range(first, first + 60)))
        assert each.reading(part) == QueryValue(number=None, points=points)
        assert [*each.queries(part), *each.again(part)] == []

    later = steps.points(range(2000, 2060))
    assert list(past[0].queries(later)) == [later.moved_by(2 * HOUR)]


def test_on_a_grid_births_are_asked_about_themselves() -> None:
    reads, grid = cast("Fetch", ReadPoints()), QueryGrid(ATS[0], HOUR, 3)
    both = InstantGrid(grid)
    on_grid = GridInstant(ATS[0] + HOUR, grid.last, reads, SharedSteps(reads), both)
    on_grid.note(BIRTH)
    on_grid.decide()

    assert not on_grid.note_most(BIRTH)
    assert [query.grid for query in on_grid.queries(BIRTH)] == [grid]


def test_where_what_is_requested_all_is_not_clear_each_is_asked_about_alone() -> None:
    presence = ClockSteps("count(x)", MINUTE, adds_up=True).points(range(540, 600))
    for each, at in zip(instants(ReadPoints(of_all=FAILED), COVERAGE, presence), ATS, strict=True):
        alone = COVERAGE.moved_by(UNTIL - at)

        assert list(each.again(COVERAGE)) == [alone]
        assert each.reading(COVERAGE) == ALONE
        assert each.reading(presence) == FAILED


def test_births_hide_at_most_what_began_in_the_window_or_the_step_after_it() -> None:
    fetch, third = ReadPoints(), 20 * MINUTE
    for at, each in zip(ATS, instants(fetch, BIRTH), strict=True):
        begun = within(at + third, HOUR + third, third)
        most = 4 * sum(fetch.point(n) or 0 for n in begun)

        assert each.most(BIRTH) == QueryValue(number=Fraction(most))


def test_births_that_are_taken_off_others_have_no_such_bound() -> None:
    deducted = BirthQuery(pieces=("x",), length=HOUR, deducted=True)
    for each in instants(ReadPoints(), deducted):
        assert each.most(deducted) is None
    for each in instants(ReadPoints(every=1), deducted):
        assert each.most(deducted) == QueryValue(number=None)
    for each in instants(ReadPoints(of_all=FAILED), BIRTH):
        assert each.most(BIRTH) is None


def two_instants(reads: ReadPoints, *parts: Query, fewest: int = 1) -> list[PastInstant]:
    """Return the first two instants, on a grid of their own, after both have asked the parts."""
    grid, fetch = grid_of_two(ATS[0], ATS[1]), cast("Fetch", reads)
    assert grid is not None
    shared, both = SharedSteps(fetch), InstantGrid(grid, fewest)
    past = [PastInstant(at, UNTIL, fetch, shared, both) for at in ATS[:2]]
    for each in past:
        for part in parts:
            each.note(part)
    for each in past:
        each.decide()
    shared.queries()
    return past


def test_two_instants_are_asked_about_by_one_query_of_which_each_reads_its_own_point() -> None:
    part, fetch = Query(pieces=("x",), length=HOUR), ReadPoints()
    past = two_instants(fetch, part)

    (query,) = {query for each in past for query in each.queries(part)}

    assert (query.text, query.grid) == ("x", grid_of_two(*ATS[:2]))
    for place, each in enumerate(past, start=36_000):
        point = fetch.point(place)
        number = None if point is None else Fraction(point)
        assert each.reading(part) == QueryValue(number=number)
        assert list(each.again(part)) == []


def test_what_the_grid_of_two_is_not_clear_about_is_asked_of_each() -> None:
    part = Query(pieces=("x",), length=HOUR)
    for each, at in zip(two_instants(ReadPoints(of_all=FAILED), part), ATS, strict=False):
        assert list(each.again(part)) == [part.moved_by(UNTIL - at)]
        assert each.reading(part) == ALONE


def test_too_few_questions_for_a_query_of_two_instants_are_asked_of_each() -> None:
    part = Query(pieces=("x",), length=HOUR)
    for each, at in zip(two_instants(ReadPoints(), part, fewest=2), ATS, strict=False):
        assert list(each.queries(part)) == [part.moved_by(UNTIL - at)]
        assert list(each.again(part)) == []
