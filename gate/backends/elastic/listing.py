"""The list of Kibana's SLOs: requested by name or id, with all of its pages."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gate.backends.elastic.definitions import ListedSlo
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import ApiError, Call, JsonObject

SLOS: Final = "/api/observability/slos"
"""https://www.elastic.co/docs/api/doc/kibana/operation/operation-findslosop"""
AT_ONCE: Final = 4
"""The maximum number of concurrent requests."""
_IN_ONE_PAGE: Final = 1000
"""The number of SLOs on one page; Kibana allows 5000."""
_MOST_LISTED: Final = 9 * _IN_ONE_PAGE
"""The maximum number of listed SLOs: Kibana requests twice a page from Elasticsearch, which shows
at most 10,000; beyond that Kibana answers with an empty page."""
_LONGEST_QUERY: Final = 3000
"""The maximum number of characters of a query for names: addresses of more than 16,000 bytes are
refused."""


class SloList:
    """The SLOs that one space of a Kibana lists."""

    def __init__(self, api: Api, shown: str) -> None:
        """Prepare; ``shown`` is the space in messages."""
        self._api, self._shown = api, shown

    def entries(self, names: Sequence[str]) -> dict[str, list[ListedSlo] | ApiError]:
        """Return Kibana's entries for each name or id, or the error in their place.

        An SLO with several groups has an entry for each.
        """
        batches = list(_batches(list(dict.fromkeys(names))))
        firsts = self._api.ask_all([_find(batch, 1) for batch in batches], AT_ONCE)
        listed = dict[str, list[ListedSlo] | ApiError]()
        for batch, first in zip(batches, firsts, strict=True):
            answer = first if isinstance(first, ApiError) else self._whole(batch, first)
            listed |= dict.fromkeys(batch, answer)
        return listed

    def _whole(self, names: Sequence[str], first: JsonObject) -> list[ListedSlo] | ApiError:
        """Return a list with all of its pages."""
        total, page = first.get("total"), first.get("results")
        if not isinstance(total, int) or isinstance(total, bool) or not isinstance(page, list):
            return self._unreadable("the list of SLOs has no total or no results")
        if total > _MOST_LISTED:
            return self._unreadable(
                f"{total} SLOs and groups match these names, and not all of them are listed"
            )
        numbers = range(1, -(-total // _IN_ONE_PAGE) + 1)
        more = self._api.ask_all([_find(names, number) for number in numbers[1:]], AT_ONCE)
        entries = list[Any]()
        for number, answer in zip(numbers, (first, *more), strict=False):
            if isinstance(answer, ApiError):
                return answer
            results = answer.get("results")
            if isinstance(results, list) and answer.get("page", number) == number:
                entries += results
        # If a page is missing, or Kibana or a proxy has smaller ones, another SLO of the same name
        # may be missing.
        if len(entries) < total:
            return self._unreadable(f"of {total} SLOs and instances only a part is listed")
        return [entry for entry in entries if isinstance(entry, Mapping)]

    def _unreadable(self, reason: str) -> ApiError:
        return ApiError(f"{self._shown}: {reason}; write ids in place of names", None)


def _batches(names: Sequence[str]) -> Iterator[list[str]]:
    """Yield the names, at least one, in groups whose query is short enough for an address."""
    batch, length = list[str](), 0
    for name in names:
        size = len(question_for(name))
        if batch and length + size > _LONGEST_QUERY:
            yield batch
            batch, length = [], 0
        batch.append(name)
        length += size
    yield batch


def _find(names: Sequence[str], page: int) -> Call:
    query = " or ".join(question_for(name) for name in names)
    return Call(
        path=SLOS,
        params={"kqlQuery": query, "page": str(page), "perPage": str(_IN_ONE_PAGE)},
    )


def question_for(text: str) -> str:
    """Return the query, in Kibana's query language, for the SLO with a name or an id."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'slo.name: "{escaped}" or slo.id: "{escaped}"'
