"""A real server understands the dialect's SQL exactly as it is meant, to the last bit."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from gate.backends.postgres.dialect import PostgresDialect
from gate.backends.postgres.engine import PostgresEngine
from gate.backends.sql.engine import Kind, SqlColumn
from gate.measure import MeasurementError
from tests.backends.postgres.sessions import reading
from tests.servers.postgres import Postgres

DIALECT = PostgresDialect()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
INSTANT = SqlColumn(type="timestamp with time zone", kind=Kind.INSTANT)
CLOCK = SqlColumn(type="timestamp without time zone", kind=Kind.LOCAL_TIME)
DOUBLE = SqlColumn(type="double precision", kind=Kind.FLOAT)


@pytest.fixture(scope="module")
def engine(postgres_server: Postgres) -> Iterator[PostgresEngine]:
    with reading(postgres_server) as opened:
        yield opened


def value(engine: PostgresEngine, expression: str) -> object:
    ((got,),) = engine.rows(f"SELECT {expression}")
    return got


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-28 12:00:00.123456+00",
        "2026-11-28 12:00:00.999999+05:45",
        "1969-12-31 23:59:59.999999+00",
        "1901-02-03 04:05:06.000001+00",
        "2105-12-31 23:59:59.999999+00",
        "1970-01-01 00:00:00+00",
    ],
)
def test_an_instant_is_whole_microseconds(engine: PostgresEngine, text: str) -> None:
    sql = DIALECT.microseconds(f"TIMESTAMPTZ '{text}'", INSTANT, None)

    assert value(engine, sql) == micros(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("wall", "zone", "expected"),
    [
        ("2026-07-01 12:00:00", BERLIN, "2026-07-01T10:00:00+00:00"),
        ("2026-12-01 12:00:00.5", BERLIN, "2026-12-01T11:00:00.500000+00:00"),
        # 02:30 comes twice when the clocks are set back; the second time is in winter time.
        ("2026-10-25 02:30:00", BERLIN, "2026-10-25T01:30:00+00:00"),
        ("2026-10-25 01:59:59", BERLIN, "2026-10-24T23:59:59+00:00"),
        ("2026-01-01 00:00:00", ZoneInfo("Asia/Kathmandu"), "2025-12-31T18:15:00+00:00"),
        ("2026-01-01 00:00:00", UTC, "2026-01-01T00:00:00+00:00"),
        ("2026-01-01 00:00:00", None, "2026-01-01T00:00:00+00:00"),
    ],
)
def test_a_clock_of_a_zone_is_an_instant(
    engine: PostgresEngine, wall: str, zone: tzinfo | None, expected: str
) -> None:
    sql = DIALECT.microseconds(f"TIMESTAMP '{wall}'", CLOCK, zone)

    assert value(engine, sql) == micros(datetime.fromisoformat(expected))


@pytest.mark.parametrize("text", ["infinity", "-infinity"])
@pytest.mark.parametrize("column", [INSTANT, CLOCK])
def test_an_infinite_time_is_not_a_time(
    engine: PostgresEngine, text: str, column: SqlColumn
) -> None:
    kind = "TIMESTAMPTZ" if column is INSTANT else "TIMESTAMP"

    assert value(engine, DIALECT.microseconds(f"{kind} '{text}'", column, BERLIN)) is None


def test_a_zone_without_a_name_is_refused() -> None:
    with pytest.raises(MeasurementError, match="has no name; use one such as Europe/Berlin"):
        DIALECT.microseconds("t", CLOCK, timezone(timedelta(hours=2)))


@pytest.mark.parametrize("zone", [BERLIN, ZoneInfo("Asia/Kathmandu"), UTC, None])
@pytest.mark.parametrize(
    "moment",
    ["2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00", "2026-03-29T01:00:00+00:00"],
)
def test_the_bounds_of_a_window_leave_out_no_row_and_few_others(
    engine: PostgresEngine, zone: tzinfo | None, moment: str
) -> None:
    at = datetime.fromisoformat(moment)
    exact = DIALECT.microseconds("wall", CLOCK, zone)
    until, after = DIALECT.until("wall", CLOCK, at, zone), DIALECT.after("wall", CLOCK, at, zone)

    rows = engine.rows(
        f"SELECT count(*) FILTER (WHERE {exact} <= {micros(at)} AND NOT {until}),"
        f" count(*) FILTER (WHERE {exact} > {micros(at)} AND NOT {after}),"
        f" count(*) FILTER (WHERE {exact} > {micros(at)} AND {until}),"
        f" count(*) FILTER (WHERE {exact} <= {micros(at)} AND {after})"
        f" FROM generate_series(TIMESTAMP '{at - timedelta(days=2):%Y-%m-%d}',"
        f" TIMESTAMP '{at + timedelta(days=2):%Y-%m-%d}', interval '10 min') AS clock (wall)"
    )

    missed_before, missed_after, more_before, more_after = rows[0]
    assert (missed_before, missed_after) == (0, 0)
    # Three hours of six rows each: two of slack, and the one by which the clock is set.
    most = 0 if zone in {UTC, None} else 3 * 6
    assert more_before <= most
    assert more_after <= most


@pytest.mark.parametrize(
    "moment", ["2026-10-25T00:30:00.000001+00:00", "2026-10-25T02:30:00+02:00"]
)
def test_the_bounds_of_an_instant_are_exact(engine: PostgresEngine, moment: str) -> None:
    at = datetime.fromisoformat(moment)
    same = f"TIMESTAMPTZ '{at.isoformat()}'"
    later = f"({same} + interval '1 microsecond')"

    assert value(engine, DIALECT.until(same, INSTANT, at, None)) is True
    assert value(engine, DIALECT.until(later, INSTANT, at, None)) is False
    assert value(engine, DIALECT.after(same, INSTANT, at, None)) is False
    assert value(engine, DIALECT.after(later, INSTANT, at, None)) is True


@pytest.mark.parametrize("number", [0, 1, 3599, 3600, -1, -3600, -3601, 2**62, -(2**62)])
def test_division_rounds_down(engine: PostgresEngine, number: int) -> None:
    whole = f"CAST({number} AS bigint)"

    assert value(engine, DIALECT.floor_divide(whole, 3600)) == number // 3600
    if number >= 0:
        assert value(engine, DIALECT.divide(whole, 3600)) == number // 3600


def test_only_rows_that_meet_the_condition_are_counted(engine: PostgresEngine) -> None:
    rows = "(VALUES (1, true), (2, true), (3, false), (4, NULL), (NULL, true)) AS rows (x, kept)"
    chosen = [
        DIALECT.count("kept"),
        DIALECT.highest("x", "kept"),
        DIALECT.count("x > 4"),
        DIALECT.highest("x", "x > 4"),
    ]

    assert engine.rows(f"SELECT {', '.join(chosen)} FROM {rows}") == [(3, 2, 0, None)]


@pytest.mark.parametrize("number", [0.1, 1e-9, 3.0, -0.1, 2.0**39 + 0.3, 123456.789])
def test_a_double_in_fixed_point_is_exact_to_the_last_part(
    engine: PostgresEngine, number: float
) -> None:
    parts = Fraction(number) * 2**64

    got = value(engine, DIALECT.fixed_point(f"CAST('{number!r}' AS double precision)"))

    assert isinstance(got, int)
    assert got == parts.numerator // parts.denominator


@pytest.mark.variants(4)
@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("NULL::text", ""),
        ("5.0::float8", "5"),
        ("0.1::float8", "0.1"),
        ("true", "true"),
        ("'{\"a\": 1}'::jsonb", '{"a": 1}'),
        ("'5f0c0a52-0c5e-4a3c-9c5b-0d3f6f0f8a11'::uuid", "5f0c0a52-0c5e-4a3c-9c5b-0d3f6f0f8a11"),
        ("TIMESTAMPTZ '2026-11-28 12:00:00+01'", "2026-11-28 11:00:00+00"),
        ("ARRAY['a', 'b']", "{a,b}"),
    ],
)
def test_a_value_of_any_type_has_a_text(engine: PostgresEngine, sql: str, text: str) -> None:
    assert value(engine, DIALECT.to_text(sql, DOUBLE)) == text


def test_a_number_as_a_double_is_a_float(engine: PostgresEngine) -> None:
    got = value(engine, DIALECT.to_double("CAST(1.5 AS numeric)"))

    assert (got, type(got)) == (1.5, float)


@pytest.mark.parametrize("text", ["it's", r"back\slash", 'a"b', "ünïcode", "a%sb", ""])
def test_a_quoted_text_is_the_text(engine: PostgresEngine, text: str) -> None:
    assert value(engine, DIALECT.literal(text)) == text


@pytest.mark.parametrize("name", ["startTime", 'with "quotes"', "select", "a b"])
def test_a_quoted_name_is_the_name(engine: PostgresEngine, name: str) -> None:
    quoted = DIALECT.identifier(name)

    assert value(engine, f"{quoted} FROM (SELECT 1 AS {quoted}) AS rows") == 1


@pytest.mark.parametrize(
    ("type_name", "kind"),
    [
        ("boolean", Kind.BOOLEAN),
        ("smallint", Kind.INTEGER),
        ("bigint", Kind.INTEGER),
        ("numeric(10,2)", Kind.DECIMAL),
        ("numeric", Kind.DECIMAL),
        ("real", Kind.FLOAT),
        ("character varying(20)", Kind.TEXT),
        ("timestamp(3) without time zone", Kind.LOCAL_TIME),
        ("timestamp with time zone", Kind.INSTANT),
        ("date", Kind.OTHER),
        ("jsonb", Kind.OTHER),
        ("text[]", Kind.OTHER),
        ("interval", Kind.OTHER),
    ],
)
def test_each_type_is_of_a_kind(type_name: str, kind: Kind) -> None:
    assert DIALECT.kind(type_name) is kind
