"""HTTP for backends and code hosts: a session without netrc, and tries within a deadline."""

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
    """Time as a client sees it; tests bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = random.random
    """Between 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a request is tried again, and after which pauses."""

    count: int
    """Tries after the first, at least 0."""
    first_pause: float
    """Seconds; each further pause is twice as long. The clock's jitter makes it up to twice that,
    so that many jobs do not come back at the same moment."""
    after_timeout: bool = False
    """Whether a request that timed out is tried again: not where it would only be as slow."""


def persist(
    attempt: Callable[[float], Success | RequestFailure],
    *,
    until: float,
    retries: Retries,
    clock: Clock,
) -> Success | RequestFailure:
    """Try until there is an answer, a failure that lasts, or no time; never raises.

    Args:
        attempt: sends the request once, and reads its answer, within the given seconds, above 0.
        until: when an answer is of no more use, on the clock's monotonic scale.
        retries: how often, and after which pauses. The server may ask for longer ones.
        clock: measures the time, and waits.
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
    """Leaves the login to the headers that are there already.

    Without an ``auth`` of our own, requests would put a login from ~/.netrc over them:
    https://requests.readthedocs.io/en/latest/user/authentication/#netrc-authentication
    """

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends requests to one server, as `requests` does but for netrc and redirects."""

    session: requests.Session
    headers: Mapping[str, str] = field(repr=False)
    """The headers of every request, the login among them."""
    longest_connect: float
    """Most seconds for a connection."""
    longest_read: float | None = None
    """Most seconds without a byte of the answer; None: as long as the request has."""
    verify: bool | str = True
    """A file of authorities to trust; True: the usual ones."""
    auth: AuthBase | None = None
    """Puts the login into each request; None: the headers have it, or no login is needed."""

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
        """Send one request; return the whole response, be it a redirect or a refusal.

        Args:
            method: of HTTP.
            url: without the parameters.
            seconds: to wait at most for the connection, and for each piece of the answer.
            params: of the address.
            form: sent as a form.
            body: sent as JSON.
            text: sent as it is, in UTF-8; not with a form.
            stream: whether the caller reads the content, and closes the response.

        Raises:
            Exception: whatever goes wrong; `network_failure` has the words for it.
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
            # Given with every request: as an attribute of the session, REQUESTS_CA_BUNDLE in the
            # environment would go before it (https://github.com/psf/requests/issues/3829).
            verify=self.verify,
        )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110, section 10.2.3); None: it says neither.

    A date is compared with the server's own clock if the answer has its ``Date``, else with ours.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    date = http_date(text)
    if date is None:
        return None
    return max((date - (http_date(headers.get("Date", "")) or now)).total_seconds(), 0.0)


def http_date(text: str) -> datetime | None:
    """Read a date of HTTP; None: it is not a date."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def json_object(response: requests.Response) -> dict[str, Any] | None:
    """Return the JSON object that a response holds; None: it holds something else, or nothing."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def is_html(response: requests.Response) -> bool:
    """Return whether a response is a page for people, such as one to log in on."""
    kind = response.headers.get("Content-Type", "").lower()
    return "html" in kind or response.content.lstrip()[:1] == b"<"


def redirect_target(response: requests.Response) -> str:
    """Say where a redirect leads, without its path and query, which may hold a secret."""
    target = urlsplit(response.headers.get("Location", ""))
    return f"{target.scheme}://{target.hostname}" if target.hostname else "itself"
