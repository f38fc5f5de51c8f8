"""The REST API of a code host: requests with a purpose, pages, and every failure as a sentence."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import requests

from gate.hosts import Purpose, RestError
from gate.http import Clock, Retries, Sender, http_date, is_html, json_object, persist, retry_after
from gate.request_failure import Redactor, RequestFailure, redactable

_LONGEST_CONNECT: Final = 5.0
_LONGEST_READ: Final = 20.0
_RETRIES: Final = Retries(count=3, first_pause=1.0, after_timeout=True)
_AT_A_LIMIT: Final = 60.0
"""Seconds to wait where a limit is reached and nothing says for how long:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""
_HOPS: Final = 5
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
    """None: there is none."""
    next: str | None
    """The address of the next page."""


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
        session: requests.Session | None = None,
        clock: Clock | None = None,
        seconds: float = 90.0,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            url: the part of every address before the path.
            host: its name in sentences.
            headers: of every request, the one with the token among them.
            secret: the token, which no sentence may show.
            error: what is raised.
            session: to send with; None: one is made.
            clock: None: the real one.
            seconds: that all requests together may take, pauses between tries included.
        """
        self._url = url.rstrip("/")
        self._host = host
        self._redacted = Redactor(redactable([secret]))
        self._error = error
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
        """Send one request; return the JSON of its answer, None where that is empty.

        Raises:
            RestError: of the kind that was asked for.
        """
        return self._reply(purpose, _Request(method, f"{self._url}/{path}", query, body)).body

    def pages(
        self, purpose: Purpose, path: str, query: Mapping[str, str] | None = None
    ) -> Iterator[Any]:
        """Yield the items of a list, of every page; the next is asked for when it is needed.

        Raises:
            RestError: as above.
        """
        first = _Request("GET", f"{self._url}/{path}", {"per_page": "100", **(query or {})})
        reply = self._reply(purpose, first)
        yield from reply.body
        while reply.next is not None:
            reply = self._reply(purpose, _Request("GET", reply.next))
            yield from reply.body

    @contextmanager
    def understood(self, purpose: Purpose) -> Iterator[None]:
        """Turn what reading an answer of another shape raises into a failure of the host's."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = "gives an answer of a form that is not known"
            failure = RequestFailure(reason=reason, status=HTTPStatus.OK)
            raise self._failed(purpose, failure) from error

    def _reply(self, purpose: Purpose, request: _Request) -> _Reply:
        until = self._clock.monotonic() + self._left
        outcome = persist(
            lambda seconds: self._try(request, seconds),
            until=until,
            retries=_RETRIES,
            clock=self._clock,
        )
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
            # A renamed repository. To be repeated as it is, which requests would not do:
            # https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
            target = urljoin(request.url, response.headers.get("Location", ""))
            if not self._is_ours(target):
                reason = f"redirects to another host, {urlsplit(target).hostname}"
                return RequestFailure(reason=reason, status=response.status_code)
            request = replace(request, url=target, query=None)
        return RequestFailure(reason="redirects in circles", status=HTTPStatus.FOUND)

    def _read(self, response: requests.Response) -> _Reply | RequestFailure:
        status = response.status_code
        if status not in _SUCCESS:
            return _refusal(response, self._clock.now())
        following = response.links.get("next", {}).get("url") or _next_page(response)
        if following is not None and not self._is_ours(following):
            return RequestFailure(reason="has the next page on another host", status=status)
        try:
            return _Reply(json.loads(response.content) if response.content else None, following)
        except (ValueError, RecursionError):
            reason = "gives an answer that is not JSON"
            if is_html(response):
                reason = "answers with an HTML page: probably a login page, or not the API's url"
            return RequestFailure(reason=reason, status=status)

    def _is_ours(self, url: str) -> bool:
        """Tell whether the token may go there."""
        return urlsplit(url)[:2] == urlsplit(self._url)[:2]

    def _failed(self, purpose: Purpose, failure: RequestFailure) -> RestError:
        reason = self._redacted(failure.reason)
        if failure.status is None:
            reason = f"cannot be reached: {reason}"
        sentence = f"cannot {purpose.doing}: {self._host} {reason}{_hint(purpose, failure)}"
        return self._error(sentence, failure.status)


def _next_page(response: requests.Response) -> str | None:
    """Return the next page where only GitLab's own header names it; None: there is none.

    https://docs.gitlab.com/api/rest/#other-pagination-headers; behind a proxy Link may be missing.
    """
    number = response.headers.get("X-Next-Page", "")
    if not number.isdecimal():
        return None
    parts = urlsplit(response.url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "page"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("page", number)])))


def _refusal(response: requests.Response, now: datetime) -> RequestFailure:
    """Say what an answer that is not one of success means."""
    status, words = response.status_code, _words(response)
    shown = f"{status} ({words})" if words else str(status)
    wait = _wait(response.headers, now)
    if _is_limit(response, words):
        return RequestFailure(
            reason=f"limits how often it may be asked: {shown}",
            # GitHub gives 403 for it too, which elsewhere means something else.
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
    """Read how long to wait, in seconds; instants are compared with the host's own clock."""
    wait, reset = retry_after(headers, now), headers.get("x-ratelimit-reset", "")
    if wait is None and headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        host_now = http_date(headers.get("Date", "")) or now
        return max(float(reset) - host_now.timestamp(), 0.0)
    return wait


def _words(response: requests.Response) -> str:
    """Return the host's own words; nothing where it sends a page or something else."""
    body = json_object(response) or {}
    errors = body.get("errors")
    parts = [body.get("message"), *map(_error, errors if isinstance(errors, list) else ())]
    return ", ".join(part for part in parts if isinstance(part, str))


def _error(error: Any) -> Any:
    return error.get("message") if isinstance(error, dict) else error


def _hint(purpose: Purpose, failure: RequestFailure) -> str:
    """Name the permission that is missing, or may be."""
    match failure.status:
        case HTTPStatus.UNAUTHORIZED:
            return "; the token is wrong or has expired"
        case HTTPStatus.FORBIDDEN if "not accessible by" in failure.reason:
            return f"; the token needs {purpose.needs}"
        case HTTPStatus.FORBIDDEN | HTTPStatus.NOT_FOUND if purpose.needs:
            return f"; perhaps the token lacks {purpose.needs}"
        case _:
            return ""
