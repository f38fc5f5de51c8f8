"""The goal of an SLO of Google Cloud Monitoring, and the events that it counts."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.backends.platforms.messages import JsonObject
from gate.dataclass import dataclass
from gate.measure import Cause, Definition, Granted, MeasurementError, Promise
from gate.slo.calendar import Period
from gate.slo.objective import CalendarWindow, RollingWindow, Window
from gate.slo.quantities import format_duration

_SEGMENT: Final = r"[^/\"\\\s?#]+"
FULL_NAME: Final = re.compile(
    rf"projects/({_SEGMENT})/services/({_SEGMENT})/serviceLevelObjectives/({_SEGMENT})"
)
SERVICE_NAME: Final = re.compile(rf"{_SEGMENT}/{_SEGMENT}/services/{_SEGMENT}")
_SECONDS: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_PERIODS: Final = {
    "DAY": Period.DAY,
    "WEEK": Period.WEEK,
    "MONTH": Period.MONTH,
    "QUARTER": Period.QUARTER,
    "YEAR": Period.YEAR,
}
"""Weeks of both begin on Monday, and quarters in January: the enumeration CalendarPeriod."""
_ZONE: Final = (
    "calendar periods are taken to begin at midnight UTC: Google's reference names no time zone"
)
_NO_DATA: Final = "time without data has no events, neither good nor bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleSlo:
    """An SLO of Google Cloud Monitoring."""

    definition: Definition
    window_period: timedelta | None
    """The length of windows that are each good or bad; None: events are good or bad."""


def name_of(resource: Mapping[str, Any]) -> str:
    """Return the name of a service, or of an SLO.

    Raises:
        MeasurementError: it has none.
    """
    name = resource.get("name")
    if not isinstance(name, str) or not name:
        raise MeasurementError(Cause.INVALID, "a service, or an SLO, of the answer has no name")
    return name


def read_slo(slo: JsonObject, name: str) -> GoogleSlo:
    """Read the definition of an SLO; ``name`` is the requested name."""
    full_name = name_of(slo)
    wanted, answered = FULL_NAME.fullmatch(name), FULL_NAME.fullmatch(full_name)
    # The project may be a number in one name, and an ID in the other.
    if answered is None or (wanted is not None and wanted.groups()[1:] != answered.groups()[1:]):
        raise MeasurementError(Cause.INVALID, f"the SLO {name!r} is answered with {full_name!r}")
    shown = slo.get("displayName")
    goal = slo.get("goal")
    if isinstance(goal, bool) or not isinstance(goal, int | float) or not 0 < goal < 1:
        raise _unusable(full_name, f"its goal is {goal!r}, which is not between 0 and 1")
    window = _window(slo, full_name)
    period, counted = _counted(slo, full_name)
    definition = Definition(
        id=full_name,
        name=shown if isinstance(shown, str) and shown else full_name.rpartition("/")[2],
        promises=(Promise(window=window, objective=Fraction(repr(goal))),),
        granted=Granted.EVENTS if period is None else Granted.SECONDS,
        # The number of events at the period's end is unknown.
        to_date=isinstance(window, CalendarWindow) and period is None,
        no_data="" if period is not None else _NO_DATA,
        notes=(counted, *((_ZONE,) if isinstance(window, CalendarWindow) else ())),
    )
    return GoogleSlo(definition=definition, window_period=period)


def _unusable(name: str, what: str) -> MeasurementError:
    return MeasurementError(Cause.INVALID, f"the SLO {name} cannot be used: {what}")


def _window(slo: JsonObject, name: str) -> Window:
    """Return the compliance period."""
    rolling, calendar = slo.get("rollingPeriod"), slo.get("calendarPeriod")
    if (rolling is None) == (calendar is None):
        raise _unusable(name, "it must have either a rollingPeriod or a calendarPeriod")
    if rolling is not None:
        return RollingWindow(_duration(rolling, name, "rollingPeriod"))
    period = _PERIODS.get(calendar) if isinstance(calendar, str) else None
    if period is None:
        possible = ", ".join(_PERIODS)
        reason = f"its calendarPeriod is {calendar}; the gate can count {possible}"
        raise _unusable(name, reason)
    return CalendarWindow(period, UTC)


def _duration(text: Any, name: str, key: str) -> timedelta:
    """Read a duration of Google's JSON: seconds with an s, above 0."""
    seconds = _SECONDS.fullmatch(text) if isinstance(text, str) else None
    length = timedelta(seconds=float(seconds[1])) if seconds else timedelta()
    if not length:
        raise _unusable(name, f"its {key} is {text!r}, which is not a duration")
    return length


def _counted(slo: JsonObject, name: str) -> tuple[timedelta | None, str]:
    """Return the length of windows that are good or bad as a whole, and the counted unit."""
    indicator = slo.get("serviceLevelIndicator")
    kinds = (
        [*_INDICATORS]
        if not isinstance(indicator, dict)
        else [kind for kind in _INDICATORS if isinstance(indicator.get(kind), dict)]
    )
    if not isinstance(indicator, dict) or len(kinds) != 1:
        kinds_there = ", ".join(_INDICATORS)
        raise _unusable(name, f"it must have one serviceLevelIndicator of {kinds_there}")
    return _INDICATORS[kinds[0]](indicator[kinds[0]], name)


def _basic(basic: JsonObject, _name: str) -> tuple[None, str]:
    kind = "latency" if isinstance(basic.get("latency"), dict) else "availability"
    return None, f"Google counts the requests of the service, by its own metric of {kind}"


def _request_based(requests: JsonObject, _name: str) -> tuple[None, str]:
    if isinstance(requests.get("distributionCut"), dict):
        return None, "Google estimates how many values of a distribution are in the good range"
    return None, "Google counts the good and bad events of two metrics"


def _windows_based(windows: JsonObject, name: str) -> tuple[timedelta, str]:
    length = _duration(windows.get("windowPeriod"), name, "windowPeriod")
    if length < _MINUTE or _DAY % length:
        shown = format_duration(length)
        raise _unusable(
            name, f"its windowPeriod is {shown}; it must divide a day, and be a minute or more"
        )
    return length, f"Google counts windows of {format_duration(length)}, good or bad as a whole"


_INDICATORS: Final[Mapping[str, Callable[[JsonObject, str], tuple[timedelta | None, str]]]] = {
    "basicSli": _basic,
    "requestBased": _request_based,
    "windowsBased": _windows_based,
}
