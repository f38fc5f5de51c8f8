"""No key of any backend's block is forgotten: what it takes from a variable is secret, or public.

And of a server's address everybody reads no more than its host, or the variable it came from.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import responses

from gate.backends import BACKENDS, registration, secrets_of
from gate.backends.addresses import shown_address
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.secrecy import address
from gate.backends.prometheus.settings import PrometheusSettings
from gate.config.load import load
from gate.parsing.objects import Object
from gate.redaction import Redactor
from gate.request_failure import RequestFailure
from tests.cli.installed import POLICY
from tests.command import Run

MARKER = "m4rker-of-a-variable"
NUMBERS = {"parallel", "retries"}
SLIS: Mapping[str, str] = {"cloudwatch": "{bad: A Bad, total: A All}"}
"""An indicator in the backend's own language, where a and b are none."""
SAMPLES: Mapping[str, str] = {
    # By backend and key: a block in which the key comes from ${V}.
    "prometheus url": 'url: "https://prom.example/${V}"',
    "prometheus auth.bearer": 'url: "http://a", auth: {bearer: "${V}"}',
    "prometheus auth.sigv4.access_key": (
        'url: "http://a", auth: {sigv4: {region: a, access_key: "${V}", secret_key: "${V}"}}'
    ),
    "prometheus auth.sigv4.secret_key": (
        'url: "http://a", auth: {sigv4: {region: a, access_key: "${A}", secret_key: "${V}"}}'
    ),
    "prometheus auth.sigv4.session_token": (
        'url: "http://a", auth: {sigv4: {region: a, access_key: "${A}", secret_key: "${A}",'
        ' session_token: "${V}"}}'
    ),
    "prometheus auth.oauth2.client_secret": (
        'url: "http://a", auth: {oauth2: {token_url: "http://b", client_id: c,'
        ' client_secret: "${V}"}}'
    ),
    "prometheus auth.azure.client_secret": (
        'url: "https://a", auth: {azure: {client_id: c, client_secret: "${V}"}}'
    ),
    "clickhouse url": 'url: "https://ch.example/${V}", table: requests, timestamp: ts',
    "clickhouse password": ('url: "http://a", password: "${V}", table: requests, timestamp: ts'),
    "prometheus auth.password": 'url: "http://a", auth: {username: ada, password: "${V}"}',
    "spark url": 'url: "sc://a/;token=${V}", table: t, timestamp: ts',
    "spark token": 'url: "sc://a", token: "${V}", table: t, timestamp: ts',
    "elastic url": 'url: "https://kibana.example/${V}", api_key: "${A}"',
    "elastic api_key": 'url: "http://a", api_key: "${V}"',
    "postgres url": 'url: "postgresql://ada:${V}@db.example/app", table: t, timestamp: ts',
    "datadog url": 'api_key: "${A}", application_key: "${A}", url: "https://proxy.example/${V}"',
    "datadog api_key": 'api_key: "${V}", application_key: "${A}"',
    "datadog application_key": 'api_key: "${A}", application_key: "${V}"',
    "google-slo url": 'project: acme, auth: {bearer: "${A}"}, url: "https://proxy.example/${V}"',
    "google-slo auth.bearer": 'project: acme, auth: {bearer: "${V}"}',
    "aws-slo access_key": 'region: eu-west-1, access_key: "${V}", secret_key: "${A}"',
    "aws-slo secret_key": 'region: eu-west-1, access_key: "${A}", secret_key: "${V}"',
    "aws-slo session_token": (
        'region: eu-west-1, access_key: "${A}", secret_key: "${A}", session_token: "${V}"'
    ),
    "aws-slo url": 'region: eu-west-1, url: "https://proxy.example/${V}"',
    "cloudwatch access_key": 'region: eu-west-1, access_key: "${V}", secret_key: "${A}"',
    "cloudwatch secret_key": 'region: eu-west-1, access_key: "${A}", secret_key: "${V}"',
    "cloudwatch session_token": (
        'region: eu-west-1, access_key: "${A}", secret_key: "${A}", session_token: "${V}"'
    ),
    "cloudwatch url": 'region: eu-west-1, url: "https://proxy.example/${V}"',
    "postgres password": 'url: "postgresql://a/b", password: "${V}", table: t, timestamp: ts',
}


def keys(schema: Object[Any], before: str = "") -> Iterator[str]:
    for name, field in schema.fields.items():
        inner: object = field.schema
        if isinstance(inner, Object):
            yield from keys(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}"


