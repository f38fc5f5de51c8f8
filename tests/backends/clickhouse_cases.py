"""Everything that can go wrong with ClickHouse, by its own engine and by a server that plays."""

import json
import socket
import ssl
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import trustme

from gate.measure import Cause
from tests.backends.cases import OVER_HTTP, SECRET, Case, Contract, Failure, Play, Setup
from tests.backends.logs_cases import RATIO, SPEND, judging, renamed, rows
from tests.backends.loopback import Handle, serving
from tests.backends.prometheus.played import AT
from tests.servers.clickhouse import shared_clickhouse
from tests.servers.clickhouse_fake import FakeServer, Respond, exception, sending

HOURS = 720
NEWEST = 100
NEVER_BORN = "every row is counted, the first as well"
NO_STATUS = "the condition itself says of each row whether it is bad"
NO_AMOUNT = "an amount must be 0 or more"
TABLE = (
    "CREATE TABLE {database}.requests (at DateTime64(6), status Nullable({status}), kind String,"
    " cost Nullable(Float64), code Nullable(UInt16)) ENGINE = MergeTree ORDER BY at"
)
Log = list[dict[str, Any]]


def setup(
    url: str,
    *,
    database: str | None = None,
    slo: Mapping[str, Any] = RATIO,
    timeout: str = "20s",
    **more: Any,
) -> Setup:
    backend: dict[str, Any] = {
        "type": "clickhouse",
        "url": url,
        "user": "gate",
        "password": "${PASSWORD}",
    }
    backend |= {"table": "requests", "timestamp": "at", "retries": 0}
    backend |= {"database": database} if database else {}
    return Setup(backend=backend | more, slo=slo, timeout=timeout)


@contextmanager
def database(log: Log, status: str = "UInt16") -> Iterator[str]:
    """Keep rows in a database of their own while the block lasts."""
    server, name = shared_clickhouse(), f"case_{uuid.uuid4().hex}"
    server.run(f"CREATE DATABASE {name}")
    server.run(TABLE.format(database=name, status=status))
    if log:
        lines = "\n".join(json.dumps(row) for row in log)
        server.run(
            f"INSERT INTO {name}.requests SETTINGS date_time_input_format = 'best_effort'"
            f" FORMAT JSONEachRow {lines}"
        )
    yield name
    server.run(f"DROP DATABASE {name}")


def kept(log: Log, slo: Mapping[str, Any] = RATIO, status: str = "UInt16", **more: Any) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with database(log, status) as name:
            yield setup(shared_clickhouse().url, database=name, slo=slo, **more)

    return play


def spending(cost: str) -> Play:
    """Let the last row cost something else."""
    return kept(
        [{**row, "cost": cost} if place == 0 else row for place, row in enumerate(rows())], SPEND
    )


@contextmanager
def dead_shard(_folder: Path) -> Iterator[Setup]:
    with database(rows()) as name:
        shards = f"remote('127.0.0.1,127.0.0.1:1', '{name}', 'requests')"
        shared_clickhouse().run(f"CREATE VIEW {name}.shards AS SELECT * FROM {shards}")
        yield setup(shared_clickhouse().url, database=name, table="shards")


def served(handle: Handle) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with serving(handle) as port:
            yield setup(f"http://127.0.0.1:{port}")

    return play


def answering(respond: Respond) -> Play:
    """Say of itself what every server says, and answer all else with the same."""
    return served(FakeServer(respond))


def echoing(status: int) -> Play:
    """Refuse, and repeat the login, as gateways that are being debugged do."""

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        said = f"not {handler.headers['Authorization']}, that is {SECRET}".encode()
        sending(said, status)(handler, body.decode())

    return served(handle)


