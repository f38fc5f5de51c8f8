"""Time windows that an SLO of Application Signals leaves out, as notes of a report."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from gate.backends.aws_slo.definitions import instant
from gate.measure import Granted, MeasurementError
from gate.slo.objective import Span

_MOST_DAYS: Final = {"MINUTE": 1 / 1440, "HOUR": 1 / 24, "DAY": 1, "MONTH": 31}
"""Length of a unit, at most."""
_MEANINGS: Final = {
    Granted.SECONDS: "in which all time counts as good",
    Granted.EVENTS: "whose requests are not counted",
}
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-ServiceLevelObjectives.html"""


def exclusion_notes(
    windows: Sequence[Mapping[str, Any]] | MeasurementError, span: Span, granted: Granted
) -> list[str]:
    """Return a note on each excluded window that may be in a stretch of time, or why none is known.

    When one recurs is a schedule that the gate does not read: it may be anywhere after its start.
    """
    if isinstance(windows, MeasurementError):
        return [f"which time is left out could not be seen: {windows.reason}"]
    meaning = _MEANINGS[granted]
    return [f"{_note(window)}, {meaning}" for window in windows if _may_be_in(window, span)]


def _may_be_in(window: Mapping[str, Any], span: Span) -> bool:
    """Return whether a window may be in a span; what cannot be read may be anywhere."""
    try:
        start = instant(window, "StartTime")
        if start >= span.end or window.get("RecurrenceRule"):
            return start < span.end
        length = window["Window"]
        days = length["Duration"] * _MOST_DAYS[length["DurationUnit"]]
        return start + timedelta(days=days) > span.start
    except (MeasurementError, LookupError, TypeError, ValueError, OverflowError):
        return True


def _note(window: Mapping[str, Any]) -> str:
    length, rule = _block(window, "Window"), _block(window, "RecurrenceRule")
    parts = [f"an exclusion window of {length.get('Duration')} {length.get('DurationUnit')}"]
    try:
        parts.append(f"from {instant(window, 'StartTime'):%Y-%m-%d %H:%M} UTC")
    except MeasurementError:
        parts.append("from an unknown time")
    if rule:
        parts.append(f"that recurs by {rule.get('Expression')!s:.80}")
    reason = window.get("Reason")
    told = f" ({reason!s:.120})" if reason else ""
    return f"{' '.join(parts)}{told}"


def _block(window: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    block = window.get(key)
    return block if isinstance(block, dict) else {}
