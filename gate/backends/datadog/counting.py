"""From Datadog's data on a stretch of time to an answer with its evidence.

Its history has counts. Its status, a public beta, has a rounded share:
https://docs.datadoghq.com/api/latest/service-level-objectives/get-slo-status/
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from gate.backends.datadog.buckets import EventBucket, EventBuckets, WindowTally
from gate.backends.datadog.history import DECIMALS, History, half_a_unit
from gate.backends.datadog.suspicions import (
    FLOAT_ERROR,
    contradiction,
    shown_percent,
    suspicions_of,
)
from gate.backends.datadog.timeline import UptimeTimeline
from gate.backends.datadog.values import (
    EpochWindow,
    invalid,
    mapping,
    number,
    refusals,
    shown,
    window_of,
)
from gate.backends.platforms.messages import Call, JsonObject
from gate.backends.platforms.platform import Question
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, Counts, Definition, Evidence, MeasurementError, Share

_NEGLIGIBLE: Final = Fraction(1, 1000)
"""The share of a window by which its first bucket may begin earlier: five minutes of four days."""
_STATES: Final = ("breached", "warning", "ok")
_WHOLE: Final = 100
_NO_TIMES: Final = (
    "Datadog's answer has no times that can be used: holes in the window cannot be seen"
)
_NOTES: Final = (
    f"Datadog's status has no counts: its SLI is taken as right to {DECIMALS} decimals",
    "Datadog's status does not say how new its data is, nor how much of the window has data",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryReading:
    """An answer, read for the stretch of time of a question."""

    history: History
    tally: WindowTally | None
    """None: Datadog reports no counts."""
    direct: bool
    """Whether the answer is for exactly this stretch, not for a longer one."""


def counted(
    reading: HistoryReading, evidence: Evidence, *, corrected: Sequence[EpochWindow] | None
) -> Answer:
    """Return the answer for a reading.

    Args:
        reading: the reading for the requested stretch of time.
        evidence: the evidence of the answer, which is extended here.
        corrected: the largest parts that Datadog's own SLI excludes by corrections; None: any part.

    Raises:
        MeasurementError: no answer was received; with the reason.
    """
    history, tally = reading.history, reading.tally
    if tally is None:
        return _share(
            history, evidence, "Datadog reports no counts for a group of a metric-based SLO"
        )
    if not tally.total:
        raise _nothing(history)
    differs = contradiction(history) if reading.direct else Fraction(0)
    if differs and _explained(history, tally, corrected):
        return _share(history, evidence, "Datadog's counts do not leave out what corrections name")
    if reading.direct:
        own = suspicions_of(history, tally, differs, corrected)
        evidence = replace(evidence, suspicions=(*evidence.suspicions, *own))
    buckets = history.past if isinstance(history.past, EventBuckets) else None
    if buckets is not None and not buckets.buckets:
        evidence = replace(evidence, notes=(*evidence.notes, _NO_TIMES))
    early = buckets.early if reading.direct and buckets is not None else None
    if early is None or not early.total:
        return Counts(total=tally.total, bad=tally.bad, evidence=evidence)
    return _cut(tally, early, history, evidence)


def _explained(
    history: History, tally: WindowTally, corrected: Sequence[EpochWindow] | None
) -> bool:
    """Return whether corrections can explain why Datadog's own SLI differs from its counts.

    The number of events in the buckets that overlap a correction is known: any of them may be
    excluded.
    """
    past, sli = history.past, history.reported.sli
    if not corrected or sli is None:
        return corrected is None
    out = Fraction(sum(each.length for each in corrected))
    out_good, out_bad = out, out
    if isinstance(past, EventBuckets):
        if not past.whole:
            return True
        parts = [each for each in past.buckets if any(each.meets(part) for part in corrected)]
        out_good = sum((each.good for each in parts), Fraction(0))
        out_bad = sum((each.total - each.good for each in parts), Fraction(0))
    allowed = history.reported.error + FLOAT_ERROR
    good, bad = tally.total - tally.bad, tally.bad
    left_bad, left_good = max(bad - out_bad, Fraction(0)), max(good - out_good, Fraction(0))
    least = left_bad / (left_bad + good) if left_bad else Fraction(0)
    most = bad / (bad + left_good) if bad else Fraction(0)
    return least - allowed <= 1 - sli <= most + allowed


def _nothing(history: History) -> MeasurementError:
    if isinstance(history.past, UptimeTimeline):
        reason = "Datadog knows no state of the SLO in the window, neither up nor down"
        return MeasurementError(Cause.NO_DATA, reason)
    return MeasurementError(Cause.NO_TRAFFIC, "Datadog counts no event in the window")


def _share(history: History, evidence: Evidence, why: str) -> Share:
    """Return Datadog's own SLI, with the note why the counts are not used."""
    reported = history.reported
    if reported.sli is None:
        raise invalid("it has neither counts nor an SLI")
    note = f"{why}: this is Datadog's own SLI, {shown_percent(reported.sli)}"
    evidence = replace(evidence, notes=(*evidence.notes, note))
    return Share(bad=1 - reported.sli, error=reported.error, evidence=evidence)


