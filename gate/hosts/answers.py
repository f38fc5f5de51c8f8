"""The answers of a code host: refusals in its words, and files, which may be on another host."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests

from gate.dataclass import dataclass
from gate.hosts import Purpose
from gate.http import NO_TIME, Clock, Sender, http_date, json_object, retry_after
from gate.request_failure import RequestFailure, Trouble

_AT_A_LIMIT: Final = 60.0
"""The seconds to wait at a limit if nothing says for how long:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
_REMEDIES: Final[Mapping[Trouble, str]] = {
    Trouble.HEADER: "; the token has a line break or another character that cannot be sent",
    Trouble.UNTRUSTED: "; set REQUESTS_CA_BUNDLE to the PEM file of the authority that signed it",
    Trouble.UNKNOWN_HOST: "; check the host's address, and that this machine can resolve it",
    Trouble.PROXY: "; correct HTTP_PROXY or HTTPS_PROXY",
}
"""The remedies for a code host that cannot be reached, for which the policy has no settings."""


def refusal(response: requests.Response, now: datetime) -> RequestFailure:
    """Describe an answer that is not a success."""
    status, words = response.status_code, _words(response)
    shown = f"{status} ({words})" if words else str(status)
    wait = _wait(response.headers, now)
    if _is_limit(response, words):
        return RequestFailure(
            reason=f"limits the rate of requests: {shown}",
            # GitHub also uses 403 for it, which otherwise means something else.
            status=HTTPStatus.TOO_MANY_REQUESTS,
            transient=True,
            wait=_AT_A_LIMIT if wait is None else wait,
        )
    transient = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return RequestFailure(reason=f"answers {shown}", status=status, transient=transient, wait=wait)


def _is_limit(response: requests.Response, words: str) -> bool:
    if response.status_code != HTTPStatus.FORBIDDEN:
        return response.status_code == HTTPStatus.TOO_MANY_REQUESTS
    headers = response.headers
    spent = "Retry-After" in headers or headers.get("x-ratelimit-remaining") == "0"
    return spent or "rate limit" in words.lower()


def _wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return how long to wait, in seconds; instants are compared with the host's own clock."""
    wait, reset = retry_after(headers, now), headers.get("x-ratelimit-reset", "")
    if wait is None and headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        host_now = http_date(headers.get("Date", "")) or now
        return max(float(reset) - host_now.timestamp(), 0.0)
    return wait


def _words(response: requests.Response) -> str:
    """Return the host's own words; empty if it sends a page or something else."""
    body = json_object(response) or {}
    errors = body.get("errors")
    parts = [body.get("message"), *map(_error, errors if isinstance(errors, list) else ())]
    return ", ".join(part for part in parts if isinstance(part, str))


def _error(error: Any) -> Any:
    return error.get("message") if isinstance(error, dict) else error


def hint(purpose: Purpose, failure: RequestFailure) -> str:
    """Return what to do about a failure: which permission is missing, or may be missing."""
    if failure.trouble in _REMEDIES:
        return _REMEDIES[failure.trouble]
    match failure.status:
        case HTTPStatus.UNAUTHORIZED:
            return "; the token is wrong or has expired; create a new one and set it in the job"
        case HTTPStatus.TOO_MANY_REQUESTS:
            return "; run the job again later; each token has a limit of its own"
        case HTTPStatus.FORBIDDEN if purpose.needs and "not accessible by" in failure.reason:
            return f"; the token needs {purpose.needs}"
        case HTTPStatus.FORBIDDEN | HTTPStatus.NOT_FOUND if purpose.needs:
            return f"; perhaps the token lacks {purpose.needs}"
        case _:
            return ""


_HOPS: Final = 5
"""The maximum number of redirects of the API itself: a renamed repository."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """The download of a file. Only the API's host gets the token; one redirect may leave it."""

    sender: Sender
    """Sends requests with the token."""
    is_ours: Callable[[str], bool]
    """Returns whether the token may go to an address."""
    secure: bool
    """Whether the other host must use HTTPS; not if the API itself does not."""
    most: int
    """The maximum size of the file in bytes."""

    def __call__(self, url: str, seconds: float, clock: Clock) -> bytes | RequestFailure:
        """Return the contents of the file, or the failure if it does not come in time."""
        until = clock.monotonic() + seconds
        for _ in range(_HOPS):
            with self.sender.send("GET", url, seconds=seconds, stream=True) as response:
                if response.status_code not in _REDIRECTS:
                    return self._content(response, until, clock)
                target = urljoin(url, response.headers.get("Location", ""))
            if not self.is_ours(target):
                return self._elsewhere(target, until, clock)
            url = target
        return _redirected("redirects in a loop")

    def _elsewhere(self, url: str, until: float, clock: Clock) -> bytes | RequestFailure:
        """Follow the redirect to a signed address, which needs no login."""
        place = urlsplit(url)
        schemes = {"https"} if self.secure else {"https", "http"}
        if place.scheme not in schemes or not place.hostname:
            return _redirected("redirects to an address that is not HTTPS")
        without = replace(self.sender, headers={}, auth=None)
        left = until - clock.monotonic()
        if left <= 0:
            return RequestFailure(reason=NO_TIME, timed_out=True)
        with without.send("GET", url, seconds=left, stream=True) as response:
            if response.status_code in _REDIRECTS:
                return _redirected(f"redirects to {place.hostname}, which redirects again")
            outcome = self._content(response, until, clock)
        if not isinstance(outcome, RequestFailure) or outcome.status is None:
            return outcome
        # The token's permissions play no part there, so the status is not reported.
        reason = f"redirects to {place.hostname}, which {outcome.reason}"
        return replace(outcome, reason=reason, status=HTTPStatus.FOUND)

    def _content(
        self, response: requests.Response, until: float, clock: Clock
    ) -> bytes | RequestFailure:
        if response.status_code != HTTPStatus.OK:
            return refusal(response, clock.now())
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > self.most:
                reason = f"sends a file of more than {self.most >> 20} MiB"
                return RequestFailure(reason=reason, status=HTTPStatus.OK)
            if clock.monotonic() > until:
                return RequestFailure(reason=NO_TIME, timed_out=True)
        return bytes(content)


def _redirected(reason: str) -> RequestFailure:
    return RequestFailure(reason=reason, status=HTTPStatus.FOUND)
