"""The conditions of SQL engines: what is one, and what is refused before it meets any data."""

from contextlib import suppress

import pytest

from gate.backends.sql.conditions import Conditions
from gate.measure import Cause, MeasurementError
from tests.backends.sql.conditions_table import CONDITIONS
from tests.backends.sql.hostile_table import HOSTILE

DIALECTS = ["clickhouse", "postgres", "spark"]


def refusal(dialect: str, text: str) -> str:
    with pytest.raises(MeasurementError) as caught:
        Conditions(dialect).parse("bad", text)
    assert caught.value.cause == Cause.INVALID
    return caught.value.reason


@pytest.mark.parametrize("dialect", DIALECTS)
def test_conditions_that_people_write_are_accepted_as_they_are(dialect: str) -> None:
    conditions = Conditions(dialect)

    parsed = {text: conditions.parse("bad", text) for text in CONDITIONS[dialect]}

    assert len(parsed) >= 150
    assert all(expression.sql == f"({text})" for text, expression in parsed.items())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_texts_that_are_not_a_condition_about_one_row_are_refused(dialect: str) -> None:
    conditions, accepted = Conditions(dialect), []
    for text in HOSTILE[dialect]:
        with suppress(MeasurementError):
            accepted.append(conditions.parse("bad", text))

    assert len(set(HOSTILE[dialect])) >= 150
    assert accepted == []


REASONS = [
    ("clickhouse", "status >= 500;", "column 14: it is more than one expression"),
    ("postgres", "status >= 500) OR (1 = 1", "column 14: ) closes nothing; remove it"),
    ("postgres", "(status >= 500", "column 1: ( is never closed"),
    ("spark", "status >= 500 -- x", "column 15: it holds a comment; write it in YAML"),
    ("spark", "status >=", "something is missing here"),
    ("spark", "* >= 500", "column 1: it holds a star; name the column"),
    ("spark", "model LIKE '%''%'", "column 12: a doubled quote is a quote for Spark from 4.3 on"),
    ("spark", "status 500", "join conditions with AND or OR"),
    ("clickhouse", "status >= 500 AS failed", "it holds an alias"),
    ("postgres", "now() < ts", "column 1: now() is not among the functions"),
    ("postgres", "status > 1 AND count(*) > 1", "column 16: count() is about many rows"),
    ("clickhouse", "status IN requests", "a list in brackets must follow IN"),
    ("clickhouse", "status IN (requests)", "column 12: a name in an IN list may be a table"),
    ("postgres", "user = 'x'", "put it in quotes if it is a column's name"),
    ("postgres", "requests.status > 1", "write the column's name alone"),
    ("postgres", "ts > 'now'", "may be the time of the clock"),
    ("postgres", "('no' || 'w')::timestamp > ts", "must be a text in quotes"),
    ("postgres", "route ~ '(a*)*'", "may take for ever"),
    ("postgres", "route ~ model", "a pattern must be a text in quotes"),
    ("postgres", "route::my_type = 'x'", "is not a type to cast to"),
    ("postgres", "route IS DOCUMENT", "IS is followed by NULL"),
    ("postgres", "`status` > 1", 'write "name"'),
    ("spark", '"status" > 1', "write 'text', and `name`"),
    ("spark", "pg_catalog.lower(route) = 'x'", "is called with its schema; leave that out"),
    ("spark", "stätus > 1", "column 3: 'ä' is outside of quotes"),
    ("spark", "status >= 5_00", "a number is followed by a letter"),
    ("spark", "(" * 50 + "ok" + ")" * 50, "too long or nested too deeply"),
    ("spark", "status" + " + 1" * 3000, "it is too long or nested too deeply"),
    ("spark", "NOT " * 2000 + "ok", "is nested too deeply; write it simpler"),
]


@pytest.mark.parametrize(
    ("dialect", "text", "reason"), REASONS, ids=[t[:30] for _, t, _ in REASONS]
)
def test_a_refusal_says_where_and_what_to_do(dialect: str, text: str, reason: str) -> None:
    assert reason in refusal(dialect, text)


def test_a_long_text_is_cut_off_in_the_message() -> None:
    assert len(refusal("spark", "status = 1" + " OR status = 1" * 2000)) < 500


COLUMNS = [
    ("clickhouse", "Status >= 500 AND meta.kind = 'x'", {"status", "meta"}),
    ("postgres", "STATUS >= 500 AND \"Mixed Case\" = 1 OR meta->'a'->>'b' = 'c'", None),
    ("postgres", "jsonb_typeof(meta->'n') = 'number'", {"meta"}),
    (
        "spark",
        "Status >= 500 AND usage.tokens.output > 1 AND `a b` = 1",
        {"status", "usage", "a b"},
    ),
    ("spark", "datediff(second, ts, done) > 1", {"ts", "done"}),
    ("spark", "true", set()),
]


@pytest.mark.parametrize(("dialect", "text", "columns"), COLUMNS)
def test_an_expression_says_which_columns_it_is_about(
    dialect: str, text: str, columns: set[str] | None
) -> None:
    parsed = Conditions(dialect).parse("bad", text)

    assert parsed.columns == ({"status", "mixed case", "meta"} if columns is None else columns)


PREDICATES = [
    "status >= 500",
    "(NOT (ok))",
    "isNull(status)",
    "startsWith(route, '/')",
    "if(status = 1, true, ok = false)",
    "coalesce(status >= 500, 0)",
    "ifNull(has(tags, 'a'), NULL)",
    "CASE WHEN ok THEN status = 1 WHEN NOT ok THEN 0 ELSE 1 = 1 END",
    "multiIf(ok, status = 1, status = 2, true, false)",
    "toBool(status)",
]
NUMBERS = [
    "status",
    "status + 1",
    "if(status = 1, 1, 0)",
    "if(status = 1, status, 0)",
    "coalesce(status, 0)",
    "CASE WHEN ok THEN 2 ELSE status = 1 END",
    "multiIf(ok, status, ok, true, 5)",
    "length(route)",
    "1",
]


@pytest.mark.parametrize("text", PREDICATES)
def test_what_says_true_or_false_is_a_predicate_by_its_form(text: str) -> None:
    assert Conditions("clickhouse").parse("bad", text).predicate


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_not_a_predicate(text: str) -> None:
    assert not Conditions("clickhouse").parse("bad", text).predicate