def hang_up_half_way(handler: BaseHTTPRequestHandler, _statement: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"meta": [')
    handler.close_connection = True


@contextmanager
def silent(_folder: Path) -> Iterator[Setup]:
    """Take every statement and answer none."""
    over = threading.Event()

    def wait(_handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if not body.startswith(b"KILL"):
            over.wait(30)

    with serving(wait) as port:
        yield setup(f"http://127.0.0.1:{port}", timeout="500ms")
        over.set()


@contextmanager
def closed_port(_folder: Path) -> Iterator[Setup]:
    with socket.socket() as bound:  # which does not listen, and keeps the port from others
        bound.bind(("127.0.0.1", 0))
        yield setup(f"http://127.0.0.1:{bound.getsockname()[1]}")


@contextmanager
def unknown_host(_folder: Path) -> Iterator[Setup]:
    yield setup("http://no-such-host.invalid")


@contextmanager
def unknown_authority(_folder: Path) -> Iterator[Setup]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serving(lambda handler, _: sending(b"")(handler, ""), context) as port:
        yield setup(f"https://127.0.0.1:{port}")


LOGIN_PAGE = b"<!DOCTYPE html><title>Sign in</title>"
invalid = partial(Case, cause=Cause.INVALID)
error = partial(Case, cause=Cause.BACKEND_ERROR)
doubtful = partial(Case, in_doubt=True)
suspected = partial(Case, suspected=True)

ROWS = (
    Case(failure=Failure.EMPTY, cause=Cause.NO_DATA, play=kept([]), words="no row"),
    Case(
        failure=Failure.EMPTY,
        variant="in the window",
        cause=Cause.NO_DATA,
        play=kept(rows(before=timedelta(days=40))),
        words="no row",
    ),
    invalid(failure=Failure.NAN, play=spending("NaN"), words=NO_AMOUNT),
    invalid(failure=Failure.INFINITE, play=spending("Inf"), words=NO_AMOUNT),
    invalid(failure=Failure.MINUS_INFINITE, play=spending("-Inf"), words=NO_AMOUNT),
    invalid(failure=Failure.NEGATIVE, play=spending("-5000"), words=NO_AMOUNT),
    invalid(
        failure=Failure.WRONG_SHAPE,
        play=kept(rows(), {"objective": "99%", "sli": {"bad": "outcome >= 500"}}),
        words="outcome",
    ),
    invalid(
        failure=Failure.WRONG_SHAPE,
        variant="text for a number",
        play=kept(rows(), status="String"),
        words="status",
    ),
    invalid(
        failure=Failure.WRONG_SHAPE,
        variant="time that is none",
        play=kept(rows(), timestamp="kind"),
        words="kind",
    ),
    Case(
        failure=Failure.NO_TRAFFIC,
        play=kept(rows(), judging("kind = 'rag'")),
        cause=Cause.NO_TRAFFIC,
        words="rows is an event",
    ),
    doubtful(
        failure=Failure.LOW_TRAFFIC,
        play=kept(rows(), judging("kind = 'eval'")),
        cause=Cause.LOW_TRAFFIC,
        words="72 events are fewer than 100",
    ),
    doubtful(
        failure=Failure.LOW_COVERAGE,
        play=kept(rows(HOURS * 85 // 100)),
        cause=Cause.LOW_COVERAGE,
        words="only 85% of the window has data",
    ),
    doubtful(
        failure=Failure.MOSTLY_UNCOVERED,
        play=kept(rows(every=timedelta(minutes=3))),
        cause=Cause.MOSTLY_UNCOVERED,
        words="are measured (5%; coverage_floor is",
    ),
    suspected(
        failure=Failure.RENAMED,
        play=kept(
            renamed(rows(), NEWEST),
            {"objective": "99%", "sli": {"bad": "coalesce(status, 200) >= 500"}},
        ),
        cause=Cause.UNMATCHED,
        words='"status" has a value in nearly all rows until',
    ),
    suspected(
        failure=Failure.HOLE,
        play=kept(rows()[:200] + rows()[220:]),
        cause=Cause.LOST,
        words="no row from",
    ),
    suspected(
        failure=Failure.UNKNOWN_OUTCOME,
        play=kept([{**row, "status": None} for row in rows()[:5]] + rows()[5:]),
        cause=Cause.UNKNOWN_OUTCOME,
        words="the outcome of 5 of 720 events is NULL",
        code=10,
        passes_with=10,
    ),
    doubtful(
        failure=Failure.STALE,
        play=kept(rows(before=timedelta(days=2))),
        cause=Cause.STALE,
        words="the newest sample is 2d old",
    ),
    Case(
        failure=Failure.PARTIAL,
        play=dead_shard,
        cause=Cause.PARTIAL,
        words="see in system.clusters",
    ),
    Case(
        failure=Failure.PARTIAL,
        variant="a profile that cuts answers",
        play=kept(rows(), user="cuts groups, locked"),
        cause=Cause.PARTIAL,
        words="group_by_overflow_mode is any and must be throw",
    ),
)
ON_THE_WAY = (
    error(failure=Failure.UNAUTHORIZED, play=echoing(401), words="401 Unauthorized"),
    error(failure=Failure.FORBIDDEN, play=echoing(403), words="403 Forbidden"),
    error(
        failure=Failure.FORBIDDEN,
        variant="wrong user",
        play=kept(rows(), user="somebody"),
        words="516 AUTHENTICATION_FAILED",
    ),
    error(
        failure=Failure.FORBIDDEN,
        variant="no right to read",
        play=kept(rows(), user="denied"),
        words="497 ACCESS_DENIED",
    ),
    error(failure=Failure.NOT_FOUND, play=kept(rows(), table="nope"), words="60 UNKNOWN_TABLE"),
    error(failure=Failure.UNPROCESSABLE, play=echoing(422), words="422"),
    error(failure=Failure.TOO_MANY_REQUESTS, play=echoing(429), words="429"),
    error(
        failure=Failure.SERVER_ERROR,
        play=answering(exception(241, "Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)")),
        words="241 MEMORY_LIMIT_EXCEEDED",
    ),
    error(failure=Failure.SERVER_ERROR, variant="of a proxy", play=echoing(500), words="500"),
    error(failure=Failure.UNAVAILABLE, play=echoing(503), words="503"),
    error(
        failure=Failure.HTML,
        play=served(lambda handler, _: sending(LOGIN_PAGE, Content_Type="text/html")(handler, "")),
        words="an HTML page",
    ),
    error(
        failure=Failure.REDIRECT,
        play=served(lambda handler, _: sending(b"", 302, Location="/login")(handler, "")),
        words="it redirects to itself: probably a login page",
    ),
    error(
        failure=Failure.TRUNCATED, play=answering(hang_up_half_way), words="the answer was cut off"
    ),
    error(
        failure=Failure.TRUNCATED,
        variant="as a whole answer",
        play=answering(sending(b'{"meta": [')),
        words="it is not JSON, or it is cut off",
    ),
    error(failure=Failure.SLOW, play=silent, words="no answer in time"),
    error(failure=Failure.REFUSED, play=closed_port, words="connection refused"),
    error(failure=Failure.UNKNOWN_HOST, play=unknown_host, words="cannot be resolved"),
    error(failure=Failure.TLS, play=unknown_authority, words="TLS failed"),
)
CLICKHOUSE = Contract(
    healthy=kept(rows()),
    failures=OVER_HTTP,
    cases=(*ROWS, *ON_THE_WAY),
    never={
        Failure.SEVERAL: "rows are counted, they have no series",
        Failure.BAD_OVER_TOTAL: "bad rows are looked for among the events only",
        Failure.BORN: NEVER_BORN,
        Failure.CONTRADICTED: NO_STATUS,
    },
    never_said={Cause.BORN: NEVER_BORN, Cause.CONTRADICTED: NO_STATUS},
)
assert AT.tzinfo is not None
