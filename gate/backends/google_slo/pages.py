"""The form of answers of Google's APIs: pages that each name the next one, or a refusal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import Call, Dialogue, JsonObject
from gate.measure import Cause, MeasurementError

_NEXT: Final = "nextPageToken"
_PARALLEL: Final = 8
"""The maximum number of concurrent requests."""
_REASON: Final = "type.googleapis.com/google.rpc.ErrorInfo"
"""https://cloud.google.com/apis/design/errors#error_info"""
_SHOWN: Final = ("permission", "service", "quota_limit", "consumer")
"""The metadata of an ErrorInfo that messages show."""


def ask_pages(api: Api, calls: Sequence[Call]) -> list[list[JsonObject] | MeasurementError]:
    """Return all pages of each answer, in order, or the error in their place.

    The first pages of all are requested at the same time, then the second ones of those that have
    one.
    """
    pages: list[list[JsonObject]] = [[] for _ in calls]
    failures = dict[int, MeasurementError]()
    waiting = dict(enumerate(calls))
    while waiting:
        answers = api.ask_all(list(waiting.values()), _PARALLEL)
        asked_for, waiting = waiting, {}
        for (place, call), answer in zip(asked_for.items(), answers, strict=True):
            if isinstance(answer, MeasurementError):
                failures[place] = answer
                continue
            pages[place].append(answer)
            if answer.get("error"):
                words = api.words(words_of(answer) or "an error without words")
                reason = f"the answer has an error beside the status 200: {words}"
                failures[place] = MeasurementError(Cause.BACKEND_ERROR, reason)
                continue
            try:
                following = _following(pages[place])
            except MeasurementError as error:
                failures[place] = error
                continue
            if following:
                params = {**(call.params or {}), "pageToken": following}
                waiting[place] = replace(call, params=params)
    return [failures.get(place, own) for place, own in enumerate(pages)]


def _following(pages: Sequence[JsonObject]) -> str:
    """Return the token of the page after the last of these; empty after the last page."""
    tokens = [page.get(_NEXT) or "" for page in pages]
    if not isinstance(tokens[-1], str):
        raise MeasurementError(Cause.INVALID, f"{_NEXT} is not a text, so that pages are missing")
    if tokens[-1] and tokens[-1] in tokens[:-1]:
        reason = f"the answer names the same next page again, after {len(pages)} pages"
        raise MeasurementError(Cause.PARTIAL, reason)
    return tokens[-1]


def objects_in(answer: Mapping[str, Any], key: str) -> list[JsonObject]:
    """Return the list of objects under a key in an answer; empty if it is missing.

    Raises:
        MeasurementError: the value has another type.
    """
    listed = answer.get(key)
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise MeasurementError(Cause.INVALID, f"{key} of the answer is not a list of objects")
    return listed


def missing_in(page: Mapping[str, Any]) -> Iterator[str]:
    """Yield the missing data that the API reports in an answer with the status 200."""
    errors, regions = page.get("executionErrors"), page.get("unreachable")
    for error in errors if isinstance(errors, list) else [errors] if errors else []:
        message = error.get("message") if isinstance(error, dict) else error
        yield f"the query had an error: {message or 'without words'}"
    for region in regions if isinstance(regions, list) else [regions] if regions else []:
        yield f"{region} cannot be reached"


def words_of(body: JsonObject) -> str:
    """Return the message of a refusal, and the names in its details: a permission, a quota."""
    error = body.get("error")
    if not isinstance(error, dict):
        return error if isinstance(error, str) else ""
    metadata = _error_info(body).get("metadata")
    said: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
    details = ", ".join(f"{key} {said[key]}" for key in _SHOWN if said.get(key))
    message = error.get("message")
    shown = message if isinstance(message, str) else ""
    return f"{shown} ({details})".strip() if details else shown


def kind_of(_headers: Mapping[str, str], body: JsonObject) -> str:
    """Return the reason of a refusal by its details, otherwise the name of its status."""
    error = body.get("error")
    named = (
        _error_info(body).get("reason"),
        error.get("status") if isinstance(error, dict) else "",
    )
    return next((text for text in named if isinstance(text, str) and text), "")


def _error_info(body: JsonObject) -> Mapping[str, Any]:
    error = body.get("error")
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("@type") == _REASON:
            return detail
    return {}


_VIEWER: Final = "grant the account roles/monitoring.viewer on the project"
DIALOGUE: Final = Dialogue(
    words=words_of,
    kind=kind_of,
    kinds={
        "SERVICE_DISABLED": "enable the Cloud Monitoring API (monitoring.googleapis.com) in the"
        " project that is named, or set quota_project for the login of a person",
        "IAM_PERMISSION_DENIED": _VIEWER,
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "use a token with the scope monitoring.read",
        "USER_PROJECT_DENIED": "set quota_project to a project in which the account has"
        " roles/serviceusage.serviceUsageConsumer",
    },
    hints={
        400: "run gate doctor gate.yaml, and check the full name of the SLO",
        401: "renew the access token, or log in with google-github-actions/auth; its scope must be"
        " monitoring.read",
        403: _VIEWER,
        404: "check backend.project and the full name of the SLO",
        429: "wait a minute, or raise the project's quota of the Cloud Monitoring API",
    },
)
"""The remedy for each refusal: https://cloud.google.com/apis/design/errors"""
