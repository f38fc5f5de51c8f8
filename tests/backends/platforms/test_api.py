"""One server of a platform, on a real socket: what is sent, tried again, given up and hidden."""

import base64
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from gate.backends.logins import OAuth2Login
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import ApiError, Call, Dialogue
from gate.backends.waits import waited_for, waiting
from gate.http import Clock
from tests.backends.loopback import Handle, send, serving
from tests.command import heeding_interrupts

SECRET = "k3y-of-the-platform"
CALL = Call(path="/slos")


class Time:
    """A clock on which waiting takes no time, and which knows how long was waited."""

    def __init__(self) -> None:
        self.seconds, self.waits = 0.0, list[float]()
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.seconds += seconds
            self.waits.append(seconds)

    @property
    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            now=lambda: datetime(2026, 11, 1, tzinfo=UTC),
            jitter=lambda: 0.0,
        )


def reset_header(headers: Mapping[str, str], _now: datetime) -> float | None:
    """Read how long to wait as a platform does that has a header of its own."""
    text = headers.get("X-Ratelimit-Reset", "")
    return float(text) if text.isdecimal() else None


def api(port: int, clock: Clock | None = None, **more: Any) -> Api:
    dialogue = Dialogue(
        words=lambda body: str(body.get("message", "")),
        hints={403: "give the key the right slos_read"},
        wait=reset_header,
    )
    arguments: dict[str, Any] = {
        "url": f"http://127.0.0.1:{port}",
        "shown": "https://platform.example",
        "headers": {"X-Key": SECRET},
        "secrets": [SECRET],
        "dialogue": dialogue,
        "timeout": 20.0,
        "clock": clock,
    }
    return Api(**arguments | more)


def saying(
    status: int, body: Mapping[str, Any] | None = None, **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = json.dumps(body or {}).encode()
    return lambda handler: send(handler, text, status=status, headers=named)


def in_turn(*answers: Callable[[BaseHTTPRequestHandler], None]) -> Handle:
    waiting = iter(answers)
    return lambda handler, _: next(waiting)(handler)


def refused(handle: Handle, **more: Any) -> ApiError:
    with serving(handle) as port, pytest.raises(ApiError) as caught:
        api(port, **more).ask(CALL)
    return caught.value


def test_a_request_has_its_login_its_parameters_and_its_body() -> None:
    seen = list[tuple[str, str, str | None, bytes]]()

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append((handler.command, handler.path, handler.headers["X-Key"], body))
        send(handler, b'{"a": 1}')

    with serving(handle) as port:
        asking = api(port)
        got = asking.ask(Call(path="/slos", params={"q": "a b"}))
        asking.ask(Call(path="/count", method="POST", body={"at": 5}))

    assert got == {"a": 1}
    assert seen == [
        ("GET", "/slos?q=a+b", SECRET, b""),
        ("POST", "/count", SECRET, b'{"at": 5}'),
    ]


# Waiting and trying again


def test_the_wait_that_a_platform_asks_for_in_a_header_of_its_own_is_kept() -> None:
    at = Time()
    handle = in_turn(saying(429, X_Ratelimit_Reset="7"), saying(200, {"ok": True}))

    with serving(handle) as port:
        assert api(port, at.clock).ask(CALL) == {"ok": True}

    assert at.waits == [7.0]


def test_without_such_a_header_the_pauses_double() -> None:
    at = Time()
    handle = in_turn(saying(503), saying(500), saying(200, {"ok": True}))

    with serving(handle) as port:
        assert api(port, at.clock).ask(CALL) == {"ok": True}

    assert at.waits == [0.5, 1.0]


def test_a_wait_beyond_the_deadline_is_not_begun_and_is_reported() -> None:
    at = Time()
    error = refused(in_turn(saying(429, X_Ratelimit_Reset="60")), clock=at.clock)

    assert at.waits == []
    assert error.status == 429
    assert "there is no time left to wait 60.0 s" in error.reason
    assert "rate limit" in error.reason


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 422])
def test_a_refusal_that_lasts_is_not_tried_again(status: int) -> None:
    at = Time()
    error = refused(in_turn(saying(status, {"message": "no"})), clock=at.clock)

    assert error.status == status
    assert at.waits == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_refusal_that_may_pass_is_tried_as_often_as_allowed(status: int) -> None:
    at = Time()
    error = refused(in_turn(*[saying(status)] * 4), clock=at.clock, retries=3)

    assert error.status == status
    assert at.waits == [0.5, 1.0, 2.0]


def test_a_new_beginning_has_the_whole_time_again() -> None:
    at = Time()
    with serving(lambda handler, _: send(handler, b"{}")) as port:
        asking = api(port, at.clock)
        at.sleep(21)
        with pytest.raises(ApiError, match="no answer in the time that this run has"):
            asking.ask(CALL)
        asking.begin()

        assert asking.ask(CALL) == {}


# Many at once


