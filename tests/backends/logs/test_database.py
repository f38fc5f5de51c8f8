"""The connection: what it may do, when it stops, and what its errors become."""

import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from gate.backends.logs import bounds
from gate.backends.logs.bounds import bounded_memory
from gate.backends.logs.database import Database, opened
from gate.measure import Cause, Counts, MeasurementError
from gate.slo.indicator import Sli
from tests.backends.logs.written import ask_all, before, refused, request, watch, write

ENDLESS = """SELECT count(*) FROM range(1_000_000) AS a (i), range(1_000_000) AS b (j)
WHERE hash(i + j) = 1"""


@pytest.fixture
def database() -> Iterator[Database]:
    with opened(timedelta(minutes=1), None) as database:
        yield database


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("autoinstall_known_extensions", False),
        ("autoload_known_extensions", False),
        ("allow_community_extensions", False),
        ("python_enable_replacements", False),
        ("temp_directory", ""),
        ("TimeZone", "UTC"),
    ],
)
def test_nothing_is_loaded_and_nothing_is_written(
    database: Database, setting: str, expected: object
) -> None:
    assert database.query("SELECT current_setting(?)", setting) == [(expected,)]


def test_it_uses_the_cores_and_the_memory_that_there_are(database: Database) -> None:
    ((threads,),) = database.query("SELECT current_setting('threads')")

    assert threads == len(os.sched_getaffinity(0))


def test_once_confined_it_reads_the_files_of_the_policy_and_nothing_else(
    database: Database, tmp_path: Path
) -> None:
    for name in ("log", "other"):
        (tmp_path / f"{name}.csv").write_text("a\n1\n")
    database.confine([str(tmp_path / "log.csv")])

    assert database.query(f"FROM '{tmp_path}/log.csv'") == [(1,)]
    for sql in (
        f"FROM '{tmp_path}/other.csv'",
        f"FROM '{tmp_path}/*.csv'",
        "FROM read_text('/etc/passwd')",
        f"COPY (SELECT 1) TO '{tmp_path}/new.csv'",
        f"ATTACH '{tmp_path}/new.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "SET autoinstall_known_extensions = true",
        "FROM read_csv('https://example.com/x.csv')",
    ):
        with pytest.raises(duckdb.Error):
            database.query(sql)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "other.csv"]


def test_a_run_is_confined_before_it_looks_at_any_expression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write(tmp_path / "log.csv", [{"ts": before(1), "status": 200}])
    other = write(tmp_path / "other.csv", [{"ts": before(1), "status": 200}])
    tried = []

    def trying(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
        if not sql.startswith(("SET ", "SELECT current_setting")):
            with pytest.raises(duckdb.PermissionException):
                connection.execute(f"FROM '{other}'")
            tried.append(sql)

    watch(monkeypatch, trying)
    answer = ask_all(log, [request()])[0]

    assert isinstance(answer, Counts)
    assert len(tried) > 3


def test_a_run_that_takes_too_long_is_stopped() -> None:
    begin = time.monotonic()

    with (
        opened(timedelta(milliseconds=200), None) as database,
        pytest.raises(
            MeasurementError, match=r"^reading the logs took longer than 200ms$"
        ) as refusal,
    ):
        database.query(ENDLESS)

    assert refusal.value.cause is Cause.BACKEND_ERROR
    assert time.monotonic() - begin < 20


SLOW = " || ".join(f"sha256(text || '{number}')" for number in range(60)) + " = ''"
WITHIN_A_VALUE = "SELECT length(lpad('x', 100000000 + i::INTEGER, 'xy')) FROM range(1) AS a (i)"
"""Takes some seconds, without a look at whether it is to stop."""


@pytest.mark.slow
def test_a_run_ends_in_time_though_duckdb_is_within_a_value_and_obeys_no_interrupt() -> None:
    begin = time.monotonic()

    with (
        opened(timedelta(milliseconds=300), None) as database,
        pytest.raises(MeasurementError, match="reading the logs took longer than 300ms"),
    ):
        database.query(WITHIN_A_VALUE)

    assert time.monotonic() - begin < 5


def test_nothing_is_asked_of_a_database_that_is_stuck(database: Database) -> None:
    database.stuck = True

    with pytest.raises(MeasurementError, match="took longer than"):
        database.query("SELECT 1")
    database.stuck = False


@pytest.mark.parametrize(
    "expression",
    ["repeat('x', 40000000000 + status::BIGINT) <> ''", "list_sum(range(4000000000)) > 0"],
)
def test_a_statement_that_wants_all_memory_is_refused(database: Database, expression: str) -> None:
    with pytest.raises(duckdb.Error, match=r"(?i)memory|allocate|too large|maximum") as error:
        database.query(f"SELECT {expression} FROM (SELECT 1 AS status)")

    assert isinstance(database.refusal(error.value), MeasurementError)


def test_memory_is_bounded_for_a_while_by_each_that_asks() -> None:
    before_ = resource.getrlimit(resource.RLIMIT_AS)

    with bounded_memory("1.0 GiB"):
        outer, _ = resource.getrlimit(resource.RLIMIT_AS)
        with bounded_memory("512.0 MiB"):
            inner, _ = resource.getrlimit(resource.RLIMIT_AS)
        assert 0 < inner < outer
        with bounded_memory("no size"):
            assert resource.getrlimit(resource.RLIMIT_AS)[0] == inner
    assert resource.getrlimit(resource.RLIMIT_AS) == before_


def test_where_the_system_counts_no_addresses_nothing_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "_STATISTICS", Path("/nowhere"))
    before_ = resource.getrlimit(resource.RLIMIT_AS)

    with bounded_memory("1.0 GiB"):
        assert resource.getrlimit(resource.RLIMIT_AS) == before_


@pytest.mark.slow
def test_every_request_of_such_a_run_is_a_backend_error(tmp_path: Path) -> None:
    for number in range(20):
        row = {"ts": before(1), "text": f"{number:02}" * 300_000, "status": 500}
        write(tmp_path / f"{number}.csv", [row])
    slow = Sli(bad=SLOW)

    answers = ask_all(tmp_path / "*.csv", [request(slow), request()], timeout=0.1)

    for answer in answers:
        reason = refused(answer, Cause.BACKEND_ERROR)
        assert reason == "reading the logs took longer than 100ms"


def test_ctrl_c_ends_a_long_run_at_once(database: Database) -> None:
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            database.query(ENDLESS)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, handler)
    assert time.monotonic() - begin < 20
    assert database.query("SELECT 1") == [(1,)]


def test_opening_leaves_no_thread_behind() -> None:
    before_ = threading.active_count()

    with opened(timedelta(minutes=1), "Europe/Berlin") as database:
        assert database.query("SELECT current_setting('TimeZone')") == [("Europe/Berlin",)]
        assert threading.active_count() == before_ + 1

    assert threading.active_count() == before_


def test_a_statement_that_does_not_stop_is_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.backends.logs.database._GRACE", 0.0)
    end = threading.Event()
    with opened(timedelta(milliseconds=1), None) as database:
        monkeypatch.setattr(database, "_fetch", lambda *_: end.wait() and [])
        with pytest.raises(MeasurementError, match="longer than"):
            database.query("SELECT 1")
        assert database.stuck
        end.set()
    # The connection was not closed, which would have waited for the statement.
    assert database._connection.execute("SELECT 1").fetchall() == [(1,)]
    database._connection.close()
