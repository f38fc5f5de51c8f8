"""Where the server is, how to log in there, and what of that must never be shown."""

from dataclasses import field
from urllib.parse import SplitResult, urlsplit, urlunsplit

from gate.backends.prometheus.secrecy import confidential, login_of, secrets
from gate.backends.prometheus.settings import PrometheusSettings
from gate.dataclass import dataclass
from gate.errors import UsageError
from gate.redaction import redactable


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server's address with its secrets kept apart."""

    url: SplitResult = field(repr=False)
    """The part before ``/api/v1``, without user and password."""
    shown: str
    """For everybody to read: no more than the host, or the variable that it came from."""
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
    login = login_of(settings, url)
    return Address(
        url=bare,
        shown=settings.shown or urlunsplit(bare._replace(path="", query="")),
        headers={"Accept": "application/json", **settings.headers, **login},
        secrets=redactable([*secrets(settings), *confidential(settings, url), *login.values()]),
    )
