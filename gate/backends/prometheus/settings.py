"""The settings of a Prometheus server, and the policy's ``backend`` block for them."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import yaml

from gate.backends.addresses import RETRIES, TLS, HttpAddress, is_protected, shown_address
from gate.backends.logins import LOGINS, AzureLogin, GoogleLogin, Login, login_files
from gate.dataclass import dataclass
from gate.parsing.files import literals
from gate.parsing.numbers import CONNECTION_COUNT
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Field, Object, Values
from gate.parsing.reader import Reader, UnreadableError, written
from gate.parsing.schema import MapOf, Scalar, pairs
from gate.parsing.values import CONNECTION, SECRET
from gate.parsing.variables import OUTSIDE

_SECRET_WORDS: Final = ("auth", "token", "key", "secret", "cookie", "password")
"""Words that make a header secret if its name contains one of them."""
_BEHIND: Final = r"/api/v1(?:/.*)?|/graph|/metrics|/targets|/alerts|/query|/-/(?:healthy|ready)"
"""Paths of the API and of web pages, which are not part of the server's address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSettings:
    """A server that speaks the Prometheus HTTP API."""

    kind: ClassVar[str] = "prometheus"

    url: str = field(repr=False)
    """The address without ``/api/v1``; messages show only `shown` of it."""
    shown: str = ""
    """The name of the server in messages if the url, or a part of it, came from a variable:
    ``${PROMETHEUS_URL}``. Empty: the url is the policy's own text, and its host may be shown."""
    bearer: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    """The password; only together with ``username``, never with ``bearer``."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers of every request (``X-Scope-OrgID``)."""
    ca: Path | None = None
    """A PEM file of the authorities to trust; None: the system's usual ones."""
    cert: Path | None = None
    """The client's certificate, PEM; together with ``key``, unless one file holds both."""
    key: Path | None = None
    login: Login | None = None
    """The login if it needs more than a header; it replaces ``bearer`` and ``username``."""
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The parameters in the address of every request (``namespace``)."""
    method: str | None = None
    """``GET`` or ``POST``; None: POST, or GET if POST is refused."""
    secret_files: tuple[Path, ...] = ()
    """The files from which the bearer token or password was read."""
    parallel: int = 8
    """The largest number of concurrent requests, at least 1."""
    retries: int = 2
    """The number of tries after the first one, for temporary failures; at least 0."""


def files(settings: PrometheusSettings) -> tuple[str, ...]:
    """Return the files of secrets and certificates."""
    own = (*settings.secret_files, *login_files(settings.login))
    paths = (*own, settings.ca, settings.cert, settings.key)
    return literals(*paths)


class _Headers(MapOf[str]):
    """Names and values of headers; a header that looks secret must come from a variable."""

    def __init__(self) -> None:
        super().__init__(CONNECTION)

    def read(self, node: yaml.Node, reader: Reader) -> dict[str, str]:
        literal = [(key, value) for key, value in pairs(node, reader) if _is_literal(key, value)]
        for key, value in literal:
            message = (
                f"the header {key.value} looks like a secret; write ${{NAME}}, without a default"
            )
            reader.note(value, message)
        headers = super().read(node, reader)
        if literal:
            raise UnreadableError
        return headers


def _is_literal(key: yaml.ScalarNode, value: yaml.Node) -> bool:
    """Return whether a header looks secret and its value does not come from a variable.

    A part of the value may be literal: ``Bearer ${TOKEN}``.
    """
    return is_secret(key.value) and not OUTSIDE.search(written(value))


def is_secret(header: str) -> bool:
    """Return whether a header's name indicates a secret."""
    return any(word in header.lower() for word in _SECRET_WORDS)


def _build_settings(values: Values, reader: Reader) -> PrometheusSettings:
    counts = values.only("parallel", "retries", "method")
    login = values.get("auth", {}).get("login")
    parts = urlsplit(values.get("url"))
    if isinstance(login, GoogleLogin | AzureLogin) and not is_protected(parts):
        message = "a token of the machine is sent over https only; write an https address"
        raise reader.fail(values.node("url"), message)
    return PrometheusSettings(
        url=values.get("url"),
        parameters=values.get("parameters", {}),
        shown=shown_address(written(values.node("url"))),
        headers=values.get("headers", {}),
        **values.get("auth", {}),
        **values.get("tls", {}),
        **counts,
    )


