"""ClickHouse's SQL as the gate writes it, run by ClickHouse's engine."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from gate.backends.clickhouse.dialect import ClickHouseDialect
from gate.backends.clickhouse.engine import ClickHouseEngine
from gate.backends.sql.engine import Kind, SqlColumn
from gate.measure import MeasurementError
from tests.servers.clickhouse import EVERY, ROWS, START, ClickHouse

SQL = ClickHouseDialect()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
KINDS = {
    "Bool": Kind.BOOLEAN,
    "Nullable(Bool)": Kind.BOOLEAN,
    "UInt8": Kind.INTEGER,
    "Int256": Kind.INTEGER,
    "LowCardinality(Nullable(UInt16))": Kind.INTEGER,
    "Decimal(18, 6)": Kind.DECIMAL,
    "Nullable(Decimal(76, 3))": Kind.DECIMAL,
    "Float32": Kind.FLOAT,
    "BFloat16": Kind.FLOAT,
    "SimpleAggregateFunction(sum, Float64)": Kind.FLOAT,
    "String": Kind.TEXT,
    "FixedString(3)": Kind.TEXT,
    "LowCardinality(Nullable(String))": Kind.TEXT,
    "Enum8('ok' = 1, 'not)ok' = 2)": Kind.TEXT,
    "UUID": Kind.TEXT,
    "IPv6": Kind.TEXT,
    "DateTime": Kind.INSTANT,
    "DateTime('Europe/Berlin')": Kind.INSTANT,
    "Nullable(DateTime64(3))": Kind.INSTANT,
    "DateTime64(9, 'UTC')": Kind.INSTANT,
    "Date": Kind.OTHER,
    "Date32": Kind.OTHER,
    "Array(UInt8)": Kind.OTHER,
    "Map(String, String)": Kind.OTHER,
    "Tuple(UInt8, String)": Kind.OTHER,
    "JSON": Kind.OTHER,
    "Variant(String, UInt8)": Kind.OTHER,
    "AggregateFunction(sum, UInt64)": Kind.OTHER,
    "Nullable(Nothing)": Kind.OTHER,
    "IntervalSecond": Kind.OTHER,
}


def column(type_name: str) -> SqlColumn:
    return SQL.column(type_name)


@cache
def opened(server: ClickHouse) -> ClickHouseEngine:
    """Return a connection for all tests here, whose settings are asked for once."""
    return server.engine(seconds=600)


def value_of(server: ClickHouse, sql: str) -> Any:
    ((value,),) = opened(server).rows(f"SELECT {sql}")
    return value


@pytest.mark.parametrize(("type_name", "kind"), KINDS.items(), ids=KINDS)
def test_each_type_has_its_kind(type_name: str, kind: Kind) -> None:
    assert SQL.kind(type_name) is kind


def test_decimals_keep_the_digits_that_their_type_says() -> None:
    assert column("Decimal(18, 6)").exactness == 6
    assert column("LowCardinality(Nullable(Decimal64(2)))").exactness == 2
    assert column("Float64").exactness is None


@pytest.mark.parametrize("text", ["a'b", "a\\b", "a\\'b", "\\", "ä`\n\t", "%_", ""])
def test_texts_and_names_are_quoted(clickhouse_server: ClickHouse, text: str) -> None:
    assert value_of(clickhouse_server, SQL.literal(text)) == text
    if text:
        named = f"{SQL.identifier(text)} FROM (SELECT 5 AS {SQL.identifier(text)})"
        assert value_of(clickhouse_server, named) == 5


MOMENTS = [
    datetime(2025, 11, 1, 12, 30, 15, 123456, UTC),
    datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
    EPOCH,
    datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
]


@pytest.mark.parametrize("digits", [0, 3, 6, 9])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
def test_time_is_a_number_of_microseconds_rounded_down(
    clickhouse_server: ClickHouse, digits: int, zone: str
) -> None:
    """Also in the hour that a clock goes through twice, and before 1970."""
    step = timedelta(microseconds=10 ** (6 - min(digits, 6)))
    moments = [moment for moment in MOMENTS if digits or moment >= EPOCH]
    kind = f"DateTime64({digits}, '{zone}')" if digits else f"DateTime('{zone}')"
    seconds = [(moment - EPOCH) // step for moment in moments]
    if digits:
        ticks = [number * 10 ** max(digits - 6, 0) + (digits == 9) * 999 for number in seconds]
        unit = {3: "Milli", 6: "Micro", 9: "Nano"}[digits]
        times = [f"fromUnixTimestamp64{unit}(toInt64({tick}), '{zone}')" for tick in ticks]
    else:
        times = [f"toDateTime({number}, '{zone}')" for number in seconds]
    numbers = ", ".join(SQL.microseconds(time, column(kind), None) for time in times)
    (row,) = opened(clickhouse_server).rows(f"SELECT {numbers}")

    assert list(row) == [((moment - EPOCH) // step * step) // MICROSECOND for moment in moments]


@pytest.mark.parametrize("digits", [0, 3, 6, 9])
def test_bounds_let_nothing_out_that_belongs_to_the_window(
    clickhouse_server: ClickHouse, digits: int
) -> None:
    bound = datetime(2025, 11, 1, 12, 0, 0, 500_250, UTC)
    number = (bound - EPOCH) // MICROSECOND
    kind = column(f"DateTime64({digits}, 'Asia/Kathmandu')" if digits else "DateTime")
    ticks = (
        f"toDateTime64('2025-11-01 11:59:59', {digits}, 'UTC') + INTERVAL number * 50125"
        " MICROSECOND"
        if digits > 3
        else f"toDateTime64('2025-11-01 11:59:59', {digits}, 'UTC')"
        " + INTERVAL number * 50 MILLISECOND"
    )
    time = f"CAST({ticks} AS {kind.type})"
    exact = SQL.microseconds("t", kind, None)
    rows = opened(clickhouse_server).rows(
        f"SELECT {exact} <= {number}, {SQL.until('t', kind, bound, None)},"
        f" {exact} > {number}, {SQL.after('t', kind, bound, None)}"
        f" FROM (SELECT {time} AS t FROM numbers(60))"
    )

    assert {row[0] for row in rows} == {0, 1}
    assert not [row for row in rows if row[0] > row[1] or row[2] > row[3]]


def test_bound_that_no_datetime_can_have_is_written_in_another_type(
    clickhouse_server: ClickHouse,
) -> None:
    early, late = datetime(1969, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
    statement = (
        f"SELECT count() FROM versions WHERE {SQL.after('ts', column('DateTime'), early, None)}"
        f" AND {SQL.until('ts', column('DateTime'), late, None)}"
    )

    assert opened(clickhouse_server).rows(statement) == [(1000,)]


def test_bounds_skip_parts_of_the_table(clickhouse_server: ClickHouse) -> None:
    hour = START + timedelta(hours=50)
    condition = SQL.after("ts", column("DateTime64(6)"), hour, None)
    engine = clickhouse_server.engine()

    assert engine.rows(f"SELECT count() FROM requests WHERE {condition}") == [
        (ROWS - 50 * 3600 - 1,)
    ]
    assert (engine.scanned() or 0) < ROWS * 8 / 2


@pytest.mark.parametrize("number", [-7, -6, -1, 0, 1, 6, 7])
def test_division_is_rounded_down(clickhouse_server: ClickHouse, number: int) -> None:
    whole = f"toInt64({number})"

    assert value_of(clickhouse_server, SQL.floor_divide(whole, 3)) == number // 3
    if number >= 0:
        assert value_of(clickhouse_server, SQL.divide(whole, 3)) == number // 3


TEXTS = {
    "CAST(NULL AS Nullable(String))": "",
    "'x'": "x",
    "CAST('ab' AS FixedString(4))": "ab",
    "CAST(3.0 AS Float64)": "3",
    "CAST(0.1 AS Nullable(Float64))": "0.1",
    "CAST('1.50' AS Decimal(9, 2))": "1.5",
    "true": "true",
    "CAST('b' AS Enum8('a' = 1, 'b' = 2))": "b",
    "CAST('x' AS LowCardinality(Nullable(String)))": "x",
    "unhex('61FF62')": "a�b",
    "toUInt64(18446744073709551615)": "18446744073709551615",
}


@pytest.mark.parametrize(("sql", "text"), TEXTS.items())
def test_every_value_has_a_text(clickhouse_server: ClickHouse, sql: str, text: str) -> None:
    (kind,) = opened(clickhouse_server).types("requests", [sql])

    assert isinstance(kind, SqlColumn)
    assert value_of(clickhouse_server, SQL.to_text(sql, kind)) == text


def test_fixed_point_sums_do_not_depend_on_the_order(clickhouse_server: ClickHouse) -> None:
    amounts = [0.1, 1e-9, 123456.789, float(2**40 - 1), -0.5]
    values = ", ".join(map(repr, amounts))
    small = f"CASE WHEN abs(x) < {2**40} THEN {SQL.fixed_point('x')} END"
    rows = f"SELECT arrayJoin([{values}, nan, inf, 1e300, NULL]) AS x"

    ((total,),) = opened(clickhouse_server).rows(f"SELECT sum({small}) FROM ({rows})")

    assert total == sum(round(Fraction(amount) * 2**64) for amount in amounts)


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("Int64", 2**63 - 1),
        ("Nullable(UInt64)", 2**64 - 1),
        ("Int128", 2**127 - 1),
        ("Decimal(18, 2)", Decimal("9999999999999999.99")),
        ("Decimal(38, 2)", Decimal("9" * 36 + ".99")),
    ],
)
def test_sums_do_not_wrap_around(
    clickhouse_server: ClickHouse, type_name: str, value: int | Decimal
) -> None:
    widened = SQL.summable("x", column(type_name))
    statement = (
        f"SELECT sum({widened}) FROM (SELECT CAST('{value}' AS {type_name}) AS x FROM numbers(3))"
    )

    ((total,),) = opened(clickhouse_server).rows(statement)

    assert Fraction(total) == 3 * Fraction(value)


def test_values_are_counted_exactly(clickhouse_server: ClickHouse) -> None:
    sql = f"{SQL.distinct('id')}, {SQL.count('status >= 500')}, avg({SQL.to_double('status')})"
    (row,) = opened(clickhouse_server).rows(f"SELECT {sql} FROM requests")

    assert row == (ROWS, ROWS // EVERY, pytest.approx(200 + 300 / EVERY))


def test_whole_number_that_does_not_fit_is_an_error(clickhouse_server: ClickHouse) -> None:
    assert value_of(clickhouse_server, SQL.to_whole("CAST(NULL AS Nullable(UInt8))")) is None
    assert value_of(clickhouse_server, SQL.to_whole("toUInt64(5)")) == 5
    with pytest.raises(MeasurementError, match="70 CANNOT_CONVERT_TYPE"):
        value_of(clickhouse_server, SQL.to_whole("toUInt64(18446744073709551615)"))


def test_values_come_as_pythons(clickhouse_server: ClickHouse) -> None:
    (row,) = opened(clickhouse_server).rows(
        "SELECT toUInt64(18446744073709551615), toDecimal64('1.25', 2), true, nan, inf,"
        " 'ä\\'\"\\n', NULL, now(), [1], toFloat64(3)"
    )

    assert row[:3] == (2**64 - 1, Decimal("1.25"), True)
    assert math.isnan(row[3])
    assert (row[4], row[5], row[6]) == (math.inf, "ä'\"\n", None)
    assert isinstance(row[7], str)
    assert row[8:] == ([1], 3.0)


def test_expression_that_does_not_fit_is_named_alone(clickhouse_server: ClickHouse) -> None:
    good, unknown, unfit = opened(clickhouse_server).types(
        "requests", ["status >= 500", "nope > 1", "ms + id"]
    )

    assert isinstance(good, SqlColumn)
    assert isinstance(unknown, str)
    assert "47 UNKNOWN_IDENTIFIER" in unknown
    assert isinstance(unfit, str)
    assert "43 ILLEGAL_TYPE_OF_ARGUMENT" in unfit


def test_columns_are_those_that_can_be_read(clickhouse_server: ClickHouse) -> None:
    clickhouse_server.run(
        "CREATE TABLE IF NOT EXISTS columns (a UInt8, b String EPHEMERAL, c Int8 ALIAS a + 1,"
        " `d.e` Decimal(9, 2)) ENGINE = Memory"
    )
    columns = opened(clickhouse_server).columns("columns")

    assert {name: found.type for name, found in columns.items()} == {
        "a": "UInt8",
        "c": "Int8",
        "d.e": "Decimal(9, 2)",
    }


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("nope", "60 UNKNOWN_TABLE"),
        ("nope.requests", "81 UNKNOWN_DATABASE"),
    ],
)
def test_table_that_is_not_there_is_named(
    clickhouse_server: ClickHouse, table: str, words: str
) -> None:
    with pytest.raises(MeasurementError, match=words):
        opened(clickhouse_server).columns(table)


@pytest.mark.parametrize("table", ["default.requests", '"default".requests', "`requests`"])
def test_table_is_found_by_every_spelling_of_its_name(
    clickhouse_server: ClickHouse, table: str
) -> None:
    engine = clickhouse_server.engine()

    assert engine.rows(f"SELECT count() FROM {engine.relation(table)}") == [(ROWS,)]
    assert list(engine.columns(table)) == ["ts", "status", "ms", "id"]


def test_size_is_an_estimate_by_columns(clickhouse_server: ClickHouse) -> None:
    engine = clickhouse_server.engine()
    engine.relation("requests")
    small = engine.size(
        "SELECT count() FROM requests WHERE ts > toDateTime64('2025-11-03 06:00:00', 6, 'UTC')"
    )
    large = engine.size("SELECT count(), max(ms), max(id) FROM requests WHERE status > 0")

    assert small is not None
    assert large is not None
    assert small.bytes < large.bytes / 2
    assert ROWS * 10 <= large.bytes <= ROWS * 100
    assert not large.exact


def test_size_of_a_view_is_not_known(clickhouse_server: ClickHouse) -> None:
    engine = clickhouse_server.engine()

    assert engine.size(f"SELECT count() FROM {engine.relation('versions_view')}") is None


def test_statement_of_the_shape_that_counts(clickhouse_server: ClickHouse) -> None:
    """Segments between bounds and hours, counts of events and failures, the newest event."""
    engine = clickhouse_server.engine()
    ts, relation = engine.columns("requests")["ts"], engine.relation("requests")
    first = (START - EPOCH) // MICROSECOND
    bound = first + 24 * 3600 * 1_000_000
    t = SQL.microseconds("ts", ts, None)
    rows = engine.rows(
        f"SELECT k0, {SQL.floor_divide(f't - {first}', 3_600_000_000)} AS k1, {SQL.count('e')},"
        f" {SQL.count('e AND b')}, max(CASE WHEN e THEN t END) FROM (SELECT t,"
        f" CASE WHEN t > {bound} THEN 1 ELSE 0 END AS k0, e, b FROM (SELECT {t} AS t,"
        " coalesce(status <> 429, TRUE) AS e, coalesce(status >= 500, TRUE) AS b"
        f" FROM {relation} WHERE {SQL.after('ts', ts, START, None)}) AS r) AS s GROUP BY k0, k1"
    )

    end = START + timedelta(seconds=ROWS - 1)
    assert sum(row[2] for row in rows) == ROWS - 1
    assert sum(row[3] for row in rows) == ROWS // EVERY - 1
    assert max(row[4] for row in rows) == (end - EPOCH) // MICROSECOND
    assert len(rows) == -(-ROWS // 3600) + 1  # the bound is the first second of an hour
