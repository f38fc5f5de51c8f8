"""The server's address, the login, and the parts of both that must never be shown."""

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
