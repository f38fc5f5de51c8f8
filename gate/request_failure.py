"""Why a request has no answer, in words that can be shown: without any secret.

Never the text of `requests`: it may hold the whole URL, or a header with a token.
"""

import os
import ssl
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final

from requests import exceptions
from urllib3.exceptions import NameResolutionError, ReadTimeoutError

from gate.dataclass import dataclass


class RetryAdvice(Enum):
    """What may help, other than to send the same request again."""

    NONE = auto()
    """Nothing that this run can do."""
    SEPARATE = auto()
    """One part of the request may be wrong: send the others without it."""
    SMALLER = auto()
    """Too large or too slow: ask for less at once."""
    GIVE_UP = auto()
    """No other request would fare better: nobody is there, or nobody is let in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFailure:
    """Why a request has no answer."""

    reason: str
    """With the server's own words, if it has any. They may hold secrets until they are redacted."""
    status: int | None = None
    """The HTTP status; None: no answer came at all."""
    advice: RetryAdvice = RetryAdvice.NONE
    transient: bool = False
    """Whether the same request may succeed in a moment."""
    timed_out: bool = False
    """Whether no answer came in the time that this side allowed."""
    slow: bool = False
    """Whether the server ran out of its own time: alone, the same query may fare better."""
    wait: float | None = None
    """Seconds to wait before the next try, as the server asks; None: it does not say."""


class LoginError(Exception):
    """There is no login to send a request with; its text says which step failed and what to do."""


_TIMED_OUT: Final = RequestFailure(
    reason="no answer in time", advice=RetryAdvice.SMALLER, timed_out=True
)
_NO_ADDRESS: Final = RequestFailure(
    reason="the url is not an http or https address", advice=RetryAdvice.GIVE_UP
)
_UNSENDABLE: Final = RequestFailure(
    reason="a header has a character that cannot be sent; see the token or login",
    advice=RetryAdvice.GIVE_UP,
)
_FAILURES: Final[tuple[tuple[type[Exception], RequestFailure], ...]] = (
    # The first that fits: some are kinds of others further down.
    (
        exceptions.ConnectTimeout,
        RequestFailure(reason="no connection in time", advice=RetryAdvice.GIVE_UP, timed_out=True),
    ),
    (exceptions.Timeout, _TIMED_OUT),
    (
        exceptions.ProxyError,
        RequestFailure(
            reason="the proxy cannot be reached", advice=RetryAdvice.GIVE_UP, transient=True
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
    """Say what went wrong while sending a request or reading its answer."""
    if isinstance(error, LoginError):
        reason = f"the login failed: {error}"
        return RequestFailure(reason=reason, advice=RetryAdvice.GIVE_UP)
    for kind, failure in _FAILURES:
        if isinstance(error, kind):
            return failure
    if isinstance(error, exceptions.SSLError):
        return RequestFailure(reason=f"TLS failed: {_tls_words(error)}", advice=RetryAdvice.GIVE_UP)
    if isinstance(error, exceptions.ConnectionError):
        return _no_connection(error)
    if isinstance(error, OSError) and not isinstance(error, exceptions.RequestException):
        reason = "the file of a certificate or key is not there or cannot be read"
        return RequestFailure(reason=reason, advice=RetryAdvice.GIVE_UP)
    return RequestFailure(reason=f"the request failed ({type(error).__name__})")


def _no_connection(error: Exception) -> RequestFailure:
    for cause in _causes(error):
        if isinstance(cause, ReadTimeoutError):  # after the answer has begun
            return _TIMED_OUT
        if isinstance(cause, NameResolutionError):
            reason = "the host's name is not known (DNS)"
            return RequestFailure(reason=reason, advice=RetryAdvice.GIVE_UP, transient=True)
        if isinstance(cause, ConnectionRefusedError):
            reason = "connection refused"
            return RequestFailure(reason=reason, advice=RetryAdvice.GIVE_UP, transient=True)
        if isinstance(cause, OSError) and cause.errno is not None:
            return RequestFailure(reason=os.strerror(cause.errno).lower(), transient=True)
    return RequestFailure(reason="the connection broke off before an answer came", transient=True)


def _tls_words(error: Exception) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return cause.reason.lower().replace("_", " ")
    return "no common ground with the server"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk through what an error wraps, outermost first."""
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        yield current
        inner = (*current.args, getattr(current, "reason", None), current.__cause__)
        waiting += [cause for cause in inner if isinstance(cause, BaseException)]
