"""Whatever fails gives a sentence with what to do, and never the value of a row."""

# ruff: noqa: E501 - a table of statements

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from gate.backends.postgres.session import PostgresSession
from gate.measure import Cause, MeasurementError
from tests.backends.postgres.sessions import SHOWN, engine_of, reading
from tests.command import heeding_interrupts
from tests.servers.postgres import OWNER, PASSWORD, READER, Postgres
from tests.servers.processes import free_port

SECRET = "the value of a row"


@pytest.fixture(scope="module")
def rows(postgres_server: Postgres) -> Postgres:
    postgres_server.load(
        "failing", {"n": "int", "note": "text"}, [[number, SECRET] for number in range(3)]
    )
    postgres_server.run("CREATE TABLE forbidden (n int)", "CREATE DATABASE rejected")
    return postgres_server


def refused(
    url: str,
    statement: str = "SELECT 1",
    timeout: float = 20,
    keywords: Mapping[str, str] | None = None,
) -> str:
    """Return why a statement has no answer."""
    with (
        engine_of(url, timeout=timeout, keywords=keywords) as engine,
        pytest.raises(MeasurementError) as caught,
    ):
        engine.rows(statement)
    assert caught.value.cause is Cause.BACKEND_ERROR
    assert PASSWORD not in caught.value.reason
    assert ";" in caught.value.reason  # behind it stands what to do
    return caught.value.reason


# No connection


@pytest.mark.parametrize(
    ("user", "password", "database", "words"),
    [
        (READER, "wrong", "postgres", "the server does not accept the user or the password"),
        (READER, None, "postgres", "the server does not accept the user or the password"),
        ("nobody", "wrong", "postgres", "the server does not accept the user or the password"),
        (READER, PASSWORD, "nowhere", "the server has no such database"),
    ],
)
def test_a_login_that_fails_is_reported_with_what_to_do(
    rows: Postgres, user: str, password: str | None, database: str, words: str
) -> None:
    login = {"user": user, "dbname": database} | ({"password": password} if password else {})

    reason = refused(rows.url, keywords=login)

    assert reason.startswith(f"no connection to {SHOWN}: {words}; ")


def test_a_user_who_may_not_log_in_is_reported(rows: Postgres) -> None:
    rows.run("CREATE ROLE locked NOLOGIN PASSWORD 'x'")

    assert "does not admit this user" in refused(
        rows.url, keywords={"user": "locked", "password": "x"}
    )


def test_a_server_that_is_full_is_reported(rows: Postgres) -> None:
    rows.run(f"ALTER ROLE {READER} CONNECTION LIMIT 0")
    try:
        assert (
            "too many connections" in (reason := refused(rows.reader_url))
            or "no connection left" in reason
        )
    finally:
        rows.run(f"ALTER ROLE {READER} CONNECTION LIMIT -1")


def test_tls_that_the_server_does_not_offer_is_reported() -> None:
    with answering(b"N") as port:
        reason = refused(f"postgresql://127.0.0.1:{port}/db", keywords={"sslmode": "require"})

    assert "the server offers no TLS, and sslmode asks for it; set backend.sslmode" in reason


def test_a_server_that_wants_tls_is_reported(rows: Postgres) -> None:
    reason = refused(
        rows.url,
        keywords={"user": READER, "password": PASSWORD, "dbname": "rejected", "sslmode": "disable"},
    )

    assert "the server does not admit this user; add a line to the server's pg_hba.conf" in reason


@pytest.mark.parametrize(
    ("host", "authority", "words"),
    [
        ("localhost", True, None),
        ("127.0.0.1", True, None),
        ("127.0.0.1", False, "the server's certificate is not trusted; set backend.sslmode"),
        ("gate.localhost", True, "the server's certificate is for another host; "),
        ("localhost", None, "the server's certificate is not trusted; "),
    ],
)
def test_the_certificate_of_a_server_is_examined(
    rows: Postgres, tmp_path: Path, host: str, authority: bool | None, words: str | None
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    path = {True: rows.authority, False: other, None: tmp_path / "missing.pem"}[authority]
    login = {"user": READER, "password": PASSWORD, "sslmode": "verify-full"}
    keywords = {**login, "sslrootcert": str(path), "hostaddr": "127.0.0.1", "host": host}

    if words is not None:
        assert words in refused(rows.url, keywords=keywords)
        return
    with engine_of(rows.url, keywords=keywords) as engine:
        ((encrypted,),) = engine.rows("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert encrypted


def test_nobody_who_listens_is_reported() -> None:
    for url in (f"postgresql://127.0.0.1:{free_port()}/db", f"postgresql://[::1]:{free_port()}/db"):
        assert "the connection was refused; check the host and port" in refused(url)


def test_a_socket_that_is_not_there_is_reported() -> None:
    assert "there is no such socket" in refused("postgresql:///db?host=/nowhere")


def test_a_host_that_is_not_known_is_reported() -> None:
    assert "the host is not known" in refused("postgresql://no-such-host.invalid/db")


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """Listen, and answer everybody with this; None: with nothing, while the block lasts."""
    held = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if answer is None:
                    held.append(connection)
                    continue
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in held:
        connection.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "a program other than PostgreSQL answers"),
        (b"", "the connection was lost"),
        (b"E\0\0\0\x17SFATAL\0C57P03\0Mrhubarb\0\0", "rhubarb"),  # in a language of its own
    ],
)
def test_an_answer_of_something_else_is_reported(answer: bytes, words: str) -> None:
    with answering(answer) as port:
        assert words in refused(
            f"postgresql://127.0.0.1:{port}/db", keywords={"sslmode": "disable"}
        )


