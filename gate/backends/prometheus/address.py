"""Where the server is, how to log in there, and what of that must never be shown."""

import base64
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from gate.errors import UsageError
from gate.request_failure import redactable
from gate.settings import PrometheusSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server's address with its secrets kept apart."""

    url: SplitResult = field(repr=False)
    """The part before ``/api/v1``, without user and password."""
    shown: str
    """The same for people: also without a query string."""
    headers: dict[str, str] = field(repr=False)
    """All that a request needs, with the login."""
    secrets: tuple[str, ...] = field(repr=False)
    """Longest first."""

    def endpoint(self, name: str) -> str:
        """Return the address of a part of the API, such as ``query``."""
        path = f"{self.url.path.rstrip('/')}/api/v1/{name}"
        return urlunsplit(self.url._replace(path=path))


def address(settings: PrometheusSettings) -> Address:
    """Take a server's settings apart.

    Raises:
        UsageError: the url cannot be read at all.
    """
    try:
        url = urlsplit(settings.url.strip())
    except ValueError:  # its text may show the url, and so a password
        raise UsageError("the url of the Prometheus server cannot be read") from None
    bare = url._replace(netloc=url.netloc.rpartition("@")[2], fragment="")
    login = _login(settings, url)
    return Address(
        url=bare,
        shown=urlunsplit(bare._replace(query="")),
        headers={"Accept": "application/json", **settings.headers, **login},
        secrets=_secrets(settings, url, login),
    )


def _login(settings: PrometheusSettings, url: SplitResult) -> dict[str, str]:
    if settings.bearer is not None:
        return {"Authorization": f"Bearer {settings.bearer}"}
    user, password = settings.username, settings.password or ""
    if user is None and url.username is not None:
        user, password = unquote(url.username), unquote(url.password or "")
    if user is None:
        return {}
    pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {pair}"}


def _secrets(
    settings: PrometheusSettings, url: SplitResult, login: dict[str, str]
) -> tuple[str, ...]:
    values = [settings.bearer, settings.password, url.password, unquote(url.password or "")]
    values += [value for header in (settings.headers, login) for value in header.values()]
    values += [value.partition(" ")[2] for value in login.values()]
    values += [value for _, value in parse_qsl(url.query)]
    return redactable(values)
