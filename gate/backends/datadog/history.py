"""Datadog's history of an SLO over one stretch of time, checked.

``GET /api/v1/slo/{id}/history``:
https://docs.datadoghq.com/api/latest/service-level-objectives/get-an-slos-history/
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from gate.backends.datadog.buckets import EventBuckets, read_buckets
from gate.backends.datadog.timeline import UptimeTimeline, read_timeline
from gate.backends.datadog.values import (
    EpochWindow,
    invalid,
    listed,
    mapping,
    number,
    refusals,
    shown,
    shown_instant,
)
from gate.dataclass import dataclass
from gate.measure import Cause, Granted, MeasurementError

METRIC: Final = "metric"
TYPES: Final = {
    METRIC: Granted.EVENTS,
    "monitor": Granted.SECONDS,
    "time_slice": Granted.SECONDS,
}
"""The types of SLOs, and the units of their budgets."""
DECIMALS: Final = 2
"""The number of valid decimals of an SLI in percent if Datadog does not state it: the smallest that
it promises for any window (https://docs.datadoghq.com/service_level_objectives/monitor/)."""
_MOST_DECIMALS: Final = 6
_NO_EVENTS: Final = "ZERO_VALUED_DENOMINATOR"
"""The type of the error with which Datadog says that there were no events."""
_ROUNDED: Final = Fraction(2, 100_000)
"""The percentage points that are lost in a 32-bit float."""
_CUT: Final = 300
"""The number of seconds by which the window of an answer may differ: Datadog counts in steps of
five minutes."""
_BESIDE: Final = 10
"""The maximum share of a window that an answer may miss: a tenth. For a window of minutes, those
five minutes would be all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Datadog's own result for a stretch of time."""

    sli: Fraction | None
    """The good share, 0 to 1; None: the answer has none."""
    error: Fraction
    """Half a unit of the last valid decimal."""
    corrections: bool | None
    """Whether corrections were applied; None: the answer does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One answer with a history."""

    kind: str | None
    """The type of the SLO; None: the answer does not say."""
    window: EpochWindow
    past: EventBuckets | UptimeTimeline | None
    """None: Datadog reports no counts, only its own SLI."""
    reported: Reported
    warnings: tuple[str, ...]
    """The reasons why the answer is partial."""


def read_history(
    body: Mapping[str, Any], window: EpochWindow, granted: Granted, group: str | None
) -> History:
    """Return the history in an answer for the requested stretch of time.

    Args:
        body: the body of the answer.
        window: the requested window.
        granted: the counted unit by the SLO's definition.
        group: the group or monitor of the SLO; None: the whole SLO.

    Raises:
        MeasurementError: it has no valid counts; with the reason.
    """
    _check_errors(body)
    data = mapping(body.get("data"), "data")
    _check_errors(data)
    kind = data.get("type")
    if kind is not None and granted_by(kind) is not granted:
        raise invalid(f"the SLO's type is {kind}, which its definition does not say")
    overall = _part(data, group)
    past: EventBuckets | UptimeTimeline | None = None
    message = None
    if granted is Granted.SECONDS:
        _check_known(overall, silent=False)
        past = read_timeline(overall.get("history"), window)
    elif group is None:
        series = mapping(data.get("series"), "series")
        past, message = read_buckets(series, window), series.get("message")
        _check_known(overall, silent=not past.tally.total)
    else:
        _check_known(overall, silent=False)
    return History(
        kind=kind,
        window=window,
        past=past,
        reported=_reported(overall),
        warnings=tuple(_warnings(data, overall, message, window)),
    )


def granted_by(kind: Any) -> Granted:
    """Return the unit of the budget for a type of SLO; raises MeasurementError."""
    if not isinstance(kind, str) or kind not in TYPES:
        raise invalid(f"the SLO's type is {shown(kind)}; gate knows {', '.join(TYPES)}")
    return TYPES[kind]


def _check_errors(body: Mapping[str, Any]) -> None:
    if words := refusals(body):
        message = f"Datadog answers with errors beside the status 200: {words}"
        raise MeasurementError(Cause.BACKEND_ERROR, message)


def _part(data: Mapping[str, Any], group: str | None) -> Mapping[str, Any]:
    """Return the part of an answer for a group or monitor, or for the whole SLO."""
    if group is None:
        return mapping(data.get("overall"), "overall")
    parts = _parts(data)
    named = [part for part in parts if group in (part.get("group"), part.get("name"))]
    if len(named) == 1:
        return named[0]
    if named:
        raise invalid(f"{len(named)} groups or monitors are named {group!r}")
    names = sorted({str(part.get("group") or part.get("name")) for part in parts})
    others = f"it has {', '.join(names)}" if names else "Datadog reports no groups for this SLO"
    reason = f"the SLO has no group or monitor {group!r}; {others}"
    raise MeasurementError(Cause.NO_DATA if names else Cause.INVALID, reason)


def _parts(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the parts of an answer that are each for one group, or one monitor, of the SLO."""
    return [
        part
        for key in ("groups", "monitors")
        for part in listed(data.get(key) or [], key)
        if isinstance(part, dict)
    ]


def _check_known(overall: Mapping[str, Any], *, silent: bool) -> None:
    """Refuse an answer with errors, or without data.

    Args:
        overall: the part of the answer.
        silent: whether it has a count of events, which is zero.
    """
    if _kinds_of_errors(overall) - ({_NO_EVENTS} if silent else set()):
        message = f"Datadog could not compute the SLO: {refusals(overall)}"
        raise MeasurementError(Cause.BACKEND_ERROR, message)
    if silent:
        reason = (
            "Datadog counts no event in the window: none happened, or none was reported;"
            " Datadog does not distinguish the two"
        )
        raise MeasurementError(Cause.NO_TRAFFIC, reason)
    if "sli_value" in overall and overall["sli_value"] is None:
        reason = "Datadog has no SLI for the window (sli_value is null)"
        raise MeasurementError(Cause.NO_DATA, reason)
    if str(overall.get("state")).lower() == "no_data":
        raise MeasurementError(Cause.NO_DATA, "Datadog says that it has no data (state no_data)")


def _reported(overall: Mapping[str, Any]) -> Reported:
    key = "sli_value" if "sli_value" in overall else "uptime"
    corrections = overall.get("corrections")
    sli = None
    if key in overall:
        percent = number(overall[key], key)
        if not -_ROUNDED <= percent <= 100 + _ROUNDED:
            raise invalid(f"{key} is {float(percent)}, which is not between 0 and 100")
        sli = min(max(percent, Fraction(0)), Fraction(100)) / 100
    return Reported(
        sli=sli,
        error=half_a_unit(overall.get("span_precision")),
        corrections=bool(corrections) if isinstance(corrections, list) else None,
    )


def half_a_unit(decimals: Any) -> Fraction:
    """Return the possible error of a share whose percentage has this number of decimals."""
    if isinstance(decimals, bool) or not isinstance(decimals, int | float):
        decimals = DECIMALS
    whole = int(decimals) if 0 <= decimals <= _MOST_DECIMALS else DECIMALS
    return Fraction(1, 2 * 100 * 10**whole)


def _unknown_parts(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the problems of groups or monitors; a group without events has no problem."""
    for part in _parts(data):
        if part.get("preview") or _kinds_of_errors(part) - {_NO_EVENTS}:
            words = refusals(part) or "its past is still replayed (preview)"
            name = shown(part.get("group") or part.get("name"))
            yield f"Datadog does not know all of {name}: {words}"


def _kinds_of_errors(part: Mapping[str, Any]) -> set[str]:
    """Return the types of the errors in a part of an answer; empty without errors."""
    errors = listed(part.get("errors") or [], "errors")
    return {str(error.get("error_type")) if isinstance(error, dict) else "" for error in errors}


def _warnings(
    data: Mapping[str, Any], overall: Mapping[str, Any], message: Any, window: EpochWindow
) -> Sequence[str]:
    """Return the reasons why an answer is partial.

    Raises:
        MeasurementError: it is for a time outside of a short window.
    """
    warnings = list[str]()
    if overall.get("preview"):
        warnings.append(
            "Datadog still replays the past of the SLO's monitor (preview), and the numbers will"
            " change"
        )
    if overall is data.get("overall"):
        warnings += _unknown_parts(data)
    if message:
        warnings.append(f"Datadog warns of its query: {message}")
    for key, wanted in (("from_ts", window.start), ("to_ts", window.end)):
        value = data.get(key)
        if value is None:
            continue
        answered = number(value, key)
        words = (
            f"Datadog answers for another window: {key} is {shown_instant(answered)}, and"
            f" {shown_instant(wanted)} was requested"
        )
        if abs(answered - wanted) > _CUT:
            warnings.append(words)
        elif abs(answered - wanted) * _BESIDE > window.length:
            raise MeasurementError(Cause.NO_DATA, words)
    return warnings