def test_a_server_that_says_nothing_is_left_at_the_time_limit() -> None:
    with answering(None) as port:
        start = time.monotonic()
        reason = refused(f"postgresql://127.0.0.1:{port}/db", timeout=0.5)

    assert f"no connection to {SHOWN} within 500ms; check the host and port" in reason
    assert time.monotonic() - start < 2


def test_an_address_that_libpq_cannot_read_is_reported() -> None:
    with engine_of("postgresql://host:port/db") as engine:
        for _ in range(2):  # the same, however often
            with pytest.raises(MeasurementError, match=r"backend\.url is not a valid address"):
                engine.rows("SELECT 1")


# A session


def test_a_session_only_reads_one_moment_in_utc(rows: Postgres) -> None:
    settings = {
        "transaction_read_only": "on",
        "transaction_isolation": "repeatable read",
        "TimeZone": "UTC",
        "statement_timeout": "20s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "20s",
        "row_security": "off",
        "standard_conforming_strings": "on",
        "application_name": "gate",
        "DateStyle": "ISO, YMD",
        "extra_float_digits": "1",
        "search_path": 'pg_catalog, "$user", public, pg_temp',
    }
    rows.run(
        f"ALTER ROLE {READER} SET standard_conforming_strings = off",
        f"ALTER ROLE {READER} SET DateStyle = 'German'",
        f"ALTER ROLE {READER} SET statement_timeout = '2s'",
    )
    try:
        with reading(rows) as engine:
            names = ", ".join(f"current_setting('{name}')" for name in settings)
            assert engine.rows(f"SELECT {names}") == [tuple(settings.values())]
            rows.run("INSERT INTO failing VALUES (9, '')")
            assert engine.rows("SELECT count(*) FROM failing") == [(3,)]
            with pytest.raises(MeasurementError):
                engine.rows("CREATE TEMP TABLE t (n int)")
    finally:
        rows.run(f"ALTER ROLE {READER} RESET ALL", "DELETE FROM failing WHERE n = 9")


