"""Failures on the way to ClickHouse: each has its sentence and its remedy."""

import json
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import trustme

from gate.backends.clickhouse.engine import ClickHouseEngine
from gate.backends.clickhouse.server_settings import NEEDED
from gate.backends.clickhouse.settings import ClickHouseSettings
from gate.measure import Cause, Limits, MeasurementError
from tests.backends.loopback import send, serving
from tests.command import heeding_interrupts
from tests.servers.clickhouse import PASSWORD, REQUESTS, ClickHouse
from tests.servers.clickhouse_fake import (
    FakeServer,
    Respond,
    about_itself,
    answer,
    exception,
    in_turn,
    sending,
)


def opened(url: str, seconds: float = 20, **more: Any) -> ClickHouseEngine:
    settings = {"url": url, "user": "gate", "password": PASSWORD, "table": REQUESTS, **more}
    return ClickHouseEngine(
        ClickHouseSettings(**settings), Limits(timeout=timedelta(seconds=seconds))
    )


@contextmanager
def asking(fake: FakeServer, **more: Any) -> Iterator[ClickHouseEngine]:
    with serving(fake) as port:
        yield opened(f"http://127.0.0.1:{port}", **more)


def refusal(engine: ClickHouseEngine, statement: str = "SELECT 1") -> MeasurementError:
    with pytest.raises(MeasurementError) as caught:
        engine.rows(statement)
    return caught.value


CODES = [
    (516, "gate: Authentication failed: password is incorrect (AUTHENTICATION_FAILED)",
     "516 AUTHENTICATION_FAILED: ***: Authentication failed: password is incorrect",
     "check backend.user and backend.password", Cause.BACKEND_ERROR),
    (193, "Wrong password for user gate (WRONG_PASSWORD)", "193 WRONG_PASSWORD",
     "check backend.user and backend.password", Cause.BACKEND_ERROR),
    (60, "Table default.x does not exist. (UNKNOWN_TABLE)",
     "60 UNKNOWN_TABLE: Table default.x does not exist", "correct backend.table",
     Cause.BACKEND_ERROR),
    (81, "Database x does not exist. (UNKNOWN_DATABASE)", "81 UNKNOWN_DATABASE",
     "correct backend.table and backend.database", Cause.BACKEND_ERROR),
    (47, "Unknown identifier `x` in scope SELECT x FROM y. (UNKNOWN_IDENTIFIER)",
     "47 UNKNOWN_IDENTIFIER: Unknown identifier `x`;", "correct the column's name", Cause.INVALID),
    (497, "gate: Not enough privileges. (ACCESS_DENIED)", "497 ACCESS_DENIED",
     "GRANT SELECT ON", Cause.BACKEND_ERROR),
    (164, "Cannot modify 'x' setting in readonly mode. (READONLY)", "164 READONLY",
     "set readonly=2", Cause.BACKEND_ERROR),
    (159, "Timeout exceeded: elapsed 9 s, maximum: 9 s. (TIMEOUT_EXCEEDED)",
     "159 TIMEOUT_EXCEEDED", "allow it more time", Cause.BACKEND_ERROR),
    (241, "Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)", "241 MEMORY_LIMIT_EXCEEDED",
     "raise max_memory_usage", Cause.BACKEND_ERROR),
    (307, "Limit for rows or bytes to read exceeded. (TOO_MANY_BYTES)", "307 TOO_MANY_BYTES",
     "raise the limit", Cause.BACKEND_ERROR),
    (158, "Limit for rows exceeded. (TOO_MANY_ROWS)", "158 TOO_MANY_ROWS", "raise the limit",
     Cause.BACKEND_ERROR),
    (279, "All connection tries failed. (ALL_CONNECTION_TRIES_FAILED)",
     "279 ALL_CONNECTION_TRIES_FAILED", "see in system.clusters", Cause.PARTIAL),
    (62, "Syntax error: failed at position 8. (SYNTAX_ERROR)", "62 SYNTAX_ERROR",
     "correct the expression", Cause.INVALID),
    (386, "There is no supertype for types String, UInt16 because some of them are String and some"
     " of them are not: while executing function greaterOrEquals on arguments __table1.status"
     " String String(size = 0), 500_UInt16 UInt16. (NO_COMMON_TYPE)",
     "386 NO_COMMON_TYPE: There is no supertype for types String, UInt16 (greaterOrEquals of"
     " status);", "correct the expression", Cause.INVALID),
    (252, "Too many parts (3000). (TOO_MANY_PARTS)", "252 TOO_MANY_PARTS",
     "run the check again later", Cause.BACKEND_ERROR),
    (202, "Too many simultaneous queries. Maximum: 100. (TOO_MANY_SIMULTANEOUS_QUERIES)",
     "202 TOO_MANY_SIMULTANEOUS_QUERIES", "raise max_concurrent_queries", Cause.BACKEND_ERROR),
    (168, "AST is too big. Maximum: 50000. (TOO_BIG_AST)", "168 TOO_BIG_AST",
     "raise max_query_size", Cause.BACKEND_ERROR),
    (246, "Bad size of marks file. (CORRUPTED_DATA)", "246 CORRUPTED_DATA;", "run CHECK TABLE",
     Cause.BACKEND_ERROR),
    (6, "Cannot parse string 'Jane Doe' as Int32. (CANNOT_PARSE_TEXT)", "6 CANNOT_PARSE_TEXT;",
     "toInt64OrNull", Cause.INVALID),
    (9999, "the row of Jane Doe (NEW_ERROR)", "9999 NEW_ERROR;", "system.query_log",
     Cause.BACKEND_ERROR),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "said", "words", "remedy", "cause"), CODES, ids=[str(code) for code, *_ in CODES]
)
def test_each_code_has_its_remedy_and_no_value_of_a_row_is_repeated(
    code: int, said: str, words: str, remedy: str, cause: Cause
) -> None:
    with asking(FakeServer(exception(code, said)), retries=0) as engine:
        error = refusal(engine)

    assert words in error.reason
    assert remedy in error.reason
    assert error.cause is cause
    assert "Jane Doe" not in error.reason
    assert "version" not in error.reason


