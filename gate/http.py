"""HTTP for backends and code hosts: a session without netrc, and tries until a deadline."""

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from gate.dataclass import dataclass
from gate.request_failure import RequestFailure, network_failure

NO_TIME: Final = "no answer in the time that this run has"
Success = TypeVar("Success")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The clock of a client; tests use their own."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = random.random
    """A random number between 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """The number of retries of a request, and the pauses before them."""

    count: int
    """The number of tries after the first, at least 0."""
    first_pause: float
    """In seconds; each further pause is twice as long. The clock's jitter makes it up to twice as
    long, so that many jobs do not come back at the same moment."""
    after_timeout: bool = False
    """Whether a request that timed out is tried again: not if it would only time out again."""


def persist(
    attempt: Callable[[float], Success | RequestFailure],
    *,
    until: float,
    retries: Retries,
    clock: Clock,
) -> Success | RequestFailure:
    """Try until there is an answer, a permanent failure, or no time; never raises.

    Args:
        attempt: sends the request once, and reads its answer, within the given seconds, above 0.
        until: the deadline, on the clock's monotonic scale.
        retries: the number of retries, and their pauses. The server may ask for longer pauses.
        clock: the clock, which also waits.
    """
    tried = 0
    while (seconds := until - clock.monotonic()) > 0:
        outcome = _attempted(attempt, seconds)
        if not isinstance(outcome, RequestFailure) or tried == retries.count:
            return outcome
        if not (outcome.transient or (outcome.timed_out and retries.after_timeout)):
            return outcome
        usual = retries.first_pause * (1 << tried) * (1 + clock.jitter())
        pause = max(usual, outcome.wait or 0.0)
        if pause >= until - clock.monotonic():
            words = f"; there is no time left to wait {pause:.1f} s and try again"
            return replace(outcome, reason=outcome.reason + words)
        clock.sleep(pause)
        tried += 1
    return RequestFailure(reason=NO_TIME, timed_out=True)


def _attempted(
    attempt: Callable[[float], Success | RequestFailure], seconds: float
) -> Success | RequestFailure:
    try:
        return attempt(seconds)
    except Exception as error:  # noqa: BLE001 - any error means no answer
        return network_failure(error)


class _FixedHeaders(AuthBase):
    """Keeps the login in the given headers.

    Without an ``auth`` of our own, requests would replace it by a login from ~/.netrc:
    https://requests.readthedocs.io/en/latest/user/authentication/#netrc-authentication
    """

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends requests to one server, like `requests`, but without netrc and redirects."""

    session: requests.Session
    headers: Mapping[str, str] = field(repr=False)
    """The headers of every request, with the login."""
    longest_connect: float
    """The maximum number of seconds for a connection."""
    longest_read: float | None = None
    """The maximum number of seconds without a byte of the answer; None: the request's own limit."""
    verify: bool | str = True
    """A file of trusted authorities; True: the default ones."""
    auth: AuthBase | None = None
    """Adds the login to each request; None: the headers have it, or there is no login."""

    def send(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        text: str | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """Send one request; return the whole response, even a redirect or a refusal.

        Args:
            method: the HTTP method.
            url: the address without its parameters.
            seconds: the maximum time for the connection, and for each piece of the answer.
            params: the parameters of the address.
            form: the body as a form.
            body: the body as JSON.
            text: the body as text in UTF-8; not together with a form.
            stream: whether the caller reads the content, and closes the response.

        Raises:
            Exception: any failure; `network_failure` describes it.
        """
        longest_read = seconds if self.longest_read is None else min(seconds, self.longest_read)
        return self.session.request(
            method,
            url,
            params=params,
            data=form if text is None else text.encode(),
            json=body,
            headers=self.headers,
            auth=self.auth or _FixedHeaders(),
            timeout=(min(seconds, self.longest_connect), longest_read),
            allow_redirects=False,
            stream=stream,
            # It is given with every request: REQUESTS_CA_BUNDLE in the environment would override
            # an attribute of the session (https://github.com/psf/requests/issues/3829).
            verify=self.verify,
        )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110, section 10.2.3); None: neither.

    A date is compared with the server's own clock if the answer has its ``Date``, otherwise with
    ours.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    date = http_date(text)
    if date is None:
        return None
    return max((date - (http_date(headers.get("Date", "")) or now)).total_seconds(), 0.0)


def http_date(text: str) -> datetime | None:
    """Read an HTTP date; None: it is not a date."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def json_object(response: requests.Response) -> dict[str, Any] | None:
    """Return the JSON object in a response; None: it has something else, or nothing."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def is_html(response: requests.Response) -> bool:
    """Return whether a response is a page for people, such as a login page."""
    kind = response.headers.get("Content-Type", "").lower()
    return "html" in kind or response.content.lstrip()[:1] == b"<"


def redirect_target(response: requests.Response) -> str:
    """Return the target of a redirect, without its path and query, which may contain a secret."""
    target = urlsplit(response.headers.get("Location", ""))
    return f"{target.scheme}://{target.hostname}" if target.hostname else "itself"