def numbered(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
    number = int(handler.path.rpartition("/")[2])
    time.sleep(0.02 * (number % 3 == 0))
    saying(200 if number % 5 else 422, {"number": number, "message": "odd one"})(handler)


def calls(count: int) -> list[Call]:
    return [Call(path=f"/slos/{number}") for number in range(count)]


def test_answers_come_in_the_order_of_the_questions_with_errors_in_their_place() -> None:
    with serving(numbered) as port:
        answers = api(port).ask_all(calls(11), 4)

    numbers = [None if isinstance(a, ApiError) else a["number"] for a in answers]
    assert numbers == [None, 1, 2, 3, 4, None, 6, 7, 8, 9, None]


def test_nothing_is_sent_where_nothing_is_asked() -> None:
    assert api(1).ask_all([], 4) == []


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_requests_are_under_way_at_once_than_allowed(most: int) -> None:
    under_way, peaks, lock = [0], list[int](), threading.Lock()

    def handle(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        with lock:
            under_way[0] += 1
            peaks.append(under_way[0])
        time.sleep(0.01)
        with lock:
            under_way[0] -= 1
        send(handler, b"{}")

    with serving(handle) as port:
        api(port).ask_all(calls(9), most)

    assert max(peaks) == most


def test_a_server_that_answers_some_only_holds_nobody_up_beyond_the_deadline() -> None:
    over = threading.Event()

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if handler.path == "/slos/2":
            over.wait(30)
        numbered(handler, body)

    with serving(handle) as port:
        start = time.monotonic()
        answers = api(port, timeout=0.3, retries=0).ask_all(calls(5), 2)
        waited = time.monotonic() - start
        over.set()

    assert waited < 2
    late = answers[2]
    assert isinstance(late, ApiError)
    assert "no answer in time" in late.reason
    assert [isinstance(answer, ApiError) for answer in answers] == [True, False, True, False, False]


def test_a_worker_that_never_comes_back_is_left_behind_at_the_deadline() -> None:
    """A server that sends a byte now and then outlasts every limit on a single read."""
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not over.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    with serving(drip) as port:
        start = time.monotonic()
        with pytest.raises(ApiError, match="no answer in the time that this run has"):
            api(port, timeout=0.2).ask(CALL)
        waited = time.monotonic() - start
        over.set()

    assert waited < 2.5


def test_all_requests_share_one_deadline() -> None:
    at = Time()
    # Each takes 8 of the 20 seconds, one after the other.
    with serving(in_turn(*[saying(429, X_Ratelimit_Reset="8"), saying(200, {})] * 3)) as port:
        answers = api(port, at.clock, retries=1).ask_all(calls(3), 1)

    assert [isinstance(answer, ApiError) for answer in answers] == [False, False, True]


def test_a_person_who_ends_the_run_waits_for_no_request() -> None:
    over = threading.Event()

    def silent(_handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        over.wait(30)

    with serving(silent) as port, heeding_interrupts():
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            api(port).ask_all(calls(2), 1)
        waited = time.monotonic() - start
        over.set()

    assert waited < 5


# What is not an answer


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "text/html"),
        (b"  <html>", "application/json"),
        (b"<?xml version='1.0'?><Error/>", "text/xml"),
    ],
)
@pytest.mark.parametrize("status", [200, 403, 502])
def test_a_page_for_people_is_not_an_answer(body: bytes, kind: str, status: int) -> None:
    error = refused(
        lambda handler, _: send(handler, body, status=status, headers={"Content-Type": kind})
    )

    assert f"an HTML page ({status})" in error.reason
    assert "Sign in" not in error.reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_its_query_not_shown(status: int) -> None:
    handle = in_turn(saying(status, Location="https://login.example/start?token=abc"))
    error = refused(handle)

    assert f"redirects to https://login.example: probably a login page ({status})" in error.reason
    assert "abc" not in error.reason


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"[1]", b"null", b'"text"', b"12", b'{"a": ', b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_not_an_object_is_not_an_answer(body: bytes) -> None:
    error = refused(lambda handler, _: send(handler, body))

    assert "its answer is not a JSON object, or was cut off" in error.reason
    assert "this is not the API of the platform" in error.reason


@pytest.mark.parametrize("status", [201, 202, 204, 206])
def test_only_200_is_an_answer(status: int) -> None:
    error = refused(in_turn(saying(status, {"good": 1})))

    assert error.status == status


# What is said


def test_a_refusal_names_the_server_as_shown_its_words_and_what_to_do() -> None:
    error = refused(in_turn(saying(403, {"message": "missing scope"})))

    assert error.reason == (
        "https://platform.example: 403 Forbidden: missing scope; give the key the right slos_read"
    )


