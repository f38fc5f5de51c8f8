"""Everything that can be wrong with a table of Spark, its server and the way to it."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from gate.measure import Cause
from tests.backends.cases import OVER_HTTP, SECRET, Case, Contract, Failure, Play, Setup
from tests.backends.logs_cases import HOURS, NEWEST, RATIO, SPEND, judging, rows
from tests.backends.spark.played import (
    Batch,
    Columns,
    Complete,
    Conditions,
    Fails,
    Script,
    playing,
    stream,
)
from tests.servers.processes import free_port
from tests.servers.spark import RUNNING

TYPES = {"at": "instant", "status": "int", "kind": "text", "cost": "float"}
NEVER_BORN = "every row is counted, the first as well"
NO_STATUS = "the condition itself says of each row whether it is bad"
WHOLE = "an answer of Spark is whole, or an error"
GOOD = rows()
NO_AMOUNT = "an amount must be 0 or more"
READY = (Columns({"at": "timestamp", "status": "integer", "kind": "string"}), Conditions())
"""The server's description of the table that a policy counts in."""
CAST = {"objective": "99%", "sli": {"bad": "CAST(status AS INT) >= 500"}}


def setup(url: str, slo: Mapping[str, Any] = RATIO, timeout: str = "20s", **more: str) -> Setup:
    backend = {"type": "spark", "url": url, "token": "${PASSWORD}", "timestamp": "at"}
    return Setup(backend={**backend, "table": "requests", **more}, slo=slo, timeout=timeout)


def write(log: Sequence[Mapping[str, Any]], types: Mapping[str, str], file: Path) -> None:
    """Write rows as Parquet."""
    import pyarrow as pa  # noqa: PLC0415 - takes half a second, and collecting is for everybody
    import pyarrow.parquet  # noqa: PLC0415

    kinds = {
        "instant": pa.timestamp("us", tz="UTC"),
        "wall": pa.timestamp("us"),
        "day": pa.date32(),
        "int": pa.int32(),
        "text": pa.string(),
        "float": pa.float64(),
    }
    arrays = []
    for name, kind in types.items():
        values: list[Any] = [row.get(name) for row in log]
        if name == "at":
            times: list[Any] = [datetime.fromisoformat(row["at"]) for row in log]
            values = times if kind == "instant" else [at.replace(tzinfo=None) for at in times]
        elif kind == "text":
            values = [None if value is None else str(value) for value in values]
        arrays.append(pa.array(values, kinds[kind]))
    pyarrow.parquet.write_table(pa.Table.from_arrays(arrays, names=list(types)), file)


def stored(
    log: Sequence[Mapping[str, Any]],
    slo: Mapping[str, Any] = RATIO,
    types: Mapping[str, str] = TYPES,
    **more: str,
) -> Play:
    """Play a table of these rows."""

    @contextmanager
    def play(folder: Path) -> Iterator[Setup]:
        write(log, types, folder / "requests.parquet")
        table = {"table": f"parquet.`{folder / 'requests.parquet'}`"}
        yield setup(RUNNING[0], slo, **(table | more))

    return play


def costing(cost: float) -> Play:
    """Play a row that cost something else, among others of which not all cost the same.

    Where a file says that all numbers of a column are equal, Sail does not look for a NaN in it.
    """
    return stored([{**GOOD[0], "cost": cost}, {**GOOD[1], "cost": 0.25}, *GOOD[2:]], SPEND)


def renamed() -> list[dict[str, Any]]:
    """Return rows of which the newest have their status in another column."""
    return [
        {**row, "status": None, "code": row["status"]} if place < NEWEST else row
        for place, row in enumerate(GOOD)
    ]


def failing(status: str, text: str, **details: str) -> Play:
    """Play a server that knows the table, and fails when it is asked for rows."""
    failure = Fails(status, f"{text} {SECRET}", **details)
    return scripted(Script(streams=[stream(failure)], analyzed=READY))


def scripted(script: Script, timeout: str = "20s") -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with playing(script) as url:
            yield setup(url, timeout=timeout)

    return play


