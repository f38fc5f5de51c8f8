"""The definitions of SLOs in Kibana, looked up by name or id.

The fields are those of ``slo_with_summary_response`` of
https://www.elastic.co/docs/api/doc/kibana/operation/operation-findslosop
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.backends.platforms.messages import finite, timestamp
from gate.backends.platforms.platform import listing, no_slo, several_slos
from gate.dataclass import dataclass
from gate.measure import Cause, Definition, Granted, MeasurementError, Promise
from gate.slo.calendar import Period
from gate.slo.indicator import Sli
from gate.slo.objective import CalendarWindow, RollingWindow, Window

ALL: Final = "*"
"""The instance of an SLO that is not grouped."""
_LENGTH: Final = re.compile(r"([0-9]{1,6})([mhdwM])")
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_PERIODS: Final = {"1d": Period.DAY, "1w": Period.WEEK, "1M": Period.MONTH}
_LONGEST: Final = timedelta(days=36525)
"""A century: an instant minus this is still a valid date."""
_SPACE: Final = "this space of Kibana"
_NO_SLICES: Final = "occurrences: minutes without events count as nothing"
_SLICES: Final = (
    "timeslices: Kibana takes a slice without data for good; the gate counts only slices with data"
)
_DEFINED: Final = ("enabled", "objective", "timeWindow", "budgetingMethod", "groupBy")
"""The fields that all instances of an SLO share."""
ListedSlo = Mapping[str, Any]
"""An SLO, or an instance of one, in Kibana's list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KibanaSlo:
    """One SLO, or one instance of it, in the form of a request."""

    definition: Definition
    instance: str
    """`ALL` if it is not grouped."""
    slice: timedelta | None
    """The length of its timeslices; None: it counts occurrences."""
    updated: datetime | None
    """The time at which Kibana last wrote its own summary, which it does for new data; None: never,
    or not reported by an older Kibana."""

    @property
    def window(self) -> Window:
        """Its single window."""
        return self.definition.promises[0].window


def slo_of(sli: Sli, entries: Sequence[ListedSlo]) -> KibanaSlo:
    """Return the SLO that an indicator names, among those that Kibana lists.

    Raises:
        MeasurementError: no SLO matches, several match, or the SLO cannot be counted.
    """
    matching = [entry for entry in entries if sli.slo in (entry.get("id"), entry.get("name"))]
    here = [entry for entry in matching if not entry.get("remote")]
    if not all(isinstance(entry.get("id"), str) for entry in here):
        raise _unreadable(sli, "id")
    ids = sorted({str(entry["id"]) for entry in here})
    if sli.slo in ids:  # an id takes precedence over a name
        ids = [sli.slo]
    if not ids and matching:
        raise MeasurementError(
            Cause.INVALID,
            f'the SLO "{sli.slo}" is kept by another cluster ({_remote(matching[0])}); write the'
            " address of that cluster's Kibana as url",
        )
    if not ids:
        names = [name for entry in entries if isinstance(name := entry.get("name"), str)]
        raise no_slo(_SPACE, str(sli.slo), names, "a new SLO is listed after some minutes")
    if len(ids) > 1:
        raise several_slos(_SPACE, str(sli.slo), ids)
    return _read(sli, [entry for entry in here if entry.get("id") == ids[0]])


def _read(sli: Sli, entries: Sequence[ListedSlo]) -> KibanaSlo:
    """Read one SLO, which has an entry for each instance."""
    first = entries[0]
    for key in _DEFINED:
        if any(entry.get(key) != first.get(key) for entry in entries):
            raise MeasurementError(
                Cause.INVALID,
                f'the SLO "{sli.slo}" is listed several times, with {key} not always the same:'
                " it was changed meanwhile; run the check again",
            )
    if first.get("enabled") is not True:
        raise MeasurementError(
            Cause.STALE,
            f'the SLO "{sli.slo}" is disabled, so that Kibana counts nothing new for it',
        )
    instance, entry = _instance(sli, entries)
    slices, objective = _budgeting(sli, first)
    name = f"{first.get('name')}" + ("" if instance == ALL else f" ({instance})")
    window = _window(sli, first.get("timeWindow"))
    definition = Definition(
        id=str(first["id"]),
        name=name,
        promises=(Promise(window=window, objective=objective),),
        granted=Granted.EVENTS if slices is None else Granted.SECONDS,
        to_date=isinstance(window, CalendarWindow) and slices is None,
        no_data=_NO_SLICES if slices is None else _SLICES,
    )
    return KibanaSlo(
        definition=definition, instance=instance, slice=slices, updated=_updated(sli, entry)
    )


