"""Answers of the API that come in pages, each of which names the next one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from gate.backends.platforms.api import Api, Call, JsonObject
from gate.measure import Cause, MeasurementError

_NEXT: Final = "nextPageToken"
_PARALLEL: Final = 8
"""Requests under way at once."""


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