@contextmanager
def page(_folder: Path) -> Iterator[Setup]:
    class Page(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield setup(f"sc://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def untrusted(_folder: Path) -> Iterator[Setup]:
    certificate = trustme.CA().issue_cert("localhost")

    def credentials() -> Any:
        import grpc  # noqa: PLC0415 - when the protocol has silenced it

        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        return grpc.ssl_server_credentials([(certificate.private_key_pem.bytes(), chain)])

    with playing(Script(), credentials) as url:
        yield setup(f"{url.replace('127.0.0.1', 'localhost')}/;use_ssl=true")


def at(url: str) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        yield setup(url.replace("PORT", str(free_port())))

    return play


def tired() -> Iterator[Any]:
    threading.Event().wait(1)
    yield Complete()


empty = partial(Case, failure=Failure.EMPTY, cause=Cause.NO_DATA)
invalid = partial(Case, cause=Cause.INVALID)
misshapen = partial(Case, failure=Failure.WRONG_SHAPE, cause=Cause.INVALID)
error = partial(Case, cause=Cause.BACKEND_ERROR)
doubtful = partial(Case, in_doubt=True)
suspected = partial(Case, suspected=True)

SPARK = Contract(
    healthy=stored(GOOD),
    failures=OVER_HTTP,
    cases=(
        empty(play=stored([]), words="no row"),
        empty(
            variant="in the window",
            play=stored(rows(before=timedelta(days=40))),
            words="no row between",
        ),
        invalid(failure=Failure.NAN, play=costing(float("nan")), words=NO_AMOUNT),
        invalid(failure=Failure.INFINITE, play=costing(float("inf")), words=NO_AMOUNT),
        invalid(failure=Failure.MINUS_INFINITE, play=costing(float("-inf")), words=NO_AMOUNT),
        invalid(failure=Failure.NEGATIVE, play=costing(-5000), words=NO_AMOUNT),
        misshapen(
            play=stored(GOOD, judging("code > 1")),
            words='no column "code"',
        ),
        misshapen(
            variant="a number for a condition",
            play=stored(GOOD, judging("status")),
            words="is of type int; a condition is expected",
        ),
        misshapen(
            variant="text that is no number",
            play=stored(
                [{**GOOD[0], "status": "unknown"}, *GOOD[1:]], CAST, {**TYPES, "status": "text"}
            ),
            words="a value in the rows does not fit the expression",
        ),
        misshapen(
            variant="time that is none",
            play=stored(GOOD, types={**TYPES, "at": "day"}),
            words="date",
        ),
        misshapen(
            variant="time without a zone",
            play=stored(GOOD, types={**TYPES, "at": "wall"}),
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
                {**TYPES, "code": "int"},
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
            play=failing("UNAUTHENTICATED", "Invalid token"),
            words="it does not accept the login; set backend.token",
        ),
        error(
            failure=Failure.FORBIDDEN,
            play=failing("PERMISSION_DENIED", "not for you"),
            words="the login may not do this; grant the login",
        ),
        error(
            failure=Failure.FORBIDDEN,
            variant="table",
            play=failing("INTERNAL", "x", errorClass="INSUFFICIENT_PERMISSIONS", sqlState="42501"),
            words="the login may not do this; grant the login",
        ),
        error(
            failure=Failure.NOT_FOUND,
            play=stored(GOOD, table="nowhere.requests"),
            words="it has no such table or path; correct backend.table",
        ),
        invalid(
            failure=Failure.UNPROCESSABLE,
            play=stored(GOOD, judging("1 / (status - 200) > 0")),
            words="a value in the rows does not fit the expression",
        ),
        error(
            failure=Failure.TOO_MANY_REQUESTS,
            play=failing("RESOURCE_EXHAUSTED", "slow down"),
            words="it is at its limits",
        ),
        error(
            failure=Failure.SERVER_ERROR,
            play=failing("INTERNAL", "x", errorClass="INTERNAL_ERROR", sqlState="XX000"),
            words="it failed (INTERNAL_ERROR); look into the driver's log",
        ),
        error(
            failure=Failure.UNAVAILABLE,
            play=failing("UNAVAILABLE", "the cluster is starting"),
            words="it is not available; check the state of the cluster",
        ),
        error(failure=Failure.HTML, play=page, words="another kind of server answers"),
        error(
            failure=Failure.TRUNCATED,
            play=scripted(Script(streams=[stream(Batch(rows=[1])), stream()], analyzed=READY)),
            words="Spark's answer is not whole",
        ),
        error(
            failure=Failure.SLOW,
            play=scripted(Script(streams=[tired], analyzed=READY), timeout="500ms"),
            words="Spark gave no answer within 500ms",
        ),
        error(
            failure=Failure.REFUSED,
            play=at("sc://127.0.0.1:PORT"),
            words="connection refused; check the host and port",
        ),
        error(
            failure=Failure.UNKNOWN_HOST,
            play=at("sc://no-such-host.invalid"),
            words="the host name cannot be resolved",
        ),
        error(failure=Failure.TLS, play=untrusted, words="its certificate is not trusted"),
    ),
    never={
        Failure.SEVERAL: "rows are counted, they have no series",
        Failure.BAD_OVER_TOTAL: "bad rows are looked for among the events only",
        Failure.PARTIAL: WHOLE,
        Failure.BORN: NEVER_BORN,
        Failure.CONTRADICTED: NO_STATUS,
        Failure.REDIRECT: "gRPC knows none",
    },
    never_said={
        Cause.PARTIAL: WHOLE,
        Cause.BORN: NEVER_BORN,
        Cause.CONTRADICTED: NO_STATUS,
    },
)
