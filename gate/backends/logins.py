"""The logins of a managed Prometheus: the settings, and the policy's blocks for them."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gate.dataclass import dataclass
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.values import CONNECTION, SECRET

AZURE_SCOPE: Final = "https://prometheus.monitor.azure.com/.default"
"""https://learn.microsoft.com/azure/azure-monitor/metrics/prometheus-api-promql"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigV4Login:
    """A login with requests that are signed for Amazon Web Services."""

    region: str
    service: str = "aps"
    access_key: str | None = field(default=None, repr=False)
    """None: it is taken from AWS_ACCESS_KEY_ID, with the other variables beside it; if these are
    not set, from the sources of botocore, if it is installed."""
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Login:
    """A login with a token from a token server, for a client's own name and secret."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleLogin:
    """A login with a token of a Google service account, for Managed Service for Prometheus."""

    credentials_file: Path | None = None
    """None: the application default credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureLogin:
    """A login with a token of Microsoft Entra ID, for an Azure Monitor workspace.

    With a secret or a file of a federated token it is the token of an application, otherwise that
    of the machine's managed identity. Fields that are None are taken from the AZURE_ variable of
    that name.
    """

    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    scope: str = AZURE_SCOPE


Login = SigV4Login | OAuth2Login | GoogleLogin | AzureLogin


def login_secrets(login: Login | None) -> tuple[str, ...]:
    """Return the secrets of a login."""
    match login:
        case SigV4Login():
            secrets = (login.secret_key, login.session_token, login.access_key)
        case OAuth2Login() | AzureLogin():
            secrets = (login.client_secret, None, None)
        case _:
            secrets = (None, None, None)
    return tuple(secret for secret in secrets if secret)


def login_files(login: Login | None) -> tuple[Path, ...]:
    """Return the files that a login reads."""
    match login:
        case GoogleLogin():
            path = login.credentials_file
        case AzureLogin():
            path = login.token_file
        case _:
            path = None
    return () if path is None else (path,)


def check_keys(values: Values, reader: Reader) -> None:
    """Note keys of a block with a SigV4 login that do not go together.

    Raises:
        UnreadableError: they do not.
    """
    if values.given("access_key") != ("access_key",) * bool(values.given("secret_key")):
        raise reader.fail(values.node(), "'access_key' and 'secret_key' must be given together")
    if values.given("session_token") and not values.given("secret_key"):
        raise reader.fail(values.node("session_token"), "a session_token needs its keys")


def _sigv4(values: Values, reader: Reader) -> SigV4Login:
    check_keys(values, reader)
    return SigV4Login(**values.values)


def _web_address(values: Values, key: str, reader: Reader) -> str:
    """Return a web address without a login in it."""
    address: str = values.get(key)
    try:
        parts = urlsplit(address)
        fits = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    except ValueError:
        fits = False
    if not fits:
        message = (
            "this is not an http or https address; write https://login.example.com/oauth/token"
        )
        raise reader.fail(values.node(key), message)
    return address


def _oauth2(values: Values, reader: Reader) -> OAuth2Login:
    return OAuth2Login(
        token_url=_web_address(values, "token_url", reader),
        **values.only("client_id", "client_secret", "scope", "audience"),
    )


def _google(values: Values, reader: Reader) -> GoogleLogin:
    return GoogleLogin(**_existing(values, "credentials_file", reader))


def _azure(values: Values, reader: Reader) -> AzureLogin:
    if len(values.given("client_secret", "token_file")) > 1:
        raise reader.fail(values.node("token_file"), "either client_secret or token_file")
    if values.given("client_secret", "token_file") and not values.given("client_id"):
        raise reader.fail(values.node(), "a client_secret or token_file needs its client_id")
    texts = values.only("tenant_id", "client_id", "client_secret", "scope")
    return AzureLogin(**texts, **_existing(values, "token_file", reader))


def _existing(values: Values, key: str, reader: Reader) -> dict[str, Any]:
    if not values.given(key):
        return {}
    return {key: reader.existing(values.node(key), values.get(key))}


LOGINS: Final[Mapping[str, Object[Any]]] = {
    "sigv4": Object(
        {
            "region": Field(schema=CONNECTION, doc="AWS region of the workspace.", required=True),
            "service": Field(schema=CONNECTION, doc="Service name in the signature. Default: aps."),
            "access_key": Field(
                schema=SECRET, doc="Access key ID. Default: taken from AWS_ACCESS_KEY_ID."
            ),
            "secret_key": Field(
                schema=SECRET, doc="Secret access key. Default: taken from AWS_SECRET_ACCESS_KEY."
            ),
            "session_token": Field(
                schema=SECRET, doc="Session token. Default: taken from AWS_SESSION_TOKEN."
            ),
        },
        _sigv4,
    ),
    "oauth2": Object(
        {
            "token_url": Field(
                schema=CONNECTION, doc="Address of the token server.", required=True
            ),
            "client_id": Field(schema=CONNECTION, doc="Name of the client.", required=True),
            "client_secret": Field(
                schema=SECRET, doc="Secret of the client, from a variable.", required=True
            ),
            "scope": Field(
                schema=CONNECTION, doc="Scope of the token, if the server asks for one."
            ),
            "audience": Field(
                schema=CONNECTION, doc="Audience of the token, if the server asks for one."
            ),
        },
        _oauth2,
    ),
    "google": Object(
        {
            "credentials_file": Field(
                schema=CONNECTION,
                doc="JSON file of the credentials. Default: the application default credentials.",
            ),
        },
        _google,
    ),
    "azure": Object(
        {
            "tenant_id": Field(
                schema=CONNECTION, doc="ID of the tenant. Default: taken from AZURE_TENANT_ID."
            ),
            "client_id": Field(
                schema=CONNECTION, doc="ID of the client. Default: taken from AZURE_CLIENT_ID."
            ),
            "client_secret": Field(schema=SECRET, doc="Secret of an application, from a variable."),
            "token_file": Field(
                schema=CONNECTION,
                doc="File of a federated token. Default: taken from AZURE_FEDERATED_TOKEN_FILE.",
            ),
            "scope": Field(schema=CONNECTION, doc=f"Scope of the token. Default: {AZURE_SCOPE}."),
        },
        _azure,
    ),
}
"""The blocks under ``auth``, by name."""


def keys_of_logins(*, secret: bool) -> Iterator[str]:
    """Yield the keys of these blocks that are secret, or those that are not."""
    for name, block in LOGINS.items():
        for key, described in block.fields.items():
            if (described.schema is SECRET) is secret:
                yield f"auth.{name}.{key}"