LOGIN_PAGE = b"<!DOCTYPE html><title>Sign in</title>"
NATIVE = b"HTTP/1.0 400 Bad Request\r\n\r\nPort 9000 is for clickhouse-client program\r\n"
HALF = answer([["1"], ["2"]])
OTHERS = [
    ("HTML", sending(LOGIN_PAGE, Content_Type="text/html"), "an HTML page", "port 8123"),
    ("HTML and 404", sending(LOGIN_PAGE, 404), "404 Not Found, and not as ClickHouse", "port 8123"),
    ("redirect", sending(b"", 302, Location="https://sso.example/login?next=x"),
     "it redirects to https://sso.example: probably a login page", "behind the proxy"),
    ("native port", sending(NATIVE, 400), "port for ClickHouse's own programs", "port 8123"),
    ("plain to TLS", sending(b"400 The plain HTTP request was sent to HTTPS port", 400),
     "it wants https", "https://"),
    ("401", sending(b"", 401), "401 Unauthorized", "backend.password"),
    ("403 of a proxy", sending(b"no", 403), "403 Forbidden", "backend.password"),
    ("503", sending(b"", 503), "503 Service Unavailable", "run the check again later"),
    ("504", sending(b"", 504), "504 Gateway Timeout", "run the check again later"),
    ("exception without a header", sending(b"Code: 60. DB::Exception: No table. (UNKNOWN_TABLE)",
                                           404), "60 UNKNOWN_TABLE", "backend.table"),
    ("header without words", sending(b"", 500, X_ClickHouse_Exception_Code="241"),
     "error 241;", "max_memory_usage"),
    ("empty", sending(b""), "it is not JSON, or it is cut off", "run the check again"),
    ("cut off", sending(HALF[:-3]), "it is not JSON, or it is cut off", "run the check again"),
    ("not UTF-8", sending(b'{"meta": "\xff"}'), "it is not JSON", "run the check again"),
    ("NaN", sending(b'{"meta": NaN}'), "it is not JSON", "run the check again"),
    ("no object", sending(b"[]"), "it is not an object", "run the check again"),
    ("no rows", sending(b'{"meta": [], "data": []}'), "it has no rows", "run the check again"),
    ("rows are missing", sending(HALF.replace(b'"rows": 2', b'"rows": 3')),
     "it has 2 rows, and 3 are announced", "run the check again"),
    ("exception in JSON", sending(HALF.replace(b'"rows"', b'"exception": "x", "rows"')),
     "it has an exception", "run the check again"),
    ("no type", sending(HALF.replace(b'"type"', b'"kind"')), "a column has no type", "check again"),
    ("a value is missing", sending(HALF.replace(b'["1"]', b"[]")), "not as many values", "again"),
    ("row that is none", sending(HALF.replace(b'["1"]', b'"1"')), "not as many values", "again"),
    ("text for a number", sending(HALF.replace(b'"1"', b'"x"')), "the type of its column", "again"),
    ("truth for a number", sending(HALF.replace(b'"1"', b"true")), "the type of its", "again"),
    ("number for a truth", sending(answer([[1]], ("Bool",))), "the type of its column", "again"),
    ("number for a text", sending(answer([[1]], ("String",))), "the type of its column", "again"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("respond", "words", "remedy"), [rest for _, *rest in OTHERS], ids=[name for name, *_ in OTHERS]
)
def test_what_is_not_a_whole_answer_of_clickhouse_is_refused(
    respond: Respond, words: str, remedy: str
) -> None:
    with asking(FakeServer(respond), retries=0) as engine:
        error = refusal(engine)

    assert words in error.reason
    assert remedy in error.reason


def test_settings_and_an_id_are_sent_with_each_statement() -> None:
    fake = FakeServer(sending(HALF))
    with asking(fake, database="logs") as engine:
        engine.rows("SELECT 1")
        engine.rows("SELECT 2")

    first, *others = fake.parameters
    assert set(first) == {"query_id", "default_format", "wait_end_of_query", "database"}
    for sent in others:
        assert {name: value for name, (value,) in sent.items() if name in NEEDED} == NEEDED
        assert sent["wait_end_of_query"] == ["1"]
        assert sent["max_execution_time"] in (["18"], ["19"])
    assert len({sent["query_id"][0] for sent in fake.parameters}) == 3
    assert fake.statements[1:] == ["SELECT 1", "SELECT 2"]


def test_stricter_limits_of_the_profile_stay() -> None:
    itself = about_itself(
        max_execution_time="5", max_bytes_to_read="1000", max_query_size="99999999"
    )
    fake = FakeServer(sending(HALF), itself)
    with serving(fake) as port:
        limits = Limits(timeout=timedelta(seconds=20), max_scan=5000)
        settings = ClickHouseSettings(url=f"http://127.0.0.1:{port}", table=REQUESTS)
        ClickHouseEngine(settings, limits).rows("SELECT 1")

    assert not {"max_execution_time", "max_bytes_to_read", "max_query_size"} & set(
        fake.parameters[1]
    )


def test_bytes_read_are_added_up() -> None:
    body = answer([["1"]], statistics={"bytes_read": 7})
    responses = iter(
        [
            sending(body),
            sending(body, X_ClickHouse_Summary='{"read_bytes": "100"}'),
            sending(answer([["1"]], statistics=[])),
        ]
    )
    with asking(FakeServer(in_turn(responses))) as engine:
        assert engine.scanned() is None
        for _ in range(3):
            engine.rows("SELECT 1")
        assert engine.scanned() == 107


@pytest.mark.parametrize(
    ("status", "code"), [(503, ""), (429, ""), (500, "202")], ids=["503", "429", "202"]
)
def test_busy_server_is_asked_again(status: int, code: str) -> None:
    headers = {"X_ClickHouse_Exception_Code": code} if code else {}
    responses = iter([sending(b"", status, **headers), sending(HALF)])
    with asking(FakeServer(in_turn(responses))) as engine:
        assert engine.rows("SELECT 1") == [(1,), (2,)]


def test_other_failures_are_not_asked_again() -> None:
    fake = FakeServer(exception(241, "Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)"))
    with asking(fake) as engine:
        refusal(engine)

    assert len(fake.statements) == 2


def test_no_try_begins_after_the_deadline() -> None:
    fake = FakeServer(sending(b"", 503, Retry_After="60"))
    begun = time.monotonic()
    with asking(fake, seconds=2) as engine:
        error = refusal(engine)

    assert time.monotonic() - begun < 2
    assert "there is no time left to wait 60.0 s" in error.reason


def test_answer_that_trickles_ends_with_the_run() -> None:
    over = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler, statement: str) -> None:
        if statement.startswith("KILL"):
            send(handler, b"")
            return
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not over.wait(0.1):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    fake = FakeServer(trickle)
    begun = time.monotonic()
    with asking(fake, seconds=1) as engine:
        error = refusal(engine)
        over.set()

    assert time.monotonic() - begun < 3
    assert "no answer in time" in error.reason
    assert "allow it more time" in error.reason
    asked = fake.parameters[1]["query_id"][0]
    assert fake.statements[2] == f"KILL QUERY WHERE query_id = '{asked}' ASYNC"