def test_a_refusal_with_a_name_has_the_advice_of_its_name_before_that_of_its_status() -> None:
    dialogue = Dialogue(
        words=lambda body: str(body["message"]),
        hints={403: "give the key the right slos_read"},
        kind=lambda headers, _: headers.get("X-Error", ""),
        kinds={"Expired": "get a new key"},
    )
    expired, denied = (
        refused(in_turn(saying(403, {"message": "no"}, X_Error=name)), dialogue=dialogue)
        for name in ("Expired", "Denied")
    )

    assert expired.reason == "https://platform.example: 403 Forbidden (Expired): no; get a new key"
    assert denied.reason.endswith("(Denied): no; give the key the right slos_read")
    assert (expired.kind, denied.kind) == ("Expired", "Denied")


def test_words_that_are_not_json_are_reported_too() -> None:
    error = refused(lambda handler, _: send(handler, b"upstream is down", status=404))

    assert "404 Not Found: upstream is down" in error.reason


@pytest.mark.parametrize(
    "shape",
    ["{}", "key={} is wrong", "bearer:{}", '\\"{}\\"'],
)
def test_a_secret_that_the_platform_repeats_is_never_shown(shape: str) -> None:
    handle = in_turn(saying(401, {"message": shape.format(SECRET)}))
    error = refused(handle)

    assert SECRET not in error.reason
    assert "***" in error.reason


SLASHES = "k3y/of+the/platf0rm=="


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(SLASHES),
        json.dumps(SLASHES).replace("/", "\\/"),
        json.dumps(f"a b {SLASHES}, c\n"),
        '"' + "".join(f"\\u{ord(character):04x}" for character in SLASHES) + '"',
        json.dumps(base64.b64encode(f"user:{SLASHES}".encode()).decode()),
        json.dumps(SLASHES.upper()),
    ],
)
def test_a_secret_that_a_good_answer_repeats_is_never_shown(written: str) -> None:
    text = f'{{"a": [{{{written}: {written}}}], "n": [1, 2.5, null, true], "other": "\\u00e9"}}'
    with serving(lambda handler, _: send(handler, text.encode())) as port:
        got = api(port, secrets=[SLASHES]).ask(CALL)

    assert "***" in str(got["a"])
    assert "platf" not in str(got).lower()
    assert written.strip('"') not in str(got)
    assert (got["n"], got["other"]) == ([1, 2.5, None, True], "é")


@pytest.mark.parametrize("key", ["k3y", "prod", SECRET])
def test_a_good_answer_without_a_secret_is_as_it_is(key: str) -> None:
    """Short secrets are often words, such as the name of an SLO."""
    body = {"name": "prod", "text": "a  b\n", "numbers": [1, 0.5], "k3y": {"x": "k3y"}}
    with serving(lambda handler, _: saying(200, body)(handler)) as port:
        assert api(port, secrets=[key]).ask(CALL) == body


@pytest.mark.parametrize("age", ["61", "86400", "9" * 40])
def test_an_old_answer_of_a_cache_is_refused(age: str) -> None:
    error = refused(in_turn(saying(200, {"a": 1}, Age=age)))

    assert "a cache has answered in its place" in error.reason
    assert error.reason.endswith("let the proxy that caches it pass every request on")


@pytest.mark.parametrize("age", ["0", "60", "", "-5", "new", "1.5", "²"])
def test_an_answer_that_is_not_old_is_taken(age: str) -> None:
    with serving(in_turn(saying(200, {"a": 1}, Age=age))) as port:
        assert api(port).ask(CALL) == {"a": 1}


def test_words_of_a_good_answer_can_be_made_fit_to_be_shown() -> None:
    shown = api(1).words(f"error for key {SECRET}\n\x1b[31m in shard 3")

    assert shown == "error for key *** [31m in shard 3"


def test_a_refused_token_is_fetched_again_once_and_neither_is_shown() -> None:
    tokens = iter(["t0ken-number-one", "t0ken-number-two"])

    def handle(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        if handler.path == "/token":
            saying(200, {"access_token": next(tokens), "expires_in": 3600})(handler)
        elif handler.headers["Authorization"] == "Bearer t0ken-number-two":
            saying(422, {"message": "t0ken-number-one or t0ken-number-two"})(handler)
        else:
            saying(401)(handler)

    with serving(handle) as port:
        login = OAuth2Login(
            token_url=f"http://127.0.0.1:{port}/token", client_id="gate", client_secret=SECRET
        )
        with pytest.raises(ApiError) as caught:
            api(port, login=login).ask(CALL)

    assert caught.value.status == 422
    assert "t0ken" not in caught.value.reason
    assert "*** or ***" in caught.value.reason


def test_a_wait_is_reported_while_it_lasts_without_any_secret() -> None:
    said = list[str]()
    at = Time()
    clock = replace(at.clock, sleep=lambda _: said.append(waited_for()))

    with serving(in_turn(saying(429, X_Ratelimit_Reset="12"), saying(200))) as port:
        api(port, clock).ask(CALL)

    assert said == ["waiting 12 s before the next request to https://platform.example"]
    assert not waited_for()


def test_of_several_waits_the_latest_is_reported_until_it_is_over() -> None:
    with waiting("the first"):
        with waiting("the second"):
            assert waited_for() == "the second"
        assert waited_for() == "the first"
    assert not waited_for()
