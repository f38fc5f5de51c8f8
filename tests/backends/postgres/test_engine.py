"""The engine answers from a real server what the contract says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from gate.backends.sql.engine import Kind, SqlColumn
from gate.measure import Cause, MeasurementError
from tests.backends.postgres.sessions import reading
from tests.servers.postgres import READER, Postgres

EVERY_TYPE = {
    "at": "timestamptz",
    "wall": "timestamp(3)",
    "day": "date",
    "small": "int2",
    "whole": "int",
    "large": "int8",
    "exact": "numeric(10,4)",
    "any": "numeric",
    "single": "real",
    "double": "float8",
    "yes": "bool",
    "words": "text",
    "short": "varchar(5)",
    "number": "uuid",
    "mood": "mood",
    "money": "cents",
    "meta": "jsonb",
    "tags": "text[]",
}


@pytest.fixture(scope="module")
def types(postgres_server: Postgres) -> Postgres:
    postgres_server.run(
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE DOMAIN cents AS numeric(12,2) CHECK (VALUE >= 0)",
    )
    postgres_server.load("every_type", EVERY_TYPE, [])
    return postgres_server


def column(type_name: str, kind: Kind, exactness: int | None = None) -> SqlColumn:
    return SqlColumn(type=type_name, kind=kind, exactness=exactness)


def test_columns_have_their_types(types: Postgres) -> None:
    with reading(types) as engine:
        columns = engine.columns("every_type")

    assert columns == {
        "at": column("timestamp with time zone", Kind.INSTANT),
        "wall": column("timestamp without time zone", Kind.LOCAL_TIME),
        "day": column("date", Kind.OTHER),
        "small": column("smallint", Kind.INTEGER),
        "whole": column("integer", Kind.INTEGER),
        "large": column("bigint", Kind.INTEGER),
        "exact": column("numeric", Kind.DECIMAL, 4),
        "any": column("numeric", Kind.DECIMAL),
        "single": column("real", Kind.FLOAT),
        "double": column("double precision", Kind.FLOAT),
        "yes": column("boolean", Kind.BOOLEAN),
        "words": column("text", Kind.TEXT),
        "short": column("character varying", Kind.TEXT),
        "number": column("uuid", Kind.OTHER),
        "mood": column("mood", Kind.OTHER),
        "money": column("numeric", Kind.DECIMAL, 2),  # of a domain what it is made of
        "meta": column("jsonb", Kind.OTHER),
        "tags": column("text[]", Kind.OTHER),
    }


def test_expressions_have_types_or_the_servers_words(types: Postgres) -> None:
    expressions = {
        "whole >= 500": column("boolean", Kind.BOOLEAN),
        "mood = 'bad'": column("boolean", Kind.BOOLEAN),
        "exact": column("numeric", Kind.DECIMAL, 4),
        "money": column("numeric", Kind.DECIMAL, 2),
        "exact * 2": column("numeric", Kind.DECIMAL),
        "meta ->> 'a'": column("text", Kind.TEXT),
        "meta": column("jsonb", Kind.OTHER),
        "mood": column("mood", Kind.OTHER),
        "missing": 'column "missing" does not exist',
        "words >= 500": "operator does not exist: text >= integer",
        "whole = 'x'": 'invalid input syntax for type integer: "x"',
        "1 / 0": "division by zero",
        "mood = 'dreadful'": 'invalid input value for enum mood: "dreadful"',
    }
    with reading(types) as engine:
        relation = engine.relation("every_type")

        assert engine.types(relation, list(expressions)) == list(expressions.values())
        assert engine.types(relation, []) == []


def test_values_are_pythons(types: Postgres) -> None:
    largest = "CAST(9223372036854775807 AS bigint)"
    with reading(types) as engine:
        sums = engine.rows(f"SELECT sum({largest}) FROM generate_series(1, 3)")
        values = engine.rows(
            "SELECT 1.50, 'Infinity'::numeric, NULL::numeric, -7::numeric, true, 'ä', 0.1::float8"
        )

    assert sums == [(3 * 9223372036854775807,)]
    assert values == [(Decimal("1.50"), Decimal("Infinity"), None, -7, True, "ä", 0.1)]
    assert [type(value) for value in (*sums[0], values[0][3])] == [int, int]


@pytest.fixture(scope="module")
def schemas(postgres_server: Postgres) -> Postgres:
    postgres_server.run("CREATE SCHEMA logs", f"GRANT USAGE ON SCHEMA logs TO {READER}")
    postgres_server.load('"LiteLLM_Spend"', {"ts": "timestamptz"}, [])
    postgres_server.load("logs.requests", {"ts": "timestamptz"}, [])
    postgres_server.load('"Twice"', {"ts": "timestamptz"}, [])
    postgres_server.load("twice", {"ts": "timestamptz"}, [])
    return postgres_server


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("LiteLLM_Spend", '"public"."LiteLLM_Spend"'),
        ('"LiteLLM_Spend"', '"public"."LiteLLM_Spend"'),
        ("public.LiteLLM_Spend", '"public"."LiteLLM_Spend"'),
        ("logs.requests", '"logs"."requests"'),
        ("LOGS.Requests", '"logs"."requests"'),
        ("postgres.logs.requests", '"logs"."requests"'),
        ('"Twice"', '"public"."Twice"'),
        ('"twice"', '"public"."twice"'),
        ("pg_catalog.pg_class", '"pg_catalog"."pg_class"'),
    ],
)
def test_a_table_is_what_its_name_says_with_its_schema(
    schemas: Postgres, name: str, relation: str
) -> None:
    with reading(schemas) as engine:
        assert engine.relation(name) == relation


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("requests", "has no table requests; did you mean 'logs.requests'"),
        ("litellm_spends", "did you mean '\"LiteLLM_Spend\"'"),
        ('"litellm_spend"', "has no table"),
        ("nothing_like_it", "has no table nothing_like_it; correct backend.table"),
        ("Twice", 'Twice may be "Twice" and "twice"; write the one that is meant'),
    ],
)
def test_a_table_that_is_not_there_is_reported_with_a_near_one(
    schemas: Postgres, name: str, words: str
) -> None:
    with reading(schemas) as engine, pytest.raises(MeasurementError, match=words) as caught:
        engine.columns(name)

    assert caught.value.cause is Cause.INVALID


def test_the_path_of_the_user_is_searched(schemas: Postgres) -> None:
    schemas.run(f"ALTER ROLE {READER} SET search_path = logs")
    try:
        with reading(schemas) as engine:
            assert engine.relation("requests") == '"logs"."requests"'
            assert engine.rows("SHOW search_path") == [("pg_catalog, logs, pg_temp",)]
    finally:
        schemas.run(f"ALTER ROLE {READER} RESET search_path")


@pytest.fixture
def own_schema(schemas: Postgres) -> Iterator[Postgres]:
    """Give the reader a schema in the path, in which functions may be."""
    schemas.run(
        "CREATE SCHEMA own",
        f"GRANT USAGE ON SCHEMA own TO {READER}",
        f"ALTER ROLE {READER} SET search_path = own, public, logs",
        "CREATE FUNCTION own.never(varchar, varchar) RETURNS bool LANGUAGE sql AS 'SELECT false'",
        "CREATE TYPE own.shape AS (n int)",
    )
    yield schemas
    schemas.run(f"ALTER ROLE {READER} RESET search_path", "DROP SCHEMA own CASCADE")


def operator(name: str) -> str:
    return f"OPERATOR own.{name} (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = own.never)"


NOTES = "(SELECT CAST('a' AS varchar) AS note)"
VARCHARS = "(character varying, character varying)"


@pytest.mark.parametrize(
    ("created", "name", "expression"),
    [
        (
            "FUNCTION own.lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT $1::text'",
            "own.lower(character varying)",
            "LOWER(note) = 'x'",
        ),
        (operator("||"), f"own.||{VARCHARS}", "note || note = 'x'"),
        (operator("~~"), f"own.~~{VARCHARS}", "note LIKE 'x'"),
        (operator("!~~*"), f"own.!~~*{VARCHARS}", "note not iLike 'x'"),
    ],
)
def test_what_may_be_called_in_place_of_postgresqls_own_is_refused_where_it_may_be(
    own_schema: Postgres, created: str, name: str, expression: str
) -> None:
    own_schema.run(f"CREATE {created}")

    with reading(own_schema) as engine:
        refused, quiet = engine.types(NOTES, [expression, "note = 'x'"])
        assert engine.relation("requests") == '"logs"."requests"'

    assert isinstance(refused, str)
    assert refused.startswith(f"the database has {name}, which PostgreSQL may call in place of its")
    assert quiet == column("boolean", Kind.BOOLEAN)


@pytest.mark.parametrize(
    ("created", "name"),
    [
        (operator("="), f"own.={VARCHARS}"),
        ("AGGREGATE own.count(int) (SFUNC = int4pl, STYPE = int)", "own.count(integer)"),
    ],
)
def test_what_the_gate_itself_might_call_is_refused(
    own_schema: Postgres, created: str, name: str
) -> None:
    own_schema.run(f"CREATE {created}")

    with reading(own_schema) as engine, pytest.raises(MeasurementError) as caught:
        engine.relation("requests")

    assert caught.value.cause is Cause.BACKEND_ERROR
    assert caught.value.reason.startswith(f"the database has {name}, which PostgreSQL may call")


@pytest.mark.parametrize(
    "created",
    [
        "FUNCTION own.mine(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
        "FUNCTION own.lower(own.shape) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
        "FUNCTION logs.lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT $1::text'",
        "EXTENSION citext SCHEMA own",
        "EXTENSION intarray SCHEMA own",
    ],
)
def test_other_names_and_types_and_extensions_are_not_a_reason_to_refuse(
    own_schema: Postgres, created: str
) -> None:
    own_schema.run(f"ALTER ROLE {READER} SET search_path = own, public", f"CREATE {created}")

    with reading(own_schema) as engine:
        assert engine.relation("logs.requests") == '"logs"."requests"'
        types = engine.types(NOTES, ["lower(note) = 'x'"])

    assert types == [column("boolean", Kind.BOOLEAN)]
    own_schema.run("DROP FUNCTION IF EXISTS logs.lower(varchar)")


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_a_view_is_a_table_like_any_other(schemas: Postgres, kind: str) -> None:
    schemas.run(
        f"CREATE {kind} seen AS SELECT ts, 1 AS status FROM logs.requests",
        f"GRANT SELECT ON seen TO {READER}",
    )
    try:
        with reading(schemas) as engine:
            assert list(engine.columns("seen")) == ["ts", "status"]
            assert engine.rows(f"SELECT count(*) FROM {engine.relation('seen')}") == [(0,)]
    finally:
        schemas.run(f"DROP {kind} seen")


@pytest.fixture(scope="module")
def partitions(postgres_server: Postgres) -> Postgres:
    days = [f"2026-11-{day:02}" for day in range(1, 11)]
    postgres_server.run(
        "CREATE TABLE parts (ts timestamptz, wall timestamp, note text) PARTITION BY RANGE (ts)",
        *(
            f"CREATE TABLE parts_{start[-2:]} PARTITION OF parts"
            f" FOR VALUES FROM ('{start} 00:00+00') TO ('{end} 00:00+00')"
            for start, end in pairwise(days)
        ),
        "INSERT INTO parts SELECT t, t AT TIME ZONE 'UTC', repeat('x', 100)"
        " FROM generate_series(TIMESTAMPTZ '2026-11-01 00:00+00',"
        " TIMESTAMPTZ '2026-11-09 23:59+00', interval '1 min') AS rows (t)",
        "CREATE INDEX ON parts_09 (ts)",
        "ANALYZE parts",
        f"GRANT SELECT ON parts TO {READER}",
    )
    return postgres_server


def size(server: Postgres, condition: str) -> int:
    with reading(server) as engine:
        expected = engine.size(
            f"SELECT count(note) FROM (SELECT note FROM {engine.relation('parts')}"
            f" WHERE {condition} OFFSET 0) AS rows"
        )
    assert expected is not None
    assert not expected.exact
    return expected.bytes


def test_only_the_partitions_of_the_window_are_read(partitions: Postgres) -> None:
    with reading(partitions) as engine:
        column, dialect = engine.columns("parts")["ts"], engine.dialect
        start, end = datetime(2026, 11, 2, 12, tzinfo=UTC), datetime(2026, 11, 4, 12, tzinfo=UTC)
        where = " AND ".join(
            [dialect.after('"ts"', column, start, None), dialect.until('"ts"', column, end, None)]
        )
        plan = engine.rows(f"EXPLAIN SELECT count(*) FROM {engine.relation('parts')} WHERE {where}")

    text = "\n".join(line for (line,) in plan)
    read = [day for day in range(1, 10) if f"parts_{day:02}" in text]
    assert read == [2, 3, 4]
    ((one,),) = partitions.run("SELECT pg_relation_size('parts_03')")
    assert size(partitions, where) == 3 * one


def test_of_a_table_that_is_read_by_an_index_only_its_rows_count(partitions: Postgres) -> None:
    ((whole,),) = partitions.run("SELECT pg_relation_size('parts_09')")
    hour = "ts > TIMESTAMPTZ '2026-11-09 23:00+00'"

    assert 8192 <= size(partitions, hour) <= whole / 10


def test_nothing_to_read_has_no_bytes(partitions: Postgres) -> None:
    with reading(partitions) as engine:
        expected = engine.size("SELECT 1")

    assert expected is not None
    assert expected.bytes == 0


def test_of_a_foreign_table_nobody_knows_the_size(postgres_server: Postgres) -> None:
    postgres_server.run(
        "CREATE EXTENSION IF NOT EXISTS file_fdw",
        "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw",
        "CREATE FOREIGN TABLE abroad (ts text) SERVER files OPTIONS (filename '/nowhere.csv')",
        f"GRANT SELECT ON abroad TO {READER}",
    )
    with reading(postgres_server) as engine:
        # The file is missing, so that an estimate of its size is all that there is.
        assert engine.size(f"SELECT count(*) FROM {engine.relation('abroad')}") is None
        assert engine.scanned() is None
