"""The SLOs of an organization: looked up by exact name or id, with their objectives."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any, Final

from gate.backends.datadog.history import METRIC, granted_by
from gate.backends.datadog.values import invalid, listed, mapping, number, refusals, shown
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import ApiError, Call, JsonObject
from gate.backends.platforms.platform import no_slo, several_slos
from gate.measure import Cause, Definition, MeasurementError, Promise, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import RollingWindow, Window

_ID: Final = re.compile(r"[0-9a-f]{32}")
_PAGE: Final = 1000
"""SLOs of a page: https://docs.datadoghq.com/api/latest/service-level-objectives/get-all-slos/"""
_BATCH: Final = 50
"""The number of ids in one request, so that its address stays short."""
_DAYS: Final = re.compile(r"([1-9][0-9]{0,3})d")
_LEAST: Final = Fraction(1, 100)
"""The maximum of a target that is a share of 1 instead of a percentage."""
_CUSTOM: Final = "custom"
_ABSENT: Final = "it may have been deleted, or be of another organization"
_NOT_THERE: Final = frozenset({400, 404})
"""The statuses of Datadog's answer if one of several ids is unknown or malformed."""
_PATH: Final = "/api/v1/slo"
_NOTES: Final = {
    "monitor": "counted in seconds, by the states of the SLO's monitors",
    "time_slice": "counted in seconds, by time slices",
}
_NO_DATA: Final = {
    METRIC: "Datadog counts time without data as time without events",
    "monitor": "Datadog counts time without data as up or down, as the monitor is set; the gate"
    " leaves out what the history reports as no data",
    "time_slice": "Datadog counts time without data as up; the gate leaves it out",
}