@pytest.mark.parametrize("kind", ["version", "settings"])
def test_too_old_server_is_named(kind: str) -> None:
    unknown = b"Code: 47, e.displayText() = DB::Exception: Unknown identifier: readonly"

    def respond(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if kind == "version":
            send(handler, about_itself("22.3.1.1"))
        elif body == b"SELECT version()":
            send(handler, answer([["18.16.1"]], ("String",)))
        else:
            send(handler, unknown, status=500)

    with serving(respond) as port:
        error = refusal(opened(f"http://127.0.0.1:{port}"))

    assert "is too old" in error.reason
    assert error.reason.endswith("upgrade ClickHouse to 23.8 or later")


def test_server_that_is_new_enough_and_refuses_the_first_question_is_quoted() -> None:
    def respond(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if body == b"SELECT version()":
            send(handler, answer([["26.5.1.1"]], ("String",)))
        else:
            exception(47, "Unknown identifier `readonly` (UNKNOWN_IDENTIFIER)")(handler, "")

    with serving(respond) as port:
        error = refusal(opened(f"http://127.0.0.1:{port}"))

    assert "47 UNKNOWN_IDENTIFIER: Unknown identifier `readonly`" in error.reason


def test_settings_that_the_server_does_not_name_are_not_mistaken_for_good() -> None:
    itself = about_itself().replace(b'"limit"', b'"unlimited"')
    with asking(FakeServer(sending(HALF), itself)) as engine:
        error = refusal(engine)

    assert error.cause is Cause.PARTIAL
    assert "the server does not say how these settings are: limit" in error.reason


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({}, None),
        ({"use_skip_indexes_if_final": "1"}, ["0"]),
        ({"use_skip_indexes_if_final": "1", "use_skip_indexes_if_final_exact_mode": "1"}, None),
    ],
)
def test_index_that_could_hide_a_newer_version_is_not_used(
    settings: dict[str, str], sent: list[str] | None
) -> None:
    fake = FakeServer(sending(HALF), about_itself(**settings))
    with asking(fake) as engine:
        engine.rows("SELECT 1")

    assert fake.parameters[1].get("use_skip_indexes_if_final") == sent


