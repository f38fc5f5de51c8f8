"""Everything that a server or the way to it can do wrong: never a number, always a reason."""

import json
from datetime import UTC, datetime

import pytest
import requests
import responses

from gate.backends.prometheus.client import Client, Clock
from gate.backends.prometheus.failure import Failure, Remedy
from gate.backends.prometheus.reading import Reply
from gate.errors import UsageError
from gate.settings import PrometheusSettings
from gate.slo.measurement import Answer, Cause, CountRequest, Sli, Unmeasured
from tests.backends.prometheus.played import AT, MONTH, URL, backend, failure, success

SECRET = "s3cr3t-t0k3n"
SPENT = CountRequest(sli=Sli(spent="x"), span=MONTH)


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.slept = list[float]()

    @property
    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: sum(self.slept),
            sleep=self.slept.append,
            now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            jitter=lambda: 0.0,
        )


def query(clock: FakeClock, *, retries: int = 2, seconds: float = 10) -> Reply | Failure:
    settings = PrometheusSettings(url="https://prometheus.example", retries=retries)
    return Client(settings, clock.clock).query("x", AT, until=seconds, allowed=seconds)


def measured() -> Answer:
    """Ask with every kind of secret, and none of them may come back in the answer."""
    asking = backend(
        url=f"https://prometheus.example/?token={SECRET}-q",
        username="gate",
        password=f"{SECRET}-p",
        headers={"X-Api-Key": f"{SECRET}-h"},
    )
    (answer,) = asking.measure([SPENT], AT)
    return answer


HTML = "<html><title>Sign in</title></html>"


@pytest.mark.parametrize(
    "status, body, words",
    [
        (400, failure("bad_data", "parse error"), "400 Bad Request: bad_data: parse error"),
        (401, f"no {SECRET}-h", "401 Unauthorized: no ***"),
        (403, "Forbidden for you", "403 Forbidden: Forbidden for you"),
        (404, HTML, "404 Not Found: an HTML page"),
        (422, failure("execution", "many-to-many"), "422 Unprocessable Entity: execution: many"),
        (422, failure("422", "unknown func"), "422 Unprocessable Entity: unknown func"),
        (429, "", "429 Too Many Requests"),
        (500, failure("internal", "boom"), "500 Internal Server Error: internal: boom"),
        (502, HTML, "502 Bad Gateway: an HTML page"),
        (503, failure("unavailable", "starting"), "503 Service Unavailable: unavailable: starting"),
        (504, "upstream", "504 Gateway Timeout: upstream"),
        (200, HTML, "an HTML page: probably a login page"),
        (200, success([])[:-20], "no JSON, or was cut off"),
        (200, "", "no JSON, or was cut off"),
        (200, "[" * 100_000, "no JSON, or was cut off"),
        (200, "[]", "no JSON, or was cut off"),
        (200, "{}", "https://prometheus.example/: {}"),
        (200, failure("execution", "half way"), "execution: half way"),
        (200, json.dumps({"status": "success", "data": {"result": []}}), "holds no result"),
        (200, json.dumps({"status": "success"}), "holds no result"),
    ],
)
def test_http_failure_is_a_backend_error_with_the_server_s_words(
    http: responses.RequestsMock, status: int, body: str, words: str
) -> None:
    http.add(responses.POST, URL, body=body, status=status)
    answer = measured()

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR
    assert words in answer.reason
    assert "https://prometheus.example/" in answer.reason
    assert SECRET not in repr(answer)


@pytest.mark.parametrize(
    "location, host", [("https://login.example/x?y=z", "login.example"), ("/login", "itself")]
)
def test_redirect_is_refused_and_not_followed(
    http: responses.RequestsMock, location: str, host: str
) -> None:
    http.add(responses.POST, URL, status=302, headers={"Location": location})
    answer = measured()

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR
    assert f"redirects to {host}: probably a login page (302)" in answer.reason
    assert len(http.calls) == 1


@pytest.mark.parametrize(
    "error, words",
    [
        (requests.exceptions.ConnectTimeout(SECRET), "no connection in time"),
        (requests.exceptions.ReadTimeout(SECRET), "no answer in time"),
        (requests.exceptions.ProxyError(SECRET), "the proxy cannot be reached"),
        (requests.exceptions.SSLError(SECRET), "TLS failed: no common ground"),
        (requests.exceptions.ChunkedEncodingError(SECRET), "the answer was cut off"),
        (requests.exceptions.ConnectionError(SECRET), "the connection broke off"),
        (requests.exceptions.ConnectionError(ConnectionResetError(104, "x")), "reset by peer"),
        (requests.exceptions.InvalidURL(SECRET), "no http or https address"),
        (requests.exceptions.InvalidSchema(SECRET), "no http or https address"),
        (requests.exceptions.InvalidHeader(SECRET), "a header has a character"),
        (OSError(f"no such file {SECRET}"), "file of a certificate or key"),
        (ValueError(SECRET), "the request failed (ValueError)"),
    ],
)
def test_failure_on_the_way_is_a_backend_error_in_our_words(
    http: responses.RequestsMock, error: Exception, words: str
) -> None:
    http.add(responses.POST, URL, body=error)
    answer = measured()

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR
    assert words in answer.reason
    assert SECRET not in repr(answer)


