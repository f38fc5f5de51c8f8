"""The settings for a Spark Connect server, and the policy's ``backend`` block for them."""

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import quote, unquote

import yaml

from gate.backends.addresses import TLS
from gate.backends.sql.settings import TABLE_FIELDS, TableSettings, table_settings_of
from gate.dataclass import dataclass
from gate.parsing.files import literals
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Field, Object, Values
from gate.parsing.reader import Reader, written
from gate.parsing.schema import Scalar
from gate.parsing.values import SECRET
from gate.parsing.variables import OUTSIDE

_EXAMPLE: Final = "sc://spark:15002"
_ADDRESS: Final = re.compile(
    r"sc://(?P<host>[\w.-]+|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{1,5}))?(?:/(?P<rest>.*))?",
    re.ASCII,
)
"""https://github.com/apache/spark/blob/master/sql/connect/docs/client-connection-string.md"""
_UNFILLED: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_PORT: Final = 15002
_LAST_PORT: Final = 65535
_NEAR: Final = ("localhost", "127.0.0.1", "[::1]")
_SECRET_WORDS: Final = ("auth", "token", "key", "secret", "cookie", "password")
"""A parameter whose name contains one of these words is secret."""
_PARAMETER: Final = re.compile(r";\s*([^=;]+)=([^;]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkAddress:
    """The parts of a connection string."""

    target: str
    """Host and port."""
    secure: bool
    """Whether the connection uses TLS."""
    token: str | None = field(default=None, repr=False)
    user: str = "gate"
    agent: str = ""
    """The client's name for a proxy or the server's log; empty: the name of this program."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers of every call (``x-databricks-cluster-id``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkSettings:
    """A table that a Spark Connect server can read."""

    kind: ClassVar[str] = "spark"

    address: SparkAddress
    token: str | None = field(default=None, repr=False)
    """A separate token; never together with the address's own."""
    ca: Path | None = None
    """A PEM file of the trusted authorities; None: the built-in ones of gRPC."""
    cert: Path | None = None
    """The client's certificate, PEM; with ``key``, unless one file has both."""
    key: Path | None = None
    table: TableSettings

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the metadata of every call."""
        token = self.token or self.address.token
        login = [("authorization", f"Bearer {token}")] if token else []
        return (*login, *self.address.headers.items())


def secrets(settings: SparkSettings) -> tuple[str, ...]:
    """Return the token in every form that is sent or written, and the secret headers."""
    address = settings.address
    hidden = [value for name, value in address.headers.items() if _is_secret(name)]
    texts = [text for text in (settings.token, address.token, *hidden) if text]
    return tuple(dict.fromkeys((*texts, *(quote(text, safe="") for text in texts))))


def files(settings: SparkSettings) -> tuple[str, ...]:
    """Return the files of certificates."""
    return literals(settings.ca, settings.cert, settings.key)


def parse_address(text: str, *, login: bool = False) -> SparkAddress:
    """Return the parts of a connection string.

    Args:
        text: ``sc://host:port/;name=value``.
        login: whether there is a token outside of the text.

    Raises:
        ValueError: it is not valid; the message does not repeat it, since it may have a token.
    """
    parts = _ADDRESS.fullmatch(text.strip())
    if parts is None or int(parts["port"] or _PORT) not in range(1, _LAST_PORT + 1):
        raise ValueError(_wrong_form(text))
    rest = parts["rest"] or ""
    parameters = {name.strip(): unquote(value.strip()) for name, value in _PARAMETER.findall(rest)}
    if _PARAMETER.sub("", rest).strip("; "):
        raise ValueError("what follows the host is not of the form /;name=value;name=value")
    if "session_id" in parameters:
        raise ValueError("the run has a session of its own; remove session_id from the url")
    token = parameters.pop("token", None)
    near = parts["host"].lower() in _NEAR
    secure = parameters.pop("use_ssl", "true" if (token or login) and not near else "false")
    if secure.lower() not in {"true", "false"}:
        raise ValueError("use_ssl is true or false")
    if (token or login) and secure.lower() == "false" and not near:
        raise ValueError("a token is sent over TLS only; remove use_ssl=false from the url")
    return SparkAddress(
        target=f"{parts['host']}:{parts['port'] or _PORT}",
        secure=secure.lower() == "true",
        token=token,
        user=parameters.pop("user_id", "gate"),
        agent=parameters.pop("user_agent", ""),
        headers={name.lower(): value for name, value in parameters.items()},
    )


def _wrong_form(text: str) -> str:
    if name := _UNFILLED.match(text.strip().removeprefix("sc://")):
        return f"${name[1]} is not filled in; write ${{{name[1]}}}"
    return f"not the address of a Spark Connect server; write {_EXAMPLE}"


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


class _Address(Scalar[str]):
    """A connection string; secrets in it must come from variables."""

    def __init__(self) -> None:
        json = {"type": "string", "pattern": r"^\s*sc://|\$\{"}
        super().__init__(_checked, json, variables=True, silent=True)

    def read(self, node: yaml.Node, reader: Reader) -> str:
        for name, value in _PARAMETER.findall(written(node)):
            if _is_secret(name) and not OUTSIDE.search(value):
                message = f"{name} must not be in the file; write {name}=${{NAME}}"
                raise reader.fail(node, message)
        return super().read(node, reader)


def _checked(text: str) -> str:
    parse_address(text)
    return text.strip()


def _build_settings(values: Values, reader: Reader) -> SparkSettings:
    token = values.only("token").get("token")
    try:
        address = parse_address(values.get("url"), login=token is not None)
    except ValueError as error:
        raise reader.fail(values.node("url"), str(error)) from error
    if token is not None and address.token is not None:
        raise reader.fail(values.node("token"), "the url has a token, too; remove one of the two")
    tls = values.get("tls", {})
    if tls and not address.secure:
        message = "tls is for a server that speaks TLS; add use_ssl=true to the url"
        raise reader.fail(values.node("tls"), message)
    table = table_settings_of(values, reader)
    return SparkSettings(address=address, token=token, table=table, **tls)


BLOCK: Final = Object(
    {
        "url": Field(
            schema=_Address(),
            doc="Address of the Spark Connect server, with its parameters.",
            required=True,
            example="sc://spark:15002/;use_ssl=true",
        ),
        "token": Field(
            schema=SECRET,
            doc="Token that the server or a proxy before it asks for.",
            example="${SPARK_TOKEN}",
        ),
        "tls": TLS,
        **TABLE_FIELDS,
    },
    _build_settings,
    elsewhere={"timeout": TIMEOUT_ELSEWHERE},
)
"""The keys of ``backend`` in a policy file."""
