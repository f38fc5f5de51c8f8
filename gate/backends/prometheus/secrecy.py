"""The secrets of a server's settings, and the other values that only some people may read."""

import base64
import re
from dataclasses import field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from gate.backends.logins import login_secrets
from gate.backends.prometheus.settings import PrometheusSettings, is_secret
from gate.dataclass import dataclass
from gate.errors import UsageError
from gate.redaction import redactable

_LOGINS: Final = ("authorization", "proxy-authorization")
"""Headers whose value is a scheme and a secret: ``Bearer token``."""
_USUAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1", "prometheus")
"""Hosts whose names reveal nothing."""
_USUAL_PATH: Final = re.compile(
    r"(?:/(?:api|prom|prometheus|mimir|thanos|metrics|query|select|vmselect|v1|[0-9]{1,3}|))*"
)
"""Paths that the documentation of servers mentions."""
_LONG: Final = 16
"""The length from which a part of a path may be a secret and not a word, in characters."""


def login_of(settings: PrometheusSettings, url: SplitResult) -> dict[str, str]:
    """Return the login header, from the settings or the address; empty without a login."""
    if settings.bearer is not None:
        return {"Authorization": f"Bearer {settings.bearer}"}
    user, password = settings.username, settings.password or ""
    if user is None and url.username is not None:
        user, password = unquote(url.username), unquote(url.password or "")
    if user is None:
        return {}
    pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {pair}"}


def secrets(settings: PrometheusSettings) -> tuple[str, ...]:
    """Return the login in every form that is sent or written, and the secret headers.

    A header is secret if its name suggests so, or if it is the login: a tenant's name is not
    secret.
    """
    try:
        url = urlsplit(settings.url.strip())
    except ValueError:
        url = urlsplit("")  # the gate sends nothing to such an address
    headers = [
        *login_of(settings, url).items(),
        *settings.headers.items(),
        *settings.parameters.items(),
    ]
    texts = [
        *(_secret_part(name, value) for name, value in headers if is_secret(name)),
        *(settings.bearer, settings.password, url.password, unquote(url.password or "")),
        *(value for _, value in parse_qsl(url.query)),
        *login_secrets(settings.login),
        *((settings.url, *_opaque(url.path)) if settings.shown and not _is_usual(url) else ()),
    ]
    return tuple(dict.fromkeys(text for text in texts if text))


def confidential(settings: PrometheusSettings, url: SplitResult) -> tuple[str, ...]:
    """Return the values that are not secret but are still not shown where everybody can read.

    These are the user name, the address after its host, tenants, and the host if the address came
    from a variable.
    """
    users = [settings.username, url.username, unquote(url.username or "")]
    path = "" if _USUAL_PATH.fullmatch(url.path) else url.path.rstrip("/")
    rest = [path, unquote(path), url.query, url.fragment]
    from_outside = "${" in settings.shown and url.hostname not in _USUAL_HOSTS
    texts = [
        *users,
        *rest,
        *_opaque(url.path),
        *settings.headers.values(),
        *settings.parameters.values(),
        url.hostname if from_outside else "",
    ]
    return tuple(text for text in texts if text)


def _is_usual(url: SplitResult) -> bool:
    """Return whether an address is common to many machines, so that it reveals nothing."""
    return url.hostname in _USUAL_HOSTS and bool(_USUAL_PATH.fullmatch(url.path))


def _opaque(path: str) -> list[str]:
    """Return the parts of a path that are not words: long ones, or ones with digits."""
    parts = {part for text in (path, unquote(path)) for part in text.split("/")}
    return [
        part
        for part in sorted(parts)
        if len(part) >= _LONG or (len(part) >= _LONG // 2 and not part.isalpha())
    ]


def _secret_part(header: str, value: str) -> str:
    """Return the secret part of a header's value, without the scheme of a login."""
    return (value.partition(" ")[2] if header.lower() in _LOGINS else "") or value


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server's address with its secrets kept apart."""

    url: SplitResult = field(repr=False)
    """The part before ``/api/v1``, without user and password."""
    shown: str
    """The address as everybody may read it: at most the host, or the name of its variable."""
    headers: dict[str, str] = field(repr=False)
    """The headers of every request, with the login."""
    secrets: tuple[str, ...] = field(repr=False)
    """Every secret text, the longest first."""

    def endpoint(self, name: str) -> str:
        """Return the address of a part of the API, such as ``query``."""
        path = f"{self.url.path.rstrip('/')}/api/v1/{name}"
        return urlunsplit(self.url._replace(path=path))


def address(settings: PrometheusSettings) -> Address:
    """Split a server's settings into the address, the headers and the secrets.

    Raises:
        UsageError: the url cannot be read at all.
    """
    try:
        url = urlsplit(settings.url.strip())
    except ValueError:  # its text may contain the url with a password
        raise UsageError("the url of the Prometheus server cannot be read") from None
    bare = url._replace(netloc=url.netloc.rpartition("@")[2], fragment="")
    login = login_of(settings, url)
    return Address(
        url=bare,
        shown=settings.shown or urlunsplit(bare._replace(path="", query="")),
        headers={"Accept": "application/json", **settings.headers, **login},
        secrets=redactable([*secrets(settings), *confidential(settings, url), *login.values()]),
    )
