"""Failures that only a real socket can show."""

import re
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import trustme

from gate.measure import Cause, CountRequest, Spent, Unmeasured
from gate.slo.indicator import Sli
from tests.backends.loopback import send, serving
from tests.backends.prometheus.played import AT, MONTH, backend, success

BODY = success([{"metric": {}, "value": [0, "5"]}]).encode()
REQUEST = CountRequest(sli=Sli(spent="max(increase(x[$window]))"), span=MONTH)


def answer_well(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
    send(handler, BODY)


def answer_half(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
    send(handler, BODY[:20], announced=len(BODY))
    handler.close_connection = True


def hang_up(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
    handler.close_connection = True


def reason_of(url: str, *, seconds: float = 10, **settings: object) -> str:
    (answer,) = backend(seconds=seconds, url=url, **settings).measure([REQUEST], AT)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR
    return answer.reason


def test_answer_of_a_real_server_is_read() -> None:
    with serving(answer_well) as port:
        (answer,) = backend(url=f"http://127.0.0.1:{port}").measure([REQUEST], AT)

    assert isinstance(answer, Spent)
    assert answer.amount == 5


def test_connection_is_kept_alive_over_rounds() -> None:
    peers = set[object]()

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        peers.add(handler.client_address)
        answer_well(handler, body)

    with serving(handle) as port:
        asking = backend(url=f"http://127.0.0.1:{port}")
        for _ in range(3):
            asking.measure([REQUEST], AT)

    assert len(peers) == 1


def test_truncated_answer_is_reported() -> None:
    with serving(answer_half) as port:
        assert "the answer was cut off" in reason_of(f"http://127.0.0.1:{port}")


def test_connection_closed_without_answer_is_reported() -> None:
    with serving(hang_up) as port:
        reason = reason_of(f"http://127.0.0.1:{port}")

    assert reason.endswith(
        "the connection broke off before an answer came; the server may speak https only: try"
        " https:// in backend.url"
    )


def slow_reason(begin: bytes, more: bytes = b"") -> str:
    """Ask, with 0.2 s to wait, a server that sends a beginning and then from time to time more."""
    stop = threading.Event()

    def dawdle(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.wfile.write(begin)
        handler.wfile.flush()
        while not stop.wait(0.05):
            handler.wfile.write(more)
            handler.wfile.flush()

    with serving(dawdle) as port:
        start = time.monotonic()
        reason = reason_of(f"http://127.0.0.1:{port}", seconds=0.2)
        stop.set()
    assert time.monotonic() - start < 2
    return reason


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize("begin", [b"", HEAD, HEAD + b'{"status":'])
def test_answer_that_is_slow_or_stops_half_way_is_reported_within_the_time_of_the_run(
    begin: bytes,
) -> None:
    assert "no answer in time" in slow_reason(begin)


def test_answer_that_trickles_in_for_ever_is_not_waited_for() -> None:
    assert "no answer in the time that this run has" in slow_reason(HEAD, more=b" ")


def test_refused_connection_is_reported() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        reason = reason_of(f"http://u:hush-hush@127.0.0.1:{port}/p")

    assert reason == (
        f"spent: http://127.0.0.1:{port}: connection refused; check the host and port of"
        " backend.url, and that the server is running"
    )


def test_unknown_host_is_reported() -> None:
    reason = reason_of("http://no-such-host.invalid", bearer="hush-hush")

    assert reason == (
        "spent: http://no-such-host.invalid: the host name cannot be resolved (DNS); check the host"
        " name in backend.url, and that this machine can resolve it"
    )


@pytest.mark.parametrize("url", ["prometheus:9090", "http://", "ftp://h", "http://h:port", "//h"])
def test_url_that_is_none_is_reported(url: str) -> None:
    assert "not an http or https address; write backend.url in the form http" in reason_of(url)


def test_missing_certificate_file_is_reported(tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"

    for reason in (
        reason_of("https://127.0.0.1:1", ca=missing),
        reason_of("https://127.0.0.1:1", cert=missing),
        reason_of("https://127.0.0.1:1", cert=missing, key=missing),
    ):
        assert "file of a certificate or key" in reason
        assert reason.endswith(
            "; check the files of backend.tls: each must be readable and in PEM format"
        )


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


def tls(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_own_authority_is_trusted_even_when_the_environment_names_another(
    authority: trustme.CA, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    with serving(answer_well, tls(authority)) as port:
        (answer,) = backend(url=f"https://127.0.0.1:{port}", ca=ca_file).measure([REQUEST], AT)

    assert isinstance(answer, Spent)


def test_unknown_authority_is_reported(authority: trustme.CA) -> None:
    with serving(answer_well, tls(authority)) as port:
        reason = reason_of(f"https://127.0.0.1:{port}")

    assert "TLS failed: unable to get local issuer certificate; set backend.tls.ca to" in reason


def test_certificate_of_another_host_is_reported(authority: trustme.CA, ca_file: Path) -> None:
    with serving(answer_well, tls(authority, "example.org")) as port:
        reason = reason_of(f"https://127.0.0.1:{port}", ca=ca_file)

    assert "TLS failed: IP address mismatch" in reason
    assert "; write a host name in backend.url that the certificate names" in reason


def test_plain_server_behind_https_is_reported() -> None:
    with serving(answer_well) as port:
        reason = reason_of(f"https://127.0.0.1:{port}")

    assert "TLS failed: " in reason
    assert "; the server seems to speak plain http: write http:// in backend.url" in reason


def test_a_server_with_tls_behind_http_is_reported(authority: trustme.CA) -> None:
    with serving(answer_well, tls(authority)) as port:
        reason = reason_of(f"http://127.0.0.1:{port}", seconds=3)

    assert "; the server may speak https only: try https:// in backend.url" in reason


def test_a_client_certificate_that_is_missing_is_reported(
    authority: trustme.CA, ca_file: Path
) -> None:
    context = tls(authority)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with serving(answer_well, context) as port:
        reason = reason_of(f"https://127.0.0.1:{port}", seconds=3, ca=ca_file)

    # Whether the alert or the end of the connection comes first is a race of the two sides.
    seen = "tlsv13 alert certificate required|the server closed the connection during the handshake"
    remedy = (
        "; if the server asks for a client certificate, set backend.tls.cert and backend.tls.key"
    )
    assert re.search(f"TLS failed: ({seen}){re.escape(remedy)}$", reason)


@pytest.mark.parametrize("together", [True, False])
def test_client_certificate_is_shown(
    authority: trustme.CA, ca_file: Path, tmp_path: Path, together: bool
) -> None:
    context = tls(authority)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    issued = authority.issue_cert("gate@example.org")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    if together:
        issued.private_key_and_cert_chain_pem.write_to_path(str(cert))
        given: Path | None = None
    else:
        issued.cert_chain_pems[0].write_to_path(str(cert))
        issued.private_key_pem.write_to_path(str(key))
        given = key
    with serving(answer_well, context) as port:
        url = f"https://127.0.0.1:{port}"
        asking = backend(url=url, ca=ca_file, cert=cert, key=given)
        (answer,) = asking.measure([REQUEST], AT)

    assert isinstance(answer, Spent)