def _updated(sli: Sli, entry: ListedSlo) -> datetime | None:
    """Return when the summary was last written; None: never, or not reported."""
    summary = entry.get("summary")
    if not isinstance(summary, Mapping):
        raise _unreadable(sli, "summary")
    written = summary.get("summaryUpdatedAt")
    updated = timestamp(written)
    if updated is None and written is not None:
        raise _unreadable(sli, "summaryUpdatedAt")
    return updated


def _instance(sli: Sli, entries: Sequence[ListedSlo]) -> tuple[str, ListedSlo]:
    """Return the requested instance, and its entry."""
    grouping = entries[0].get("groupBy", ALL)
    fields = [str(name) for name in (grouping if isinstance(grouping, list) else [grouping])]
    if ALL in fields or not fields:
        if sli.group is None:
            return ALL, entries[0]
        raise MeasurementError(
            Cause.INVALID, f'the SLO "{sli.slo}" is not grouped; remove group: {sli.group}'
        )
    instances = {str(entry.get("instanceId")): entry for entry in entries}
    instances.pop(ALL, None)  # an SLO is listed before it has instances
    by = ", ".join(fields)
    if sli.group is None:
        raise MeasurementError(
            Cause.INVALID,
            f'the SLO "{sli.slo}" has a budget for each {by}; write one of them as sli.group:'
            f" {listing(sorted(instances)) or 'none yet'}",
        )
    if sli.group not in instances:
        raise MeasurementError(
            Cause.NO_DATA,
            f'the SLO "{sli.slo}" has nothing for {by} "{sli.group}"; it has'
            f" {listing(sorted(instances)) or 'none yet'}",
        )
    return sli.group, instances[sli.group]


def _budgeting(sli: Sli, entry: ListedSlo) -> tuple[timedelta | None, Fraction]:
    """Return the length of the timeslices, if there are any, and the objective."""
    objective = entry.get("objective")
    target = finite(objective.get("target")) if isinstance(objective, Mapping) else None
    if target is None or not 0 < target < 1:
        raise _unreadable(sli, "objective")
    method = entry.get("budgetingMethod")
    if method == "occurrences":
        return None, target
    slices = _length(objective.get("timesliceWindow")) if isinstance(objective, Mapping) else None
    if method != "timeslices" or slices is None:
        raise _unreadable(sli, "budgetingMethod")
    return slices, target


def _window(sli: Sli, written: object) -> Window:
    """Read a time window; Kibana's calendar is that of UTC, and its weeks begin on Monday.

    https://www.elastic.co/docs/solutions/observability/incident-management/create-an-slo
    """
    window = written if isinstance(written, Mapping) else {}
    duration, kind = window.get("duration"), window.get("type")
    length = _length(duration)
    if kind == "rolling" and length is not None:
        return RollingWindow(length)
    period = _PERIODS.get(duration) if isinstance(duration, str) else None
    if kind == "calendarAligned" and period is not None:
        return CalendarWindow(period, UTC)
    raise MeasurementError(
        Cause.INVALID,
        f'the SLO "{sli.slo}" has a window that the gate does not know: {duration} {kind}; rolling'
        " days or weeks, and a calendar day, week or month, can be counted",
    )


def _length(text: object) -> timedelta | None:
    parts = _LENGTH.fullmatch(text) if isinstance(text, str) else None
    if parts is None or parts[2] not in _UNITS:
        return None
    length = int(parts[1]) * _UNITS[parts[2]]
    return length if timedelta() < length <= _LONGEST else None


def _unreadable(sli: Sli, key: str) -> MeasurementError:
    return MeasurementError(
        Cause.INVALID,
        f'the {key} of the SLO "{sli.slo}" cannot be read; see whether a newer Kibana writes it'
        " otherwise",
    )


def _remote(entry: ListedSlo) -> str:
    remote = entry.get("remote")
    return str(remote.get("remoteName")) if isinstance(remote, Mapping) else "not named"
