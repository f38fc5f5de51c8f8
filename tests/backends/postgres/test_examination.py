"""The doctor's findings about a server, a table and a user, and the cases without a finding."""

# ruff: noqa: E501 - a table of statements

from collections.abc import Iterator, Mapping
from datetime import timedelta
from unittest.mock import patch

import pytest

from gate.backends.postgres import examination
from gate.backends.postgres.session import PostgresSession
from gate.measure.diagnosis import Check, CheckResult, Level
from tests.backends.postgres.sessions import engine_of, reading
from tests.servers.postgres import OWNER, READER, Postgres


@pytest.fixture(scope="module")
def server(postgres_server: Postgres) -> Iterator[Postgres]:
    postgres_server.load("examined", {"ts": "timestamptz", "n": "int"}, [])
    # PostgreSQL 14 and older let everybody create tables in the schema public.
    postgres_server.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield postgres_server
    postgres_server.run(f"ALTER ROLE {READER} NOSUPERUSER NOCREATEDB NOBYPASSRLS")


def examined(
    server: Postgres, table: str = "examined", timestamp: str = "ts"
) -> dict[Check, CheckResult]:
    with reading(server, timestamp) as engine:
        return {result.check: result for result in engine.examine(table)}


def test_nothing_is_wrong_with_a_reader_of_a_small_table(server: Postgres) -> None:
    results = examined(server)

    assert {check: result.level for check, result in results.items()} == {
        Check.VERSION: Level.OK,
        Check.CLOCK: Level.OK,
        Check.PRUNED: Level.OK,
        Check.RIGHTS: Level.OK,
    }
    ((version,),) = server.run("SHOW server_version")
    assert results[Check.VERSION].message == f"PostgreSQL {version}"
    assert results[Check.PRUNED].message == "examined has 0.0 MB, so that it needs no index"
    assert results[Check.RIGHTS].message == "reader may read examined and do nothing else with it"


@pytest.mark.parametrize(
    ("grant", "revoke", "words"),
    [
        (f"ALTER ROLE {READER} SUPERUSER", f"ALTER ROLE {READER} NOSUPERUSER", "SUPERUSER; INSERT, "),
        (f"ALTER ROLE {READER} CREATEDB", f"ALTER ROLE {READER} NOCREATEDB", "count needs: CREATEDB"),
        (f"ALTER ROLE {READER} BYPASSRLS", f"ALTER ROLE {READER} NOBYPASSRLS", "needs: BYPASSRLS"),
        (
            f"GRANT INSERT, TRUNCATE ON examined TO {READER}",
            f"REVOKE INSERT, TRUNCATE ON examined FROM {READER}",
            "needs: INSERT, TRUNCATE on examined",
        ),
        (
            f"GRANT pg_write_all_data TO {READER}",
            f"REVOKE pg_write_all_data FROM {READER}",
            "needs: member of pg_write_all_data; INSERT, UPDATE, DELETE on examined",
        ),
        (
            f"GRANT CREATE ON SCHEMA public TO {READER}",
            f"REVOKE CREATE ON SCHEMA public FROM {READER}",
            "needs: CREATE in its schema",
        ),
        (
            f"GRANT CREATE ON DATABASE postgres TO {READER}",
            f"REVOKE CREATE ON DATABASE postgres FROM {READER}",
            "needs: CREATE in the database",
        ),
        (
            f"ALTER TABLE examined OWNER TO {READER}",
            f"ALTER TABLE examined OWNER TO {OWNER}; GRANT SELECT ON examined TO {READER}",
            "needs: owner of examined; INSERT, UPDATE, DELETE, TRUNCATE on examined",
        ),
    ],
)  # fmt: skip
def test_what_a_user_may_do_more_than_it_needs_is_reported(
    server: Postgres, grant: str, revoke: str, words: str
) -> None:
    server.run(grant)
    try:
        result = examined(server)[Check.RIGHTS]
    finally:
        server.run(*revoke.split("; "))

    assert result.level is Level.DOUBT
    assert words in result.message
    assert result.remedy.startswith("let gate log in as a user with nothing but SELECT on examined")


def test_who_must_see_past_row_level_security_may(server: Postgres) -> None:
    server.run("ALTER TABLE examined ENABLE ROW LEVEL SECURITY", f"ALTER ROLE {READER} BYPASSRLS")
    try:
        assert examined(server)[Check.RIGHTS].level is Level.OK
    finally:
        server.run(
            "ALTER TABLE examined DISABLE ROW LEVEL SECURITY", f"ALTER ROLE {READER} NOBYPASSRLS"
        )


