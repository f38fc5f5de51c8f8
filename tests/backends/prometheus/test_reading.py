from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.backends.prometheus.fetch import merge_results
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_grid import QueryGrid
from gate.backends.prometheus.query_result import (
    QueryError,
    QueryResult,
    QueryValue,
    read_reply,
)
from gate.backends.prometheus.replies import Reply
from gate.measure import Cause

FIRST = 1767225600.123
GRID = QueryGrid(datetime.fromtimestamp(FIRST, UTC), timedelta(seconds=7.001), 4)


def sample(value: object, **metric: str) -> dict[str, Any]:
    return {"metric": metric, "value": [1767225600, value]}


def read(*result: object, parts: int = 1, kind: str = "vector") -> list[QueryResult]:
    asked = [Query(pieces=(f"part_{place}",), length=timedelta()) for place in range(parts)]
    return read_reply(Reply(kind=kind, result=result), asked)


@pytest.mark.parametrize(
    "text, number",
    [
        ("0.1", Fraction(1, 10)),
        ("4.4323774500000001e+08", Fraction("443237745.00000001")),
        ("1e-7", Fraction(1, 10**7)),
        ("-3", Fraction(-3)),
        ("0", Fraction(0)),
        # The smallest float64, as Go writes it.
        ("0." + "0" * 323 + "5", Fraction(5, 10**324)),
    ],
)
def test_values_are_read_exactly(text: str, number: Fraction) -> None:
    assert read(sample(text)) == [QueryValue(number=number)]


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf", "Inf", "1e31", "-1e300", "1e999"])
def test_no_count_is_invalid_and_named(text: str) -> None:
    (fault,) = read(sample(text))

    assert isinstance(fault, QueryError)
    assert fault.cause is Cause.INVALID
    assert text in fault.reason


@pytest.mark.parametrize(
    "broken",
    [
        sample("abc"),
        sample("1e999999999"),
        sample("0." + "1" * 5000),
        sample("1" * 5000),
        sample(""),
        sample(3),
        {"metric": {}},
        {"metric": {}, "value": "3"},
        {"value": [0, "3"]},
        {"metric": 5, "value": [0, "3"]},
        "series",
        None,
    ],
)
def test_unreadable_series_are_a_fault_of_the_backend(broken: object) -> None:
    (fault,) = read(broken)

    assert isinstance(fault, QueryError)
    assert fault.cause is Cause.BACKEND_ERROR


def test_parts_are_distinguished_by_their_mark() -> None:
    found = read(sample("2", gate_part="2"), sample("0", gate_part="0"), parts=3)

    assert found == [
        QueryValue(number=Fraction(0)),
        QueryValue(number=None),
        QueryValue(number=Fraction(2)),
    ]


@pytest.mark.parametrize("mark", ["3", "x", "-1", "", "None", "01", "9" * 5000])
def test_series_that_belong_to_no_part_make_the_whole_answer_unreadable(mark: str) -> None:
    found = read(sample("2", gate_part=mark), sample("0", gate_part="0"), parts=3)

    assert {type(reading) for reading in found} == {QueryError}


def test_several_series_are_listed_but_not_more_than_five() -> None:
    (fault,) = read(*(sample("1", pod=f"p{i}") for i in range(7)))

    assert isinstance(fault, QueryError)
    assert fault.cause is Cause.INVALID
    assert fault.reason.startswith('7 series came back instead of one: {pod="p0"}, {pod="p1"}')
    assert '{pod="p4"} and 2 more' in fault.reason
    assert "p5" not in fault.reason


def test_mark_is_not_shown_among_the_labels_of_several_series() -> None:
    twice = [sample("1", gate_part="1", pod=pod) for pod in "ab"]
    zero, one = read(*twice, parts=2)

    assert zero == QueryValue(number=None)
    assert isinstance(one, QueryError)
    assert '{pod="a"}, {pod="b"};' in one.reason


def test_native_histogram_is_invalid_with_advice() -> None:
    (fault,) = read({"metric": {}, "histogram": [0, {"count": "3", "sum": "2"}]})

    assert isinstance(fault, QueryError)
    assert fault.cause is Cause.INVALID
    assert "histogram_count" in fault.reason


@pytest.mark.parametrize("kind, cure", [("scalar", "vector(...)"), ("matrix", "one number")])
def test_other_result_types_are_invalid_with_advice(kind: str, cure: str) -> None:
    (fault,) = read(1767225600, "1", kind=kind)

    assert isinstance(fault, QueryError)
    assert fault.cause is Cause.INVALID
    assert kind in fault.reason
    assert cure in fault.reason


def test_halves_add_up_with_what_was_said_about_each() -> None:
    one = QueryValue(number=Fraction(1), warnings=("w",), notes=("n",))
    two = QueryValue(number=Fraction(2), warnings=("w", "v"))
    both = merge_results(one, two)

    assert isinstance(both, QueryValue)
    assert both.number == 3
    assert both.warnings == ("w", "v")
    assert both.notes[0] == "n"
    assert "counted in pieces" in both.notes[1]


def test_half_without_series_adds_nothing_but_two_are_absent() -> None:
    one, none = QueryValue(number=Fraction(1)), QueryValue(number=None)
    half, absent = merge_results(one, none), merge_results(none, none)

    assert isinstance(half, QueryValue)
    assert isinstance(absent, QueryValue)
    assert half.number == 1
    assert absent.number is None


def test_fault_in_either_half_is_the_whole_s_fault() -> None:
    one, fault = QueryValue(number=Fraction(1)), QueryError(cause=Cause.INVALID, reason="r")

    assert merge_results(one, fault) == fault
    assert merge_results(fault, one) == fault


def read_points(values: object) -> QueryResult:
    asked = Query(pieces=("x",), length=timedelta(), grid=GRID)
    (found,) = read_reply(Reply(kind="matrix", result=[{"metric": {}, "values": values}]), [asked])
    return found


TIMES = (1767225600.123, 1767225607.124, 1767225614.125, 1767225621.126)


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ([[TIMES[0], "1"], [TIMES[1], "2"], [TIMES[2], "2"], [TIMES[3], "0.5"]], (1, 2, 2, 0.5)),
        ([[TIMES[1], "2"], [TIMES[3], "1e3"]], (None, 2, None, 1000)),
        ([[TIMES[3], "4"], [TIMES[0], "1"]], (1, None, None, 4)),
        ([[TIMES[2], "1"], [TIMES[2], "2"]], (None, None, 2, None)),
        ([[TIMES[1] + 0.0004, "2"]], (None, 2, None, None)),
        ([], (None,) * 4),
    ],
    ids=["complete", "with gaps", "in another order", "twice", "by less than servers tell", "none"],
)
def test_points_are_read_at_their_instants(
    values: object, points: tuple[float | None, ...]
) -> None:
    assert read_points(values) == QueryValue(number=None, points=points)


@pytest.mark.parametrize(
    "pair",
    [
        [TIMES[1] + 0.001, "2"],
        [TIMES[1] - 3, "2"],
        [TIMES[3] + 7.001, "2"],
        [TIMES[0] - 7.001, "2"],
        [TIMES[1], 2],
        [TIMES[1], "NaN"],
        [TIMES[1], "2", "3"],
        [[TIMES[1]], "2"],
        ["now", "2"],
        "2",
        None,
    ],
)
def test_one_wrong_point_spoils_its_series(pair: object) -> None:
    assert isinstance(read_points([[TIMES[0], "1"], pair]), QueryError)
