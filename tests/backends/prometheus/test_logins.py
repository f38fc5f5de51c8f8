"""Managed Prometheus: requests are signed, or have a token that a server of the tests gives."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gate.backends import open_backend
from gate.backends.logins import (
    AzureLogin,
    GoogleLogin,
    Login,
    OAuth2Login,
    SigV4Login,
)
from gate.backends.prometheus.settings import PrometheusSettings
from gate.backends.tokens import AccessToken, TokenAuth, login_for
from gate.http import Clock
from gate.measure import Answer, Cause, CountRequest, Counts, Limits, Unmeasured
from tests.backends.prometheus.limited import Limited
from tests.backends.prometheus.played import AT, MONTH, RATIO
from tests.servers.loopback import serving

SECRET = "s3cr3t-of-the-client"
Served = tuple[int, Mapping[str, str], bytes]


def ask(url: str, login: Login, **settings: Any) -> Answer:
    backend = open_backend(
        PrometheusSettings(url=url, login=login, retries=0, **settings),
        Limits(timeout=timedelta(seconds=20)),
    )
    (answer,) = backend.measure([CountRequest(sli=RATIO, span=MONTH)], AT)
    return answer


def reason(answer: Answer) -> str:
    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR
    return answer.reason


# Amazon: the requests and signatures that its documentation publishes


def signature(
    secret: str, when: str, place: tuple[str, str], signed: Mapping[str, str], request: list[str]
) -> str:
    """Return the signature of a request that is given as method, path, query and body's hash.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    method, path, query, body = request
    headers = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
    canonical = "\n".join([method, path, query, headers, ";".join(sorted(signed)), body])
    region, service = place
    scope = f"{when[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for text in (when[:8], region, service, "aws4_request"):
        key = hmac.digest(key, text.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{digest}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


SUITE_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE_DATE = "20150830T123600Z"
S3_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NOTHING = hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    "method, query, body, more, published",
    [
        # get-vanilla, get-vanilla-query-order-key-case and post-x-www-form-urlencoded of the
        # signature version 4 test suite.
        ("GET", "", b"", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "GET",
            "Param1=value1&Param2=value2",
            b"",
            {},
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "POST",
            "",
            b"Param1=value1",
            {"content-type": "application/x-www-form-urlencoded"},
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)
def test_the_tests_own_signature_is_that_of_the_published_suite(
    method: str, query: str, body: bytes, more: Mapping[str, str], published: str
) -> None:
    signed = {"host": "example.amazonaws.com", "x-amz-date": SUITE_DATE, **more}
    request = [method, "/", query, hashlib.sha256(body).hexdigest()]

    place = ("us-east-1", "service")
    assert signature(SUITE_KEY, SUITE_DATE, place, signed, request) == published


@pytest.mark.parametrize(
    "query, published",
    [
        ("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "max-keys=2&prefix=J",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_a_request_of_the_documentation_has_the_published_signature(
    query: str, published: str
) -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    login = SigV4Login(
        region="us-east-1", service="s3", access_key="AKIAIOSFODNN7EXAMPLE", secret_key=S3_KEY
    )
    request = requests.Request(
        "GET",
        f"https://examplebucket.s3.amazonaws.com/?{query}",
        headers={"x-amz-date": "20130524T000000Z"},
        auth=login_for(login, Clock()),
    ).prepare()

    assert request.headers["Authorization"].endswith(f"Signature={published}")


@dataclass(slots=True)
class Amazon:
    """A workspace that computes the signature of each request anew."""

    secret: str
    session: str | None = None
    prometheus: Limited = field(default_factory=lambda: Limited(None))
    refused: list[str] = field(default_factory=list)

    def serve(self, request: BaseHTTPRequestHandler, body: bytes) -> Served:
        parts = urlsplit(request.path)
        header = request.headers["Authorization"]
        named = dict(pair.split("=", 1) for pair in header.split(" ", 1)[1].split(", "))
        signed = {name: request.headers[name] for name in named["SignedHeaders"].split(";")}
        pairs = sorted(parse_qsl(parts.query, keep_blank_values=True))
        query = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs)
        want = signature(
            self.secret,
            request.headers["x-amz-date"],
            ("eu-west-1", "aps"),
            signed,
            [request.command, parts.path, query, hashlib.sha256(body).hexdigest()],
        )
        session = request.headers.get("x-amz-security-token")
        if named["Signature"] != want or session != self.session:
            self.refused.append(header)
            return 403, {}, b"The security token included in the request is invalid"
        return self.prometheus.serve(request, body)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("session", [None, "of-the-session"])
def test_each_request_to_amazon_is_signed(method: str, session: str | None) -> None:
    amazon = Amazon(SECRET, session)
    login = SigV4Login(
        region="eu-west-1", access_key="AKID", secret_key=SECRET, session_token=session
    )
    with serving(amazon.serve) as url:
        answer = ask(f"{url}/workspaces/ws-1", login, method=method, parameters={"a b": "c/d"})

    assert isinstance(answer, Counts)
    assert amazon.refused == []


def test_a_signature_that_is_refused_is_reported() -> None:
    login = SigV4Login(region="eu-west-1", access_key="AKID", secret_key=SECRET)
    requests_of: list[str] = []

    def refuse(request: BaseHTTPRequestHandler, _: bytes) -> Served:
        requests_of.append(request.path)
        return 401, {}, b"who?"

    with serving(refuse) as url:
        assert "401 Unauthorized: who?" in reason(ask(url, login))
    assert len(requests_of) == 2  # one signed try, and one more as any login has


def test_amazon_s_keys_come_from_the_environment_where_the_policy_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    amazon = Amazon(SECRET)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    with serving(amazon.serve) as url:
        answer = ask(url, SigV4Login(region="eu-west-1"))

    assert isinstance(answer, Counts)


def test_without_amazon_s_keys_it_says_which_variables_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setitem(__import__("sys").modules, "botocore.session", None)
    words = reason(ask("http://127.0.0.1:9", SigV4Login(region="eu-west-1")))

    assert "the login failed: there is no key to sign with; set AWS_ACCESS_KEY_ID" in words
    assert SECRET not in words


@pytest.mark.parametrize(
    "module, login, install",
    [
        ("requests_aws4auth", SigV4Login(region="eu-west-1"), "error-budget-gate[aws]"),
        ("google.auth", GoogleLogin(), "error-budget-gate[google]"),
    ],
)
def test_where_a_library_is_missing_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: str, login: Login, install: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)

    assert f"pip install '{install}'" in reason(ask("http://127.0.0.1:9", login))


# Tokens


@dataclass(slots=True)
class TokenServer:
    """Gives a token for what it expects, and answers as a Prometheus to whoever has it."""

    accepts: Callable[[BaseHTTPRequestHandler, Mapping[str, str]], bool]
    life: object = 3600
    refusal: Served = (401, {}, b'{"error": "invalid_client", "error_description": "who?"}')
    revoked: int = 0
    """The number of tokens that the Prometheus refuses."""
    given: int = 0
    prometheus: Limited = field(default_factory=lambda: Limited(None))

    def serve(self, request: BaseHTTPRequestHandler, body: bytes) -> Served:
        if "/api/v1/" in request.path:
            token = f"Bearer token-{self.given}"
            if request.headers["Authorization"] != token or self.given <= self.revoked:
                return 401, {}, f"no {request.headers['Authorization']}".encode()
            return self.prometheus.serve(request, body)
        form = dict(parse_qsl(urlsplit(request.path).query) + parse_qsl(body.decode()))
        if not self.accepts(request, form):
            return self.refusal
        self.given += 1
        answer = {"access_token": f"token-{self.given}", "expires_in": self.life}
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()


@contextmanager
def token_server(
    accepts: Callable[[BaseHTTPRequestHandler, Mapping[str, str]], bool], **more: Any
) -> Iterator[tuple[str, TokenServer]]:
    server = TokenServer(accepts, **more)
    with serving(server.serve) as url:
        yield url, server


def client(_: BaseHTTPRequestHandler, form: Mapping[str, str]) -> bool:
    return form == {
        "grant_type": "client_credentials",
        "client_id": "gate",
        "client_secret": SECRET,
        "scope": "metrics:read",
        "audience": "https://prometheus.example",
    }


def oauth2(url: str, secret: str = SECRET) -> OAuth2Login:
    return OAuth2Login(
        token_url=f"{url}/oauth/token",
        client_id="gate",
        client_secret=secret,
        scope="metrics:read",
        audience="https://prometheus.example",
    )


@pytest.mark.parametrize("life", [3600, "3600", None, "soon"])
def test_a_client_s_name_and_secret_give_one_token_for_the_run(life: object) -> None:
    with token_server(client, life=life) as (url, server):
        backend = open_backend(
            PrometheusSettings(url=url, login=oauth2(url)), Limits(timeout=timedelta(seconds=20))
        )
        asked = [CountRequest(sli=RATIO, span=MONTH)]
        answers = backend.measure(asked, AT) + backend.measure(asked, AT)

    assert [type(answer) for answer in answers] == [Counts, Counts]
    assert server.given == 1


def test_without_scope_and_audience_neither_is_sent() -> None:
    def plain(_: BaseHTTPRequestHandler, form: Mapping[str, str]) -> bool:
        return form.keys() == {"grant_type", "client_id", "client_secret"}

    with token_server(plain) as (url, _):
        login = OAuth2Login(token_url=url, client_id="gate", client_secret=SECRET)
        assert isinstance(ask(url, login), Counts)


def test_a_token_that_is_refused_is_renewed_once() -> None:
    with token_server(client, revoked=1) as (url, server):
        assert isinstance(ask(url, oauth2(url)), Counts)
    assert server.given == 2


def test_a_token_that_stays_refused_is_an_error_that_does_not_show_it() -> None:
    with token_server(client, revoked=99) as (url, server):
        words = reason(ask(url, oauth2(url)))

    assert "401 Unauthorized" in words
    assert "token-" not in words
    assert server.given == 2


@pytest.mark.parametrize(
    "refusal, words",
    [
        (
            (401, {}, b'{"error": "invalid_client", "error_description": "who?"}'),
            "127.0.0.1 gives no token but 401 (invalid_client: who?); check token_url, client_id",
        ),
        ((200, {}, b"<html>"), "127.0.0.1 gives no token but 200; check token_url"),
        ((200, {}, b'{"access_token": ""}'), "127.0.0.1 gives no token but 200; check token_url"),
        ((400, {}, f'{{"error": "{SECRET}"}}'.encode()), "no token but 400 (***); check"),
    ],
)
def test_where_there_is_no_token_it_says_which_step_failed_and_what_to_do(
    refusal: Served, words: str
) -> None:
    with token_server(lambda *_: False, refusal=refusal) as (url, _):
        answer = reason(ask(url, oauth2(url)))

    assert f"the login failed: {words}" in answer or words in answer
    assert SECRET not in answer


def test_a_token_server_that_is_not_there_is_named() -> None:
    login = OAuth2Login(token_url="http://127.0.0.1:9/", client_id="gate", client_secret=SECRET)
    words = reason(ask("http://127.0.0.1:9", login))

    assert (
        "the login failed: 127.0.0.1 gives no token: connection refused; check token_url" in words
    )


def test_a_token_is_renewed_before_it_ends() -> None:
    now, given = [0.0], list[float]()

    def give() -> AccessToken:
        given.append(now[0])
        return AccessToken(f"token-{len(given)}", 300)

    auth = TokenAuth(give, Clock(monotonic=lambda: now[0]))
    sent = []
    for instant in (0.0, 239.0, 241.0):
        now[0] = instant
        request = requests.Request("GET", "http://a", auth=auth).prepare()
        sent.append(request.headers["Authorization"])
    auth.forget("Bearer another")

    assert sent == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
    assert auth.secrets == ("token-1", "token-2")
    assert given == [0.0, 241.0]


# Google


def service_account(folder: Path, token_url: str) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "client_email": "gate@example.iam.gserviceaccount.com",
        "private_key": text.decode(),
        "private_key_id": "1",
        "token_uri": token_url,
    }
    path = folder / "account.json"
    path.write_text(json.dumps(account), encoding="utf-8")
    return path


def signed_by_google(_: BaseHTTPRequestHandler, form: Mapping[str, str]) -> bool:
    return form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.mark.parametrize("ambient", [False, True])
def test_a_service_account_s_key_gives_a_token(
    ambient: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with token_server(signed_by_google) as (url, server):
        path = service_account(tmp_path, f"{url}/token")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path) if ambient else "/nowhere")
        answer = ask(url, GoogleLogin(credentials_file=None if ambient else path))

    assert isinstance(answer, Counts), answer
    assert server.given == 1


