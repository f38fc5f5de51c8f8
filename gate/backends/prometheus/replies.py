"""A server's reply: a body, a result, or the reason why the server gave none."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from requests import Response

from gate.dataclass import dataclass
from gate.http import is_html, json_object, redirect_target, retry_after
from gate.request_failure import RequestFailure, RetryAdvice, Trouble

_REDIRECTS: Final = range(300, 400)
_TRANSIENT: Final = frozenset({429, 502, 503})
_ADVICE: Final = {
    400: RetryAdvice.SEPARATE,
    401: RetryAdvice.GIVE_UP,
    403: RetryAdvice.GIVE_UP,
    404: RetryAdvice.GIVE_UP,
    413: RetryAdvice.SMALLER,
    414: RetryAdvice.SMALLER,
    422: RetryAdvice.SEPARATE,
    500: RetryAdvice.SEPARATE,
    507: RetryAdvice.SMALLER,
}
_TROUBLES: Final = {
    400: Trouble.QUERY_REFUSED,
    401: Trouble.UNAUTHORIZED,
    403: Trouble.FORBIDDEN,
    404: Trouble.WRONG_PATH,
    405: Trouble.WRONG_SERVER,
    422: Trouble.QUERY_REFUSED,
    429: Trouble.OVERLOADED,
    501: Trouble.WRONG_SERVER,
    **dict.fromkeys((502, 503, 504), Trouble.OVERLOADED),
}
_TLS_WANTED: Final = "(?i)http request (?:to an https server|was sent to https port)"
"""The answers of Go servers and nginx to plain text on a port for TLS."""
_NO_SUCH_PATH: Final = "(?i)unsupported path"
"""The message of VictoriaMetrics with the status 400."""
_TIMED_OUT: Final = frozenset({408, 504, 524})
"""The statuses of a time-out; 524 is Cloudflare's:
https://developers.cloudflare.com/support/troubleshooting/http-status-codes/"""
_TOO_SLOW: Final = "(?i)timed out|timeout exceeded|deadline exceeded"
_TOO_LARGE: Final = (
    # Prometheus' engine; VictoriaMetrics' -search.max... flags; Mimir's and Thanos' limits.
    # With spaces, since VictoriaMetrics quotes the query, and a metric may have such a name.
    r"(?i)too many (?:samples|points|series|chunks)|-search\.max|not enough memory"
    r"|exceed(?:s|ed) (?:the |\w+ )?(?:limit|maximum)|hit the max"
)
_BUSY: Final = "-search.maxConcurrentRequests"
"""VictoriaMetrics runs too many concurrent queries, whatever their size."""
_REPEATED_QUERY: Final = r"error when executing query=.* for \(time=\d+, step=\d+\): "
_INFO: Final = "PromQL info: "
Body = Mapping[str, Any]
"""A successful answer of the API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a query."""

    kind: str
    """Prometheus' ``resultType``."""
    result: Sequence[Any]
    warnings: tuple[str, ...] = ()
    """The server's warnings about missing data."""
    notes: tuple[str, ...] = ()
    victoria: bool = False
    """Whether VictoriaMetrics answered: it names its host in each answer."""


def read_response(
    response: Response, now: datetime, *, hosts: bool = True
) -> Body | RequestFailure:
    """Parse a response whose body is complete.

    ``now`` resolves a Retry-After that is a date; ``hosts`` says whether a host's name may be
    shown.
    """
    status = response.status_code
    if status in _REDIRECTS:
        target = redirect_target(response) if hosts else "another address"
        reason = f"it redirects to {target}: probably a login page ({status})"
        return RequestFailure(reason=reason, advice=RetryAdvice.GIVE_UP, trouble=Trouble.LOGIN_PAGE)
    body = json_object(response)
    if status == HTTPStatus.OK:
        return _answer(response, body)
    return _refusal(response, body, now)