class SloCatalog:
    """The SLOs of one organization."""

    def __init__(self, api: Api, parallel: int) -> None:
        """Prepare; ``parallel`` is the maximum number of concurrent requests."""
        self._api, self._parallel = api, parallel

    def define(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return Datadog's definition for each indicator, in order.

        Raises:
            MeasurementError: the SLOs could not be listed, or not all of them.
        """
        wanted = dict.fromkeys(sli.slo or "" for sli in slis)
        entries = self._by_id([name for name in wanted if _ID.fullmatch(name)])
        rest = [name for name in wanted if name not in entries]
        every = list(self._all()) if rest else []
        named: dict[str, list[Mapping[str, Any]]] = {name: [] for name in rest}
        for entry in every:
            name = entry.get("name")
            if isinstance(name, str) and name in named:
                named[name].append(entry)
        names = [str(entry.get("name")) for entry in every]
        return [
            _defined(sli, [entries[sli.slo]] if sli.slo in entries else named[sli.slo or ""], names)
            for sli in slis
        ]

    def _by_id(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the SLOs with these ids."""
        batches = [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]
        calls = [Call(path=_PATH, params={"ids": ",".join(batch)}) for batch in batches]
        entries = dict[str, Mapping[str, Any]]()
        single = list[str]()
        answers = self._api.ask_all(calls, self._parallel) if calls else []
        for batch, answer in zip(batches, answers, strict=True):
            if isinstance(answer, ApiError):
                if answer.status not in _NOT_THERE:
                    raise answer
                single += batch
            else:
                entries |= {entry["id"]: entry for entry in _entries(answer)}
        entries |= self._each(single)
        return {each: entries[each] for each in ids if each in entries}

    def _each(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the SLOs with these ids, requested one by one."""
        calls = [Call(path=f"{_PATH}/{each}") for each in ids]
        entries = dict[str, Mapping[str, Any]]()
        answers = self._api.ask_all(calls, self._parallel) if calls else []
        for each, answer in zip(ids, answers, strict=True):
            if not isinstance(answer, ApiError):
                _refuse_errors(answer)
                entry = mapping(answer.get("data"), "data")
                if entry.get("id") != each:
                    raise invalid(f"the SLO {each} is answered with {shown(entry.get('id'))}")
                entries[each] = entry
            elif answer.status not in _NOT_THERE:
                raise answer
        return entries

    def _all(self) -> Iterator[Mapping[str, Any]]:
        """Yield every SLO once, page by page: a page may be shorter than requested."""
        seen, offset = set[str](), 0
        while True:
            params = {"limit": str(_PAGE), "offset": str(offset)}
            answer = self._api.ask(Call(path=_PATH, params=params))
            page = _entries(answer)
            new = [entry for entry in page if entry["id"] not in seen]
            yield from new
            seen |= {entry["id"] for entry in new}
            offset += len(page)
            count = _count(answer)
            if not new and isinstance(count, int) and count > len(seen):
                reason = (
                    f"Datadog lists {len(seen)} of its {count} SLOs, so that any may be missing"
                )
                raise MeasurementError(Cause.PARTIAL, reason)
            if not new or len(seen) == count:
                return


def _entries(answer: JsonObject) -> Sequence[Mapping[str, Any]]:
    """Return the SLOs in an answer; raises MeasurementError if they cannot be read."""
    _refuse_errors(answer)
    entries = [mapping(entry, "data") for entry in listed(answer.get("data"), "data")]
    for entry in entries:
        if not isinstance(entry.get("id"), str):
            raise invalid(f"the id of an SLO is {shown(entry.get('id'))}")
    return entries


def _count(answer: JsonObject) -> Any:
    """Return the number of SLOs according to the answer; None: not stated."""
    metadata = answer.get("metadata")
    page = metadata.get("page") if isinstance(metadata, dict) else None
    return page.get("total_filtered_count") if isinstance(page, dict) else None


def _refuse_errors(answer: JsonObject) -> None:
    if words := refusals(answer):
        message = f"Datadog lists its SLOs with errors beside the status 200: {words}"
        raise MeasurementError(Cause.BACKEND_ERROR, message)


def _defined(
    sli: Sli, entries: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> Definition | Unmeasured:
    name = sli.slo or ""
    if not entries:
        return no_slo("Datadog", name, names, _ABSENT).answer()
    if len(entries) > 1:
        return several_slos("Datadog", name, [entry["id"] for entry in entries]).answer()
    try:
        return read_definition(entries[0])
    except MeasurementError as error:
        return error.answer()


def read_definition(entry: Mapping[str, Any]) -> Definition:
    """Return the definition of an SLO in Datadog.

    Raises:
        MeasurementError: its type or an objective cannot be read.
    """
    kind = str(entry.get("type"))
    granted = granted_by(entry.get("type"))
    promises, notes = dict[Window, Promise](), list[str]()
    for promise in _promises(entry):
        if isinstance(promise, str):
            notes.append(promise)
        elif promises.setdefault(promise.window, promise) != promise:
            raise invalid(f"the SLO has two objectives over {promise.window}")
    if not promises:
        reason = "; ".join(notes) or "it has no thresholds"
        raise invalid(f"the SLO {entry.get('name')!r} has no objective that gate can use: {reason}")
    if kind in _NOTES:
        notes.append(_NOTES[kind])
    if groups := entry.get("groups"):
        notes.append(f"only of the groups {', '.join(map(str, listed(groups, 'groups')))}")
    return Definition(
        id=str(entry.get("id")),
        name=str(entry.get("name") or entry.get("id")),
        promises=tuple(promises.values()),
        granted=granted,
        no_data=_NO_DATA[kind],
        notes=tuple(notes),
    )


def _promises(entry: Mapping[str, Any]) -> Iterator[Promise | str]:
    """Yield the promise of each threshold, or why the gate cannot use it."""
    thresholds = entry.get("thresholds")
    if not thresholds and entry.get("timeframe"):
        thresholds = [{"timeframe": entry["timeframe"], "target": entry.get("target_threshold")}]
    for threshold in listed(thresholds or [], "thresholds"):
        values = mapping(threshold, "thresholds")
        frame = values.get("timeframe")
        if frame == _CUSTOM:
            continue
        target = number(values.get("target"), "target") / 100
        days = _DAYS.fullmatch(frame) if isinstance(frame, str) else None
        if days is None:
            yield f"its timeframe {shown(frame)} is not a number of days"
        elif 0 < target <= _LEAST:
            yield (
                f"{float(target * 100):g}% over {frame} is too low; a target is a percentage"
                " such as 99.9"
            )
        elif not 0 < target < 1:
            yield f"{float(target * 100):g}% over {frame} is not an objective with a budget"
        else:
            window = RollingWindow(timedelta(days=int(days[1])))
            yield Promise(window=window, objective=target)
