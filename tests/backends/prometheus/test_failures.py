"""Everything that a server or the way to it can do wrong: never a number, always a reason."""

import errno
import json
import ssl
from datetime import UTC, datetime

import pytest
import requests
import responses

from gate.backends.prometheus.client import Client
from gate.backends.prometheus.replies import Reply
from gate.backends.prometheus.settings import PrometheusSettings
from gate.http import Clock
from gate.measure import Answer, Cause, CountRequest, Spent, Unmeasured
from gate.measure.remedies import REMEDIES
from gate.request_failure import RequestFailure, RetryAdvice, Trouble, network_failure
from gate.slo.indicator import Sli
from tests.backends.prometheus.played import AT, MONTH, URL, backend, failure, success

SECRET = "s3cr3t-t0k3n"
SPENT = CountRequest(sli=Sli(spent="x"), span=MONTH)


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self, jitter: float = 0.0) -> None:
        self.slept = list[float]()
        self.jitter = jitter

    @property
    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: sum(self.slept),
            sleep=self.slept.append,
            now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            jitter=lambda: self.jitter,
        )


def query(clock: FakeClock, *, retries: int = 2, seconds: float = 10) -> Reply | RequestFailure:
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


@pytest.mark.variants(8)
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
        (200, success([])[:-20], "not JSON, or was cut off"),
        (200, "", "not JSON, or was cut off"),
        (200, "[" * 100_000, "not JSON, or was cut off"),
        (200, "[]", "not JSON, or was cut off"),
        (200, "{}", "it answered {}; this is not the API of a Prometheus server: check the port"),
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
    assert "https://prometheus.example" in answer.reason
    assert SECRET not in repr(answer)


@pytest.mark.parametrize(
    ("status", "body", "key"),
    [
        (302, "", "login-page"),
        (200, HTML, "login-page"),
        (200, "", "wrong-server"),
        (200, json.dumps({"status": "success"}), "wrong-server"),
        (200, '{"hello":1}', "wrong-server"),
        (400, failure("bad_data", "parse error"), "query-refused"),
        (400, "Client sent an HTTP request to an HTTPS server.\n", "https-needed"),
        (400, "<html>The plain HTTP request was sent to HTTPS port</html>", "https-needed"),
        (400, failure("422", "unsupported path requested: /api/api/v1/query"), "wrong-path"),
        (401, "Unauthorized", "unauthorized"),
        (403, "Forbidden", "forbidden"),
        (404, "404 page not found", "wrong-path"),
        (405, HTML, "wrong-server"),
        (422, failure("execution", "many-to-many"), "query-refused"),
        (422, failure("execution", "query timed out"), "too-slow"),
        (422, failure("execution", "exceeded maximum resolution of points"), "too-large"),
        (429, "", "overloaded"),
        (501, HTML, "wrong-server"),
        (503, "", "overloaded"),
        (504, "upstream", "too-slow"),
        (500, failure("internal", "boom"), ""),
    ],
)
def test_a_failure_that_a_person_can_mend_says_how(
    http: responses.RequestsMock, status: int, body: str, key: str
) -> None:
    url = "http://prometheus.example"
    http.add(responses.POST, f"{url}/api/v1/query", body=body, status=status)
    http.add(responses.GET, f"{url}/api/v1/query", body=body, status=status)
    client = Client(PrometheusSettings(url=url, retries=0))
    outcome = client.query("x", AT, until=client.clock.monotonic() + 9, allowed=9)

    assert isinstance(outcome, RequestFailure)
    assert outcome.trouble == key
    assert outcome.reason.endswith(REMEDIES[key].hint if key else "boom")


def test_https_is_not_advised_where_it_is_used_already(http: responses.RequestsMock) -> None:
    http.add(responses.POST, URL, body=requests.exceptions.ConnectionError())
    outcome = query(FakeClock(), retries=0)

    assert isinstance(outcome, RequestFailure)
    assert outcome.reason.endswith(": the connection broke off before an answer came")


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        ("certificate has expired", Trouble.EXPIRED),
        ("self-signed certificate", Trouble.UNTRUSTED),
        ("self signed certificate in certificate chain", Trouble.UNTRUSTED),
        ("Hostname mismatch, certificate is not valid for 'x'.", Trouble.WRONG_HOST_NAME),
        ("something new", Trouble.UNKNOWN),
    ],
)
def test_a_certificate_that_is_refused_is_reported_by_why(words: str, trouble: Trouble) -> None:
    cause = ssl.SSLCertVerificationError(1, words)
    cause.verify_message = words

    assert network_failure(requests.exceptions.SSLError(cause)).trouble is trouble


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("gone", "the connection broke off before an answer came"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "connection reset by peer"),
    ],
)
def test_a_connection_that_ends_may_be_tried_again(cause: object, reason: str) -> None:
    failure = network_failure(requests.ConnectionError(cause))

    assert (failure.transient, failure.trouble) == (True, Trouble.HTTPS_NEEDED)
    assert failure.reason == reason


