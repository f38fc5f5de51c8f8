"""The settings for a PostgreSQL server, and the policy's ``backend`` block for them."""

import re
from dataclasses import field
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

import yaml

from gate.backends.sql.settings import TABLE_FIELDS, TableSettings, table_settings_of
from gate.dataclass import dataclass
from gate.parsing.files import literals
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Field, Object, Values
from gate.parsing.reader import Reader, shown, written
from gate.parsing.schema import Choice, Scalar
from gate.parsing.values import CONNECTION, SECRET
from gate.parsing.variables import OUTSIDE

_SCHEMES: Final = ("postgresql://", "postgres://")
_PASSWORD: Final = re.compile(r"//[^/@]*?:([^/]*)@")
_POOL: Final = frozenset(
    {"connection_limit", "pool_timeout", "pgbouncer", "socket_timeout", "statement_cache_size"}
    | {"connect_timeout"}
)
"""Parameters of Prisma's pool, which an address for LiteLLM may have; the run's time limit replaces
the timeouts."""
_OWN_KEYS: Final = ("user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey")
_PARAMETERS: Final = frozenset({"host", "port", "sslmode", "target_session_attrs"})
"""The parameters of the address that libpq gets: needed for sockets and several hosts."""
_ADDRESS_JSON: Final = {"type": "string", "pattern": r"^\s*postgres(?:ql)?://|\$\{"}
_EXAMPLE: Final = "postgresql://gate@db.example:5432/litellm"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresSettings:
    """A table of a PostgreSQL server."""

    kind: ClassVar[str] = "postgres"

    url: str = field(repr=False)
    """``postgresql://user@host:port/database``, without parameters that libpq does not know."""
    shown: str
    """The server in messages: without user and password, with variables as they are in the file."""
    table: TableSettings
    user: str | None = None
    """The user; it overrides that of the address."""
    password: str | None = field(default=None, repr=False)
    """The password; it overrides that of the address. If both are missing, libpq uses PGPASSWORD or
    ~/.pgpass."""
    sslmode: str | None = None
    """None: libpq's ``prefer``, or ``verify-full`` if ``sslrootcert`` is set."""
    sslrootcert: Path | None = None
    """A PEM file of the trusted authorities."""
    sslcert: Path | None = None
    """The client's certificate, PEM; with ``sslkey``."""
    sslkey: Path | None = None


def keywords(settings: PostgresSettings) -> dict[str, str]:
    """Return the parameters of libpq beside the address.

    PGOPTIONS, which could change any setting of the session, is overridden. PGPASSWORD and
    ~/.pgpass are not, since they are the usual places for a password.
    """
    mode = settings.sslmode or ("verify-full" if settings.sslrootcert else None)
    chosen = {
        "user": settings.user,
        "password": settings.password,
        "sslmode": mode,
        "sslrootcert": settings.sslrootcert,
        "sslcert": settings.sslcert,
        "sslkey": settings.sslkey,
    }
    return {
        "application_name": "gate",
        "client_encoding": "UTF8",
        "options": "",
        **{name: str(value) for name, value in chosen.items() if value is not None},
    }


def secrets(settings: PostgresSettings) -> tuple[str, ...]:
    """Return the passwords, as they are and in the form of an address."""
    match = _PASSWORD.search(settings.url)
    of_url = (match[1], unquote(match[1])) if match else ()
    texts = [text for text in (settings.password, *of_url) if text]
    forms = [form for text in texts for form in (text, quote(text, safe=""), quote_plus(text))]
    # An address from a variable may have more secrets than its password.
    whole = [settings.url] if settings.shown.startswith("${") else []
    return tuple(dict.fromkeys((*forms, *whole)))


def files(settings: PostgresSettings) -> tuple[str, ...]:
    """Return the files of certificates."""
    return literals(settings.sslrootcert, settings.sslcert, settings.sslkey)


def _url(text: str) -> str:
    # The text is not repeated, since it may have a password.
    text = text.strip()
    if not text.startswith(_SCHEMES):
        raise ValueError(f"not an address of PostgreSQL; write {_EXAMPLE}")
    address, _, query = text.partition("?")
    try:
        urlsplit(address)
    except ValueError:  # an IPv6 address without its closing bracket
        raise ValueError(f"not a valid address; write {_EXAMPLE}") from None
    kept = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in _PARAMETERS:
            kept.append(f"{name}={quote(value, safe='')}")
        elif name in _OWN_KEYS:
            raise ValueError(f"remove the parameter {name} from the url; write it as a key beside")
        elif name == "schema":
            raise ValueError(
                "remove the parameter schema from the url; write it before the table's name:"
                " schema.table"
            )
        elif name not in _POOL:
            supported = ", ".join(sorted(_PARAMETERS))
            raise ValueError(f"the url has a parameter that is not supported; keep {supported}")
    return address + (f"?{'&'.join(kept)}" if kept else "")


class _Address(Scalar[str]):
    """An address; a password in it must come from a variable."""

    def __init__(self) -> None:
        super().__init__(_url, _ADDRESS_JSON, variables=True, silent=True)

    def read(self, node: yaml.Node, reader: Reader) -> str:
        """Return the address for libpq."""
        password = _PASSWORD.search(written(node))
        if password and not OUTSIDE.fullmatch(password[1]):
            message = "a password must not be in the file; write ${NAME} in its place"
            raise reader.fail(node, message)
        return super().read(node, reader)


def _shown(node: yaml.Node) -> str:
    """Return an address for messages: without user, password and parameters."""
    text = shown(node).strip()
    scheme, separator, rest = text.partition("://")
    return f"{scheme}{separator}{rest.partition('?')[0].rpartition('@')[2]}"


def _build_settings(values: Values, reader: Reader) -> PostgresSettings:
    pair = values.given("sslcert", "sslkey")
    if len(pair) == 1:
        message = f"'{pair[0]}' needs the other half of the pair; add sslcert and sslkey"
        raise reader.fail(values.node(pair[0]), message)
    paths = {
        name: reader.existing(values.node(name), values.get(name))
        for name in values.given("sslrootcert", "sslcert", "sslkey")
    }
    return PostgresSettings(
        url=values.get("url"),
        shown=_shown(values.node("url")),
        table=table_settings_of(values, reader),
        **(values.only("user", "password", "sslmode") | paths),
    )


BLOCK: Final = Object(
    {
        "url": Field(
            schema=_Address(),
            doc="Address of the server, with the database.",
            required=True,
            example=_EXAMPLE,
        ),
        "user": Field(schema=CONNECTION, doc="User, if the url has none.", example="gate"),
        "password": Field(schema=SECRET, doc="Password of the user.", example='"${PASSWORD}"'),
        "sslmode": Field(
            schema=Choice(("disable", "prefer", "require", "verify-ca", "verify-full")),
            doc="How TLS is used. Default: prefer, or verify-full if sslrootcert is given.",
            example="verify-full",
        ),
        "sslrootcert": Field(
            schema=CONNECTION,
            doc="PEM file of the certificate authorities to trust.",
            example="ca.pem",
        ),
        "sslcert": Field(
            schema=CONNECTION, doc="PEM file of the client's certificate.", example="client.pem"
        ),
        "sslkey": Field(
            schema=CONNECTION, doc="PEM file of the client's key.", example="client.key"
        ),
        **TABLE_FIELDS,
    },
    _build_settings,
    elsewhere={"timeout": TIMEOUT_ELSEWHERE},
)
"""The keys of ``backend`` in a policy file."""
