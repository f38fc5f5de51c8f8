"""Everything that can go wrong with a Prometheus, played by a real server on the loopback."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import trustme

from gate.measure import Cause
from tests.backends.cases import OVER_HTTP, SECRET, Case, Contract, Failure, Play, Setup
from tests.backends.loopback import Handle, send, serving
from tests.backends.prometheus.played import AT, RATIO, FakePrometheus, failure, success

Values = Mapping[str, str | tuple[str, ...] | Mapping[str, str] | None]

SLO = {"objective": "99.9%", "sli": {"bad": RATIO.bad, "total": RATIO.total}}
ERRORS = {"objective": "99.9%", "sli": {"bad": "errors_total", "total": RATIO.total}}
"""An SLO whose failures are counted by a metric of their own."""
HEALTHY: Values = {
    "delta(": None,
    '=""}[': None,
    "count by (": None,
    "unless on (gate_status)": None,
    "timestamp(": str(AT.timestamp()),
    "count(": "720",
    "500": "100",
    "x": "1000000",
}


def setup(
    address: str,
    *,
    scheme: str = "http",
    timeout: str = "20s",
    slo: Mapping[str, Any] = SLO,
) -> Setup:
    url = f"{scheme}://gate:${{PASSWORD}}@{address}"
    backend = {"type": "prometheus", "url": url, "retries": 0}
    return Setup(backend=backend, slo=slo, timeout=timeout)


def served(handle: Handle, slo: Mapping[str, Any] = SLO) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with serving(handle) as port:
            yield setup(f"127.0.0.1:{port}", slo=slo)

    return play


def by(values: Values, **more: object) -> Handle:
    """Answer every query by these values."""
    fake = FakePrometheus(values=values, more=more)

    def handle(handler: BaseHTTPRequestHandler, form: bytes) -> None:
        (query,) = parse_qs(form.decode())["query"]
        send(handler, fake.answer(query).encode())

    return handle


def answering(values: Values, **more: object) -> Play:
    return served(by(values, **more))


def doubted(values: Values, slo: Mapping[str, Any] = SLO) -> Play:
    """Answer by values that are looked at before the healthy ones."""
    return served(by({**values, **HEALTHY, **values}), slo)


def with_total(value: str | tuple[str, ...]) -> Play:
    return answering({**HEALTHY, "x": value})


def with_bad(value: str) -> Play:
    return answering({**HEALTHY, "500": value})


def sending(status: int, body: str, headers: Mapping[str, str] | None = None) -> Play:
    """Answer every query with the same."""
    return served(lambda handler, _: send(handler, body.encode(), status=status, headers=headers))


def echoing(status: int) -> Play:
    """Refuse, and repeat the login, as gateways that are being debugged do."""

    def handle(handler: BaseHTTPRequestHandler, _form: bytes) -> None:
        said = f"not {handler.headers['Authorization']}, that is {SECRET}"
        send(handler, said.encode(), status=status)

    return served(handle)


def redirecting(status: int) -> Play:
    """Redirect to a page which would answer, if anybody asked there, that all is well."""
    healthy = by(HEALTHY)

    def handle(handler: BaseHTTPRequestHandler, form: bytes) -> None:
        if handler.path.startswith("/login"):
            healthy(handler, form)
        else:
            send(handler, b"", status=status, headers={"Location": f"/login?next={SECRET}"})

    return served(handle)


def hang_up_half_way(handler: BaseHTTPRequestHandler, _form: bytes) -> None:
    send(handler, BODY[:40].encode(), announced=len(BODY))
    handler.close_connection = True


@contextmanager
def silent(_folder: Path) -> Iterator[Setup]:
    """Take every query and answer none."""
    over = threading.Event()

    def wait(_handler: BaseHTTPRequestHandler, _form: bytes) -> None:
        over.wait(30)

    with serving(wait) as port:
        yield setup(f"127.0.0.1:{port}", timeout="500ms")
        over.set()


@contextmanager
def closed_port(_folder: Path) -> Iterator[Setup]:
    with socket.socket() as bound:  # which does not listen, and keeps the port from others
        bound.bind(("127.0.0.1", 0))
        yield setup(f"127.0.0.1:{bound.getsockname()[1]}")


@contextmanager
def unknown_host(_folder: Path) -> Iterator[Setup]:
    yield setup("no-such-host.invalid")


@contextmanager
def unknown_authority(_folder: Path) -> Iterator[Setup]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serving(by(HEALTHY), context) as port:
        yield setup(f"127.0.0.1:{port}", scheme="https")


def ago(**length: float) -> str:
    return str((AT - timedelta(**length)).timestamp())


BODY = success([{"metric": {}, "value": [0, "1000000"]}])
MATRIX = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": []}})
LOGIN_PAGE = "<!DOCTYPE html><title>Sign in</title>"
UNSEEN: Values = {**HEALTHY, "timestamp(": None}
DOWN: dict[str, Any] = {"warnings": ["store eu-1 is down"]}

invalid = partial(Case, cause=Cause.INVALID)
error = partial(Case, cause=Cause.BACKEND_ERROR)
stale = partial(Case, failure=Failure.STALE, cause=Cause.STALE)
suspected = partial(Case, suspected=True)
partly = partial(Case, failure=Failure.PARTIAL, cause=Cause.PARTIAL)

NUMBERS = (
    Case(
        failure=Failure.EMPTY,
        play=answering({}),
        cause=Cause.NO_DATA,
        words="total: nothing came back",
    ),
    invalid(
        failure=Failure.SEVERAL,
        play=with_total(("1", "2")),
        words='2 series came back instead of one: {pod="0"}, {pod="1"}',
    ),
    invalid(failure=Failure.NAN, play=with_total("NaN"), words="total: the value is NaN"),
    invalid(
        failure=Failure.NAN, variant="bad", play=with_bad("NaN"), words="bad: the value is NaN"
    ),
    invalid(failure=Failure.INFINITE, play=with_total("+Inf"), words="the value is +Inf"),
    invalid(failure=Failure.MINUS_INFINITE, play=with_bad("-Inf"), words="the value is -Inf"),
    invalid(failure=Failure.NEGATIVE, play=with_total("-5"), words="total: the value is -5"),
    invalid(failure=Failure.NEGATIVE, variant="bad", play=with_bad("-5"), words="the value is -5"),
    invalid(
        failure=Failure.BAD_OVER_TOTAL,
        play=with_bad("1000001"),
        words="bad is 1,000,001.00 and more than total",
    ),
    invalid(
        failure=Failure.WRONG_SHAPE, play=sending(200, MATRIX), words="the expression returns a"
    ),
    error(
        failure=Failure.WRONG_SHAPE,
        variant="another API",
        play=sending(200, '{"status": "success", "data": []}'),
        words="its answer holds no result",
    ),
    Case(
        failure=Failure.NO_TRAFFIC,
        play=answering({**HEALTHY, "500": None, "x": "0"}),
        cause=Cause.NO_TRAFFIC,
        words="total is 0: no event",
    ),
    Case(
        failure=Failure.LOW_TRAFFIC,
        play=answering({**HEALTHY, "500": "0", "x": "999"}),
        cause=Cause.LOW_TRAFFIC,
        words="999 events are fewer than 1,000",
        in_doubt=True,
    ),
    Case(
        failure=Failure.LOW_COVERAGE,
        play=doubted({"offset 691200s": "0", "count(": "612"}),
        cause=Cause.LOW_COVERAGE,
        words="only 85% of the window has data",
        in_doubt=True,
    ),
    Case(
        failure=Failure.MOSTLY_UNCOVERED,
        play=doubted({"offset 691200s": "0", "count(": "36"}),
        cause=Cause.MOSTLY_UNCOVERED,
        words="are measured (5%; coverage_floor is",
        in_doubt=True,
    ),
    suspected(
        failure=Failure.RENAMED,
        play=doubted(
            {
                "max_over_time((0": ago(hours=48),
                "count by (instance": "0",
                'x{code=""}[': "600000",
                "count by (code)": {"": "3"},
            }
        ),
        cause=Cause.UNMATCHED,
        words="no series of x has had the label code since",
    ),
    suspected(
        failure=Failure.BORN,
        play=doubted({"delta(": "600"}),
        cause=Cause.BORN,
        words="600 failures before that are not counted",
    ),
    suspected(
        failure=Failure.CONTRADICTED,
        play=doubted(
            {
                "unless on (gate_status)": "5000",
                "count by (gate_status)": {"500": "2"},
                "delta(": None,
                "by (instance, job)": None,
                "errors_total": "100",
            },
            ERRORS,
        ),
        cause=Cause.CONTRADICTED,
        words="100 are counted, though x itself shows 5,000 failures (500)",
    ),
    suspected(
        failure=Failure.HOLE,
        play=doubted(
            {
                "last_over_time(x[1d] offset 3600s)": "1",
                "offset 691200s": "12",
                "sum_over_time((": "1000000",
                "count(": "700",
            }
        ),
        cause=Cause.LOST,
        words="about 17,143 events are usual in that time",
    ),
    stale(
        play=answering({**HEALTHY, "timestamp(": ago(minutes=61)}),
        words="the newest sample is 1h1m old",
        in_doubt=True,
    ),
    stale(
        variant="found by searching",
        play=answering({"max_over_time": ago(hours=30), **UNSEEN}),
        words="the newest sample is 1d6h old",
        in_doubt=True,
    ),
    stale(
        variant="of unknown age",
        play=answering({"max_over_time": None, **UNSEEN}),
        words="when the last one was is not known",
    ),
    partly(play=answering(HEALTHY, **DOWN), words="store eu-1 is down", in_doubt=True),
    partly(
        variant="VictoriaMetrics",
        play=answering(HEALTHY, isPartial=True),
        words="a part of the storage did not answer",
        in_doubt=True,
    ),
    partly(
        variant="and empty",
        play=answering({}, **DOWN),
        words="partial answer: store eu-1 is down; total: nothing came back",
    ),
)

WAYS = (
    error(failure=Failure.UNAUTHORIZED, play=echoing(401), words="401 Unauthorized: not ***"),
    error(failure=Failure.FORBIDDEN, play=echoing(403), words="403 Forbidden: not ***"),
    error(
        failure=Failure.NOT_FOUND,
        play=sending(404, "404 page not found"),
        words="404 Not Found: 404 page not found",
    ),
    error(
        failure=Failure.UNPROCESSABLE,
        play=sending(422, failure("execution", "many-to-many matching not allowed")),
        words="execution: many-to-many matching not allowed",
    ),
    error(
        failure=Failure.TOO_MANY_REQUESTS,
        play=sending(429, "slow down", {"Retry-After": "3600"}),
        words="429 Too Many Requests: slow down",
    ),
    error(
        failure=Failure.SERVER_ERROR,
        play=sending(500, failure("internal", "boom")),
        words="500 Internal Server Error: internal: boom",
    ),
    error(
        failure=Failure.UNAVAILABLE,
        play=sending(503, failure("unavailable", "TSDB not ready")),
        words="503 Service Unavailable: unavailable: TSDB not ready",
    ),
    error(
        failure=Failure.UNAVAILABLE,
        variant="of a gateway",
        play=sending(502, LOGIN_PAGE),
        words="502 Bad Gateway: an HTML page",
    ),
    error(
        failure=Failure.HTML,
        play=sending(200, LOGIN_PAGE, {"Content-Type": "text/html"}),
        words="it answers with an HTML page: probably a login page",
    ),
    error(
        failure=Failure.REDIRECT,
        play=redirecting(302),
        words="it redirects to itself: probably a login page (302)",
    ),
    error(
        failure=Failure.REDIRECT,
        variant="that keeps the form",
        play=redirecting(307),
        words="it redirects to itself: probably a login page (307)",
    ),
    error(
        failure=Failure.TRUNCATED, play=sending(200, BODY[:40]), words="is not JSON, or was cut off"
    ),
    error(
        failure=Failure.TRUNCATED,
        variant="on the way",
        play=served(hang_up_half_way),
        words="the answer was cut off",
    ),
    error(
        failure=Failure.SLOW,
        play=silent,
        words="no answer in",
    ),
    error(failure=Failure.REFUSED, play=closed_port, words="connection refused"),
    error(
        failure=Failure.UNKNOWN_HOST,
        play=unknown_host,
        words="the host name cannot be resolved (DNS)",
    ),
    error(failure=Failure.TLS, play=unknown_authority, words="TLS failed: unable to get local"),
)

COUNTED_OR_NOT = "a counter counts an event or does not; it knows none without an outcome"

PROMETHEUS = Contract(
    healthy=answering(HEALTHY),
    failures=OVER_HTTP,
    cases=NUMBERS + WAYS,
    never={Failure.UNKNOWN_OUTCOME: COUNTED_OR_NOT},
    never_said={Cause.UNKNOWN_OUTCOME: COUNTED_OR_NOT},
)
