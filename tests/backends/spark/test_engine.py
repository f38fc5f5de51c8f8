"""Spark's description of a table, and the result of a statement."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gate.backends.spark.engine import SparkEngine
from gate.backends.sql.engine import Kind, SqlColumn
from gate.measure import Cause, MeasurementError
from tests.backends.spark.opened import DAYS, EVERY, PER_DAY, opened

ROWS = DAYS * PER_DAY


@pytest.fixture(scope="module")
def engine(url: str) -> Iterator[SparkEngine]:
    with opened(url, timeout=600) as engine:
        yield engine


def test_columns_have_their_types_and_so_have_fields_of_structs(
    engine: SparkEngine, table: str
) -> None:
    columns = dict(engine.columns(table))

    del columns["dt"]  # Spark takes it for a date, and Sail for a text
    assert columns == {
        "ts": SqlColumn(type="timestamp", kind=Kind.INSTANT),
        "wall": SqlColumn(type="timestamp_ntz", kind=Kind.LOCAL_TIME),
        "day": SqlColumn(type="date", kind=Kind.OTHER),
        "status": SqlColumn(type="int", kind=Kind.INTEGER),
        "latency": SqlColumn(type="double", kind=Kind.FLOAT),
        "cost": SqlColumn(type="decimal(12,4)", kind=Kind.DECIMAL, exactness=4),
        "model": SqlColumn(type="string", kind=Kind.TEXT),
        "cached": SqlColumn(type="boolean", kind=Kind.BOOLEAN),
        "request": SqlColumn(type="struct", kind=Kind.OTHER),
        "request.id": SqlColumn(type="bigint", kind=Kind.INTEGER),
        "request.place": SqlColumn(type="struct", kind=Kind.OTHER),
        "request.place.zone": SqlColumn(type="string", kind=Kind.TEXT),
    }


def test_each_expression_has_its_type_or_the_words_about_it(
    engine: SparkEngine, table: str
) -> None:
    relation = engine.relation(table)
    right = ["status >= 500", "latency * 2", "cost", "request.id", "NULL"]

    types = engine.types(relation, right)
    *fine, missing, broken = engine.types(relation, [*right, "nope = 1", "status >= "])

    kinds = [Kind.BOOLEAN, Kind.FLOAT, Kind.DECIMAL, Kind.INTEGER, Kind.OTHER]
    assert [column.kind for column in types if isinstance(column, SqlColumn)] == kinds
    assert fine == types
    assert isinstance(missing, str)
    assert "nope" in missing
    assert isinstance(broken, str)
    assert "\n" not in missing + broken


def test_statement_of_the_usual_shape_gives_what_was_written(
    engine: SparkEngine, table: str
) -> None:
    dialect = engine.dialect
    at = SqlColumn(type="timestamp", kind=Kind.INSTANT)
    start, end = datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC)
    day = 86_400_000_000
    key = dialect.floor_divide("(t - 1)", day)
    statement = (
        f"SELECT k, count(CASE WHEN e THEN 1 END), count(CASE WHEN e AND b THEN 1 END),"
        f" max(t), sum(c) FROM (SELECT {key} AS k, t, e, b, c FROM"
        f" (SELECT {dialect.microseconds('ts', at, None)} AS t,"
        " COALESCE(status <> 429, TRUE) AS e, COALESCE(status >= 500, TRUE) AS b, cost AS c"
        f" FROM {engine.relation(table)}"
        f" WHERE {dialect.after('ts', at, start, None)} AND {dialect.until('ts', at, end, None)}"
        ") r) r GROUP BY k ORDER BY k"
    )

    rows = engine.rows(statement)

    first = int(start.timestamp() * 1_000_000)
    expected = []
    for number in range(2):
        minutes = range((2 + number) * PER_DAY + 1, (3 + number) * PER_DAY + 1)
        bad = sum(minute % EVERY == 0 for minute in minutes)
        cost = sum(Decimal(minute) * Decimal("1.01") for minute in minutes)
        newest = first + (number + 1) * day
        expected.append((first // day + number, PER_DAY, bad, newest, cost))
    assert rows == expected


def test_many_rows_come_whole(engine: SparkEngine, table: str) -> None:
    rows = engine.rows(f"SELECT request.id, model FROM {engine.relation(table)}")

    assert sorted(rows) == [(i, f"model {i % 3}") for i in range(ROWS)]


def test_no_rows_are_not_an_error(engine: SparkEngine, table: str) -> None:
    statement = f"SELECT status FROM {engine.relation(table)} WHERE status = 404"

    assert engine.rows(statement) == []


def test_condition_on_a_partition_reads_less(engine: SparkEngine, table: str) -> None:
    def plan(condition: str) -> str:
        relation = engine.relation(table)
        return engine._session.costs(f"SELECT sum(status) FROM {relation} WHERE {condition}")

    whole, pruned = plan("status >= 0"), plan("dt >= '2026-11-14'")

    # Spark names the condition, and Sail the files that are left.
    assert "dt=2026-11-01" in whole or "PartitionFilters: []" in whole
    assert "dt=2026-11-01" not in pruned
    assert "PartitionFilters: [isnotnull(dt" in pruned or "dt=2026-11-14" in pruned
    at = SqlColumn(type="timestamp", kind=Kind.INSTANT)
    by_time = plan(engine.dialect.after("ts", at, datetime(2026, 11, 13, tzinfo=UTC), None))
    # Within a file whole groups of rows are skipped.
    assert "GreaterThan(ts,2026-11-13" in by_time or "ts_max@0 > " in by_time


def test_size_is_reported_before_anything_is_read(engine: SparkEngine, table: str) -> None:
    size = engine.size(f"SELECT sum(status) FROM {engine.relation(table)}")

    assert size is not None
    assert not size.exact
    assert 10_000 < size.bytes < 10_000_000


def test_doctor_is_reported_the_version_and_that_the_table_is_there(
    engine: SparkEngine, table: str
) -> None:
    (result,) = engine.examine(table)

    assert result.message in {"Spark 4.3.0", "the server does not say which"}
    with pytest.raises(MeasurementError, match="no such table or path"):
        engine.examine("nowhere")


def test_value_that_does_not_fit_is_an_error_and_is_not_repeated(
    engine: SparkEngine, table: str
) -> None:
    for expression in ("CAST(model AS INT)", "1 / (status - 200)", "status % (status - 200)"):
        with pytest.raises(MeasurementError) as refused:
            engine.rows(f"SELECT sum({expression}) FROM {engine.relation(table)}")

        assert refused.value.cause is Cause.INVALID
        assert "a value in the rows does not fit the expression" in refused.value.reason
        assert "model 0" not in refused.value.reason
    # The session goes on.
    assert engine.rows("SELECT 1") == [(1,)]


@pytest.mark.parametrize("name", ["nowhere", "no.where", "parquet.`/no/where`"])
def test_table_that_is_not_there_is_reported_to_be_missing(engine: SparkEngine, name: str) -> None:
    with pytest.raises(MeasurementError, match="no such table or path") as refused:
        engine.columns(name)

    assert refused.value.cause is Cause.BACKEND_ERROR


def test_statement_that_takes_too_long_ends_in_time_and_on_the_server(url: str) -> None:
    with opened(url, timeout=0.7) as engine, pytest.raises(MeasurementError) as refused:
        engine.rows("SELECT sum(id % 7) FROM range(1000000000000)")

    assert "no answer within" in refused.value.reason
    # It does not go on there: the server has time for others.
    with opened(url, timeout=60) as engine:
        assert engine.rows("SELECT 1") == [(1,)]
