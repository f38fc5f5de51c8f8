"""How Google's APIs answer: in pages of which each names the next one, or with a refusal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from gate.backends.platforms.api import Api, Call, Dialogue, JsonObject
from gate.measure import Cause, MeasurementError

_NEXT: Final = "nextPageToken"
_PARALLEL: Final = 8
"""Requests under way at once."""
_REASON: Final = "type.googleapis.com/google.rpc.ErrorInfo"
"""https://cloud.google.com/apis/design/errors#error_info"""
_SHOWN: Final = ("permission", "service", "quota_limit", "consumer")
"""What is shown of the metadata of an ErrorInfo; the rest repeats it."""


def ask_pages(api: Api, calls: Sequence[Call]) -> list[list[JsonObject] | MeasurementError]:
    """Return all pages of each answer, in order, or why there is none.

    The first pages of all come at the same time, then the second ones of those that have one.
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
    """Return the token of the page after the last of these; empty: there is none."""
    tokens = [page.get(_NEXT) or "" for page in pages]
    if not isinstance(tokens[-1], str):
        raise MeasurementError(Cause.INVALID, f"{_NEXT} is not a text, so that pages are missing")
    if tokens[-1] and tokens[-1] in tokens[:-1]:
        reason = f"the answer names the same next page again, after {len(pages)} pages"
        raise MeasurementError(Cause.PARTIAL, reason)
    return tokens[-1]


def objects_in(answer: Mapping[str, Any], key: str) -> list[JsonObject]:
    """Return the list of objects that an answer has under a key; it is empty where it has none.

    Raises:
        MeasurementError: there is something else.
    """
    listed = answer.get(key)
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise MeasurementError(Cause.INVALID, f"{key} of the answer is not a list of objects")
    return listed


def words_of(body: JsonObject) -> str:
    """Return what a refusal says: its status, its message, and the reason among its details."""
    error = body.get("error")
    if not isinstance(error, dict):
        return error if isinstance(error, str) else ""
    parts = (error.get("status"), error.get("message"), *_reasons(error.get("details")))
    return ": ".join(part for part in parts if isinstance(part, str) and part)


def _reasons(details: Any) -> Iterator[str]:
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("@type") == _REASON:
            metadata = detail.get("metadata")
            said: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
            more = ", ".join(f"{key} {said[key]}" for key in _SHOWN if said.get(key))
            yield f"{detail.get('reason')} ({more})" if more else str(detail.get("reason"))


DIALOGUE: Final = Dialogue(
    words=words_of,
    hints={
        400: "run gate doctor gate.yaml, and check the full name of the SLO",
        401: "renew the access token, or log in with google-github-actions/auth; its scope must be"
        " monitoring.read",
        403: "grant the account roles/monitoring.viewer on the project, and see that the Cloud"
        " Monitoring API is enabled there; the login of a person also needs quota_project",
        404: "check backend.project and the full name of the SLO",
        429: "wait a minute, or raise the project's quota of the Cloud Monitoring API",
    },
)
"""What to do about each status; each remedy names what the message does not."""
