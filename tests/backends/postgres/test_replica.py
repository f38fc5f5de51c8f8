"""A real replica: how far it is behind is said, and a statement that it cancels is an error."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest

from gate.backends.postgres import examination
from gate.measure import Cause, MeasurementError
from gate.measure.diagnosis import Check, CheckResult, Level
from tests.backends.postgres.sessions import reading
from tests.servers.postgres import Postgres, replica

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def standby(postgres_server: Postgres) -> Iterator[Postgres]:
    rows = [["2026-11-20 12:00+00", number] for number in range(1000)]
    postgres_server.load("replicated", {"ts": "timestamptz", "n": "int"}, rows)
    with replica(postgres_server) as server:
        yield server


def lag(standby: Postgres) -> CheckResult:
    with reading(standby) as engine:
        results = engine.examine("replicated")
    (result,) = (result for result in results if result.check is Check.FRESHNESS)
    return result


def waits_for(standby: Postgres, statement: str) -> None:
    """Wait until a statement gives true on the replica."""
    for _ in range(200):
        if standby.run(statement) == [(True,)]:
            return
        time.sleep(0.05)
    pytest.fail(statement)


def test_a_replica_that_has_everything_is_not_behind_however_long_nothing_happened(
    standby: Postgres,
) -> None:
    def caught_up() -> CheckResult:
        waits_for(standby, "SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()")
        return lag(standby)

    with patch.object(examination, "_LONGEST_LAG", timedelta(0)):
        # The primary writes now and then by itself, such as at checkpoints.
        results = (caught_up() for _ in range(20))
        result = next(each for each in results if each.level is Level.OK)

    assert result.message == "the server is a replica, 0s behind its primary"


def test_a_replica_that_does_not_replay_is_behind(
    standby: Postgres, postgres_server: Postgres
) -> None:
    postgres_server.run("INSERT INTO replicated VALUES (now(), 0)")
    waits_for(standby, "SELECT pg_last_xact_replay_timestamp() IS NOT NULL")
    standby.run("SELECT pg_wal_replay_pause()")
    try:
        postgres_server.run("INSERT INTO replicated VALUES (now(), 0)")
        waits_for(standby, "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()")
        time.sleep(1.1)
        with patch.object(examination, "_LONGEST_LAG", timedelta(seconds=1)):
            result = lag(standby)
    finally:
        standby.run("SELECT pg_wal_replay_resume()")

    assert result.level is Level.DOUBT
    assert "behind its primary: rows of that time are missing" in result.message


def test_a_statement_that_the_replica_cancels_is_an_error(
    standby: Postgres, postgres_server: Postgres
) -> None:
    started = threading.Event()

    def change() -> None:
        started.wait(10)
        time.sleep(0.5)
        postgres_server.run("DELETE FROM replicated WHERE n > 500", "VACUUM replicated")

    thread = threading.Thread(target=change)
    thread.start()
    with reading(standby) as engine:
        engine.rows("SELECT count(*) FROM replicated")
        started.set()
        with pytest.raises(MeasurementError) as caught:
            engine.rows("SELECT count(*) FROM replicated, pg_sleep(20)")
        # In another transaction the others are counted all the same.
        with pytest.raises(MeasurementError, match="divides by zero"):
            engine.rows("SELECT 1 / n FROM replicated")
        assert engine.rows("SHOW transaction_read_only") == [("on",)]
    thread.join()

    assert caught.value.cause is Cause.BACKEND_ERROR
    assert "cancelled the statement: it conflicts with changes" in caught.value.reason
