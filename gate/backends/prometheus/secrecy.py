"""What of a server's settings must be masked, and what more is not for everybody to read."""

import base64
import re
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from gate.backends.logins import login_secrets
from gate.backends.prometheus.settings import PrometheusSettings, is_secret

_LOGINS: Final = ("authorization", "proxy-authorization")
"""Headers whose value is a scheme and what is secret: ``Bearer token``."""
_USUAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1", "prometheus")
"""Hosts whose names say nothing."""
_USUAL_PATH: Final = re.compile(
    r"(?:/(?:api|prom|prometheus|mimir|thanos|metrics|query|select|vmselect|v1|[0-9]{1,3}|))*"
)
"""Paths that the documentation of servers names."""
_LONG: Final = 16
"""Characters of a part of a path that is taken for no word."""


def login_of(settings: PrometheusSettings, url: SplitResult) -> dict[str, str]:
    """Return the header that logs in, from the settings or the address; empty: there is none."""
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
    """Return the login in every form that is sent or written, and the headers that are secret.

    A header is secret if its name says so, or if it is the login: a tenant's name is not secret.
    """
    try:
        url = urlsplit(settings.url.strip())
    except ValueError:
        url = urlsplit("")  # to such an address nothing is ever sent
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
    """Return what is not a secret by itself, and anyway not shown where everybody can read.

    That is who logs in, what the address has after the host, tenants, and the host where the
    address came from outside.
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
    """Return whether an address is one of every machine: there is nothing in it to hide."""
    return url.hostname in _USUAL_HOSTS and bool(_USUAL_PATH.fullmatch(url.path))


def _opaque(path: str) -> list[str]:
    """Return the parts of a path that are not words: long, or with digits in them."""
    parts = {part for text in (path, unquote(path)) for part in text.split("/")}
    return [
        part
        for part in sorted(parts)
        if len(part) >= _LONG or (len(part) >= _LONG // 2 and not part.isalpha())
    ]


def _secret_part(header: str, value: str) -> str:
    """Return a secret header's value, without the scheme of a login."""
    return (value.partition(" ")[2] if header.lower() in _LOGINS else "") or value