def test_answer_that_stops_ends_with_the_run() -> None:
    over = threading.Event()

    def stop(handler: BaseHTTPRequestHandler, statement: str) -> None:
        if statement.startswith("SELECT"):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b" ")
            handler.wfile.flush()
            over.wait(5)

    with asking(FakeServer(stop), seconds=0.5) as engine:
        error = refusal(engine)
        over.set()

    assert "no answer in time" in error.reason


def test_answer_that_ends_early_is_not_an_answer() -> None:
    def hang_up(handler: BaseHTTPRequestHandler, _statement: str) -> None:
        send(handler, HALF[:20], announced=len(HALF))
        handler.close_connection = True

    with asking(FakeServer(hang_up), retries=0) as engine:
        error = refusal(engine)

    assert "the answer was cut off" in error.reason


def test_port_for_tls_is_not_recommended_to_who_uses_it() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def hang_up(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    with serving(hang_up, context) as port, authority.cert_pem.tempfile() as path:
        url = f"https://127.0.0.1:{port}"
        error = refusal(opened(url, ca=Path(path), retries=0))

    assert "try https" not in error.reason


def test_right_to_some_columns_only_is_enough() -> None:
    denied = exception(497, "gate: Not enough privileges. (ACCESS_DENIED)")
    rows = answer([["ts", "DateTime", ""], ["status", "UInt16", ""]], ("String",) * 3)

    def respond(handler: BaseHTTPRequestHandler, statement: str) -> None:
        listed = "system.columns" in statement and "nothing" not in statement
        (sending(rows if listed else answer([])) if "SELECT" in statement else denied)(
            handler, statement
        )

    with asking(FakeServer(respond)) as engine:
        assert set(engine.columns("requests")) == {"ts", "status"}
        with pytest.raises(MeasurementError, match="497 ACCESS_DENIED"):
            engine.columns("nothing")


def test_all_that_a_run_must_know_comes_with_the_first_answer() -> None:
    itself = json.loads(about_itself())
    itself["data"][0][5] = [["ts", "DateTime", ""], ["later", "UInt8", "EPHEMERAL"]]
    fake = FakeServer(sending(HALF), json.dumps(itself).encode())
    with asking(fake) as engine:
        assert list(engine.columns("requests")) == ["ts"]
        assert engine.relation("requests") == "`requests`"

    assert len(fake.statements) == 1


def test_closed_port_names_the_address() -> None:
    with socket.socket() as bound:  # which does not listen, and keeps the port from others
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        error = refusal(opened(url, retries=0))

    assert error.reason.startswith(f"{url}: connection refused; check the host and port")


def test_wrong_password_is_not_repeated(clickhouse_server: ClickHouse) -> None:
    wrong = "another-secret-word"
    error = refusal(clickhouse_server.engine(password=wrong))

    assert "516 AUTHENTICATION_FAILED" in error.reason
    assert "backend.password" in error.reason
    assert wrong not in error.reason


SLOW = "SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number, 'slow') = 1"


def runs(server: ClickHouse) -> bool:
    """Return whether the slow statement runs on the server."""
    listed = "SELECT count() FROM system.processes WHERE query LIKE '%number, \\'slow\\')%'"
    return server.run(f"{listed} AND query NOT LIKE '%system.processes%'") != "0\n"


def becomes(server: ClickHouse, running: bool) -> bool:
    """Wait until the slow statement runs, or no longer; return whether that happened."""
    deadline = time.monotonic() + 10
    while runs(server) is not running and time.monotonic() < deadline:
        time.sleep(0.02)
    return runs(server) is running


def test_timeout_stops_the_statement_on_the_server(clickhouse_server: ClickHouse) -> None:
    # A user for whom no time limit can be set there.
    engine = clickhouse_server.engine("locked", seconds=1)
    begun = time.monotonic()
    error = refusal(engine, SLOW)

    assert time.monotonic() - begun < 4
    assert "allow it more time" in error.reason
    assert becomes(clickhouse_server, running=False)


def test_end_of_the_run_stops_the_statement_on_the_server(clickhouse_server: ClickHouse) -> None:
    engine = clickhouse_server.engine()
    thread = threading.Thread(target=lambda: refusal(engine, SLOW))
    thread.start()
    assert becomes(clickhouse_server, running=True)

    engine.close()

    thread.join()
    assert becomes(clickhouse_server, running=False)


def test_ctrl_c_stops_the_statement_on_the_server() -> None:
    over = threading.Event()

    def respond(handler: BaseHTTPRequestHandler, statement: str) -> None:
        if statement.startswith("KILL"):
            send(handler, b"")
            over.set()
        else:
            os.kill(os.getpid(), signal.SIGINT)
            over.wait(10)

    fake = FakeServer(respond)
    with heeding_interrupts(), asking(fake) as engine, pytest.raises(KeyboardInterrupt):
        engine.rows("SELECT 1")

    asked = fake.parameters[1]["query_id"][0]
    assert fake.statements[2] == f"KILL QUERY WHERE query_id = '{asked}' ASYNC"
