"""The REST API of a code host: requests with a purpose, pages, and failures in sentences."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests

from gate.dataclass import dataclass
from gate.hosts import Purpose, RestError
from gate.hosts.answers import Download, hint, refusal
from gate.http import Clock, Retries, Sender, Success, is_html, persist
from gate.redaction import Redactor, redactable
from gate.request_failure import RequestFailure

_LONGEST_CONNECT: Final = 5.0
_LONGEST_READ: Final = 20.0
_RETRIES: Final = Retries(count=3, first_pause=1.0, after_timeout=True)
_HOPS: Final = 5
_PAGE: Final = 100
"""The number of items on a page, the maximum of GitHub and of GitLab."""
_PORTS: Final = {"http": 80, "https": 443}
_SUCCESS: Final = range(200, 300)
_REDIRECTS: Final = frozenset({301, 302, 307, 308})


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    query: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    body: Any
    """The JSON of the reply; None: the reply has no body."""
    next: str | None
    """The address of the next page."""
    more: bool | None = False
    """Whether there is a next page if its address is missing; None: unknown."""


class Rest:
    """One code host. One thread at a time."""

    def __init__(
        self,
        url: str,
        *,
        host: str,
        headers: Mapping[str, str],
        secret: str,
        error: type[RestError] = RestError,
        numbered: bool = False,
        session: requests.Session | None = None,
        clock: Clock | None = None,
        seconds: float = 90.0,
    ) -> None:
        """Prepare; no request is sent yet.

        Args:
            url: the part of every address before the path.
            host: its name in sentences.
            headers: the headers of every request, including the one with the token.
            secret: the token, which no sentence may show.
            error: the class of the exceptions.
            numbered: whether pages have numbers, which are requested one after another if the host,
                or a proxy before it, does not give the address of the next page.
            session: the HTTP session; None: a new one.
            clock: None: the real one.
            seconds: the time limit of all requests together, with the pauses between tries.
        """
        self._url = url.rstrip("/")
        self._host = host
        self._redacted = Redactor(redactable([secret]))
        self._error = error
        self._numbered = numbered
        self._sender = Sender(
            session=session or requests.Session(),
            headers=headers,
            longest_connect=_LONGEST_CONNECT,
            longest_read=_LONGEST_READ,
        )
        self._clock = clock or Clock()
        self._left = seconds

    def ask(
        self,
        purpose: Purpose,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send one request; return the JSON of its answer, None if the answer is empty.

        Raises:
            RestError: a failure, in the class that was given.
        """
        return self._reply(purpose, _Request(method, f"{self._url}/{path}", query, body)).body

    def download(self, purpose: Purpose, path: str, most: int) -> bytes:
        """Return a file, which the host may keep elsewhere; the token is not sent there.

        Args:
            purpose: the purpose of the request.
            path: the path of the address.
            most: the maximum size of the file in bytes.

        Raises:
            RestError: as above, or the file is larger.
        """
        download = Download(
            sender=self._sender, is_ours=self.is_ours, secure=_is_secure(self._url), most=most
        )
        url = f"{self._url}/{path}"
        return self._persisted(purpose, lambda seconds: download(url, seconds, self._clock))

    def pages(
        self,
        purpose: Purpose,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        key: str | None = None,
    ) -> Iterator[Any]:
        """Yield the items of a list, from all pages; the next page is requested when it is needed.

        ``key`` is the key of the list in the object of a page; None: the page itself is the list.

        Raises:
            RestError: as above.
        """
        query = {"per_page": str(_PAGE), **(query or {})}
        reply, number = self._reply(purpose, _Request("GET", f"{self._url}/{path}", query)), 1
        yield from reply.body if key is None else reply.body[key]
        while (following := self._following(reply, path, query, number + 1)) is not None:
            reply, number = self._reply(purpose, following), number + 1
            yield from reply.body if key is None else reply.body[key]

    def _following(
        self, reply: _Reply, path: str, query: Mapping[str, str], number: int
    ) -> _Request | None:
        """Return the request for the next page of a list; None: that was the last page."""
        if reply.next is not None:
            return _Request("GET", reply.next)
        more = reply.more or (reply.more is None and len(reply.body) >= _PAGE)
        if not self._numbered or not more:
            return None
        return _Request("GET", f"{self._url}/{path}", {**query, "page": str(number)})

    @contextmanager
    def understood(self, purpose: Purpose) -> Iterator[None]:
        """Turn the exceptions of an answer in an unexpected form into a failure of the host."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = "gives an answer that gate cannot read"
            failure = RequestFailure(reason=reason, status=HTTPStatus.OK)
            raise self._failed(purpose, failure) from error

    def _reply(self, purpose: Purpose, request: _Request) -> _Reply:
        return self._persisted(purpose, lambda seconds: self._try(request, seconds))

    def _persisted(
        self, purpose: Purpose, attempt: Callable[[float], Success | RequestFailure]
    ) -> Success:
        until = self._clock.monotonic() + self._left
        outcome = persist(attempt, until=until, retries=_RETRIES, clock=self._clock)
        self._left = until - self._clock.monotonic()
        if isinstance(outcome, RequestFailure):
            raise self._failed(purpose, outcome)
        return outcome

    def _try(self, request: _Request, seconds: float) -> _Reply | RequestFailure:
        for _ in range(_HOPS):
            response = self._sender.send(
                request.method,
                request.url,
                seconds=seconds,
                params=request.query,
                body=request.body,
            )
            if response.status_code not in _REDIRECTS:
                return self._read(response)
            # A renamed repository. The request must be repeated as it is, which requests would not
            # do:
            # https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
            target = urljoin(request.url, response.headers.get("Location", ""))
            if not self.is_ours(target):
                reason = f"redirects to another host, {urlsplit(target).hostname}"
                return RequestFailure(reason=reason, status=response.status_code)
            request = replace(request, url=target, query=None)
        return RequestFailure(reason="redirects in a loop", status=HTTPStatus.FOUND)

    def _read(self, response: requests.Response) -> _Reply | RequestFailure:
        status = response.status_code
        if status not in _SUCCESS:
            return refusal(response, self._clock.now())
        following = response.links.get("next", {}).get("url")
        if following is not None and not self.is_ours(following):
            return RequestFailure(reason="has the next page on another host", status=status)
        more: bool | None = False
        if "Link" not in response.headers:
            # https://docs.gitlab.com/api/rest/#other-pagination-headers: empty on the last page
            number = response.headers.get("X-Next-Page")
            more = None if number is None else bool(number)
        try:
            body = json.loads(response.content) if response.content else None
            return _Reply(body, following, more)
        except (ValueError, RecursionError):
            reason = "gives an answer that is not JSON"
            if is_html(response):
                reason = "answers with an HTML page: probably a login page, or not the API's url"
            return RequestFailure(reason=reason, status=status)

    def is_ours(self, url: str) -> bool:
        """Return whether the token may be sent to an address."""
        return "@" not in urlsplit(url).netloc and _origin(url) == _origin(self._url)

    def _failed(self, purpose: Purpose, failure: RequestFailure) -> RestError:
        reason = self._redacted(failure.reason)
        if failure.status is None:
            reason = f"cannot be reached: {reason}"
        sentence = f"cannot {purpose.doing}: {self._host} {reason}{hint(purpose, failure)}"
        return self._error(sentence, failure.status)


def _is_secure(url: str) -> bool:
    return urlsplit(url).scheme != "http"


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port; a token is only sent to an address with the same three."""
    parts = urlsplit(url)
    try:
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:  # the port is not a number
        return parts.scheme, None, None
