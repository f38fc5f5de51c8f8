"""Errors of the network in words. Never the text of `requests`: it holds the whole URL."""

import os
import ssl
from collections.abc import Iterator
from typing import Final

from requests import exceptions
from urllib3.exceptions import NameResolutionError, ReadTimeoutError

from gate.backends.prometheus.outcome import Failure, RetryAdvice

_SLOW: Final = Failure(reason="no answer in time", remedy=RetryAdvice.SMALLER)
_NO_ADDRESS: Final = "this is no http or https address"
_PLAIN: Final[tuple[tuple[type[Exception], Failure], ...]] = (
    # The first that fits: some are kinds of others further down.
    (
        exceptions.ConnectTimeout,
        Failure(reason="no connection in time", remedy=RetryAdvice.GIVE_UP),
    ),
    (exceptions.Timeout, _SLOW),
    (
        exceptions.ProxyError,
        Failure(reason="the proxy cannot be reached", remedy=RetryAdvice.GIVE_UP, transient=True),
    ),
    (exceptions.ChunkedEncodingError, Failure(reason="the answer was cut off", transient=True)),
    (exceptions.InvalidURL, Failure(reason=_NO_ADDRESS, remedy=RetryAdvice.GIVE_UP)),
    (exceptions.InvalidSchema, Failure(reason=_NO_ADDRESS, remedy=RetryAdvice.GIVE_UP)),
    (exceptions.MissingSchema, Failure(reason=_NO_ADDRESS, remedy=RetryAdvice.GIVE_UP)),
    (
        exceptions.InvalidHeader,
        Failure(reason="a header has a character that none can have", remedy=RetryAdvice.GIVE_UP),
    ),
)


def explain(error: Exception) -> Failure:
    """Say what went wrong while sending a request or reading its answer."""
    for kind, failure in _PLAIN:
        if isinstance(error, kind):
            return failure
    if isinstance(error, exceptions.SSLError):
        return Failure(reason=f"TLS failed: {_tls_words(error)}", remedy=RetryAdvice.GIVE_UP)
    if isinstance(error, exceptions.ConnectionError):
        return _no_connection(error)
    if isinstance(error, OSError) and not isinstance(error, exceptions.RequestException):
        reason = "the file of a certificate or key is not there or cannot be read"
        return Failure(reason=reason, remedy=RetryAdvice.GIVE_UP)
    return Failure(reason=f"the request failed ({type(error).__name__})")


def _no_connection(error: Exception) -> Failure:
    for cause in _causes(error):
        if isinstance(cause, ReadTimeoutError):  # after the answer has begun
            return _SLOW
        if isinstance(cause, NameResolutionError):
            reason = "the host's name is not known (DNS)"
            return Failure(reason=reason, remedy=RetryAdvice.GIVE_UP, transient=True)
        if isinstance(cause, ConnectionRefusedError):
            reason = "connection refused"
            return Failure(reason=reason, remedy=RetryAdvice.GIVE_UP, transient=True)
        if isinstance(cause, OSError) and cause.errno is not None:
            return Failure(reason=os.strerror(cause.errno).lower(), transient=True)
    return Failure(reason="the connection broke off before an answer came", transient=True)


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
