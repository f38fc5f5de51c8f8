"""The reason why a request has no answer, in words without any secret.

The text of `requests` is never used: it may contain the whole URL, or a header with a token.
"""

import os
import re
import ssl
from collections.abc import Iterator
from enum import Enum, StrEnum, auto
from typing import Final

from requests import exceptions
from urllib3.exceptions import NameResolutionError, ReadTimeoutError

from gate.dataclass import dataclass


class RetryAdvice(Enum):
    """A remedy other than to send the same request again."""

    NONE = auto()
    """There is nothing that this run can do."""
    SEPARATE = auto()
    """One part of the request may be wrong: send the others without it."""
    SMALLER = auto()
    """The request is too large or too slow: ask for less at once."""
    GIVE_UP = auto()
    """No other request would succeed: the server is missing, or refuses the login."""


class Trouble(StrEnum):
    """The known kinds of trouble with a server.

    Each has an entry of its name in `gate.measure.remedies.REMEDIES` with its remedy.
    """

    UNKNOWN = ""
    REFUSED = "connection-refused"
    UNKNOWN_HOST = "unknown-host"
    NO_CONNECTION = "no-connection"
    PROXY = "proxy"
    PLAIN_HTTP = "plain-http"
    HTTPS_NEEDED = "https-needed"
    UNTRUSTED = "untrusted-certificate"
    EXPIRED = "expired-certificate"
    WRONG_HOST_NAME = "wrong-host-name"
    CLIENT_CERTIFICATE = "client-certificate"
    TLS_VERSION = "tls-version"
    CERTIFICATE_FILE = "certificate-file"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    WRONG_PATH = "wrong-path"
    WRONG_SERVER = "wrong-server"
    LOGIN_PAGE = "login-page"
    TOO_SLOW = "too-slow"
    TOO_LARGE = "too-large"
    OVERLOADED = "overloaded"
    QUERY_REFUSED = "query-refused"
    HEADER = "unsendable-header"
    ADDRESS = "wrong-address"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFailure:
    """The reason why a request failed."""

    reason: str
    """The server's own words, if it has any. They may contain secrets until they are redacted."""
    status: int | None = None
    """The HTTP status; None: no answer at all."""
    advice: RetryAdvice = RetryAdvice.NONE
    transient: bool = False
    """Whether the same request may succeed in a moment."""
    timed_out: bool = False
    """Whether there was no answer within our own time limit."""
    slow: bool = False
    """Whether the server ran out of its own time: the query may succeed alone."""
    trouble: Trouble = Trouble.UNKNOWN
    """The kind of trouble, for the remedy."""
    wait: float | None = None
    """The seconds to wait before the next try, as the server asks; None: not stated."""


class LoginError(Exception):
    """A request has no login; the text says which step failed and what to do."""


_TIMED_OUT: Final = RequestFailure(
    reason="no answer in time",
    advice=RetryAdvice.SMALLER,
    timed_out=True,
    trouble=Trouble.TOO_SLOW,
)
_NO_ADDRESS: Final = RequestFailure(
    reason="the url is not an http or https address",
    advice=RetryAdvice.GIVE_UP,
    trouble=Trouble.ADDRESS,
)
_UNSENDABLE: Final = RequestFailure(
    reason="a header has a character that cannot be sent",
    advice=RetryAdvice.GIVE_UP,
    trouble=Trouble.HEADER,
)
_FAILURES: Final[tuple[tuple[type[Exception], RequestFailure], ...]] = (
    # The first match counts: some classes are subclasses of later ones.
    (
        exceptions.ConnectTimeout,
        RequestFailure(
            reason="no connection in time",
            advice=RetryAdvice.GIVE_UP,
            timed_out=True,
            trouble=Trouble.NO_CONNECTION,
        ),
    ),
    (exceptions.Timeout, _TIMED_OUT),
    (
        exceptions.ProxyError,
        RequestFailure(
            reason="the proxy cannot be reached",
            advice=RetryAdvice.GIVE_UP,
            transient=True,
            trouble=Trouble.PROXY,
        ),
    ),
    (
        exceptions.ChunkedEncodingError,
        RequestFailure(reason="the answer was cut off", transient=True),
    ),
    (exceptions.InvalidURL, _NO_ADDRESS),
    (exceptions.InvalidSchema, _NO_ADDRESS),
    (exceptions.MissingSchema, _NO_ADDRESS),
    (exceptions.InvalidHeader, _UNSENDABLE),
    (UnicodeError, _UNSENDABLE),
)