def test_long_words_keep_their_start_and_their_end(http: responses.RequestsMock) -> None:
    repeated = 'error when executing query="x" for (time=1, step=2): '
    http.add(responses.POST, URL, status=500, body=failure("500", f"{repeated}A{'x' * 999}Z"))
    outcome = query(FakeClock())

    assert isinstance(outcome, Failure)
    assert "Internal Server Error: Axxx" in outcome.reason
    assert " ... xxx" in outcome.reason
    assert outcome.reason.endswith("xxZ")
    assert len(outcome.reason) < 400


# Again


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_passing_failure_is_tried_again_with_growing_pauses(
    http: responses.RequestsMock, status: int
) -> None:
    http.add(responses.POST, URL, status=status)
    http.add(responses.POST, URL, status=status)
    http.add(responses.POST, URL, body=success([]))
    clock = FakeClock()

    assert isinstance(query(clock), Reply)
    assert clock.slept == [0.25, 0.5]


def test_tries_end(http: responses.RequestsMock) -> None:
    http.add(responses.POST, URL, body=requests.ConnectionError("x"))
    clock = FakeClock()

    assert isinstance(query(clock), Failure)
    assert len(http.calls) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500])
def test_lasting_failure_is_not_tried_again(http: responses.RequestsMock, status: int) -> None:
    http.add(responses.POST, URL, status=status)

    assert isinstance(query(FakeClock()), Failure)
    assert len(http.calls) == 1


def test_query_timeout_is_not_tried_again_but_made_smaller(http: responses.RequestsMock) -> None:
    http.add(responses.POST, URL, status=503, body=failure("timeout", "query timed out"))
    outcome = query(FakeClock())

    assert isinstance(outcome, Failure)
    assert outcome.remedy is Remedy.SMALLER
    assert len(http.calls) == 1


@pytest.mark.parametrize(
    "wait, slept",
    [
        ("3", 3.0),
        ("Thu, 01 Jan 2026 00:00:04 GMT", 4.0),
        ("Thu, 01 Jan 2026 00:00:04 -0000", 4.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("soon", 0.25),
    ],
)
def test_retry_after_is_honoured(http: responses.RequestsMock, wait: str, slept: float) -> None:
    http.add(responses.POST, URL, status=429, headers={"Retry-After": wait})
    http.add(responses.POST, URL, body=success([]))
    clock = FakeClock()

    assert isinstance(query(clock), Reply)
    assert clock.slept == [slept]


def test_retry_after_beyond_the_time_left_ends_at_once(http: responses.RequestsMock) -> None:
    http.add(responses.POST, URL, status=429, headers={"Retry-After": "120"})
    clock = FakeClock()
    outcome = query(clock)

    assert isinstance(outcome, Failure)
    assert "to wait 120.0 s for another try, there is no time left" in outcome.reason
    assert clock.slept == []


def test_without_time_nothing_is_asked(http: responses.RequestsMock) -> None:
    outcome = query(FakeClock(), seconds=0)

    assert isinstance(outcome, Failure)
    assert "no time left" in outcome.reason
    assert len(http.calls) == 0


# What is sent


def sent(http: responses.RequestsMock, **settings: object) -> requests.PreparedRequest:
    http.add(responses.POST, url=settings.pop("expected", URL), body=success([]))  # type: ignore[arg-type]  # a str
    backend(**settings).measure([SPENT], AT)  # type: ignore[arg-type]  # each test knows its settings
    return http.calls[0].request


def test_bearer_token_is_sent(http: responses.RequestsMock) -> None:
    assert sent(http, bearer="abc").headers["Authorization"] == "Bearer abc"


def test_user_and_password_are_sent(http: responses.RequestsMock) -> None:
    # RFC 7617, section 2.1: the user "test" with the password "123£", in UTF-8.
    given = {"username": "test", "password": "123\u00a3"}

    assert sent(http, **given).headers["Authorization"] == "Basic dGVzdDoxMjPCow=="


def test_user_and_password_of_the_url_are_sent_but_not_in_the_url(
    http: responses.RequestsMock,
) -> None:
    request = sent(http, url="https://te%73t:123%C2%A3@prometheus.example/")

    assert request.headers["Authorization"] == "Basic dGVzdDoxMjPCow=="
    assert request.url == URL


def test_extra_headers_and_query_string_are_sent(http: responses.RequestsMock) -> None:
    request = sent(
        http,
        url="https://prometheus.example/prom/?extra_label=a%3Db",
        headers={"X-Scope-OrgID": "team-a"},
        expected="https://prometheus.example/prom/api/v1/query?extra_label=a%3Db",
    )

    assert request.headers["X-Scope-OrgID"] == "team-a"


def test_netrc_does_not_override_the_token(
    http: responses.RequestsMock, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w", encoding="ascii") as file:  # noqa: PTH123 - a path made of text
        file.write("machine prometheus.example login a password b\n")
    monkeypatch.setenv("NETRC", netrc)

    assert sent(http, bearer="abc").headers["Authorization"] == "Bearer abc"


def test_url_that_cannot_be_read_is_an_error_of_usage_without_the_url() -> None:
    with pytest.raises(UsageError) as caught:
        backend(url=f"https://u:{SECRET}@[::1")

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nothing_secret_is_in_any_repr() -> None:
    asking = backend(url=f"https://u:{SECRET}@h/?t={SECRET}", bearer=SECRET)

    assert SECRET not in repr(asking)
