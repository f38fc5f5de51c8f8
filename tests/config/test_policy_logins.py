"""The logins of managed Prometheus services in a policy, and what is wrong with one."""

from pathlib import Path

import pytest

from gate.backends.logins import AzureLogin, GoogleLogin, OAuth2Login, SigV4Login
from gate.backends.prometheus.settings import PrometheusSettings, files
from tests.config.texts import assert_mistake, policy, read


def block(keys: str, url: str = "https://x") -> str:
    return policy(backend=f'backend: {{type: prometheus, url: "{url}", {keys}}}\n')


def settings(keys: str, url: str = "https://x") -> PrometheusSettings:
    contents, mistakes = read(block(keys, url), {"T": "s3cr3t", "K": "key"})
    assert mistakes == []
    assert contents is not None
    assert isinstance(contents.settings, PrometheusSettings)
    return contents.settings


OAUTH2 = 'token_url: "https://login/token", client_id: gate, client_secret: "${T}"'


def test_each_login_is_read_with_its_settings(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("{}")
    logins = [
        settings(f"auth: {{{login}}}").login
        for login in (
            "sigv4: {region: eu-west-1}",
            'sigv4: {region: a, access_key: "${K}", secret_key: "${T}", session_token: "${T}"}',
            f"oauth2: {{{OAUTH2}, scope: s, audience: a}}",
            "google: {}",
            f'google: {{credentials_file: "{file}"}}',
            "azure: {}",
            f'azure: {{tenant_id: t, client_id: c, token_file: "{file}"}}',
            'azure: {client_id: c, client_secret: "${T}", scope: "https://a/.default"}',
        )
    ]

    assert logins == [
        SigV4Login(region="eu-west-1"),
        SigV4Login(region="a", access_key="key", secret_key="s3cr3t", session_token="s3cr3t"),
        OAuth2Login(
            token_url="https://login/token",
            client_id="gate",
            client_secret="s3cr3t",
            scope="s",
            audience="a",
        ),
        GoogleLogin(),
        GoogleLogin(credentials_file=file),
        AzureLogin(),
        AzureLogin(tenant_id="t", client_id="c", token_file=file),
        AzureLogin(client_id="c", client_secret="s3cr3t", scope="https://a/.default"),
    ]
    assert "s3cr3t" not in repr(logins)


def test_the_files_of_a_login_are_examined(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("{}")

    for login in (
        f'google: {{credentials_file: "{file}"}}',
        f'azure: {{client_id: c, token_file: "{file}"}}',
    ):
        assert files(settings(f"auth: {{{login}}}")) == (str(file),)
    assert files(settings("auth: {sigv4: {region: a}}")) == ()


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ("¦{sigv4: {region: a}, google: {}}", "auth has sigv4 or another login, not both"),
        ("¦{bearer: '${T}', azure: {}}", "auth has azure or another login, not both"),
        (
            "{sigv4: ¦{region: a, access_key: '${T}'}}",
            "'access_key' and 'secret_key' must be given together",
        ),
        (
            "{sigv4: ¦{region: a, secret_key: '${T}'}}",
            "'access_key' and 'secret_key' must be given together",
        ),
        (
            "{sigv4: {region: a, session_token: ¦'${T}'}}",
            "a session_token needs its keys",
        ),
        (
            "{oauth2: {token_url: ¦'ftp://a', client_id: c, client_secret: '${T}'}}",
            "this is not an http or https address; write https://login.example.com/oauth/token",
        ),
        (
            "{oauth2: {token_url: ¦'http://[a', client_id: c, client_secret: '${T}'}}",
            "this is not an http or https address; write https://login.example.com/oauth/token",
        ),
        (
            "{oauth2: {token_url: ¦'https://u:p@a', client_id: c, client_secret: '${T}'}}",
            "this is not an http or https address; write https://login.example.com/oauth/token",
        ),
        (
            "{azure: {client_id: c, client_secret: '${T}', token_file: ¦a}}",
            "either client_secret or token_file",
        ),
        (
            "{azure: ¦{client_secret: '${T}'}}",
            "a client_secret or token_file needs its client_id",
        ),
    ],
)
def test_a_login_that_cannot_be_says_what_is_wrong(auth: str, message: str) -> None:
    assert_mistake(block(f"auth: {auth}"), message, {"T": "x"})


@pytest.mark.parametrize("login", ["google", "azure"])
def test_a_token_of_the_machine_is_sent_over_https_only(login: str) -> None:
    text = policy(
        backend=f"backend: {{type: prometheus, url: ¦'http://x', auth: {{{login}: {{}}}}}}\n"
    )

    assert_mistake(text, "a token of the machine is sent over https only; write an https address")
    assert settings(f"auth: {{{login}: {{}}}}", "http://localhost:1").login is not None
    assert settings("auth: {sigv4: {region: a}}", "http://x").login is not None


def test_parameters_and_the_method_are_read() -> None:
    given = settings('parameters: {namespace: "${K}"}, method: get')

    assert given.parameters == {"namespace": "key"}
    assert given.method == "GET"
    assert settings("method: post").method == "POST"
    assert settings("parallel: 1").method is None


def test_a_method_that_there_is_not_and_a_secret_parameter_are_mistakes() -> None:
    assert_mistake(block("method: ¦put"), "write get or post")
    message = "the header api_token looks like a secret; write ${NAME}, without a default"
    assert_mistake(block("parameters: {api_token: ¦abc}"), message)