def network_failure(error: Exception) -> RequestFailure:
    """Describe the failure of sending a request or of reading its answer."""
    if isinstance(error, LoginError):
        reason = f"the login failed: {error}"
        return RequestFailure(reason=reason, advice=RetryAdvice.GIVE_UP)
    for kind, failure in _FAILURES:
        if isinstance(error, kind):
            return failure
    if isinstance(error, exceptions.SSLError):
        words = _tls_words(error)
        return RequestFailure(
            reason=f"TLS failed: {words}", advice=RetryAdvice.GIVE_UP, trouble=_tls_trouble(words)
        )
    if isinstance(error, exceptions.ConnectionError):
        return _no_connection(error)
    if isinstance(error, OSError) and not isinstance(error, exceptions.RequestException):
        return RequestFailure(
            reason="the file of a certificate or key is missing or cannot be read",
            advice=RetryAdvice.GIVE_UP,
            trouble=Trouble.CERTIFICATE_FILE,
        )
    return RequestFailure(reason=f"the request failed ({type(error).__name__})")


def _no_connection(error: Exception) -> RequestFailure:
    for cause in _causes(error):
        if isinstance(cause, ReadTimeoutError):  # after the start of the answer
            return _TIMED_OUT
        if isinstance(cause, NameResolutionError):
            return _nobody("the host name cannot be resolved (DNS)", Trouble.UNKNOWN_HOST)
        if isinstance(cause, ConnectionRefusedError):
            return _nobody("connection refused", Trouble.REFUSED)
        if isinstance(cause, OSError) and cause.errno is not None:
            return _broken_off(os.strerror(cause.errno).lower())
    return _broken_off("the connection broke off before an answer came")


def _nobody(reason: str, trouble: Trouble) -> RequestFailure:
    return RequestFailure(
        reason=reason, advice=RetryAdvice.GIVE_UP, transient=True, trouble=trouble
    )


def _broken_off(reason: str) -> RequestFailure:
    # A server that only speaks TLS answers plain text like this; over TLS it has no meaning.
    return RequestFailure(reason=reason, transient=True, trouble=Trouble.HTTPS_NEEDED)


_CLOSED: Final = "the server closed the connection during the handshake"
_TLS_TROUBLES: Final = (
    # The words of OpenSSL: https://github.com/openssl/openssl/blob/master/ssl/ssl_err.c and
    # https://docs.openssl.org/master/man1/openssl-verification-options/#diagnostics
    (
        "wrong version number|record layer failure|unknown protocol|packet length",
        Trouble.PLAIN_HTTP,
    ),
    ("has expired", Trouble.EXPIRED),
    ("hostname mismatch|ip address mismatch|not valid for", Trouble.WRONG_HOST_NAME),
    ("self.signed|local issuer|unable to get issuer|verify the first", Trouble.UNTRUSTED),
    (
        f"certificate required|bad certificate|handshake failure|{_CLOSED}",
        Trouble.CLIENT_CERTIFICATE,
    ),
    ("unsupported protocol|no protocols|protocol version", Trouble.TLS_VERSION),
)


def _tls_trouble(words: str) -> Trouble:
    fitting = (trouble for words_of, trouble in _TLS_TROUBLES if re.search(words_of, words.lower()))
    return next(fitting, Trouble.UNKNOWN)


def _tls_words(error: Exception) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        if isinstance(cause, ssl.SSLEOFError):
            return _CLOSED
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return cause.reason.lower().replace("_", " ")
    return "the handshake failed"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the causes that an error wraps, the outermost first."""
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        yield current
        inner = (*current.args, getattr(current, "reason", None), current.__cause__)
        waiting += [cause for cause in inner if isinstance(cause, BaseException)]
