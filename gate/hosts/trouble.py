"""What went wrong with one request to a code host's API, in words.

A sentence is put together of the host's name and a predicate: "GitHub" + "answers 404 (Not Found)".
Never the text of `requests`: it may hold the whole URL, or the header with the token.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from requests import Response, exceptions

_MINUTE: Final = 60.0
"""To wait where a limit is reached and nothing says for how long:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""


_LONGEST: Final = 300
"""Characters of a host's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a request has no answer."""

    why: str
    """A predicate to the host's name."""
    status: int | None = None
    """Of HTTP, 429 where a limit is reached; None: there was no answer at all."""
    transient: bool = False
    """Whether the same request may do better later."""
    wait: float | None = None
    """Seconds that the host asks for before the next; None: it does not say."""


_SLOW: Final = Trouble(why="gives no answer in time", transient=True)


_UNREACHED: Final = Trouble(why="cannot be reached", transient=True)


_UNSENDABLE: Final = Trouble(
    why="cannot be asked: the token, or the question, has a character that cannot be sent"
)


_NETWORK: Final[tuple[tuple[type[Exception], Trouble], ...]] = (
    # The first that fits: some are kinds of others further down.
    (exceptions.Timeout, _SLOW),
    (exceptions.SSLError, Trouble(why="cannot be reached: TLS failed")),
    (exceptions.ProxyError, Trouble(why="cannot be reached through the proxy", transient=True)),
    (exceptions.ConnectionError, _UNREACHED),
    (exceptions.ChunkedEncodingError, Trouble(why="broke off its answer", transient=True)),
    (exceptions.InvalidHeader, _UNSENDABLE),
    (UnicodeError, _UNSENDABLE),
)


def network_trouble(error: Exception) -> Trouble:
    """Say what went wrong while sending a request or reading its answer."""
    for kind, trouble in _NETWORK:
        if isinstance(error, kind):
            return trouble
    return Trouble(why=f"cannot be asked ({type(error).__name__})")


def answer_trouble(response: Response) -> Trouble:
    """Say what an answer that is not one of success means."""
    status, words = response.status_code, _words(response)
    told = f"{status} ({words})" if words else str(status)
    if _is_limit(response, words):
        return Trouble(
            why=f"limits how often it may be asked: {told}",
            # GitHub gives 403 for it too, which elsewhere means something else.
            status=HTTPStatus.TOO_MANY_REQUESTS,
            transient=True,
            wait=_wait(response.headers, otherwise=_MINUTE),
        )
    return Trouble(
        why=f"answers {told}",
        status=status,
        transient=status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        wait=_wait(response.headers, otherwise=None),
    )


def _is_limit(response: Response, words: str) -> bool:
    if response.status_code != HTTPStatus.FORBIDDEN:
        return response.status_code == HTTPStatus.TOO_MANY_REQUESTS
    headers = response.headers
    spent = "Retry-After" in headers or headers.get("x-ratelimit-remaining") == "0"
    return spent or "rate limit" in words.lower()


def _wait(headers: Mapping[str, str], *, otherwise: float | None) -> float | None:
    """Read how long to wait; instants are compared with the host's own clock."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return float(asked)
    now, then = _instant(headers.get("Date", "")), _instant(asked)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal() and then is None:
        then = float(reset)
    return otherwise if now is None or then is None else max(then - now, 1.0)


def _instant(text: str) -> float | None:
    """Read a date of HTTP as Unix time."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _words(response: Response) -> str:
    """Return the host's own words on one line; nothing where it sends a page or a riddle."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    parts = [body.get("message"), *map(_error, errors if isinstance(errors, list) else ())]
    text = ", ".join(" ".join(part.split()) for part in parts if isinstance(part, str))
    return "".join(filter(str.isprintable, text))[:_LONGEST]


def _error(error: Any) -> Any:
    return error.get("message") if isinstance(error, dict) else error
