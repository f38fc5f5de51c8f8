"""Counts from a real server through the backend, with numbers from the generator of the rows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from unittest.mock import patch

import pytest

from gate.backends import open_backend
from gate.backends.postgres.dialect import PostgresDialect
from gate.backends.postgres.engine import PostgresEngine
from gate.backends.postgres.settings import PostgresSettings
from gate.backends.sql.engine import Row
from gate.backends.sql.settings import TableSettings
from gate.measure import Answer, Cause, CountRequest, Counts, Limits, Spent, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.servers.postgres import READER, Postgres

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = Span(AT - timedelta(days=1), AT)
ROWS = 1440
"""One a minute, the last of them at the instant."""


@pytest.fixture(scope="module")
def settings(postgres_server: Postgres) -> Iterator[PostgresSettings]:
    """Fill a table: the row n is n minutes old, took n ms and cost n / 8 USD."""
    postgres_server.run(
        "DROP TABLE IF EXISTS counted",
        "CREATE TABLE counted (ts timestamptz NOT NULL, n int, ms float8, usd float8,"
        ' "camelCase" text, half numeric)',
        f"INSERT INTO counted SELECT TIMESTAMPTZ '{AT.isoformat()}' - n * interval '1 min', n, n,"
        f" n / 8.0, CASE WHEN n % 2 = 0 THEN 'even' END, n / 2.0"
        f" FROM generate_series(0, {2 * ROWS}) AS numbers (n)",
        f"GRANT SELECT ON counted TO {READER}",
    )
    table = TableSettings(table="counted", timestamp="ts")
    yield PostgresSettings(url=postgres_server.reader_url, shown="postgresql://x/y", table=table)
    postgres_server.run("DROP TABLE counted")


def counted(settings: PostgresSettings, *slis: Sli, span: Span = DAY) -> list[Answer]:
    backend = open_backend(settings, Limits(timeout=timedelta(seconds=60)))
    return backend.measure([CountRequest(sli=sli, span=span) for sli in slis], AT)


def pair(answer: Answer) -> tuple[float, float]:
    assert isinstance(answer, Counts), answer
    return float(answer.bad), float(answer.total)


def bad(condition: str) -> Sli:
    return Sli(bad=condition)


def test_counts_are_those_of_the_rows(settings: PostgresSettings) -> None:
    answers = counted(
        settings,
        bad("n % 1000 >= 990"),
        Sli(bad="n >= 1000", total="\"camelCase\" = 'even'"),
        Sli(good="\"camelCase\" = 'even'"),
        Sli(column="ms", threshold=Fraction(100)),
        Sli(column="half", threshold=Fraction(1, 10)),
    )

    numbers = range(ROWS)
    assert list(map(pair, answers)) == [
        (sum(n % 1000 >= 990 for n in numbers), ROWS),
        # Of the odd rows total is NULL: those that are bad are events, too.
        (ROWS - 1000, ROWS // 2 + sum(n >= 1000 and n % 2 == 1 for n in numbers)),
        (ROWS // 2, ROWS),  # what is neither good nor known counts against the service
        (sum(n > 100 for n in numbers), ROWS),
        (sum(n / 2 > 0.1 for n in numbers), ROWS),
    ]


def test_an_amount_is_added_up_exactly(settings: PostgresSettings) -> None:
    (money, halves) = counted(settings, Sli(spent="usd * 0.1"), Sli(spent="half"))

    assert isinstance(money, Spent)
    assert isinstance(halves, Spent)
    assert float(money.amount) == pytest.approx(sum(n / 8 * 0.1 for n in range(ROWS)), rel=1e-12)
    assert halves.amount == Fraction(sum(range(ROWS)), 2)


def test_what_fails_for_some_row_spoils_its_own_indicator_only(settings: PostgresSettings) -> None:
    fine, divided, cast = counted(
        settings,
        bad("n >= 1000"),
        bad("1 / (n - 700) > 0"),
        bad('CAST("camelCase" AS int) > 5'),
    )

    assert pair(fine) == (ROWS - 1000, ROWS)
    for answer, words in ((divided, "divides by zero"), (cast, "a text does not fit")):
        assert isinstance(answer, Unmeasured)
        assert answer.cause is Cause.INVALID
        assert words in answer.reason
        assert "even" not in answer.reason


def test_more_numbers_than_a_statement_has_columns_are_requested_in_parts(
    settings: PostgresSettings,
) -> None:
    conditions = [bad(f"n % {modulus} = 0") for modulus in range(2, 12)]
    expected = [(len(range(0, ROWS, modulus)), ROWS) for modulus in range(2, 12)]

    with patch.object(PostgresDialect, "most_columns", 9):
        assert list(map(pair, counted(settings, *conditions))) == expected


@pytest.mark.slow
def test_five_hundred_indicators_are_counted(settings: PostgresSettings) -> None:
    conditions = [bad(f"n % {modulus} = 0 OR ms < 0") for modulus in range(2, 502)]

    answers = counted(settings, *conditions)

    assert list(map(pair, answers)) == [
        (len(range(0, ROWS, modulus)), ROWS) for modulus in range(2, 502)
    ]


def test_a_condition_of_the_block_leaves_rows_out(settings: PostgresSettings) -> None:
    table = replace(settings.table, where="n % 3 = 0")

    (answer,) = counted(replace(settings, table=table), bad("n >= 900"))

    assert pair(answer) == (len(range(900, ROWS, 3)), len(range(0, ROWS, 3)))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (TableSettings(table="counted", timestamp="when"), 'no column "when"'),
        (TableSettings(table="counted", timestamp="n"), "set time_format to what it counts"),
        (TableSettings(table="counted", timestamp="usd"), "double precision, which has no time"),
        (TableSettings(table="nowhere", timestamp="ts"), "has no table nowhere"),
    ],
)
def test_a_table_that_does_not_fit_is_reported(
    settings: PostgresSettings, table: TableSettings, words: str
) -> None:
    (answer,) = counted(replace(settings, table=table), bad("n >= 900"))

    assert isinstance(answer, Unmeasured)
    assert words in answer.reason


def test_the_statement_itself_reads_the_partitions_of_its_window_only(
    postgres_server: Postgres, settings: PostgresSettings
) -> None:
    days = [f"2026-11-{day:02}" for day in range(16, 23)]
    postgres_server.run(
        "CREATE TABLE daily (LIKE counted) PARTITION BY RANGE (ts)",
        *(
            f"CREATE TABLE daily_{start[-2:]} PARTITION OF daily FOR VALUES"
            f" FROM ('{start} 00:00+00') TO ('{end} 00:00+00')"
            for start, end in pairwise(days)
        ),
        "INSERT INTO daily SELECT * FROM counted",
        f"GRANT SELECT ON daily TO {READER}",
    )
    plans = list[str]()
    ask = PostgresEngine.rows

    def explained(engine: PostgresEngine, statement: str) -> list[Row]:
        plans.extend(line for (line,) in engine.session.query(f"EXPLAIN {statement}"))
        return ask(engine, statement)

    table = replace(settings.table, table="daily")
    with patch.object(PostgresEngine, "rows", explained):
        (answer,) = counted(replace(settings, table=table), bad("n >= 1000"))

    assert pair(answer) == (ROWS - 1000, ROWS)
    text = "\n".join(plans)
    assert [day for day in days if f"daily_{day[-2:]}" in text] == ["2026-11-19", "2026-11-20"]
    postgres_server.run("DROP TABLE daily")


def test_a_statement_that_would_read_too_much_is_not_run(settings: PostgresSettings) -> None:
    backend = open_backend(settings, Limits(timeout=timedelta(seconds=60), max_scan=8192))

    (answer,) = backend.measure([CountRequest(sli=bad("n >= 1000"), span=DAY)], AT)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR
    assert "the statement would read about" in answer.reason
    assert "and max_scan allows" in answer.reason


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
@pytest.mark.parametrize("lost", ["NULL", "'infinity'", "'-infinity'"])
def test_rows_whose_time_is_missing_or_infinite_spoil_the_count(
    settings: PostgresSettings, postgres_server: Postgres, kind: str, lost: str
) -> None:
    postgres_server.run(
        "DROP TABLE IF EXISTS timeless",
        f"CREATE TABLE timeless AS SELECT CAST(ts AS {kind}) AS ts, n FROM counted",
        f"UPDATE timeless SET ts = {lost} WHERE n % 100 = 0",
        f"GRANT SELECT ON timeless TO {READER}",
    )
    table = TableSettings(table="timeless", timestamp="ts", time_zone=UTC)

    (answer,) = counted(replace(settings, table=table), bad("n % 100 = 0"))

    assert isinstance(answer, Unmeasured)
    assert answer.reason.startswith(f'{2 * ROWS // 100 + 1} rows have no time in "ts"; ')
