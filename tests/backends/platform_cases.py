"""Failures on the way to any SLO platform, played by its own fake or by a server in its place.

A platform has these cases in its contract with one line: ``*on_the_way(PLAYED)``.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Protocol

import trustme

from gate.measure import Cause
from tests.backends.cases import SECRET, Case, Failure, Play, Setup
from tests.backends.loopback import Handle, send, serving

LOGIN_PAGE = b"<!DOCTYPE html><title>Sign in</title>"
REFUSALS: Mapping[int, Failure] = {
    401: Failure.UNAUTHORIZED,
    403: Failure.FORBIDDEN,
    404: Failure.NOT_FOUND,
    422: Failure.UNPROCESSABLE,
    429: Failure.TOO_MANY_REQUESTS,
    500: Failure.SERVER_ERROR,
    503: Failure.UNAVAILABLE,
}
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
LATE = "while counting"
"""The variant of a case in which definitions are found."""


class SetUp(Protocol):
    """Returns the parts of a policy that asks a platform at an address, without any retries."""

    def __call__(self, url: str, *, timeout: str = "20s") -> Setup: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """The facts about a platform that the cases need."""

    setup: SetUp
    """Its login is, or contains, ``${PASSWORD}``."""
    fake: Callable[[], Handle]
    """Returns a healthy fake, which answers every request."""
    counts: Callable[[BaseHTTPRequestHandler, bytes], bool]
    """Whether a request asks for numbers; all others only look up what is defined."""
    refusal: Callable[[int, str], bytes]
    """Returns the body in which the platform refuses with a status and these words."""


def on_the_way(played: Played) -> tuple[Case, ...]:
    """Return every case that is the same for all platforms.

    Some are played twice: for every request, and only where numbers are asked for, after the
    definitions were found. tests/backends/platforms/test_api.py plays many more answers.
    """
    refused = {status: _refuse(played, status) for status in REFUSALS}
    answers: tuple[tuple[Failure, str, Handle, str], ...] = (
        *((REFUSALS[status], "", refused[status], str(status)) for status in REFUSALS),
        (Failure.HTML, "", _always(LOGIN_PAGE, headers=HTML), "an HTML page (200)"),
        (Failure.REDIRECT, "", _always(b"", 302, {"Location": "/login"}), "redirects to itself"),
        (Failure.TRUNCATED, "", _hang_up_half_way, "cut off"),
        (Failure.TRUNCATED, "as a whole", _always(b'{"a": [', headers=JSON), "not a JSON object"),
        (Failure.TRUNCATED, "not an object", _always(b"[]", headers=JSON), "not a JSON object"),
    )
    late = (
        *((REFUSALS[status], refused[status], str(status)) for status in (403, 404, 500)),
        (Failure.HTML, _always(LOGIN_PAGE, headers=HTML), "an HTML page (200)"),
        (Failure.TRUNCATED, _always(b"{", headers=JSON), "not a JSON object"),
    )
    return (
        *(
            _error(failure=failure, variant=variant, words=words, play=_served(played, handle))
            for failure, variant, handle, words in answers
        ),
        *(
            _error(
                failure=failure,
                variant=LATE,
                words=words,
                play=_served(played, _while_counting(played, handle)),
            )
            for failure, handle, words in late
        ),
        _error(failure=Failure.SLOW, play=_silent(played, late=False), words="no answer in"),
        _error(
            failure=Failure.SLOW,
            variant=LATE,
            play=_silent(played, late=True),
            words="no answer in",
        ),
        _error(failure=Failure.REFUSED, play=_closed_port(played), words="connection refused"),
        _error(
            failure=Failure.UNKNOWN_HOST,
            play=_elsewhere(played, "http://no-such-host.invalid"),
            words="cannot be resolved",
        ),
        _error(failure=Failure.TLS, play=_unknown_authority(played), words="TLS failed"),
    )


_error = partial(Case, cause=Cause.BACKEND_ERROR)


def _refuse(played: Played, status: int) -> Handle:
    """Refuse, and repeat the login, as gateways that are being debugged do."""

    def handle(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        said = f"not {' '.join(handler.headers.values())}, that is {SECRET}"
        send(handler, played.refusal(status, said), status=status, headers=JSON)

    return handle


def _always(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Handle:
    return lambda handler, _: send(handler, body, status=status, headers=headers)


def _hang_up_half_way(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
    send(handler, b'{"data": [', headers=JSON, announced=1000)
    handler.close_connection = True


def _while_counting(played: Played, spoiled: Handle) -> Handle:
    """Answer well what looks up definitions, and spoil the rest."""
    healthy = played.fake()

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        answer = spoiled if played.counts(handler, body) else healthy
        answer(handler, body)

    return handle


def _served(played: Played, handle: Handle) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with serving(handle) as port:
            yield played.setup(f"http://127.0.0.1:{port}")

    return play


def _silent(played: Played, *, late: bool) -> Play:
    """Take requests and answer none; if late, only those that ask for numbers."""

    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        over = threading.Event()

        def wait(_handler: BaseHTTPRequestHandler, _body: bytes) -> None:
            over.wait(30)

        with serving(_while_counting(played, wait) if late else wait) as port:
            try:
                yield played.setup(f"http://127.0.0.1:{port}", timeout="500ms")
            finally:
                over.set()

    return play


def _closed_port(played: Played) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with socket.socket() as bound:  # which does not listen, and keeps the port from others
            bound.bind(("127.0.0.1", 0))
            yield played.setup(f"http://127.0.0.1:{bound.getsockname()[1]}")

    return play


def _elsewhere(played: Played, url: str) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        yield played.setup(url)

    return play


def _unknown_authority(played: Played) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        with serving(played.fake(), context) as port:
            yield played.setup(f"https://127.0.0.1:{port}")

    return play