def _method(text: str) -> str:
    if text not in {"get", "post"}:
        raise ValueError("write get or post")
    return text.upper()


def _at_least_one(text: str) -> int:
    if not (count := CONNECTION_COUNT.parse(text)):
        raise ValueError("at least 1 is needed")
    return count


def _secret(values: Values, name: str, reader: Reader) -> str | None:
    """Return the secret from its variable, or from its file; None if neither is given."""
    key = f"{name}_file"
    if not values.given(key):
        secret: str | None = values.get(name)
        return secret
    if values.given(name):
        raise reader.fail(values.node(key), f"{name} is given twice")
    try:
        path = reader.existing(values.node(key), values.get(key))
        lines = path.read_text(encoding="utf-8").strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"the file cannot be read: {type(error).__name__}"
        raise reader.fail(values.node(key), message) from error
    if len(lines) != 1:
        raise reader.fail(values.node(key), "the file must hold one line, the secret")
    return lines[0]


def _build_auth(values: Values, reader: Reader) -> dict[str, Any]:
    logins = values.given(*LOGINS)
    if logins:
        if len(values.values) > 1:
            raise reader.fail(values.node(), f"auth has {logins[0]} or another login, not both")
        return {"login": values.get(logins[0])}
    bearer, password = _secret(values, "bearer", reader), _secret(values, "password", reader)
    if (bearer is None) == (password is None):
        others = ", ".join(LOGINS)
        message = f"auth has either bearer or username with password, or one of {others}"
        raise reader.fail(values.node(), message)
    if (password is None) != (values.get("username") is None):
        raise reader.fail(values.node(), "'username' and 'password' must be given together")
    named = values.given("bearer_file", "password_file")
    return {
        "bearer": bearer,
        "username": values.get("username"),
        "password": password,
        "secret_files": tuple(reader.directory / values.get(name) for name in named),
    }


AUTH: Final = Object(
    {
        "bearer": Field(schema=SECRET, doc="Bearer token, from a variable."),
        "bearer_file": Field(schema=CONNECTION, doc="File that holds the bearer token."),
        "username": Field(schema=CONNECTION, doc="User name for basic authentication."),
        "password": Field(schema=SECRET, doc="Password for basic authentication, from a variable."),
        "password_file": Field(schema=CONNECTION, doc="File that holds the password."),
        "sigv4": Field(
            schema=LOGINS["sigv4"], doc="Signed requests for Amazon Managed Service for Prometheus."
        ),
        "oauth2": Field(
            schema=LOGINS["oauth2"], doc="A token for a client's name and secret (OAuth 2.0)."
        ),
        "google": Field(
            schema=LOGINS["google"], doc="Token for Google Managed Service for Prometheus."
        ),
        "azure": Field(schema=LOGINS["azure"], doc="Token for an Azure Monitor workspace."),
    },
    _build_auth,
)
"""The block ``auth``."""
BLOCK: Final = Object(
    {
        "url": Field(
            schema=HttpAddress("http://prometheus:9090", "the part before /api/v1", _BEHIND),
            doc="Address of the server, the part before /api/v1.",
            required=True,
            example="http://prometheus:9090",
        ),
        "auth": Field(
            schema=AUTH,
            doc="How to log in: bearer, username and password, or a cloud's login.",
            example='{bearer: "${TOKEN}"}',
        ),
        "tls": TLS,
        "headers": Field(
            schema=_Headers(),
            doc="Headers of every request, such as X-Scope-OrgID.",
            example="{X-Scope-OrgID: team-a}",
        ),
        "parameters": Field(
            schema=_Headers(),
            doc="Query parameters of every request, such as namespace.",
            example="{namespace: shop}",
        ),
        "method": Field(
            schema=Scalar(_method, {"enum": ["get", "post"]}),
            doc="HTTP method. Default: post, or get if the server refuses it.",
            example="get",
        ),
        "parallel": Field(
            schema=Scalar(_at_least_one, {**CONNECTION_COUNT.json, "minimum": 1}, variables=True),
            doc="Largest number of requests at once. Default: 8.",
            example="8",
        ),
        "retries": RETRIES,
    },
    _build_settings,
    elsewhere={"timeout": TIMEOUT_ELSEWHERE},
)
"""The keys of ``backend`` in a policy file."""
