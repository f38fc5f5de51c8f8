"""The policy's expressions: what is one, and what is refused before it meets any data."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gate.slo.indicator import Sli
from tests.backends.logs.written import (
    FAILED,
    ask,
    ask_all,
    before,
    counts,
    refused,
    request,
    write,
    write_parquet,
)

ROWS: list[dict[str, Any]] = [
    {
        "ts": before(1),
        "status": 200,
        "ms": 1.5,
        "route": "/chat;--/*",
        "usage": {"tokens": 10, "cached": {"read": 1}},
        "tags": ["a", "b"],
    },
    {
        "ts": before(2),
        "status": 500,
        "ms": 20.5,
        "route": "/rag",
        "usage": {"tokens": 99, "cached": {"read": 0}},
        "tags": ["b"],
    },
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "requests.jsonl", ROWS)


CONDITIONS = [
    "status >= 500",
    "STATUS >= 500",
    "rows.status >= 500",
    "status // 100 = 5",
    "status IN (500, 503)",
    "status BETWEEN 500 AND 599",
    "NOT (status < 500)",
    "route = '/rag'",
    "route LIKE '/r%'",
    "route || '!' = '/rag!'",
    "route <> '/chat;--/*'",  # neither ends nor comments anything inside a text
    "regexp_matches(route, '^/r')",
    "split_part(route, '/', 2) = 'rag'",
    "if(status >= 500, true, false)",
    "CASE WHEN status >= 500 THEN true ELSE false END",
    "nullif(status, 200) IS NOT NULL",
    "usage.tokens > 50",
    "usage['tokens'] > 50",
    "usage.cached.read = 0",
    "NOT list_contains(tags, 'a')",
    "NOT list_has_any(tags, ['a'])",
    "ms / status < 1 AND status = 500",
    "ts::TIMESTAMPTZ = TIMESTAMPTZ '2026-10-31 11:59:58+00'",
    "date_part('second', ts::TIMESTAMPTZ) = 58",
    "status + 100 >= 600",
    "\n  status\n  >=\n  500\n",
]


def test_an_sql_condition_about_a_row_is_counted(log: Path) -> None:
    answers = ask_all(log, [request(Sli(bad=bad)) for bad in CONDITIONS])

    counted = dict(zip(CONDITIONS, map(counts, answers), strict=True))
    assert counted == dict.fromkeys(CONDITIONS, (2, 1))


NAMES = ["http status", 'a "quoted" name', "it's", "ünïcödé", "select", "Mixed Case", "a.b", "; --"]


OF_THE_STATEMENT = ["_at", "_v0", "_k0", "_s0", "rows", "groups", "file_index"]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_column_may_have_any_name_also_one_that_the_statement_uses(
    tmp_path: Path, form: str
) -> None:
    names = NAMES + OF_THE_STATEMENT
    rows = [{"ts": before(n), **dict.fromkeys(names, n * 100)} for n in range(7)]
    log = write(tmp_path / f"requests.{form}", rows)
    quoted = ['"' + name.replace('"', '""') + '"' for name in NAMES] + OF_THE_STATEMENT
    slis = [Sli(bad=f"{name} >= 500") for name in quoted]
    slis += [Sli(column=name, threshold=Fraction(300)) for name in names]

    answers = [counts(answer) for answer in ask_all(log, [request(sli) for sli in slis])]

    assert answers == [(7, 2)] * len(names) + [(7, 3)] * len(names)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("name", ["select", "rows"])
def test_a_column_of_such_a_name_may_be_the_only_one(tmp_path: Path, form: str, name: str) -> None:
    log = write(tmp_path / f"requests.{form}", [{"ts": before(n), name: n * 100} for n in range(7)])

    assert counts(ask(log, Sli(bad=f'"{name}" >= 500'))) == (7, 2)


REFUSED = [
    ("1); DROP TABLE rows; --", "comment"),
    ("1); DROP TABLE rows; SELECT (1", "not a valid SQL expression"),
    ("true); SELECT (true", "more than one expression"),
    ("status >= 500; DROP TABLE rows", "not a valid SQL expression"),
    ("status >= 500;", "not a valid SQL expression"),
    ("true) FROM rows WHERE (true", "not a valid SQL expression"),
    ("(status) >=", 'syntax error at or near ")"'),
    ("true), (true", "more than one expression"),
    ("true, false", "a condition is expected"),
    ("true FROM read_csv('/etc/passwd')", "not a valid SQL expression"),
    ("status >= 500 -- failed", "holds a comment"),
    ("status /* of the answer */ >= 500", "holds a comment"),
    ("status >= 500 /*", "holds a comment"),
    ("(SELECT true)", "holds a subquery"),
    ("EXISTS (SELECT 1 FROM read_csv('/etc/passwd'))", "holds a subquery"),
    ("status IN (SELECT status FROM rows)", "holds a subquery"),
    ("status = ANY (SELECT 500)", "holds a subquery"),
    ("(FROM '/etc/passwd')", "holds a subquery"),
    ("read_csv('/etc/passwd') IS NOT NULL", "table function"),
    ("read_text('/etc/passwd') IS NOT NULL", "table function"),
    ("*", "holds a star"),
    ("COLUMNS('s.*') >= 500", "holds a star"),
    ("#1 >= 500", "holds a positional reference"),
    ("? >= 500", "holds a parameter"),
    ("$1", "holds a parameter"),
    ("DEFAULT", "holds a default"),
    ("rank() OVER (ORDER BY status) = 1", "holds a window"),
    ("count(*) > 1", "cannot contain aggregates"),
    ("avg(status) > 1", "cannot contain aggregates"),
    ("unnest([true])", "UNNEST not supported"),
    ("random() < 0.5", "calls random()"),
    ("ts::TIMESTAMPTZ > now()", "calls now()"),
    ("age(ts::TIMESTAMP) > INTERVAL 1 DAY", "calls age()"),
    ("ts::TIMESTAMPTZ > Now()", "calls now()"),
    ("system.main.now() IS NULL", "calls now()"),
    ("ts::TIMESTAMPTZ > ago(INTERVAL 1 DAY)", "calls ago()"),
    ("ts::DATE < current_date", 'no column "current_date"'),
    ("pg_sleep(60) IS NULL", "calls pg_sleep()"),
    ("sleep_ms(60000) IS NULL", "calls sleep_ms()"),
    ("current_setting('threads') = 1", "calls current_setting()"),
    ("write_log('x') IS NULL", "calls write_log()"),
    ("get_block_size('memory') > 0", "calls get_block_size()"),
    ("nosuch(status)", "nosuch does not exist"),
    ("", "a condition is expected"),
    ("status >=", "not a valid SQL expression: syntax error at its end"),
    ("status = = 500", "not a valid SQL expression"),
    ("status", "of type DOUBLE; a condition is expected, for example status >= 500"),
    ("'yes'", "of type VARCHAR; a condition"),
    ("NULL", "a condition is expected"),
    ("status + 1", "of type DOUBLE"),
    ("route >= 500", "Cannot compare values of type VARCHAR and type INTEGER_LITERAL"),
    ("route >= 500", "(route is VARCHAR)"),
    ("route AND true", 'does not fit its column\'s type, or the expression (column "route")'),
    ("list_sum(range(3000000000)) > 0", "calls range(), which may take any amount of time"),
    ("repeat(route, 3000000000) = ''", "calls repeat(), which may take any amount of time"),
    ("replace(route, 'x', route) = ''", "calls replace(), which may"),
    ("lpad(route, 2000000000, 'x') = ''", "calls lpad(), which may"),
    ("format('{:2000000000}', route) = ''", "calls format(), which may"),
    ("list_reduce([route], lambda a, b: a || a) = ''", "calls list_reduce(), which may"),
    ("len(list_resize([route], 3000000000)) > 0", "calls list_resize(), which may"),
    ("levenshtein(route, route) > 0", "calls levenshtein(), which may"),
    (" OR ".join(["(status > 1 AND (status"] * 300) + "))" * 300, "is nested too deeply"),
    ("hex(hex(route)) = ''", "calls hex(), which may"),
    ("stauts >= 500", 'no column "stauts" in the logs; there are: status, '),
    ("filename = 'x'", 'no column "filename"'),
    ("rowid = 1", 'no column "rowid"'),
    ("usage.tokns > 1", "tokns"),
    ("status::VARCHAR = '500'", 'takes "status" for text'),
    ("CAST(status AS text) = '500'", 'takes "status" for text'),
    ("concat(status, '') = '500'", 'takes "status" for text'),
    ("status || '' = '500'", 'takes "status" for text'),
    ("left(usage.tokens::CHAR, 1) = '5'", 'takes "usage" for text'),
]


def test_anything_else_is_refused_and_spoils_no_other(log: Path) -> None:
    texts = [text for text, _ in REFUSED]
    requests = [request(Sli(bad=text)) for text in texts]
    requests += [request(Sli(bad="false", total=text)) for text in texts]

    *answers, last = ask_all(log, [*requests, request(FAILED)])

    reasons = zip(REFUSED * 2, map(refused, answers), strict=True)
    assert [(text, said) for (text, reason), said in reasons if reason not in said] == []
    assert counts(last) == (2, 1)


@pytest.mark.parametrize("text", ["1); DROP TABLE rows; --", "(SELECT true)", "stauts >= 500"])
def test_one_that_is_refused_alone_spoils_no_other(log: Path, text: str) -> None:
    first, second = ask_all(log, [request(Sli(bad=text)), request(FAILED)])

    refused(first)
    assert counts(second) == (2, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("route", "spent: 'route' is of type VARCHAR; a number is expected"),
        ("status >= 500", "is of type BOOLEAN; a number is expected"),
        ("sum(status)", "cannot contain aggregates"),
        ("random()", "calls random()"),
        ("cost", 'no column "cost" in the logs'),
    ],
)
def test_an_amount_must_be_a_number_of_the_row(log: Path, text: str, reason: str) -> None:
    assert reason in refused(ask(log, Sli(spent=text)))


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("route", 'column "route" is of type VARCHAR; a threshold needs a number'),
        ("usage", "a threshold needs a number"),
        ("mss", 'no column "mss" in the logs; there are: ms, '),
        ("status >= 500", 'no column "status >= 500"'),
    ],
)
def test_a_threshold_needs_a_column_of_numbers(log: Path, column: str, reason: str) -> None:
    assert reason in refused(ask(log, Sli(column=column, threshold=Fraction(1))))


def test_a_value_that_does_not_fit_spoils_only_its_own_indicator(tmp_path: Path) -> None:
    rows = [{"ts": before(n), "status": 500, "code": code} for n, code in enumerate(("1", "x"))]
    log = write_parquet(tmp_path / "requests.parquet", rows)
    slis = [Sli(bad="code::INTEGER > 0"), FAILED, Sli(bad="status = 500")]

    answers = ask_all(log, [request(sli) for sli in slis])

    said = refused(answers[0])
    assert 'does not fit its column\'s type, or the expression (column "code"); write' in said
    assert "'x'" not in said
    assert [counts(answer) for answer in answers[1:]] == [(2, 2), (2, 2)]


def test_no_other_file_can_be_read_even_by_a_name_that_sql_takes_for_a_table(log: Path) -> None:
    other = write(log.with_name("other.jsonl"), ROWS)

    for text in (f"(SELECT count(*) > 0 FROM '{other}')", f"'{other}' IN rows"):
        refused(ask(log, Sli(bad=text)))
