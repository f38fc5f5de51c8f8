"""Two instants that are asked about by one query."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from gate.backends.prometheus.pairs import InstantPair
from gate.backends.prometheus.query import Query, QueryGrid
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.measure import Cause

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OLDER, NEWER, UNTIL = (EPOCH + timedelta(seconds=seconds) for seconds in (100, 130, 200))
PART = Query(pieces=("sum(increase(x[", "]))"), length=timedelta(minutes=1))
ERROR = QueryError(cause=Cause.BACKEND_ERROR, reason="no")


def pair(older: datetime = OLDER, newer: datetime = NEWER, until: datetime = UNTIL) -> InstantPair:
    return InstantPair(older, newer, until)


def test_both_instants_are_steps_of_one_subquery() -> None:
    # 100 s and 130 s are 120 s and 150 s when moved by 20 s: multiples of their distance.
    asked = pair()
    asked.note(PART)
    asked.note(PART)

    query = asked.query(PART)

    assert query is not None
    assert query.text == (
        'sum_over_time((count_values("gate_value",sum(increase(x[60s] offset 20s)))'
        "*(1+999999*(time()<bool 150.000)))[30001ms:30s] offset 50s)"
    )
    assert (query.back, query.extent) == (timedelta(seconds=70), timedelta(seconds=90))
    assert asked.query(PART) is query


def test_the_newest_instant_is_asked_about_without_an_offset() -> None:
    asked = pair(
        EPOCH + timedelta(seconds=30), EPOCH + timedelta(seconds=60), EPOCH + timedelta(seconds=60)
    )
    asked.note(PART)
    asked.note(PART)

    query = asked.query(PART)

    assert query is not None
    assert query.text.endswith(
        "sum(increase(x[60s])))*(1+999999*(time()<bool 60.000)))[30001ms:30s])"
    )


def test_what_one_instant_asks_or_has_several_numbers_is_not_asked_for_both() -> None:
    asked = pair()
    table = Query(pieces=("count by (a) (x)",), length=timedelta(), label="a")
    steps = Query(pieces=("x",), length=timedelta(), grid=QueryGrid(OLDER, timedelta(seconds=1), 3))
    asked.note(PART)
    for part in (table, table, steps, steps):
        asked.note(part)

    assert [asked.query(part) for part in (PART, table, steps)] == [None, None, None]


@pytest.mark.parametrize(
    ("older", "newer", "until", "possible"),
    [
        (OLDER, NEWER, UNTIL, True),
        (OLDER, NEWER, NEWER + timedelta(seconds=20), True),
        (OLDER, NEWER, NEWER + timedelta(seconds=19), False),
        (OLDER, OLDER, UNTIL, False),
    ],
)
def test_a_pair_needs_two_instants_and_does_not_look_ahead(
    older: datetime, newer: datetime, until: datetime, possible: bool
) -> None:
    assert pair(older, newer, until).possible is possible


def counted(**weights: int) -> QueryValue:
    numbers = {text.removeprefix("n"): Fraction(weight) for text, weight in weights.items()}
    return QueryValue(number=None, numbers=numbers)


@pytest.mark.parametrize(
    ("reading", "older", "newer"),
    [
        (counted(n3=1, n5=1_000_000), Fraction(5), Fraction(3)),
        (counted(n3=1_000_001), Fraction(3), Fraction(3)),
        (counted(n3=1), None, Fraction(3)),
        (counted(n3=1_000_000), Fraction(3), None),
        (counted(), None, None),
    ],
)
def test_each_instant_has_its_own_number(
    reading: QueryResult, older: Fraction | None, newer: Fraction | None
) -> None:
    assert pair().number(reading, OLDER) == QueryValue(number=older)
    assert pair().number(reading, NEWER) == QueryValue(number=newer)


@pytest.mark.parametrize(
    "reading",
    [
        ERROR,
        counted(n3=2),
        counted(n3=1, n5=1),
        counted(nNaN=1),
        QueryValue(number=None, numbers={"3": Fraction(1)}, warnings=("a store is down",)),
        QueryValue(number=None, numbers={"3": Fraction(1)}, notes=("no counter",)),
    ],
)
def test_an_answer_that_is_not_clear_is_none(reading: QueryResult) -> None:
    assert pair().number(reading, NEWER) is None