@pytest.mark.variants(11)
@pytest.mark.parametrize("kind", BACKENDS)
def test_what_a_key_takes_from_a_variable_is_secret_or_said_to_be_public(
    kind: str, tmp_path: Path
) -> None:
    registered = registration(kind)
    all_keys = set(keys(registered.block))
    (tmp_path / "counts.yaml").write_text("counts: {availability: {total: 10, bad: 0}}")

    assert registered.public <= all_keys
    for key in sorted(all_keys - registered.public - NUMBERS):
        block = f"{{type: {kind}, {SAMPLES[f'{kind} {key}']}}}"
        policy = POLICY.replace("{type: static, path: counts.yaml}", block)
        sli = (
            "{slo: a}"
            if "platform" in registered.indicators
            else SLIS.get(kind, "{bad: a, total: b}")
        )
        path = tmp_path / "gate.yaml"
        path.write_text(
            policy.replace("window: 30d}", f"window: 30d, sli: {sli}}}"), encoding="utf-8"
        )
        settings = load(str(path), {"V": MARKER, "A": "another"}).settings

        assert MARKER in secrets_of(settings), key
        assert MARKER not in repr(settings)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("http://prom:9090/path", ""),
        ("${PROMETHEUS_URL}", "${PROMETHEUS_URL}"),
        ("${PROMETHEUS_URL}/prom", "${PROMETHEUS_URL}"),
        ("${PROMETHEUS_URL:-http://localhost:9090/x}", "${PROMETHEUS_URL}"),
        ("https://${HOST}/${PATH}/x", "https://${HOST}"),
        ("https://${USER}:${PASSWORD}@prom.example:9090/x", "https://prom.example:9090"),
        ("https://prom.example/${TENANT}", "https://prom.example"),
    ],
)
def test_an_address_is_shown_as_the_policy_writes_it(written: str, shown: str) -> None:
    assert shown_address(written) == shown


SECRET_URL = "https://ada-user:pass%2Fword@prom.corp.example:8443/api/t3nant-9f8e/prom"
ECHOES = (
    SECRET_URL,
    "prom.corp.example",
    "PROM.CORP.EXAMPLE:8443",
    "/api/t3nant-9f8e/prom/api/v1/query",
    "t3nant-9f8e",
    "T3NANT%2D9F8E",
    "ada-user",
    "pass/word",
    "pass%2fword",
    "a-tenant-1",
    "YWRhLXVzZXI6cGFzcy93b3Jk",
)


@pytest.mark.parametrize("echo", ECHOES)
def test_nothing_of_an_address_from_a_variable_is_repeated(echo: str) -> None:
    settings = PrometheusSettings(
        url=SECRET_URL, shown="${PROMETHEUS_URL}", headers={"X-Scope-OrgID": "a-tenant-1"}
    )
    taken = address(settings)
    said = Redactor(taken.secrets)(f"not found: {echo} for you")

    assert taken.shown == "${PROMETHEUS_URL}"
    assert echo.lower() not in said.lower()
    for part in ("corp", "t3nant", "ada", "word", "a-tenant"):
        assert part not in said.lower()
    assert said.startswith("not found: ")


def test_usual_words_of_an_address_leave_a_message_readable() -> None:
    settings = PrometheusSettings(url="http://prometheus:9090/prometheus", shown="${U}")
    said = "prometheus: the query of api v1 failed on localhost"

    assert Redactor(address(settings).secrets)(said) == said


@pytest.mark.parametrize(
    ("shown", "words"),
    [("", "redirects to https://login.corp.example:"), ("${U}", "redirects to another address:")],
)
def test_a_redirect_names_its_host_only_where_the_policy_names_the_servers(
    shown: str, words: str
) -> None:
    client = Client(PrometheusSettings(url="https://prom.example/p", shown=shown))
    location = {"Location": "https://login.corp.example/t0ken-of-a-session?x=y"}
    with responses.RequestsMock() as http:
        http.add("GET", "https://prom.example/p/api/v1/x", status=302, headers=location)
        answer = client.ask("x", {}, until=client.clock.monotonic() + 9)

    assert isinstance(answer, RequestFailure)
    assert words in answer.reason
    assert "t0ken" not in answer.reason


FORMATS = ("json", "junit", "sarif", "markdown", "codequality", "github", "gitlab", "terminal")


@pytest.mark.variants(4)
@pytest.mark.parametrize("format_", FORMATS)
def test_no_format_shows_more_of_the_address_than_its_variable(
    gate: Run, tmp_path: Path, format_: str
) -> None:
    policy = POLICY.replace("{type: static, path: counts.yaml}", '{type: prometheus, url: "${U}"}')
    sli = "window: 30d, sli: {bad: a, total: b}}"
    (tmp_path / "gate.yaml").write_text(policy.replace("window: 30d}", sli), encoding="utf-8")

    url = "http://ada:pa55word@127.0.0.1:9/t3nant-9f8e/prom"
    options = ("--change", "canary", "--format", format_)
    result = gate("check", "gate.yaml", *options, cwd=tmp_path, env={"U": url})

    assert result.exit_code == 3
    said = result.stdout + result.stderr
    assert not [part for part in ("pa55word", "t3nant", "127.0.0.1", "ada:") if part in said]
    if format_ != "gitlab":
        assert "${U}" in said or "$&#123;U" in said or "U}" in said
