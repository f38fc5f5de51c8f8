"""Status corrections: the stretches of time that people exclude in Datadog.

https://docs.datadoghq.com/service_level_objectives/#slo-status-corrections
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gate.backends.datadog.values import (
    EpochWindow,
    listed,
    mapping,
    number,
    refusals,
    shown_instant,
)
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import ApiError, Call, JsonObject
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError

_MOST_SHOWN: Final = 3
_MOST_PAGES: Final = 20
_DEPLOYMENT: Final = "Deployment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A stretch of time, or a rule for its recurrence."""

    category: str
    start: int
    end: int | None
    """None: it has not ended, or recurs."""
    recurs: bool

    def within(self, window: EpochWindow) -> bool:
        """Return whether it may exclude a part of a window."""
        if self.start >= window.end:
            return False
        return self.recurs or self.end is None or self.end > window.start

    def __str__(self) -> str:
        start = shown_instant(self.start)
        if self.recurs:
            return f"{self.category} (recurring since {start})"
        return f"{self.category} ({start} to {shown_instant(self.end) if self.end else 'now'})"


class Corrections:
    """The corrections of SLOs; those of each SLO are requested once in a run."""

    def __init__(self, api: Api, parallel: int, *, applied: bool) -> None:
        """Prepare; ``applied`` is whether Datadog should apply them."""
        self._api, self._parallel, self._applied = api, parallel, applied
        self._listed: dict[str, Sequence[Correction] | MeasurementError] = {}

    def ask(self, slos: Sequence[str]) -> None:
        """Request the corrections of SLOs by their ids."""
        missing = [slo for slo in dict.fromkeys(slos) if slo not in self._listed]
        calls = [Call(path=f"/api/v1/slo/{slo}/corrections") for slo in missing]
        answers = self._api.ask_all(calls, self._parallel) if calls else []
        for slo, answer in zip(missing, answers, strict=True):
            self._listed[slo] = self._read(slo, answer)

    def _read(
        self, slo: str, answer: JsonObject | ApiError
    ) -> Sequence[Correction] | MeasurementError:
        corrections = list[Correction]()
        try:
            for _ in range(_MOST_PAGES):
                if isinstance(answer, ApiError):
                    return answer
                page = _page(answer)
                corrections += page
                if not page or len(corrections) >= _total(answer):
                    break
                params = {"page[offset]": str(len(corrections))}
                answer = self._api.ask(Call(path=f"/api/v1/slo/{slo}/corrections", params=params))
        except MeasurementError as error:
            return error
        return corrections

    def notes(self, slo: str, window: EpochWindow) -> tuple[str, ...]:
        """Describe the corrections that change the counts in a window."""
        if not self._applied:
            return ("status corrections are not applied, by the policy",)
        corrections = self._listed.get(slo, ())
        if isinstance(corrections, MeasurementError):
            return (f"which corrections were applied could not be read: {corrections.reason}",)
        within = [correction for correction in corrections if correction.within(window)]
        if not within:
            return ()
        more = len(within) - _MOST_SHOWN
        named = "; ".join(map(str, within[:_MOST_SHOWN])) + (f"; {more} more" if more > 0 else "")
        notes = [f"Datadog leaves out, by corrections: {named}"]
        if any(correction.category == _DEPLOYMENT for correction in within):
            notes.append(
                "corrections of the category Deployment leave out failures of deployments, which"
                " are what a gate looks at"
            )
        return tuple(notes)

    def left_out(self, slo: str, window: EpochWindow) -> Sequence[EpochWindow] | None:
        """Return the largest parts of a window that corrections exclude; None: any part.

        Unreadable corrections exclude none: they do not prove what they would explain.
        """
        corrections = self._listed.get(slo, ())
        if isinstance(corrections, MeasurementError):
            return ()
        within = [correction for correction in corrections if correction.within(window)]
        if any(correction.recurs for correction in within):
            return None
        return [
            EpochWindow(
                max(each.start, window.start),
                window.end if each.end is None else min(each.end, window.end),
            )
            for each in within
        ]


def _page(answer: JsonObject) -> Sequence[Correction]:
    """Return the corrections in an answer; raises MeasurementError if they cannot be read."""
    if words := refusals(answer):
        raise MeasurementError(Cause.BACKEND_ERROR, words)
    return [_correction(mapping(entry, "data")) for entry in listed(answer.get("data"), "data")]


def _correction(entry: Mapping[str, Any]) -> Correction:
    attributes = mapping(entry.get("attributes"), "attributes")
    end = attributes.get("end")
    return Correction(
        category=str(attributes.get("category") or "without a category"),
        start=int(number(attributes.get("start"), "start")),
        end=None if end is None else int(number(end, "end")),
        recurs=bool(attributes.get("rrule")),
    )


def _total(answer: JsonObject) -> int:
    """Return the number of corrections according to the answer; 0: not stated."""
    meta = answer.get("meta")
    pages = meta.get("pagination", meta.get("page")) if isinstance(meta, dict) else None
    total = pages.get("total", pages.get("total_count")) if isinstance(pages, dict) else None
    return total if isinstance(total, int) else 0