def test_where_google_gives_no_token_it_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    path.write_text("{}")
    words = reason(ask("http://127.0.0.1:9", GoogleLogin(credentials_file=path)))

    assert "the login failed: Google gives no token (DefaultCredentialsError); log in with" in words


# Azure

AZURE = ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "FEDERATED_TOKEN_FILE")


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set these variables, by the part of the name after AZURE_ or IDENTITY_, and no others."""
    for name in AZURE:
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    for name in ("ENDPOINT", "HEADER"):
        monkeypatch.delenv(f"IDENTITY_{name}", raising=False)

    def given(url: str, **more: str) -> None:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", url)
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", url)
        for name, text in more.items():
            monkeypatch.setenv(name, text)

    return given


def of_application(request: BaseHTTPRequestHandler, form: Mapping[str, str]) -> bool:
    return (
        request.path == "/tenant-1/oauth2/v2.0/token"
        and form["client_id"] == "gate"
        and form["scope"] == "https://prometheus.monitor.azure.com/.default"
        and SECRET in {form.get("client_secret"), form.get("client_assertion")}
    )


@pytest.mark.parametrize("ambient", [False, True])
@pytest.mark.parametrize("federated", [False, True])
def test_an_application_of_azure_logs_in_by_its_secret_or_a_federated_token(
    azure: Callable[..., None], tmp_path: Path, ambient: bool, federated: bool
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    secrets: dict[str, Any] = {"token_file": file} if federated else {"client_secret": SECRET}
    login = AzureLogin(tenant_id="tenant-1", client_id="gate", **secrets)
    variables = {"AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "gate"}
    name = "AZURE_FEDERATED_TOKEN_FILE" if federated else "AZURE_CLIENT_SECRET"
    variables[name] = str(file) if federated else SECRET
    with token_server(of_application) as (url, server):
        azure(url, **(variables if ambient else {}))
        answer = ask(url, AzureLogin() if ambient else login)

    assert isinstance(answer, Counts), answer
    assert server.given == 1


def of_machine(request: BaseHTTPRequestHandler, form: Mapping[str, str]) -> bool:
    return (
        request.headers["Metadata"] == "true"
        and request.path.startswith("/metadata/identity/oauth2/token?")
        and form["resource"] == "https://prometheus.monitor.azure.com"
        and form.get("client_id", "of-the-machine") == "of-the-machine"
    )


@pytest.mark.parametrize("client_id", [None, "of-the-machine"])
def test_a_machine_of_azure_logs_in_by_its_managed_identity(
    azure: Callable[..., None], client_id: str | None
) -> None:
    with token_server(of_machine) as (url, server):
        azure(url)
        assert isinstance(ask(url, AzureLogin(client_id=client_id)), Counts)
    assert server.given == 1


def test_an_app_of_azure_logs_in_by_its_own_endpoint(azure: Callable[..., None]) -> None:
    with token_server(lambda request, _: request.headers["X-IDENTITY-HEADER"] == "h") as (url, _):
        azure(url, IDENTITY_ENDPOINT=f"{url}/msi/token", IDENTITY_HEADER="h")
        assert isinstance(ask(url, AzureLogin()), Counts)


def test_azure_s_troubles_say_what_to_do(azure: Callable[..., None], tmp_path: Path) -> None:
    azure("http://127.0.0.1:9")
    nowhere = AzureLogin(tenant_id="t", client_id="c", token_file=tmp_path / "none")
    words = [
        reason(ask("http://127.0.0.1:9", login))
        for login in (AzureLogin(), nowhere, AzureLogin(client_id="c", client_secret=SECRET))
    ]

    assert "give the machine a managed identity that may read the workspace" in words[0]
    assert "the federated token cannot be read (FileNotFoundError); check token_file" in words[1]
    assert "the tenant is not known; set tenant_id, or AZURE_TENANT_ID" in words[2]
    assert SECRET not in "".join(words)
