"""The REST API of a code host: timeouts, polite retries, pages, and every failure as a sentence."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from gate.hosts.trouble import Trouble, answer_trouble, network_trouble

_CONNECT: Final = 5.0


_READ: Final = 20.0


_PAUSES: Final = (1.0, 2.0, 4.0)
"""Seconds between tries, where the host asks for nothing else."""


_HOPS: Final = 5


_SUCCESS: Final = range(200, 300)


_REDIRECTS: Final = frozenset({301, 302, 307, 308})


class RestError(LookupError):
    """A code host could not be asked or told; the text is one sentence, without any secret."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        """Of HTTP, 429 where a limit is reached; None: there was no answer."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a request is for."""

    doing: str
    """As it follows "cannot"."""
    needs: str
    """The permission: ``pull-requests: write``; empty: none."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the client sees it; tests bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


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
        self._headers = headers
        self._secret = secret
        self._error = error
        self._session = session or requests.Session()
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
        return self._persist(purpose, _Request(method, f"{self._url}/{path}", query, body)).body

    def pages(
        self, purpose: Purpose, path: str, query: Mapping[str, str] | None = None
    ) -> Iterator[Any]:
        """Yield the items of a list, of every page; the next is asked for when it is needed.

        Raises:
            RestError: as above.
        """
        asked = {"per_page": "100", **(query or {})}
        reply = self._persist(purpose, _Request("GET", f"{self._url}/{path}", asked))
        yield from reply.body
        while reply.next is not None:
            reply = self._persist(purpose, _Request("GET", reply.next))
            yield from reply.body

    @contextmanager
    def understood(self, purpose: Purpose) -> Iterator[None]:
        """Turn what reading an answer of another shape raises into a failure of the host's."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            trouble = Trouble(why="gives an answer of a form that is not known")
            raise self._failed(purpose, trouble) from error

    def _persist(self, purpose: Purpose, request: _Request) -> _Reply:
        until = self._clock.monotonic() + self._left
        try:
            outcome = self._try(request, until)
            for usual in _PAUSES:
                if isinstance(outcome, _Reply) or not outcome.transient:
                    break
                pause = usual if outcome.wait is None else outcome.wait
                if pause >= until - self._clock.monotonic():
                    raise self._failed(purpose, outcome, f"; to wait {pause:.0f} s is too long")
                self._clock.sleep(pause)
                outcome = self._try(request, until)
        finally:
            self._left = until - self._clock.monotonic()
        if isinstance(outcome, Trouble):
            raise self._failed(purpose, outcome)
        return outcome

    def _try(self, request: _Request, until: float) -> _Reply | Trouble:
        seconds = until - self._clock.monotonic()
        if seconds <= 0:
            return Trouble(why="has had all the time that it was given")
        try:
            for _ in range(_HOPS):
                response = self._session.request(
                    request.method,
                    request.url,
                    params=request.query,
                    json=request.body,
                    headers=self._headers,
                    auth=_AsIs(),
                    timeout=(min(seconds, _CONNECT), min(seconds, _READ)),
                    allow_redirects=False,
                )
                if response.status_code not in _REDIRECTS:
                    return self._read(response)
                # A renamed repository. To be repeated as it is, which requests would not do:
                # https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
                target = urljoin(request.url, response.headers.get("Location", ""))
                if not self._is_ours(target):
                    return Trouble(why=f"redirects to another host, {urlsplit(target).hostname}")
                request = replace(request, url=target, query=None)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no answer
            return network_trouble(error)
        return Trouble(why="redirects in circles")

    def _read(self, response: requests.Response) -> _Reply | Trouble:
        if response.status_code not in _SUCCESS:
            return answer_trouble(response)
        following = response.links.get("next", {}).get("url")
        if following is not None and not self._is_ours(following):
            return Trouble(why="has the next page on another host")
        try:
            return _Reply(json.loads(response.content) if response.content else None, following)
        except (ValueError, RecursionError):
            return Trouble(why="gives an answer that is no JSON")

    def _is_ours(self, url: str) -> bool:
        """Tell whether the token may go there."""
        return urlsplit(url)[:2] == urlsplit(self._url)[:2]

    def _failed(self, purpose: Purpose, trouble: Trouble, more: str = "") -> RestError:
        hint = _hint(purpose, trouble)
        # The host may repeat what it was sent.
        why = trouble.why.replace(self._secret, "***") if self._secret else trouble.why
        sentence = f"cannot {purpose.doing}: {self._host} {why}{hint}{more}"
        return self._error(sentence, trouble.status)


def _hint(purpose: Purpose, trouble: Trouble) -> str:
    """Name the permission that is missing, or may be."""
    if trouble.transient:
        return ""
    match trouble.status:
        case HTTPStatus.UNAUTHORIZED:
            return "; the token is wrong or has expired"
        case HTTPStatus.FORBIDDEN if "not accessible by" in trouble.why:
            return f"; the token needs {purpose.needs}"
        case HTTPStatus.FORBIDDEN | HTTPStatus.NOT_FOUND if purpose.needs:
            return f"; perhaps the token lacks {purpose.needs}"
        case _:
            return ""


class _AsIs(AuthBase):
    """Leaves the headers as they are; without it, a login in ~/.netrc would go over the token."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request
