"""The refusals of a code host, in its own words, with what may be missing."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import requests

from gate.hosts import Purpose
from gate.http import http_date, json_object, retry_after
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
