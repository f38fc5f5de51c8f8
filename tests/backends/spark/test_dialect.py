"""Spark's SQL, by what a server makes of it; expected values are Python's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from gate.backends.spark.dialect import SparkDialect
from gate.backends.spark.engine import SparkEngine
from gate.backends.sql.engine import Kind, SqlColumn
from tests.backends.spark.opened import opened

DIALECT = SparkDialect()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = SqlColumn(type="timestamp", kind=Kind.INSTANT)
LOCAL = SqlColumn(type="timestamp_ntz", kind=Kind.LOCAL_TIME)
DOUBLE = SqlColumn(type="double", kind=Kind.FLOAT)
TEXTS = ["", "a", "it's", "''", "\\", "\\'", "a\\nb", 'say "hi"', "grüße", "`", "${x}", "%_", "\n"]
BERLIN, LORD_HOWE, KATHMANDU = map(
    ZoneInfo, ("Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")
)


@pytest.fixture(scope="module")
def engine(url: str) -> Iterator[SparkEngine]:
    with opened(url, timeout=600) as engine:
        yield engine


def values(engine: SparkEngine, *expressions: str) -> list[object]:
    (row,) = engine.rows(f"SELECT {', '.join(expressions)}")
    return list(row)


def micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def wall(at: datetime) -> str:
    return f"TIMESTAMP_NTZ '{at.replace(tzinfo=None)}'"


def test_text_is_quoted_so_that_it_comes_back(engine: SparkEngine) -> None:
    assert values(engine, *map(DIALECT.literal, TEXTS)) == TEXTS


def test_name_is_quoted_so_that_it_is_one_name(engine: SparkEngine) -> None:
    names = ["status", "a b", "a`b", "select", "a.b", "Ü", '"']
    columns = ", ".join(f"{n} AS {DIALECT.identifier(name)}" for n, name in enumerate(names))
    wanted = ", ".join(map(DIALECT.identifier, names))

    assert engine.rows(f"SELECT {wanted} FROM (SELECT {columns}) r") == [tuple(range(len(names)))]


def test_instant_is_a_whole_number_of_microseconds(engine: SparkEngine) -> None:
    texts = ("2026-11-01 00:00:00", "1969-12-31 23:59:59.999999", "2026-03-29 01:00:00.000001")
    sql = [DIALECT.microseconds(f"TIMESTAMP '{text}Z'", INSTANT, None) for text in texts]

    assert values(engine, *sql) == [micros(datetime.fromisoformat(f"{text}Z")) for text in texts]


LOCAL_TIMES = [
    # Around the night in which the clock is set back, and that in which it is set forward.
    *((BERLIN, f"2026-10-25 0{hour}:{rest}") for hour in range(5) for rest in ("00", "59:59.9")),
    *((BERLIN, f"2026-03-29 {hour}:30") for hour in ("01", "03", "04")),
    (BERLIN, "2026-07-01 12:00:00.000001"),
    (LORD_HOWE, "2026-04-05 01:29"),
    (LORD_HOWE, "2026-04-05 01:30"),
    (LORD_HOWE, "2026-04-05 01:59"),
    (LORD_HOWE, "2026-04-05 02:00"),
    (KATHMANDU, "2026-01-01 00:00"),
    (ZoneInfo("UTC"), "2026-01-01 00:00"),
]


def test_local_time_is_an_instant_of_its_zone_and_the_second_of_two(engine: SparkEngine) -> None:
    local = [
        datetime.fromisoformat(text).replace(tzinfo=zone, fold=1) for zone, text in LOCAL_TIMES
    ]
    sql = [DIALECT.microseconds(wall(at), LOCAL, at.tzinfo) for at in local]

    assert values(engine, *sql) == list(map(micros, local))


def test_time_without_a_zone_of_the_policy_is_utc(engine: SparkEngine) -> None:
    at = "TIMESTAMP_NTZ '1970-01-01 00:00:01'"

    assert values(engine, *(DIALECT.microseconds(at, LOCAL, zone) for zone in (None, UTC))) == [
        1_000_000,
        1_000_000,
    ]


BOUND = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
AROUND = [BOUND + timedelta(microseconds=n) for n in (-1, 0, 1)]


def test_instant_is_compared_to_the_microsecond(engine: SparkEngine) -> None:
    instants = [f"TIMESTAMP '{at.replace(tzinfo=None).isoformat(sep=' ')}Z'" for at in AROUND]

    until = values(engine, *(DIALECT.until(at, INSTANT, BOUND, None) for at in instants))
    after = values(engine, *(DIALECT.after(at, INSTANT, BOUND, None) for at in instants))

    assert (until, after) == ([True, True, False], [False, False, True])


def test_no_row_of_a_window_is_skipped_by_its_local_time(engine: SparkEngine) -> None:
    days = [datetime(2026, month, 25, tzinfo=UTC) for month in (3, 4, 10)]
    bounds = [day + timedelta(hours=n) for day in days for n in range(-12, 36, 5)]
    second = timedelta(seconds=1)
    within, beyond = [], []
    for zone, bound in product((BERLIN, LORD_HOWE, KATHMANDU, UTC, None), bounds):
        before, at, after = (wall((bound + n * second).astimezone(zone or UTC)) for n in (-1, 0, 1))
        within += [DIALECT.until(text, LOCAL, bound, zone) for text in (before, at)]
        within += [DIALECT.after(after, LOCAL, bound, zone)]
        far = wall((bound + timedelta(days=1)).astimezone(zone or UTC))
        beyond += [DIALECT.until(far, LOCAL, bound, zone)]

    assert set(values(engine, *within)) == {True}
    assert set(values(engine, *beyond)) == {False}


def test_division_rounds_down_below_zero_too(engine: SparkEngine) -> None:
    numbers = (-7, -1, 0, 1, 7, 9_007_199_254_740_993, -(2**62))
    hour = 3_600_000_000
    sql = [DIALECT.floor_divide(f"CAST('{number}' AS BIGINT)", hour) for number in numbers]
    sql += [DIALECT.floor_divide(f"({number})", 2) for number in numbers]

    assert values(engine, *sql) == [n // hour for n in numbers] + [n // 2 for n in numbers]


def test_what_is_not_negative_is_divided_alone(engine: SparkEngine) -> None:
    numbers, hour = (0, 1, 3_599_999_999, 3_600_000_000, 9_007_199_254_740_993), 3_600_000_000
    sql = [DIALECT.divide(f"CAST('{number}' AS BIGINT)", hour) for number in numbers]

    assert values(engine, *sql) == [number // hour for number in numbers]


def test_float_is_a_whole_number_of_small_parts(engine: SparkEngine) -> None:
    small = (0.0, 0.1, -0.1, 1.5, 2.0**-60, 3e-21)
    numbers = (*small, 2.0**40 - 1, 123456789.987654321, -(2.0**39))
    sql = [DIALECT.fixed_point(f"CAST('{number!r}' AS DOUBLE)") for number in numbers]

    assert values(engine, *sql) == [Fraction(number) * 2**64 // 1 for number in numbers]


def test_sum_of_floats_is_exact(engine: SparkEngine) -> None:
    rows = " UNION ALL ".join(f"SELECT {number!r}D AS x" for number in (0.1, 1e11, -1e11, 0.2))

    ((total,),) = engine.rows(f"SELECT sum({DIALECT.fixed_point('x')}) FROM ({rows}) r")

    assert total == (Fraction(0.1) + Fraction(0.2)) * 2**64 // 1


def test_sums_have_room_for_more_than_64_bits(engine: SparkEngine) -> None:
    whole = SqlColumn(type="bigint", kind=Kind.INTEGER)
    money = SqlColumn(type="decimal(12,4)", kind=Kind.DECIMAL, exactness=4)
    rows = "SELECT CAST(id + 9223372036854775800 AS BIGINT) AS n, CAST(0.1 AS DECIMAL(12, 4)) AS d"
    sums = [f"sum({DIALECT.summable(*pair)})" for pair in (("n", whole), ("d", money))]

    ((total, amount),) = engine.rows(f"SELECT {', '.join(sums)} FROM ({rows} FROM range(3)) r")

    assert (total, type(total)) == (3 * 9223372036854775800 + 3, int)
    assert amount == Decimal("0.3")


SHOWN = [
    ("1.0D", DOUBLE, "1"),
    ("-3.0D", DOUBLE, "-3"),
    ("0.25D", DOUBLE, "0.25"),
    ("CAST(NULL AS DOUBLE)", DOUBLE, ""),
    ("CAST('NaN' AS DOUBLE)", DOUBLE, "NaN"),
    ("CAST(0.5 AS FLOAT)", SqlColumn(type="float", kind=Kind.FLOAT), "0.5"),
    ("500", SqlColumn(type="int", kind=Kind.INTEGER), "500"),
    ("CAST(1.5 AS DECIMAL(9, 2))", SqlColumn(type="decimal(9,2)", kind=Kind.DECIMAL), "1.50"),
    ("true", SqlColumn(type="boolean", kind=Kind.BOOLEAN), "true"),
    ("'a'", SqlColumn(type="string", kind=Kind.TEXT), "a"),
    ("CAST(NULL AS STRING)", SqlColumn(type="string", kind=Kind.TEXT), ""),
]


def test_value_is_shown_as_text(engine: SparkEngine) -> None:
    sql = [DIALECT.to_text(value, column) for value, column, _ in SHOWN]

    assert values(engine, *sql) == [text for _, _, text in SHOWN]


def test_decimal_is_a_double(engine: SparkEngine) -> None:
    assert values(engine, DIALECT.to_double("CAST(1.25 AS DECIMAL(9, 2))")) == [1.25]