@pytest.mark.parametrize(
    ("statements", "level", "words"),
    [
        (("CREATE INDEX i ON large USING brin (ts)",), Level.OK, "and an index (brin) on ts"),
        (("CREATE INDEX i ON large (ts, n)",), Level.OK, "and an index (btree) on ts"),
        (("CREATE INDEX i ON large USING brin (n, ts)",), Level.OK, "and an index (brin) on ts"),
        ((), Level.DOUBT, "MB and no index on ts: every count reads all of it"),
        (("CREATE INDEX i ON large (n, ts)",), Level.DOUBT, "no index on ts"),
        (("CREATE INDEX i ON large (n)",), Level.DOUBT, "no index on ts"),
        (("CREATE INDEX i ON large (ts) WHERE n > 5",), Level.DOUBT, "no index on ts"),
    ],
)
def test_a_large_table_needs_an_index_on_the_time(
    server: Postgres, statements: tuple[str, ...], level: Level, words: str
) -> None:
    server.load("large", {"ts": "timestamptz", "n": "int"}, [[None, 1]])
    server.run(*statements)
    with patch.object(examination, "_SMALL", 0):
        result = examined(server, "large")[Check.PRUNED]

    assert result.level is level
    assert words in result.message
    assert bool(result.remedy) is (level is Level.DOUBT)


@pytest.mark.parametrize(
    ("statement", "drop", "words"),
    [
        (
            "CREATE TABLE shape (ts timestamptz) PARTITION BY RANGE (ts)",
            "TABLE",
            "shape has 0.0 MB, in partitions by ts",
        ),
        (
            "CREATE TABLE shape (ts timestamptz, n int) PARTITION BY RANGE (n)",
            "TABLE",
            "shape has 0.0 MB, so that it needs no index",
        ),
        (
            "CREATE VIEW shape AS SELECT * FROM examined",
            "VIEW",
            "shape is a view: the amount that a count",
        ),
    ],
)
def test_partitions_and_views_are_distinguished_from_tables(
    server: Postgres, statement: str, drop: str, words: str
) -> None:
    server.run(statement, f"GRANT SELECT ON shape TO {READER}")
    try:
        result = examined(server, "shape")[Check.PRUNED]
    finally:
        server.run(f"DROP {drop} shape")

    assert result.level is Level.OK
    assert words in result.message


class Played(PostgresSession):
    """A session in which the server says of itself what a test wants: it is not easily made so."""

    said: Mapping[str, object] = {}

    def query(self, statement: str) -> list[tuple[object, ...]]:
        (row,) = super().query(statement)
        if "pg_is_in_recovery" not in statement:
            return [row]
        names = ("version", "recovering", "behind", "caught_up", "seconds")
        own = dict(zip(names, row, strict=True))
        shift = self.said.get("shift", 0.0)
        assert isinstance(shift, float)
        return [tuple({**own, **self.said, "seconds": own["seconds"] + shift}[n] for n in names)]


@pytest.mark.parametrize(
    ("said", "check", "level", "words"),
    [
        ({"shift": 90.0}, Check.CLOCK, Level.DOUBT, "clock is 90 s ahead of this machine's"),
        ({"shift": -90.0}, Check.CLOCK, Level.DOUBT, "clock is 90 s behind this machine's"),
        ({"shift": 3.0}, Check.CLOCK, Level.OK, "the clocks agree"),
        (
            {"recovering": True, "behind": 12.7, "caught_up": False},
            Check.FRESHNESS,
            Level.OK,
            "the server is a replica, 12s behind its primary",
        ),
        (
            {"recovering": True, "behind": 7200.0, "caught_up": False},
            Check.FRESHNESS,
            Level.DOUBT,
            "a replica, 2h behind its primary: rows of that time are missing, and an SLO",
        ),
        # Nothing was written for a day, and everything that was is here.
        (
            {"recovering": True, "behind": 86400.0, "caught_up": True},
            Check.FRESHNESS,
            Level.OK,
            "a replica, 0s behind its primary",
        ),
        (
            {"recovering": True, "behind": None, "caught_up": None},
            Check.FRESHNESS,
            Level.DOUBT,
            "a replica, an unknown time behind its primary",
        ),
    ],
)  # fmt: skip
def test_a_clock_that_differs_and_a_replica_that_lags_are_reported(
    server: Postgres, said: Mapping[str, object], check: Check, level: Level, words: str
) -> None:
    with engine_of(server.reader_url) as engine:
        played = Played(server.reader_url, {}, shown="", secrets=(), timeout=timedelta(seconds=20))
        played.said = said
        engine.session = played
        results = {result.check: result for result in engine.examine("examined")}

    assert results[check].level is level
    assert words in results[check].message
    assert bool(results[check].remedy) is (level is Level.DOUBT)