def test_the_environment_does_not_change_the_session(
    rows: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c geqo=off")
    with engine_of(rows.reader_url, keywords={"options": ""}) as engine:
        assert engine.rows("SHOW geqo") == [("on",)]


@pytest.mark.parametrize("setting", ["zero_damaged_pages", "ignore_checksum_failure"])
def test_a_setting_that_hides_rows_is_refused(rows: Postgres, setting: str) -> None:
    rows.run(f"ALTER ROLE {READER} SET {setting} = on")
    try:
        reason = refused(rows.reader_url)
    finally:
        rows.run(f"ALTER ROLE {READER} RESET ALL")

    assert reason.startswith(f"the server has {setting} = on, and a count needs off; ")


# A statement


@pytest.mark.variants(9)
@pytest.mark.parametrize(
    ("statement", "cause", "words"),
    [
        ("SELECT 1 / n FROM failing", Cause.INVALID, "divides by zero"),
        ("SELECT 1.0 / n FROM failing", Cause.INVALID, "divides by zero"),
        ("SELECT CAST(note AS int) FROM failing", Cause.INVALID, "a text does not fit the type"),
        ("SELECT CAST(note AS timestamptz) FROM failing", Cause.INVALID, "as a time"),
        ("SELECT CAST(n + 40000 AS smallint) FROM failing", Cause.INVALID, "too large for its type"),
        ("SELECT note ~ ('(' || n) FROM failing", Cause.INVALID, "regular expression is not valid"),
        ("SELECT TIMESTAMP '2026-01-01' + n * interval '200000 years' FROM failing", Cause.INVALID, "a time is out of range"),
        ("SELECT ln(CAST(n AS numeric)) FROM failing", Cause.INVALID, "a value does not fit"),
        ("SELECT (SELECT note FROM failing)", Cause.INVALID, "gives several rows"),
        ("SELECT nothing FROM failing", Cause.INVALID, 'column "nothing" does not exist'),
        ("SELECT n > note FROM failing", Cause.INVALID, "operator does not exist: integer > text"),
        ("SELECT nothing(n) FROM failing", Cause.INVALID, "function nothing(integer) does not exist"),
        ("SELECT CASE WHEN n THEN 1 END FROM failing", Cause.INVALID, "must be type boolean"),
        ("SELECT 1 FROM nowhere", Cause.INVALID, 'relation "nowhere" does not exist'),
        ("SELECT 1 FROM no_schema.nowhere", Cause.INVALID, 'relation "no_schema.nowhere"'),
        ("SELECT FROM forbidden", Cause.BACKEND_ERROR, "the user may not read the table"),
        ("SELECT lo_get(1)", Cause.INVALID, "does not accept an expression"),
    ],
)  # fmt: skip
def test_a_statement_that_fails_is_reported_without_any_value(
    rows: Postgres, statement: str, cause: Cause, words: str
) -> None:
    with reading(rows) as engine:
        with pytest.raises(MeasurementError) as caught:
            engine.rows(statement)

        assert words in caught.value.reason
        assert SECRET not in caught.value.reason
        assert caught.value.cause is cause
        # The others are counted all the same.
        assert engine.rows("SELECT count(*) FROM failing") == [(3,)]


def test_without_a_savepoint_the_next_statement_has_a_transaction_of_its_own(
    rows: Postgres,
) -> None:
    with reading(rows) as engine:
        assert engine.rows("SELECT count(*) FROM failing") == [(3,)]
        engine.session._savepoint = ""  # as on a replica; see test_replica.py
        with pytest.raises(MeasurementError, match="divides by zero"):
            engine.rows("SELECT 1 / n FROM failing")

        assert engine.rows("SHOW transaction_read_only") == [("on",)]


def test_a_statement_that_is_too_wide_is_reported(rows: Postgres) -> None:
    wide = ", ".join(f"n + {number}" for number in range(1665))

    assert "larger than the server allows" in refused(
        rows.reader_url, f"SELECT {wide} FROM failing"
    )


def test_row_level_security_is_an_error_and_not_fewer_rows(rows: Postgres) -> None:
    rows.load("filtered", {"tenant": "text"}, [["a"], ["b"]])
    rows.run(
        "ALTER TABLE filtered ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY own ON filtered TO {READER} USING (tenant = 'a')",
    )

    reason = refused(rows.reader_url, "SELECT count(*) FROM filtered")

    assert reason.startswith("row-level security hides rows of the table from the user; let the")
    hidden = "hides rows of filtered from the user"
    with reading(rows) as engine, pytest.raises(MeasurementError, match=hidden):
        engine.relation("filtered")
    with engine_of(rows.url, keywords={"user": OWNER}) as engine:
        assert engine.rows(f"SELECT count(*) FROM {engine.relation('filtered')}") == [(2,)]


def test_a_table_that_another_session_locks_is_not_waited_for_to_the_end(rows: Postgres) -> None:
    with rows.connected() as other, other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE failing IN ACCESS EXCLUSIVE MODE")

        reason = refused(rows.reader_url, "SELECT count(*) FROM failing", timeout=2)

    assert reason.startswith("another session locks the table; run the check again when the other")


def running(server: Postgres, user: str = READER) -> list[str]:
    """Return what a user's sessions are doing."""
    query = f"SELECT query FROM pg_stat_activity WHERE usename = '{user}' AND state = 'active'"
    return [text for (text,) in server.run(query)]


def ended(server: Postgres) -> bool:
    """Wait until nothing of the reader's is running."""
    for _ in range(100):
        if not running(server):
            return True
        time.sleep(0.02)
    return False


def test_a_statement_that_takes_too_long_is_cancelled_on_the_server(rows: Postgres) -> None:
    start = time.monotonic()
    with reading(rows, timeout=2) as engine:
        with pytest.raises(MeasurementError) as caught:
            engine.rows("SELECT pg_sleep(60)")
        took = time.monotonic() - start
        with pytest.raises(MeasurementError) as again:
            engine.rows("SELECT 1")

        assert ended(rows)

    reason = caught.value.reason
    assert "the statement took longer than 2s; allow more time" in reason
    assert again.value.reason == reason
    assert took < 30  # and not a minute


def test_ctrl_c_cancels_the_statement_on_the_server(rows: Postgres) -> None:
    def interrupt() -> None:
        while not any("pg_sleep" in text for text in running(rows)):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    with heeding_interrupts(), reading(rows) as engine:
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            engine.rows("SELECT pg_sleep(60)")

        assert ended(rows)


def test_closing_ends_what_still_runs(rows: Postgres) -> None:
    with reading(rows) as engine:
        caught = []

        def ask() -> None:
            try:
                engine.rows("SELECT pg_sleep(60)")
            except MeasurementError as error:
                caught.append(error.reason)

        thread = threading.Thread(target=ask)
        thread.start()
        while not any("pg_sleep" in text for text in running(rows)):
            time.sleep(0.02)
        engine.close()
        thread.join(5)

        assert ended(rows)
        assert caught


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("pg_terminate_backend", "the connection"),
        ("pg_cancel_backend", "the statement was cancelled on the server"),
    ],
)
def test_what_an_administrator_ends_is_reported(rows: Postgres, ending: str, words: str) -> None:
    def end() -> None:
        while not any("pg_sleep" in text for text in running(rows)):
            time.sleep(0.02)
        rows.run(f"SELECT {ending}(pid) FROM pg_stat_activity WHERE usename = '{READER}'")

    threading.Thread(target=end, daemon=True).start()

    assert words in refused(rows.reader_url, "SELECT pg_sleep(60)")


