"""The SLOs of a project, looked up by their names."""

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote

from gate.backends.google_slo.pages import ask_pages, missing_in, objects_in
from gate.backends.google_slo.resources import FULL_NAME, SERVICE_NAME, GoogleSlo, name_of, read_slo
from gate.backends.google_slo.settings import NO_GROUPS
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import ApiError, Call, JsonObject
from gate.backends.platforms.platform import no_slo, several_slos
from gate.measure import Cause, Definition, MeasurementError, Unmeasured
from gate.slo.indicator import Sli

_PAGE: Final = "1000"
_NOT_FOUND: Final = 404


def look_up(api: Api, project: str, slis: Sequence[Sli]) -> list[GoogleSlo | MeasurementError]:
    """Return the project's definition for each indicator, in order, or why it is unknown.

    A full name is requested alone; for any other name, all SLOs are listed.
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
            return MeasurementError(Cause.INVALID, NO_GROUPS)
        try:
            slo = outcomes[name] if name in outcomes else _by_name(name, listed, project)
        except MeasurementError as error:
            return error
        if isinstance(slo, MeasurementError):
            return slo
        try:
            return read_slo(slo, name)
        except MeasurementError as error:
            return MeasurementError(error.cause, api.words(error.reason))

    return [resolved(sli, name) for sli, name in zip(slis, names, strict=True)]


def _each_alone(api: Api, names: Sequence[str]) -> Iterator[JsonObject | MeasurementError]:
    """Yield the API's answer for each full name, in order."""
    calls = [Call(path=f"/v3/{quote(name, safe='/:')}", params={"view": "FULL"}) for name in names]
    for name, pages in zip(names, ask_pages(api, calls), strict=True):
        if isinstance(pages, ApiError) and pages.status == _NOT_FOUND:
            yield MeasurementError(Cause.NO_DATA, f"there is no SLO {name}: {pages.reason}")
        else:
            yield pages if isinstance(pages, MeasurementError) else pages[0]


def _every_slo(api: Api, project: str) -> list[JsonObject]:
    """Return every SLO of every service of the project.

    Raises:
        MeasurementError: a part of the list is missing, so that a name may be ambiguous.
    """
    services = Call(path=f"/v3/projects/{project}/services", params={"pageSize": _PAGE})
    names = [name_of(each) for each in _listed(api, [services], "services")]
    for name in names:
        if not SERVICE_NAME.fullmatch(name):
            raise MeasurementError(Cause.INVALID, api.words(f"{name!r} is not a service's name"))
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
        if missing := [text for page in pages for text in missing_in(page)]:
            reason = f"not all {key} are listed: {api.words('; '.join(missing))}"
            raise MeasurementError(Cause.PARTIAL, reason)
        listed += (each for page in pages for each in objects_in(page, key))
    return listed


def _by_name(name: str, listed: list[JsonObject] | MeasurementError, project: str) -> JsonObject:
    """Return the SLO with this display name, or this ID; an ambiguous name is an error."""
    if isinstance(listed, MeasurementError):
        raise listed
    by_full_name = {name_of(slo): slo for slo in listed}
    matches = [
        full_name
        for full_name, slo in by_full_name.items()
        if name in (slo.get("displayName"), full_name.rpartition("/")[2])
    ]
    if len(matches) == 1:
        return by_full_name[matches[0]]
    if matches:
        raise several_slos(f"the project {project}", name, matches)
    names = [str(slo.get("displayName") or full_name) for full_name, slo in by_full_name.items()]
    raise no_slo(f"the project {project}", name, names, "" if names else "it has no SLO at all")


def definition_of(slo: GoogleSlo | MeasurementError) -> Definition | Unmeasured:
    """Return the SLO's definition, or the reason why it is missing, as an answer."""
    return slo.answer() if isinstance(slo, MeasurementError) else slo.definition
