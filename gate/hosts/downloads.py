"""Files that a code host sends or keeps on another host, such as archives of CI artifacts."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests

from gate.dataclass import dataclass
from gate.hosts.rest_failures import refusal
from gate.http import NO_TIME, Clock, Sender
from gate.request_failure import RequestFailure

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