@pytest.mark.parametrize(
    ("reason", "trouble"),
    [
        ("WRONG_VERSION_NUMBER", Trouble.PLAIN_HTTP),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", Trouble.CLIENT_CERTIFICATE),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", Trouble.CLIENT_CERTIFICATE),
        ("UNSUPPORTED_PROTOCOL", Trouble.TLS_VERSION),
        ("TLSV1_ALERT_PROTOCOL_VERSION", Trouble.TLS_VERSION),
    ],
)
def test_a_handshake_that_fails_is_reported_by_why(reason: str, trouble: Trouble) -> None:
    cause = ssl.SSLError(1, reason)
    cause.reason = reason

    assert network_failure(requests.exceptions.SSLError(cause)).trouble is trouble


@pytest.mark.parametrize(
    "location, target",
    [
        ("https://login.example/x?y=z", "https://login.example"),
        (f"https://u:{SECRET}@prometheus.example/", "https://prometheus.example"),
        ("/login", "itself"),
    ],
)
def test_redirect_is_refused_and_not_followed(
    http: responses.RequestsMock, location: str, target: str
) -> None:
    http.add(responses.POST, URL, status=302, headers={"Location": location})
    answer = measured()

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR
    assert SECRET not in repr(answer)
    assert f"redirects to {target}: probably a login page (302)" in answer.reason
    assert len(http.calls) == 1