def _cut(tally: WindowTally, early: EventBucket, history: History, evidence: Evidence) -> Answer:
    """Return the known data of a window that begins within a bucket.

    The events of that bucket may have been before the window, completely or not at all.

    Raises:
        MeasurementError: no data are known.
    """
    seconds = history.window.start - early.start
    if not tally.bad or seconds <= history.window.length * _NEGLIGIBLE:
        note = f"Datadog counts from {seconds} s before the window"
        evidence = replace(evidence, notes=(*evidence.notes, note))
        return Counts(total=tally.total, bad=tally.bad, evidence=evidence)
    if early.total >= tally.total or not _whole(history):
        reason = (
            f"Datadog counts from {seconds} s before this window, which it cannot count exactly"
        )
        raise MeasurementError(Cause.NO_DATA, reason)
    good = min(early.good, early.total)
    bad = min(early.total - good, tally.bad)
    least, most = (tally.bad - bad) / (tally.total - bad), tally.bad / (tally.total - good)
    note = f"Datadog counts from {seconds} s before the window: the share of bad events is a range"
    evidence = replace(evidence, notes=(*evidence.notes, note))
    return Share(bad=(least + most) / 2, error=(most - least) / 2, evidence=evidence)


def _whole(history: History) -> bool:
    return isinstance(history.past, EventBuckets) and history.past.whole


def status_call(question: Question, *, corrections: bool) -> Call:
    """Return the request for the status of an SLO over the window of a question."""
    window = window_of(question.span)
    params = {"from_ts": str(window.start), "to_ts": str(window.end)}
    params["disable_corrections"] = "false" if corrections else "true"
    return Call(path=f"/api/v2/slo/{question.definition.id}/status", params=params)


def read_status(body: JsonObject, question: Question, evidence: Evidence) -> Share:
    """Return the share in a status.

    Raises:
        MeasurementError: it has none; with the reason.
    """
    if question.sli.group is not None:
        raise invalid("a status has no groups; write endpoint: history in the backend's block")
    _refuse_errors(body)
    data = mapping(body.get("data"), "data")
    if data.get("id") != question.definition.id:
        raise invalid(f"it is about the SLO {shown(data.get('id'))}")
    attributes = mapping(data.get("attributes"), "attributes")
    _refuse_errors(attributes)
    state = attributes.get("state")
    if state == "no_data" or ("sli" in attributes and attributes["sli"] is None):
        raise MeasurementError(Cause.NO_DATA, "Datadog says that it has no data (state no_data)")
    if state not in _STATES:
        raise invalid(f"its state is {shown(state)}")
    percent = number(attributes.get("sli"), "sli")
    if not 0 <= percent <= _WHOLE:
        raise invalid(f"sli is {float(percent)}, which is not between 0 and 100")
    _check_verdict(attributes, percent / 100, question.definition)
    notes = (*evidence.notes, *(_NOTES if question.main else ()))
    return Share(
        bad=1 - percent / 100,
        error=half_a_unit(DECIMALS),
        evidence=replace(evidence, notes=notes),
    )


def _refuse_errors(part: Mapping[str, Any]) -> None:
    if words := refusals(part):
        message = f"Datadog answers with errors beside the status 200: {words}"
        raise MeasurementError(Cause.BACKEND_ERROR, message)


def _check_verdict(attributes: Mapping[str, Any], good: Fraction, definition: Definition) -> None:
    """Refuse a share that meets every objective although Datadog says that one is missed."""
    most = max(promise.objective for promise in definition.promises)
    left, key = attributes.get("error_budget_remaining"), "error_budget_remaining"
    missed = attributes["state"] == "breached" or (left is not None and number(left, key) < 0)
    if missed and good - half_a_unit(DECIMALS) > most:
        raise invalid(
            f"its sli is {shown_percent(good)}, and its state is {shown(attributes['state'])} with"
            f" {shown(left)}% of the budget"
        )