def read_result(body: Body, *, victoria: bool = False) -> Reply | RequestFailure:
    """Parse the answer to a query."""
    match body.get("data"):
        case {"resultType": str(kind), "result": list(result)}:
            warnings, notes = _remarks(body)
            return Reply(
                kind=kind, result=result, warnings=warnings, notes=notes, victoria=victoria
            )
        case _:
            reason = "its answer holds no result"
            return RequestFailure(reason=reason, trouble=Trouble.WRONG_SERVER)


def _answer(response: Response, body: Body | None) -> Body | RequestFailure:
    if body is None and is_html(response):
        reason = "it answers with an HTML page: probably a login page, or not the API's url"
        return RequestFailure(reason=reason, advice=RetryAdvice.GIVE_UP, trouble=Trouble.LOGIN_PAGE)
    if body is None:
        reason = "its answer is not JSON, or was cut off"
        return RequestFailure(reason=reason, trouble=Trouble.WRONG_SERVER)
    if body.get("status") != "success":
        if not body.get("error"):
            reason = f"it answered {response.text}"
            return RequestFailure(reason=reason, trouble=Trouble.WRONG_SERVER)
        reason = _words(response, body)
        return RequestFailure(reason=reason, advice=RetryAdvice.SEPARATE)
    return body


def _remarks(body: Body) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the remarks about missing data, and those that are only informative."""
    said, notes = _texts(body.get("warnings")), _texts(body.get("infos"))
    # Older versions of Prometheus report infos as warnings:
    # https://github.com/grafana/grafana/issues/84636
    warnings = tuple(text for text in said if not text.startswith(_INFO))
    notes += tuple(text for text in said if text.startswith(_INFO))
    if body.get("isPartial"):  # VictoriaMetrics, cluster version
        warnings += ("a part of the storage did not answer",)
    return warnings, notes


def _refusal(response: Response, body: Body | None, now: datetime) -> RequestFailure:
    status, words = response.status_code, _words(response, body)
    timed_out = status in _TIMED_OUT or (body or {}).get("errorType") == "timeout"
    busy, slow = _BUSY in words, timed_out or re.search(_TOO_SLOW, words) is not None
    advice, trouble = _ADVICE.get(status, RetryAdvice.NONE), _trouble(response, body)
    if busy:
        advice, trouble = RetryAdvice.NONE, Trouble.OVERLOADED
    elif slow or re.search(_TOO_LARGE, words):
        advice = RetryAdvice.SMALLER
        trouble = Trouble.TOO_SLOW if slow else Trouble.TOO_LARGE
    name = f"{status} {response.reason or ''}".strip()
    return RequestFailure(
        reason=f"{name}: {words}" if words else name,
        status=status,
        advice=advice,
        slow=slow,
        trouble=trouble,
        transient=busy or (status in _TRANSIENT and advice is not RetryAdvice.SMALLER),
        wait=retry_after(response.headers, now),
    )


def _trouble(response: Response, body: Body | None) -> Trouble:
    """Return the trouble that a refusal shows."""
    if body is None and re.search(_TLS_WANTED, response.text):
        return Trouble.HTTPS_NEEDED
    if re.search(_NO_SUCH_PATH, response.text):
        return Trouble.WRONG_PATH
    return _TROUBLES.get(response.status_code, Trouble.UNKNOWN)


def _words(response: Response, body: Body | None) -> str:
    if body is not None and body.get("error"):
        kind = body.get("errorType")
        text = re.sub(_REPEATED_QUERY, "", str(body["error"]))
        named = isinstance(kind, str) and not kind.isdecimal()
        return f"{kind}: {text}" if named else text
    if is_html(response):
        return "an HTML page"
    return response.text


def _texts(value: object) -> tuple[str, ...]:
    """Return every text of a list; other values become one text, so that nothing is lost."""
    if isinstance(value, list):
        return tuple(map(str, value))
    return (str(value),) if value else ()