@pytest.mark.variants(5)
@pytest.mark.parametrize(
    "error, words",
    [
        (requests.exceptions.ConnectTimeout(SECRET), "no connection in time"),
        (requests.exceptions.ReadTimeout(SECRET), "no answer in time"),
        (requests.exceptions.ProxyError(SECRET), "the proxy cannot be reached"),
        (requests.exceptions.SSLError(SECRET), "TLS failed: the handshake failed"),
        (requests.exceptions.ChunkedEncodingError(SECRET), "the answer was cut off"),
        (requests.exceptions.ConnectionError(SECRET), "the connection broke off"),
        (requests.exceptions.ConnectionError(ConnectionResetError(104, "x")), "reset by peer"),
        (requests.exceptions.InvalidURL(SECRET), "not an http or https address"),
        (requests.exceptions.InvalidSchema(SECRET), "not an http or https address"),
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


@pytest.mark.parametrize(
    "error, words",
    [
        (requests.exceptions.ReadTimeout(), "no answer in time; allow it more time"),
        (
            requests.exceptions.ConnectTimeout(),
            "no connection in time; check the host and port of backend.url, and that a firewall or"
            " VPN lets this machine connect",
        ),
    ],
)
def test_more_time_is_advised_only_where_it_may_help(
    http: responses.RequestsMock, error: Exception, words: str
) -> None:
    http.add(responses.POST, URL, body=error)
    outcome = query(FakeClock())

    assert isinstance(outcome, RequestFailure)
    assert outcome.reason == f"https://prometheus.example: {words}"


def test_control_characters_of_a_server_are_not_shown(http: responses.RequestsMock) -> None:
    http.add(responses.POST, URL, status=500, body="\x1b[31mred\nand \u202eturned")
    outcome = query(FakeClock())

    assert isinstance(outcome, RequestFailure)
    assert outcome.reason.endswith("500 Internal Server Error: [31mred and turned")


def test_long_words_keep_their_start_and_their_end(http: responses.RequestsMock) -> None:
    repeated = 'error when executing query="x" for (time=1, step=2): '
    http.add(responses.POST, URL, status=500, body=failure("500", f"{repeated}A{'x' * 999}Z"))
    outcome = query(FakeClock())

    assert isinstance(outcome, RequestFailure)
    assert "Internal Server Error: Axxx" in outcome.reason
    assert " ... xxx" in outcome.reason
    assert outcome.reason.endswith("xxZ")
    assert len(outcome.reason) < 400


@pytest.mark.parametrize("before", [94, 290])
def test_secret_is_blotted_out_before_long_words_are_cut(
    http: responses.RequestsMock, before: int
) -> None:
    http.add(responses.POST, URL, status=500, body=f"{'x' * before}{SECRET}-h{'x' * 190}")
    answer = measured()

    assert isinstance(answer, Unmeasured)
    assert not [
        at for at in range(4, 13) if SECRET[:at] in repr(answer) or SECRET[-at:] in repr(answer)
    ]


def test_secret_in_a_warning_is_blotted_out(http: responses.RequestsMock) -> None:
    series: list[dict[str, object]] = [{"metric": {}, "value": [0, "5"]}]
    said = {"warnings": [f"{SECRET}-h is down"], "infos": [f"{SECRET}-h is up"]}
    http.add(responses.POST, URL, body=success(series, **said))
    answer = measured()

    assert isinstance(answer, Spent)
    assert answer.evidence.warnings == ("*** is down",)
    assert answer.evidence.notes == ("*** is up",)


# Again


@pytest.mark.parametrize("status", [429, 502, 503])
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

    assert isinstance(query(clock), RequestFailure)
    assert len(http.calls) == 3


def test_server_that_is_not_there_is_given_up_within_two_seconds(
    http: responses.RequestsMock,
) -> None:
    http.add(responses.POST, URL, body=requests.ConnectionError(ConnectionRefusedError(111, "x")))
    clock = FakeClock(jitter=1.0)
    outcome = query(clock)

    assert isinstance(outcome, RequestFailure)
    assert outcome.advice is RetryAdvice.GIVE_UP
    assert clock.slept == [0.5, 1.0]


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_lasting_failure_is_not_tried_again(http: responses.RequestsMock, status: int) -> None:
    http.add(responses.POST, URL, status=status)

    assert isinstance(query(FakeClock()), RequestFailure)
    assert len(http.calls) == 1


@pytest.mark.parametrize(
    "status, body", [(503, failure("timeout", "query timed out")), (504, "upstream")]
)
def test_query_timeout_is_not_tried_again_but_made_smaller(
    http: responses.RequestsMock, status: int, body: str
) -> None:
    http.add(responses.POST, URL, status=status, body=body)
    outcome = query(FakeClock())

    assert isinstance(outcome, RequestFailure)
    assert outcome.advice is RetryAdvice.SMALLER
    assert len(http.calls) == 1


@pytest.mark.parametrize(
    "status, words",
    [
        (503, "cannot handle more than 1 concurrent search requests; possible solutions: "),
        # Of a cluster: https://github.com/VictoriaMetrics/VictoriaMetrics/issues/4401
        (422, "couldn't start executing the request in 10.000 seconds, since "),
    ],
)
def test_busy_server_is_asked_the_same_again_and_not_more_at_once(
    http: responses.RequestsMock, status: int, words: str
) -> None:
    advice = f"{words}-search.maxConcurrentRequests, -search.maxQueryDuration"
    http.add(responses.POST, URL, status=status, body=advice)
    clock = FakeClock()
    outcome = query(clock)

    assert isinstance(outcome, RequestFailure)
    assert outcome.advice is RetryAdvice.NONE
    assert clock.slept == [0.25, 0.5]


@pytest.mark.parametrize(
    "wait, slept",
    [
        ("3", 3.0),
        ("Thu, 01 Jan 2026 00:00:04 GMT", 4.0),
        ("Thu, 01 Jan 2026 00:00:04 -0000", 4.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.25),
        ("soon", 0.25),
    ],
)
def test_retry_after_is_honoured(http: responses.RequestsMock, wait: str, slept: float) -> None:
    http.add(responses.POST, URL, status=429, headers={"Retry-After": wait})
    http.add(responses.POST, URL, body=success([]))
    clock = FakeClock()

    assert isinstance(query(clock), Reply)
    assert clock.slept == [slept]


def test_the_date_of_retry_after_is_compared_with_the_servers_own_clock(
    http: responses.RequestsMock,
) -> None:
    headers = {
        "Retry-After": "Thu, 01 Jan 2026 01:00:04 GMT",
        "Date": "Thu, 01 Jan 2026 01:00:00 GMT",
    }
    http.add(responses.POST, URL, status=429, headers=headers)
    http.add(responses.POST, URL, body=success([]))
    clock = FakeClock()

    assert isinstance(query(clock), Reply)
    assert clock.slept == [4.0]


def test_retry_after_beyond_the_time_left_ends_at_once(http: responses.RequestsMock) -> None:
    http.add(responses.POST, URL, status=429, headers={"Retry-After": "120"})
    clock = FakeClock()
    outcome = query(clock)

    assert isinstance(outcome, RequestFailure)
    assert "there is no time left to wait 120.0 s and try again" in outcome.reason
    assert clock.slept == []


def test_without_time_nothing_is_asked(http: responses.RequestsMock) -> None:
    outcome = query(FakeClock(), seconds=0)

    assert isinstance(outcome, RequestFailure)
    assert "no answer in the time that this run has" in outcome.reason
    assert len(http.calls) == 0
