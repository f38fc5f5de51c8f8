"""An HTTP response read: the server's answer, or why it is none.

Formats: https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from requests import Response

from gate.backends.prometheus.failure import Failure, Remedy
from gate.backends.prometheus.reading import Reply

_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_TRANSIENT: Final = frozenset({429, 502, 503, 504})
_REMEDIES: Final = {
    400: Remedy.SEPARATE,
    401: Remedy.GIVE_UP,
    403: Remedy.GIVE_UP,
    404: Remedy.GIVE_UP,
    413: Remedy.SMALLER,
    422: Remedy.SEPARATE,
    504: Remedy.SMALLER,
}
_TOO_LARGE: Final = re.compile(
    # Prometheus' engine; VictoriaMetrics' -search.max... flags; Mimir's and Thanos' limits.
    # With spaces, since VictoriaMetrics repeats the query, and a metric may be named so.
    r"too many (?:samples|points|series|chunks)|timed out|timeout exceeded|-search\.max"
    r"|not enough memory|exceed(?:s|ed) (?:the |\w+ )?(?:limit|maximum)|hit the max",
    re.IGNORECASE,
)
_REPEATED_QUERY: Final = re.compile(r"error when executing query=.* for \(time=\d+, step=\d+\): ")
_LONGEST: Final = 300


def read_response(response: Response, now: datetime) -> Reply | Failure:
    """Read a response whose body is complete; ``now`` is for a Retry-After that is a date."""
    status = response.status_code
    if status in _REDIRECTS:
        host = urlsplit(response.headers.get("Location", "")).hostname or "itself"
        reason = f"it redirects to {host}: probably a login page ({status})"
        return Failure(reason=reason, remedy=Remedy.GIVE_UP)
    body = _body(response)
    if status == _OK:
        return _answer(response, body)
    return _refusal(response, body, now)


def _body(response: Response) -> Mapping[str, Any] | None:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _answer(response: Response, body: Mapping[str, Any] | None) -> Reply | Failure:
    if body is None and _is_html(response):
        reason = "it answers with an HTML page: probably a login page, or not the API's url"
        return Failure(reason=reason, remedy=Remedy.GIVE_UP)
    if body is None:
        return Failure(reason="its answer is no JSON, or was cut off")
    if body.get("status") != "success":
        return Failure(reason=_words(response, body) or "its answer does not say success")
    match body.get("data"):
        case {"resultType": str(kind), "result": list(result)}:
            warnings = _texts(body.get("warnings"))
            if body.get("isPartial") is True:  # VictoriaMetrics, cluster version
                warnings += ("a part of the storage did not answer",)
            notes = _texts(body.get("infos"))
            return Reply(kind=kind, result=result, warnings=warnings, notes=notes)
        case _:
            return Failure(reason="its answer holds no result")


def _refusal(response: Response, body: Mapping[str, Any] | None, now: datetime) -> Failure:
    status, words = response.status_code, _words(response, body)
    too_large = bool(_TOO_LARGE.search(words)) or _error_type(body) == "timeout"
    remedy = Remedy.SMALLER if too_large else _REMEDIES.get(status, Remedy.NONE)
    name = f"{status} {response.reason or ''}".strip()
    return Failure(
        reason=f"{name}: {words}" if words else name,
        remedy=remedy,
        transient=status in _TRANSIENT and not too_large,
        wait=_wait(response.headers.get("Retry-After", ""), now),
    )


def _wait(text: str, now: datetime) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""
    if text.strip().isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max((date - now).total_seconds(), 0.0)


def _error_type(body: Mapping[str, Any] | None) -> object:
    return None if body is None else body.get("errorType")


def _words(response: Response, body: Mapping[str, Any] | None) -> str:
    if body is not None and body.get("error"):
        kind = _error_type(body)
        text = _REPEATED_QUERY.sub("", str(body["error"]))
        named = isinstance(kind, str) and not kind.isdecimal()
        return _short(f"{kind}: {text}" if named else text)
    if _is_html(response):
        return "an HTML page"
    return _short(response.text)


def _is_html(response: Response) -> bool:
    return (
        "html" in response.headers.get("Content-Type", "").lower()
        or response.content.lstrip()[:1] == b"<"
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= _LONGEST:
        return line
    # The cause is named at the end by VictoriaMetrics, at the start by others.
    return f"{line[: _LONGEST // 3]} ... {line[-_LONGEST * 2 // 3 :]}"


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_short(str(text)) for text in value) if isinstance(value, list) else ()
