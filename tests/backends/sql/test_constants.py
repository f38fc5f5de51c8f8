"""Conditions that are the same of every row are mistakes, in the SQL of every engine."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from fractions import Fraction
from functools import partial
from importlib import import_module

import pytest

from gate.backends.logs import REGISTRATION as LOGS
from gate.backends.logs.database import opened
from gate.backends.logs.expressions import parse
from gate.backends.sql.conditions import Conditions
from gate.backends.sql.constants import SqlExpression
from gate.backends.sql.indicators import check_changing
from gate.measure import Cause, MeasurementError
from gate.slo.indicator import Sli

Parse = Callable[[str, str], SqlExpression]
FALSE = [
    "false",
    "FALSE",
    "not true",
    "1 = 0",
    "(1 = 0)",
    "1 > 2",
    "1.0 <> 1",
    "-1 >= 0",
    "'a' = 'b'",
    "true and false",
    "true AND (false OR 1 = 2)",
    "status = 500 and false",
    "status = 500 AND 1 = 0",
    "(status = 500 or route = '/chat') and not (true)",
    "status <> status",
    "status < Status",
    "status = 500 and status = 200",
    "status = 500 and status <> 500",
    "status >= 500 and status < 500",
    "status > 500 and status < 400",
    "500 <= status and 400 > status",
    "status = 500 and status > 500.0",
    "status = 200 and status >= 500",
    "status between 500 and 599 and status = 200",
    "status is null and status is not null",
    "failed and not failed",
    "failed and (route = '/chat' and not failed)",
    "failed = true and failed = false",
    "model = 'a' and model = 'b'",
]
TRUE = [
    "true",
    "not false",
    "1 = 1",
    "1 <= 2",
    "0 < 1 and 2 > 1",
    "status = 500 or true",
    "status = status",
    "status >= status",
    "status is null or status is not null",
    "failed or not failed",
    "status >= 500 or status < 500",
    "status = 500 or not (status = 500)",
    "not (status = 500 and false)",
]
NO_COLUMN = ["lower('A') = 'b'", "null"]
CHANGING = [
    "status >= 500",
    "failed",
    "not failed",
    "true and status = 500",
    "false or failed",
    "1 = 1 and status = 500",
    "status = 500 or status = 502",
    "status <> 500 and status <> 502",
    "status >= 500 and status < 600",
    "status >= 500 and status <= 500",
    "status >= 5 and status <= 5.0",
    "status > 400 and status > 500",
    "status < 600 and status <= 599",
    "status = 500 and status >= 500",
    "status = 500 and status <> 502",
    "status between 500 and 599",
    "not (status between 200 and 299)",
    "status = 500 and code = 200",
    "status <> code",
    "status is null or status >= 500",
    "status is null and route = '/chat'",
    "status is not null and status = 500",
    "model = 'a' and model <> 'b'",
    "model = 'a' and model > 'b'",
    "'a' < 'B' and failed",
    "failed or failed",
    "failed and other",
    "lower(model) = 'a' and upper(model) = 'A'",
]


@pytest.fixture(params=["duckdb", "clickhouse", "postgres", "spark"])
def parsed(request: pytest.FixtureRequest) -> Iterator[Parse]:
    """Return what parses in the SQL of one engine."""
    if request.param != "duckdb":
        yield Conditions(request.param).parse
        return
    with opened(timedelta(seconds=10), None) as database:
        yield partial(parse, database)


def _refusal(expression: SqlExpression) -> str:
    with pytest.raises(MeasurementError) as caught:
        check_changing(expression)
    assert caught.value.cause is Cause.INVALID
    return caught.value.reason


@pytest.mark.variants(3)
@pytest.mark.parametrize("role", ["bad", "good"])
def test_a_condition_that_is_the_same_of_every_row_is_refused(parsed: Parse, role: str) -> None:
    for text in FALSE:
        assert f"{role}: {text!r} is false of every row, so" in _refusal(parsed(role, text)), text
    for text in TRUE:
        assert f"{role}: {text!r} is true of every row, so" in _refusal(parsed(role, text)), text
    for text in NO_COLUMN:
        assert f"{role}: {text!r} names no column, so" in _refusal(parsed(role, text)), text


def test_a_condition_of_which_rows_may_differ_is_accepted(parsed: Parse) -> None:
    for text in CHANGING:
        for role in ("bad", "good", "total"):
            check_changing(parsed(role, text))


def test_a_total_of_every_row_is_accepted_and_one_of_no_row_refused(parsed: Parse) -> None:
    for text in TRUE:
        check_changing(parsed("total", text))
    for text in FALSE:
        assert "nothing is counted; where every row is" in _refusal(parsed("total", text)), text


def test_the_number_one_may_be_spent_by_every_row(parsed: Parse) -> None:
    check_changing(parsed("spent", "1"))


def test_numbers_that_clickhouse_takes_for_conditions_are_read_as_it_does() -> None:
    clickhouse = Conditions("clickhouse").parse

    assert "is false of every row" in _refusal(clickhouse("bad", "0"))
    assert "is false of every row" in _refusal(clickhouse("bad", "status = 500 and 0"))
    assert "is true of every row" in _refusal(clickhouse("bad", "1"))
    check_changing(clickhouse("bad", "status = 500 and 1"))


@pytest.mark.parametrize("backend", ["logs", "clickhouse", "postgres", "spark"])
def test_a_policy_with_such_a_condition_is_mistaken_without_its_rows(backend: str) -> None:
    mistake_in = import_module(f"gate.backends.{backend}").REGISTRATION.mistake_in

    assert "bad: 'false' is false of every row" in mistake_in(Sli(bad="false"), None)
    nothing = Sli(bad="failed", total="true and false")
    assert "so that nothing is counted" in mistake_in(nothing, None)
    assert mistake_in(Sli(bad="failed", total="true"), None) is None
    assert mistake_in(Sli(column="ms", threshold=Fraction(2)), None) is None


def test_what_else_is_wrong_with_a_condition_on_logs_is_reported_by_the_measurement() -> None:
    assert LOGS.mistake_in(Sli(bad="status >=", total="1 = 1"), None) is None


def test_without_duckdb_nothing_is_reported_about_a_condition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gate.backends.logs.version", lambda _: "1.4.4")

    assert LOGS.mistake_in(Sli(bad="false"), None) is None
