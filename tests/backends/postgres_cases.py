"""Everything that can be wrong with a table of PostgreSQL, its server and the way to it."""

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2.extras
import trustme

from gate.measure import Cause
from tests.backends.cases import OVER_HTTP, SECRET, Case, Contract, Failure, Play, Setup
from tests.backends.logs_cases import HOURS, NEWEST, RATIO, SPEND, judging, rows
from tests.servers.postgres import RUNNING, Postgres
from tests.servers.processes import free_port

USER = DATABASE = "contract"
TABLE = {"at": "timestamptz", "status": "int", "kind": "text", "cost": "float8"}
NEVER_BORN = "every row is counted, the first as well"
NO_STATUS = "the condition itself says of each row whether it is bad"
WHOLE = "an answer of PostgreSQL is whole, or an error"


def server() -> Postgres:
    """Return the session's server, with a user and a database of the contract."""
    running = RUNNING[0]
    if not running.run(f"SELECT 1 FROM pg_roles WHERE rolname = '{USER}'"):
        running.run(f"CREATE ROLE {USER} LOGIN PASSWORD '{SECRET}'", f"CREATE DATABASE {DATABASE}")
    return replace(running, database=DATABASE)


def setup(url: str, slo: Mapping[str, Any] = RATIO, **more: str) -> Setup:
    login = {"user": USER, "password": "${PASSWORD}"}
    table = {"table": "requests", "timestamp": "at"}
    return Setup(
        backend={"type": "postgres", "url": url, **login, **table, **more},
        slo=slo,
    )


