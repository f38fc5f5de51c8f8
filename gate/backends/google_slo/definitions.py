"""The SLOs of a project: looked up by name, and what each of them promises."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from fractions import Fraction
from typing import Any, Final
from urllib.parse import quote

from gate.backends.google_slo.pages import ask_pages, objects_in
from gate.backends.platforms.api import Api, ApiError, Call, JsonObject
from gate.dataclass import dataclass
from gate.errors import nearest_first
from gate.measure import Cause, Definition, Granted, MeasurementError, Promise, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import CalendarWindow, Period, RollingWindow, Window
from gate.slo.quantities import format_duration

_SEGMENT: Final = r"[^/\"\\\s?#]+"
FULL_NAME: Final = re.compile(
    rf"projects/({_SEGMENT})/services/({_SEGMENT})/serviceLevelObjectives/({_SEGMENT})"
)
_SECONDS: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")
_PAGE: Final = "1000"
_MOST_SHOWN: Final = 5
_NOT_FOUND: Final = 404
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleSlo:
    """An SLO of Google Cloud Monitoring."""

    definition: Definition
    window_period: timedelta | None
    """How long the windows are of which each is good or bad; None: events are."""


def look_up(api: Api, project: str, slis: Sequence[Sli]) -> list[GoogleSlo | MeasurementError]:
    """Return what the project has for each indicator, in order, or why that is not known.

    One by its full name is asked for alone; for any other name all SLOs are listed.
    """
    names = [sli.slo or "" for sli in slis]
    alone = list(dict.fromkeys(name for name in names if FULL_NAME.fullmatch(name)))
    outcomes = dict(zip(alone, _each_alone(api, alone), strict=True))
    listed: list[JsonObject] | MeasurementError = []
    if len(alone) < len(set(names)):
        try:
            listed = _every_slo(api, project)
        except MeasurementError as error:
            listed = error

    def resolved(sli: Sli, name: str) -> GoogleSlo | MeasurementError:
        if sli.group is not None:
            reason = "an SLO of Google Cloud Monitoring has no groups; remove the key group"
            return MeasurementError(Cause.INVALID, reason)
        try:
            slo = outcomes[name] if name in outcomes else _by_name(name, listed, project)
            return slo if isinstance(slo, MeasurementError) else _slo_of(slo, name)
        except MeasurementError as error:
            return error

    return [resolved(sli, name) for sli, name in zip(slis, names, strict=True)]


def _each_alone(api: Api, names: Sequence[str]) -> Iterator[JsonObject | MeasurementError]:
    """Yield what the API has under each full name, in order."""
    calls = [Call(path=f"/v3/{quote(name, safe='/:')}", params={"view": "FULL"}) for name in names]
    for name, pages in zip(names, ask_pages(api, calls), strict=True):
        if isinstance(pages, ApiError) and pages.status == _NOT_FOUND:
            yield MeasurementError(Cause.NO_DATA, f"there is no SLO {name}: {pages.reason}")
        else:
            yield pages if isinstance(pages, MeasurementError) else pages[0]


def _every_slo(api: Api, project: str) -> list[JsonObject]:
    """Return every SLO of every service of the project.

    Raises:
        MeasurementError: a part of them cannot be had, so that a name may be there twice.
    """
    services = Call(path=f"/v3/projects/{project}/services", params={"pageSize": _PAGE})
    names = [_name_of(each) for each in _listed(api, [services], "services")]
    calls = [
        Call(
            path=f"/v3/{quote(name, safe='/:')}/serviceLevelObjectives",
            params={"view": "FULL", "pageSize": _PAGE},
        )
        for name in names
    ]
    return _listed(api, calls, "serviceLevelObjectives")


def _listed(api: Api, calls: Sequence[Call], key: str) -> list[JsonObject]:
    listed = list[JsonObject]()
    for pages in ask_pages(api, calls):
        if isinstance(pages, MeasurementError):
            raise pages
        listed += (each for page in pages for each in objects_in(page, key))
    return listed


def _name_of(resource: Mapping[str, Any]) -> str:
    name = resource.get("name")
    if not isinstance(name, str) or not name:
        raise MeasurementError(Cause.INVALID, "a service, or an SLO, of the answer has no name")
    return name


def _by_name(name: str, listed: list[JsonObject] | MeasurementError, project: str) -> JsonObject:
    """Return the SLO with this display name, or this ID; of several none is meant."""
    if isinstance(listed, MeasurementError):
        raise listed
    by_full_name = {_name_of(slo): slo for slo in listed}
    matches = [
        full_name
        for full_name, slo in by_full_name.items()
        if name in {slo.get("displayName"), full_name.rpartition("/")[2]}
    ]
    if len(matches) == 1:
        return by_full_name[matches[0]]
    if matches:
        reason = (
            f"{len(matches)} SLOs of the project {project} are called {name!r}; write the full name"
            f" of the one that is meant: {_listing(sorted(matches))}"
        )
        raise MeasurementError(Cause.INVALID, reason)
    names = [str(slo.get("displayName") or full_name) for full_name, slo in by_full_name.items()]
    there = f"there are {_listing(nearest_first(name, dict.fromkeys(names)))}" if names else ""
    reason = f"no SLO of the project {project} is called {name!r}; {there or 'it has none'}"
    raise MeasurementError(Cause.NO_DATA, reason)


def _listing(names: Sequence[str]) -> str:
    rest = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _slo_of(slo: JsonObject, name: str) -> GoogleSlo:
    """Read what an SLO promises; ``name`` is how it was asked for."""
    full_name = _name_of(slo)
    wanted, answered = FULL_NAME.fullmatch(name), FULL_NAME.fullmatch(full_name)
    # The project may be a number in one of them, and an ID in the other.
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
        # Of events nobody knows how many there will be by the period's end.
        to_date=isinstance(window, CalendarWindow) and period is None,
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
    if calendar not in _PERIODS:
        possible = ", ".join(_PERIODS)
        reason = f"its calendarPeriod is {calendar}; the gate can count {possible}"
        raise _unusable(name, reason)
    return CalendarWindow(_PERIODS[calendar], UTC)


def _duration(text: Any, name: str, key: str) -> timedelta:
    """Read a duration of Google's JSON: seconds with an s, above 0."""
    seconds = _SECONDS.fullmatch(text) if isinstance(text, str) else None
    length = timedelta(seconds=float(seconds[1])) if seconds else timedelta()
    if not length:
        raise _unusable(name, f"its {key} is {text!r}, which is not a duration")
    return length


def _counted(slo: JsonObject, name: str) -> tuple[timedelta | None, str]:
    """Return the length of the windows that are good or bad as a whole, and what is counted."""
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


def definition_of(slo: GoogleSlo | MeasurementError) -> Definition | Unmeasured:
    """Return the SLO's definition, or the reason why there is none, as an answer."""
    return slo.answer() if isinstance(slo, MeasurementError) else slo.definition