def test_a_session_that_was_never_opened_closes() -> None:
    session = PostgresSession("", {}, shown="", secrets=(), timeout=timedelta(seconds=1))

    session.close()
    with pytest.raises(MeasurementError, match="no connection to"):
        session.query("SELECT 1")


def parameter(name: str, value: str) -> bytes:
    return packet(b"S", f"{name}\0{value}\0".encode())


def packet(kind: bytes, content: bytes) -> bytes:
    """Return a message of the protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html"""
    return kind + (len(content) + 4).to_bytes(4, "big") + content


def refusing(version: str, code: str, words: str) -> Iterator[bytes]:
    """Yield what a server or a pooler sends that takes a connection and refuses all statements."""
    parameters = {"server_version": version, "client_encoding": "UTF8", "DateStyle": "ISO, MDY"}
    greeting = packet(b"R", bytes(4))
    greeting += b"".join(parameter(name, value) for name, value in parameters.items())
    yield greeting + packet(b"Z", b"I")
    fields = f"SERROR\0VERROR\0C{code}\0M{words}\0\0".encode()
    yield packet(b"E", fields) + packet(b"Z", b"I")


@pytest.mark.parametrize(
    ("version", "code", "words", "expected"),
    [
        ("9.6.24", "0A000", "", "the server has version 9, and 12 or later is needed; upgrade"),
        ("11.22", "0A000", "", "the server has version 11, and 12 or later is needed; upgrade"),
        (
            "15.4",
            "08P01",
            "transaction blocks not allowed in statement pooling mode",
            "the connection was lost; run the check again",
        ),
        ("16.1", "XX000", "cache lookup failed", "the server reports an internal error"),
        ("16.1", "57014", "canceling statement", "the statement was cancelled on the server"),
        ("17.0", "40001", "conflict with recovery", "it conflicts with changes; run the check"),
        ("17.0", "40P01", "deadlock detected", "the server ended the transaction"),
        ("17.0", "53100", "could not extend file", "the server's disk is full"),
        ("17.0", "53200", "out of memory", "the server has no memory left"),
        ("17.0", "53400", "temp_file_limit", "a limit of the server is reached"),
        ("17.0", "HV000", "no connection", "the server behind a foreign table has failed"),
        ("17.0", "P0001", "a function's own words", "reports the error P0001; look into the log"),
        ("17.0", "25P03", "idle in transaction", "ended the connection, since it was idle"),
    ],
)  # fmt: skip
def test_what_a_real_server_is_not_easily_brought_to_is_reported(
    version: str, code: str, words: str, expected: str
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):  # the other side leaves when it likes
                for answer in refusing(version, code, words):
                    connection.recv(65536)
                    connection.sendall(answer)
                connection.recv(65536)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"postgresql://127.0.0.1:{listener.getsockname()[1]}/db"
        assert expected in refused(url, keywords={"sslmode": "disable"})
        thread.join(5)


def test_who_connects_too_late_runs_nothing(rows: Postgres) -> None:
    done = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            time.sleep(0.5)
            with connection, socket.create_connection(("127.0.0.1", rows.port)) as server:
                forward = threading.Thread(target=pump, args=(connection, server), daemon=True)
                forward.start()
                pump(server, connection)
                forward.join(5)
            done.set()

        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        url = rows.reader_url.replace(str(rows.port), str(port))
        reason = refused(url, "SELECT pg_sleep(60)", timeout=0.2)

        assert "within 200ms" in reason
        assert done.wait(10)  # the connection was closed without the statement
        assert ended(rows)


def pump(source: socket.socket, target: socket.socket) -> None:
    """Hand over what comes, until one side ends."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_a_text_of_an_unknown_encoding_is_reported(rows: Postgres) -> None:
    rows.run("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
    with (
        engine_of(rows.reader_url, keywords={"dbname": "ascii"}) as engine,
        pytest.raises(MeasurementError, match="bytes that are not of its encoding") as caught,
    ):
        engine.rows(r"SELECT E'\377'")

    assert caught.value.cause is Cause.INVALID