def filled(running: Postgres, log: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> None:
    """Make the table anew, with these rows."""
    listed = ", ".join(f"{name} {kind}" for name, kind in types.items())
    running.run("DROP TABLE IF EXISTS requests CASCADE", f"CREATE TABLE requests ({listed})")
    with running.connected() as connection, connection.cursor() as cursor:
        psycopg2.extras.execute_values(
            cursor,
            f"INSERT INTO requests ({', '.join(types)}) VALUES %s",
            [[row.get(name) for name in types] for row in log],
            page_size=1000,
        )
    running.run(f"GRANT SELECT ON requests TO {USER}")


def stored(
    log: Sequence[Mapping[str, Any]],
    slo: Mapping[str, Any] = RATIO,
    types: Mapping[str, str] = TABLE,
    statements: Sequence[str] = (),
    **more: str,
) -> Play:
    """Play a table of these rows, after which some statements were run."""

    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        running = server()
        filled(running, log, types)
        running.run(*statements)
        yield setup(running.url, slo, **more)

    return play


def costing(cost: str) -> Play:
    return stored([{**rows()[0], "cost": cost}, *rows()[1:]], SPEND)


def replaced(text: str, *, first: int = 1) -> list[dict[str, Any]]:
    """Return rows whose first statuses are something else."""
    return [{**row, "status": text} if place < first else row for place, row in enumerate(rows())]


def renamed() -> list[dict[str, Any]]:
    """Return rows of which the newest have their status in another column."""
    return [
        {**row, "status": None, "code": row["status"]} if place < NEWEST else row
        for place, row in enumerate(rows())
    ]


def raising(body: str) -> Play:
    """Play a view on the table, whose rows a function of a superuser's goes through."""
    function = (
        "CREATE OR REPLACE FUNCTION each(n int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER"
        f" AS $$ BEGIN {body} RETURN n; END $$"
    )
    view = "CREATE VIEW seen AS SELECT at, each(status) AS status, kind, cost FROM requests"
    return stored(
        rows(), statements=[function, view, f"GRANT SELECT ON seen TO {USER}"], table="seen"
    )


@contextmanager
def slow(folder: Path) -> Iterator[Setup]:
    with raising("PERFORM pg_sleep(60);")(folder) as played:
        yield Setup(backend=played.backend, slo=played.slo, timeout="500ms")


@contextmanager
def full(_folder: Path) -> Iterator[Setup]:
    running = server()
    running.run(f"ALTER ROLE {USER} CONNECTION LIMIT 0")
    yield setup(running.url)
    running.run(f"ALTER ROLE {USER} CONNECTION LIMIT -1")


def answering(answer: bytes) -> Play:
    """Play somebody who answers everybody with the same."""

    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:

            def serve() -> None:
                while True:
                    try:
                        connection, _ = listener.accept()
                    except OSError:
                        return
                    with connection:
                        connection.recv(4096)
                        connection.sendall(answer)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            url = f"postgresql://127.0.0.1:{listener.getsockname()[1]}/postgres"
            yield setup(url, sslmode="disable")
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()

    return play


def fatal(code: str, words: str) -> bytes:
    """Return what a server says that takes no connection."""
    fields = f"SFATAL\0VFATAL\0C{code}\0M{words}\0\0".encode()
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


def at(url: str) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        yield setup(url.replace("PORT", str(free_port())))

    return play


@contextmanager
def no_database(_folder: Path) -> Iterator[Setup]:
    yield setup(replace(server(), database="nowhere").url)


@contextmanager
def wrong_password(_folder: Path) -> Iterator[Setup]:
    yield setup(server().url, user="reader")


@contextmanager
def untrusted(folder: Path) -> Iterator[Setup]:
    trustme.CA().cert_pem.write_to_path(folder / "ca.pem")
    yield setup(server().url, sslrootcert="ca.pem")


GOOD = rows()
NO_AMOUNT = "an amount must be 0 or more"
empty = partial(Case, failure=Failure.EMPTY, cause=Cause.NO_DATA)
invalid = partial(Case, cause=Cause.INVALID)
error = partial(Case, cause=Cause.BACKEND_ERROR)
doubtful = partial(Case, in_doubt=True)
suspected = partial(Case, suspected=True)
HIDING = (
    "ALTER TABLE requests ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY hiding ON requests TO {USER} USING (status < 500)",
)

POSTGRES = Contract(
    healthy=stored(GOOD),
    failures=OVER_HTTP,
    cases=(
        empty(play=stored([]), words="no row"),
        empty(
            variant="in the window",
            play=stored(rows(before=timedelta(days=40))),
            words="no row between",
        ),
        invalid(failure=Failure.NAN, play=costing("NaN"), words=NO_AMOUNT),
        invalid(failure=Failure.INFINITE, play=costing("Infinity"), words=NO_AMOUNT),
        invalid(failure=Failure.MINUS_INFINITE, play=costing("-Infinity"), words=NO_AMOUNT),
        invalid(failure=Failure.NEGATIVE, play=costing("-5000"), words=NO_AMOUNT),
        invalid(
            failure=Failure.WRONG_SHAPE,
            play=stored(GOOD, statements=["ALTER TABLE requests RENAME status TO code"]),
            words='no column "status"',
        ),
        invalid(
            failure=Failure.WRONG_SHAPE,
            variant="text for a number",
            play=stored(GOOD, types={**TABLE, "status": "text"}),
            words="text >= integer",
        ),
        invalid(
            failure=Failure.WRONG_SHAPE,
            variant="text that is no number",
            play=stored(
                replaced("unknown"),
                {"objective": "99%", "sli": {"bad": "CAST(status AS int) >= 500"}},
                {**TABLE, "status": "text"},
            ),
            words="a text does not fit the type",
        ),
        invalid(
            failure=Failure.WRONG_SHAPE,
            variant="time that is none",
            play=stored(GOOD, types={**TABLE, "at": "date"}),
            words="date",
        ),
        invalid(
            failure=Failure.WRONG_SHAPE,
            variant="time without a zone",
            play=stored(GOOD, types={**TABLE, "at": "timestamp"}),
            words="time_zone",
        ),
        Case(
            failure=Failure.NO_TRAFFIC,
            play=stored(GOOD, judging("kind = 'rag'")),
            cause=Cause.NO_TRAFFIC,
            words="rows is an event",
        ),
        doubtful(
            failure=Failure.LOW_TRAFFIC,
            play=stored(GOOD, judging("kind = 'eval'")),
            cause=Cause.LOW_TRAFFIC,
            words="72 events are fewer than 100",
        ),
        doubtful(
            failure=Failure.LOW_COVERAGE,
            play=stored(rows(HOURS * 85 // 100)),
            cause=Cause.LOW_COVERAGE,
            words="only 85% of the window has data",
        ),
        doubtful(
            failure=Failure.MOSTLY_UNCOVERED,
            play=stored(rows(every=timedelta(minutes=3))),
            cause=Cause.MOSTLY_UNCOVERED,
            words="are measured (5%; coverage_floor is",
        ),
        suspected(
            failure=Failure.RENAMED,
            play=stored(
                renamed(),
                {"objective": "99%", "sli": {"bad": "coalesce(status, 200) >= 500"}},
                {**TABLE, "code": "int"},
            ),
            cause=Cause.UNMATCHED,
            words='"status" has a value in nearly all rows until',
        ),
        suspected(
            failure=Failure.HOLE,
            play=stored(GOOD[:200] + GOOD[220:]),
            cause=Cause.LOST,
            words="no row from",
        ),
        suspected(
            failure=Failure.UNKNOWN_OUTCOME,
            play=stored(
                [
                    {**row, "status": None} if 8 < place < 14 else row
                    for place, row in enumerate(GOOD)
                ]
            ),
            cause=Cause.UNKNOWN_OUTCOME,
            words="the outcome of 5 of 720 events is NULL",
            code=10,
            passes_with=10,
        ),
        doubtful(
            failure=Failure.STALE,
            play=stored(rows(before=timedelta(days=2))),
            cause=Cause.STALE,
            words="the newest sample is 2d old",
        ),
        error(
            failure=Failure.UNAUTHORIZED,
            play=wrong_password,
            words="the server does not accept the user or the password",
        ),
        error(
            failure=Failure.FORBIDDEN,
            play=stored(GOOD, statements=[f"REVOKE SELECT ON requests FROM {USER}"]),
            words="the user may not read the table",
        ),
        error(
            failure=Failure.FORBIDDEN,
            variant="row-level security",
            play=stored(GOOD, statements=HIDING),
            words="row-level security hides rows of requests",
        ),
        invalid(
            failure=Failure.NOT_FOUND,
            play=stored(GOOD, table="request"),
            words="no table request; did you mean 'requests'",
        ),
        error(
            failure=Failure.NOT_FOUND,
            variant="database",
            play=no_database,
            words="the server has no such database",
        ),
        invalid(
            failure=Failure.UNPROCESSABLE,
            play=stored(GOOD, judging("1 / (status - 200) > 0")),
            words="divides by zero for some row",
        ),
        error(failure=Failure.TOO_MANY_REQUESTS, play=full, words="no connection left"),
        error(
            failure=Failure.SERVER_ERROR,
            play=raising("RAISE 'status %', n;"),
            words="the server reports the error P0001",
        ),
        error(
            failure=Failure.UNAVAILABLE,
            play=answering(fatal("57P03", "the database system is starting up")),
            words="takes no connections at the moment",
        ),
        error(
            failure=Failure.HTML,
            play=answering(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>"),
            words="a program other than PostgreSQL answers",
        ),
        error(
            failure=Failure.TRUNCATED,
            play=raising("PERFORM pg_terminate_backend(pg_backend_pid());"),
            words="the connection",
        ),
        error(failure=Failure.SLOW, play=slow, words="the statement took longer than 500ms"),
        error(
            failure=Failure.REFUSED,
            play=at("postgresql://127.0.0.1:PORT/postgres"),
            words="the connection was refused",
        ),
        error(
            failure=Failure.UNKNOWN_HOST,
            play=at("postgresql://no-such-host.invalid/postgres"),
            words="the host is not known",
        ),
        error(failure=Failure.TLS, play=untrusted, words="certificate is not trusted"),
    ),
    never={
        Failure.SEVERAL: "rows are counted, they have no series",
        Failure.BAD_OVER_TOTAL: "bad rows are looked for among the events only",
        Failure.PARTIAL: WHOLE,
        Failure.BORN: NEVER_BORN,
        Failure.CONTRADICTED: NO_STATUS,
        Failure.REDIRECT: "the protocol of PostgreSQL knows none",
    },
    never_said={
        Cause.PARTIAL: WHOLE,
        Cause.BORN: NEVER_BORN,
        Cause.CONTRADICTED: NO_STATUS,
    },
)
