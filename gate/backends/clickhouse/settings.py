"""The settings for a ClickHouse server, and the policy's ``backend`` block for them."""

import base64
from dataclasses import field
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import SplitResult, unquote, urlsplit

from gate.backends.addresses import RETRIES, TLS, HttpAddress, shown_address
from gate.backends.sql.settings import TABLE_FIELDS, TableSettings, table_settings_of
from gate.dataclass import dataclass
from gate.parsing.files import literals
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Field, Object, Values
from gate.parsing.reader import Reader, written
from gate.parsing.values import CONNECTION, SECRET

_BEHIND: Final = "/(?:ping|play|dashboard|replicas_status|query)"
"""Paths of pages that follow the address of a server."""
USUAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1", "clickhouse")
"""Hosts whose names reveal nothing."""
_LONG: Final = 8
"""The number of characters from which a part of a path is masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouseSettings:
    """A table of a ClickHouse server, which is queried over HTTP."""

    kind: ClassVar[str] = "clickhouse"

    url: str = field(repr=False)
    """The address of the HTTP interface; messages show only `shown`."""
    table: TableSettings
    shown: str = ""
    """The server in messages if the url, or a part of it, came from a variable. Empty: the url is
    the policy's own text, and its host may be shown."""
    user: str | None = None
    """None: the user in the url, otherwise the server's ``default``."""
    password: str | None = field(default=None, repr=False)
    database: str | None = None
    """The database of a table whose name has none; None: the user's own default."""
    ca: Path | None = None
    """A PEM file of the trusted authorities; None: the system's default ones."""
    cert: Path | None = None
    """The client's certificate, PEM; with ``key``, unless one file has both."""
    key: Path | None = None
    retries: int = 2
    """The number of retries if the connection failed or the server was busy."""


def login_of(settings: ClickHouseSettings, url: SplitResult) -> tuple[str, str]:
    """Return user and password, both empty if the policy has none."""
    user = unquote(url.username or "") if settings.user is None else settings.user
    password = unquote(url.password or "") if settings.password is None else settings.password
    return user or ("default" if password else ""), password


def login_headers(settings: ClickHouseSettings, url: SplitResult) -> dict[str, str]:
    """Return the headers with the login.

    The form of https://clickhouse.com/docs/interfaces/http with base64 allows any character; a user
    with a certificate has no password.
    """
    user, password = login_of(settings, url)
    if user and not password and settings.cert is not None:
        return {"X-ClickHouse-User": user, "X-ClickHouse-SSL-Certificate-Auth": "on"}
    if not user:
        return {}
    pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {pair}"}


def secrets(settings: ClickHouseSettings) -> tuple[str, ...]:
    """Return the password in every form that is sent or written, and an address from a variable."""
    try:
        url = urlsplit(settings.url.strip())
    except ValueError:
        url = urlsplit("")  # no request is ever sent to such an address
    password = login_of(settings, url)[1]
    login = login_headers(settings, url).get("Authorization", "").removeprefix("Basic ")
    outside = settings.shown and url.hostname not in USUAL_HOSTS
    texts = [
        *((password, login, url.password) if password else ()),
        *((settings.url, *filter(_is_opaque, url.path.split("/"))) if outside else ()),
    ]
    return tuple(dict.fromkeys(text for text in texts if text))


def _is_opaque(part: str) -> bool:
    """Return whether a part of a path may be more than a common word."""
    return len(part) >= _LONG


def files(settings: ClickHouseSettings) -> tuple[str, ...]:
    """Return the files of certificates."""
    return literals(settings.ca, settings.cert, settings.key)


def _build_settings(values: Values, reader: Reader) -> ClickHouseSettings:
    return ClickHouseSettings(
        url=values.get("url"),
        table=table_settings_of(values, reader),
        shown=shown_address(written(values.node("url"))),
        **values.get("tls", {}),
        **values.only("user", "password", "database", "retries"),
    )


BLOCK: Final = Object(
    {
        "url": Field(
            schema=HttpAddress(
                "http://clickhouse:8123", "the address of the HTTP interface", _BEHIND
            ),
            doc="Address of the server's HTTP interface.",
            required=True,
            example="http://clickhouse:8123",
        ),
        "user": Field(
            schema=CONNECTION,
            doc="User with the right to read; without it the one called default.",
            example="gate",
        ),
        "password": Field(
            schema=SECRET,
            doc="The user's password, from a variable.",
            example='"${CLICKHOUSE_PASSWORD}"',
        ),
        "database": Field(
            schema=CONNECTION,
            doc="Database of the table. Default: the user's default database.",
            example="logs",
        ),
        **TABLE_FIELDS,
        "tls": TLS,
        "retries": RETRIES,
    },
    _build_settings,
    elsewhere={"timeout": TIMEOUT_ELSEWHERE},
)
"""The keys of ``backend`` in a policy file."""
