"""Where the server is, how to log in there, and what of that must never be shown."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from gate.backends.prometheus.settings import PrometheusSettings, login_of, secrets
from gate.errors import UsageError

_SHORTEST_SECRET: Final = 4
"""A shorter value cannot be blotted out without making a message unreadable."""
_BLOT: Final = "***"
_LONGEST: Final = 300
"""Characters of a server's words in a message."""


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

    def safe(self, text: str) -> str:
        """Return a server's words as one line to show, with every secret in it blotted out."""
        for secret in self.secrets:
            text = text.replace(secret, _BLOT)
        line = " ".join(text.split())
        if len(line) <= _LONGEST:
            return line
        # The cause is named at the end by VictoriaMetrics, at the start by others.
        return f"{line[: _LONGEST // 3]} ... {line[-_LONGEST * 2 // 3 :]}"


class FixedHeaders(AuthBase):
    """Leaves the login to the headers that are there already.

    Without an ``auth`` of our own, requests would put a login from ~/.netrc over them:
    https://requests.readthedocs.io/en/latest/user/authentication/#netrc-authentication
    """

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Return the request as it is."""
        return request


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
    login = login_of(settings, url)
    return Address(
        url=bare,
        shown=urlunsplit(bare._replace(query="")),
        headers={"Accept": "application/json", **settings.headers, **login},
        secrets=_secrets(settings, login),
    )


def _secrets(settings: PrometheusSettings, login: dict[str, str]) -> tuple[str, ...]:
    """Return what is blotted out: the secrets, and every other header's value."""
    values = {*secrets(settings), *settings.headers.values(), *login.values()}
    long_enough = {value for value in values if len(value) >= _SHORTEST_SECRET}
    return tuple(sorted(long_enough, key=len, reverse=True))
