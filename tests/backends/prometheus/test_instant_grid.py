"""Instants at equal distances, as two always are, asked about by one query."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from gate.backends.prometheus.instants import InstantGrid
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_grid import QueryGrid, endpoint_of, grid_of_two
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.measure import Cause

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OLDER, NEWER = (EPOCH + timedelta(seconds=seconds) for seconds in (100, 130.004))
GRID = QueryGrid(OLDER, NEWER - OLDER, 2)
PART = Query(pieces=("sum(increase(x[", "]))"), length=timedelta(minutes=1))
TABLE = Query(pieces=("count by (a) (x)",), length=timedelta(), label="a")
ERROR = QueryError(cause=Cause.BACKEND_ERROR, reason="no")


def decided(*parts: Query, fewest: int = 1) -> InstantGrid:
    """Return the grid after one of the instants has asked the parts."""
    asked = InstantGrid(GRID, fewest)
    for part in parts:
        asked.note(part)
    asked.decide()
    return asked


def test_two_instants_are_the_ends_of_one_step() -> None:
    grid = grid_of_two(OLDER, NEWER)

    assert grid == GRID
    assert endpoint_of(GRID) == (
        "query_range",
        {"start": "100.000", "end": "130.004", "step": "30.004"},
    )
    assert [InstantGrid(GRID).place(at) for at in (OLDER, NEWER)] == [0, 1]


@pytest.mark.parametrize("micro", [0, 400, 500])
def test_instants_between_milliseconds_are_sent_as_they_are_sent_alone(micro: int) -> None:
    older, newer = OLDER + timedelta(microseconds=micro), NEWER + timedelta(microseconds=499)
    grid = grid_of_two(older, newer)

    assert grid is not None
    _, times = endpoint_of(grid)
    alone = [endpoint_of(at)[1]["time"] for at in (older, newer)]
    assert [times["start"], times["end"]] == alone
    assert [InstantGrid(grid).place(at) for at in (older, newer)] == [0, 1]


def test_instants_that_a_server_cannot_tell_apart_have_no_grid() -> None:
    assert grid_of_two(OLDER, OLDER) is None
    assert grid_of_two(OLDER, OLDER + timedelta(microseconds=499)) is None


def test_a_question_is_asked_as_it_is_at_each_of_the_instants() -> None:
    asked = decided(PART, TABLE)

    for part, by in ((PART, ()), (TABLE, ("a",))):
        query = asked.query(part)
        assert query is not None
        assert (query.text, query.grid, query.by) == (part.text, GRID, by)
        assert asked.query(part) is query


def test_few_questions_and_those_with_instants_of_their_own_are_not_asked_on_the_grid() -> None:
    steps = Query(pieces=("x",), length=timedelta(), grid=QueryGrid(OLDER, timedelta(seconds=1), 3))

    assert decided(PART, PART, fewest=2).query(PART) is None
    assert decided(PART, TABLE, fewest=2).query(PART) is not None
    assert decided(steps).query(steps) is None


def test_each_round_decides_anew() -> None:
    asked = decided(PART, fewest=2)
    asked.note(TABLE)
    asked.decide()

    assert [asked.query(part) for part in (PART, TABLE)] == [None, None]


def points(*numbers: float | None) -> QueryValue:
    return QueryValue(number=None, points=numbers)


@pytest.mark.parametrize(
    ("reading", "numbers"),
    [
        (points(3.0, 5.0), (Fraction(3), Fraction(5))),
        (points(0.1, 1e23), (Fraction(1, 10), Fraction(10**23))),
        (points(None, -2.5), (None, Fraction(-5, 2))),
        (points(None, None), (None, None)),
    ],
)
def test_each_instant_has_its_own_number_as_the_server_wrote_it(
    reading: QueryResult, numbers: tuple[Fraction | None, ...]
) -> None:
    asked = decided(PART)

    assert [asked.value(PART, reading, place) for place in (0, 1)] == [
        QueryValue(number=number) for number in numbers
    ]


def test_each_instant_has_its_own_table() -> None:
    groups: dict[tuple[str, ...], tuple[float | None, ...]]
    groups = {("b",): (None, 2.0), ("c",): (1.0, 0.5)}
    reading = QueryValue(number=None, groups=groups)
    asked = decided(TABLE)

    assert [asked.value(TABLE, reading, place) for place in (0, 1)] == [
        QueryValue(number=None, numbers={"c": Fraction(1)}),
        QueryValue(number=None, numbers={"b": Fraction(2), "c": Fraction(1, 2)}),
    ]


@pytest.mark.parametrize(
    "reading",
    [
        ERROR,
        QueryValue(number=None, points=(1.0, 2.0), warnings=("a store is down",)),
        QueryValue(number=None, points=(1.0, 2.0), notes=("no counter",)),
    ],
)
def test_an_answer_that_is_not_clear_is_none(reading: QueryResult) -> None:
    assert decided(PART).value(PART, reading, 1) is None
