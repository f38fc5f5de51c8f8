"""The goal of an SLO of Application Signals, and its excluded time.

https://docs.aws.amazon.com/applicationsignals/latest/APIReference/API_Goal.html
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.backends.aws_slo.client import invalid, number, whole
from gate.measure import Definition, Granted, MeasurementError, Promise
from gate.slo.calendar import Period
from gate.slo.objective import CalendarWindow, RollingWindow, Span, Window

_DEFAULT_GOAL: Final = 99
_DEFAULT_WINDOW: Final = RollingWindow(timedelta(days=7))
_MINUTES: Final = {"MINUTE": 1, "HOUR": 60, "DAY": 1440}
_PERIODS: Final = {
    ("MINUTE", 1440): Period.DAY,
    ("MINUTE", 10_080): Period.WEEK,
    ("MONTH", 1): Period.MONTH,
    ("MONTH", 3): Period.QUARTER,
    ("MONTH", 12): Period.YEAR,
}
"""The calendar periods of the gate, by the unit and the number of units."""
_WHOLE: Final = (
    "Application Signals judges periods of time, each of which is good or bad as a whole"
)
_SO_FAR: Final = (
    "Application Signals' own budget is that of the requests so far, and can rise again"
)

_MOST_DAYS: Final = {"MINUTE": 1 / 1440, "HOUR": 1 / 24, "DAY": 1, "MONTH": 31}
"""The maximum length of a unit in days."""
_LEAST_DAYS: Final = {**_MOST_DAYS, "MONTH": 28}
_MEANINGS: Final = {
    Granted.SECONDS: "in which all time counts as good",
    Granted.EVENTS: "whose requests are not counted",
}
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-ServiceLevelObjectives.html"""


def definition_of(slo: Mapping[str, Any]) -> Definition:
    """Return the definition of an SLO.

    Raises:
        MeasurementError: it cannot be read, or the gate cannot express it.
    """
    arn, name = slo.get("Arn"), slo.get("Name")
    if not isinstance(arn, str) or not isinstance(name, str) or not arn or not name:
        raise invalid("the SLO has no Arn or no Name")
    goal = slo.get("Goal")
    if not isinstance(goal, dict):
        raise invalid(f"{name} has no Goal")
    granted, promise = granted_of(slo, name), promise_of(goal, name)
    to_date = granted is Granted.EVENTS and isinstance(promise.window, CalendarWindow)
    return Definition(
        id=arn,
        name=name,
        promises=(promise,),
        granted=granted,
        to_date=to_date,
        notes=(_WHOLE,) if granted is Granted.SECONDS else (_SO_FAR,) * to_date,
    )


def granted_of(slo: Mapping[str, Any], name: str) -> Granted:
    """Return the unit of the budget; older SLOs show it only by their kind of indicator.

    Raises:
        MeasurementError: neither shows it.
    """
    requests, periods = bool(slo.get("RequestBasedSli")), bool(slo.get("Sli"))
    kind = slo.get("EvaluationType")
    if kind is None and requests != periods:
        kind = "RequestBased" if requests else "PeriodBased"
    if not isinstance(kind, str) or kind not in {"PeriodBased", "RequestBased"}:
        raise invalid(f"{name} is neither period-based nor request-based: {kind!r:.60}")
    return Granted.SECONDS if kind == "PeriodBased" else Granted.EVENTS


def promise_of(goal: Mapping[str, Any], name: str) -> Promise:
    """Return the objective and the window of a goal; each has a default.

    Raises:
        MeasurementError: it is not a goal, or the gate cannot express it.
    """
    goal = {"AttainmentGoal": _DEFAULT_GOAL} | {k: v for k, v in goal.items() if v is not None}
    objective = Fraction(str(number(goal, "AttainmentGoal"))) / 100
    if not 0 < objective < 1:
        shown = goal["AttainmentGoal"]
        raise invalid(f"{name} has the attainment goal {shown}%, which leaves no budget to judge")
    interval = {k: v for k, v in _block(goal, "Interval", name).items() if v is not None}
    if "Interval" not in goal:
        return Promise(window=_DEFAULT_WINDOW, objective=objective)
    window: Window
    if interval.keys() == {"RollingInterval"}:
        window = _rolling(_block(interval, "RollingInterval", name), name)
    elif interval.keys() == {"CalendarInterval"}:
        window = _calendar(_block(interval, "CalendarInterval", name), name)
    else:
        raise invalid(f"{name} has an interval that is neither rolling nor calendar")
    return Promise(window=window, objective=objective)


def _block(values: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    block: Any = values.get(key, {})
    if not isinstance(block, dict):
        raise invalid(f"{name} has an unreadable {key}")
    return block


def _rolling(interval: Mapping[str, Any], name: str) -> RollingWindow:
    unit, count = _length(interval, name)
    if unit == "MONTH":
        message = (
            f"{name} rolls over {count} months, which have no length of their own; set days in"
            " Application Signals, for example 30"
        )
        raise invalid(message)
    try:
        return RollingWindow(timedelta(minutes=count))
    except OverflowError:
        raise invalid(f"{name} has an interval that is too long") from None


def _calendar(interval: Mapping[str, Any], name: str) -> CalendarWindow:
    unit, count = _length(interval, name)
    period = _PERIODS.get((unit, count))
    if period is None:
        written = f"{interval['Duration']} {interval['DurationUnit']}"
        message = (
            f"{name} has a calendar interval of {written}; gate knows a day, a week, a month, a"
            " quarter and a year"
        )
        raise invalid(message)
    begins = instant(interval, "StartTime").replace(tzinfo=None)
    try:
        return CalendarWindow.beginning(period, UTC, begins)
    except ValueError as error:
        raise invalid(
            f"{name} has a calendar interval that begins at {begins} UTC: {error}"
        ) from None


def _length(interval: Mapping[str, Any], name: str) -> tuple[str, int]:
    """Return the length in minutes, or in months."""
    unit, count = interval.get("DurationUnit"), whole(interval, "Duration")
    if count <= 0 or not isinstance(unit, str) or unit not in {*_MINUTES, "MONTH"}:
        raise invalid(f"{name} has an interval of {count} {unit!r:.60}")
    return ("MONTH", count) if unit == "MONTH" else ("MINUTE", count * _MINUTES[unit])


def instant(values: Mapping[str, Any], key: str) -> datetime:
    """Return an instant of an answer, which is in seconds since 1970.

    Raises:
        MeasurementError: the value is missing, or of another type.
    """
    seconds = number(values, key)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        raise invalid(f"{key} is {seconds} and must be seconds since 1970") from None


def exclusion_notes(
    windows: Sequence[Mapping[str, Any]] | MeasurementError, span: Span, granted: Granted
) -> list[str]:
    """Return a note on each excluded window that may overlap a span, or why they are unknown.

    The gate does not evaluate the schedule of a recurring window: it may be at any time after its
    start.
    """
    if isinstance(windows, MeasurementError):
        return [f"which time is left out could not be seen: {windows.reason}"]
    meaning = _MEANINGS[granted]
    return [f"{_note(window)}, {meaning}" for window in windows if _may_be_in(window, span)]


def _may_be_in(window: Mapping[str, Any], span: Span) -> bool:
    """Return whether a window may overlap a span; an unreadable window may."""
    try:
        start = instant(window, "StartTime")
        if start >= span.end or window.get("RecurrenceRule"):
            return start < span.end
        length = window["Window"]
        days = length["Duration"] * _MOST_DAYS[length["DurationUnit"]]
        return start + timedelta(days=days) > span.start
    except (MeasurementError, LookupError, TypeError, ValueError, OverflowError):
        return True


def excluded_share(windows: Sequence[Mapping[str, Any]] | MeasurementError, span: Span) -> Fraction:
    """Return the share of a stretch of time that is certainly excluded.

    It counts windows that do not recur; overlapping windows count once.
    """
    seconds, reached = 0.0, span.start
    for start, end in sorted(_once(() if isinstance(windows, MeasurementError) else windows)):
        left_out = Span(max(start, reached), min(end, span.end))
        if left_out.start < left_out.end:
            seconds, reached = seconds + left_out.length.total_seconds(), left_out.end
    return Fraction(seconds) / Fraction(span.length.total_seconds())


def _once(windows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[datetime, datetime]]:
    """Yield start and end of each readable window that does not recur."""
    for window in windows:
        length = _block_of(window, "Window")
        days = _LEAST_DAYS.get(str(length.get("DurationUnit")))
        try:
            start = instant(window, "StartTime")
            if days is not None and not window.get("RecurrenceRule"):
                yield start, start + timedelta(days=whole(length, "Duration") * days)
        except (MeasurementError, OverflowError):
            continue  # a note says that it may be at any time


def _note(window: Mapping[str, Any]) -> str:
    length, rule = _block_of(window, "Window"), _block_of(window, "RecurrenceRule")
    parts = [f"an exclusion window of {length.get('Duration')} {length.get('DurationUnit')}"]
    try:
        parts.append(f"from {instant(window, 'StartTime'):%Y-%m-%d %H:%M} UTC")
    except MeasurementError:
        parts.append("from an unknown time")
    if rule:
        parts.append(f"that recurs by {rule.get('Expression')!s:.80}")
    reason = window.get("Reason")
    why = f" ({reason!s:.120})" if reason else ""
    return f"{' '.join(parts)}{why}"


def _block_of(window: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    block = window.get(key)
    return block if isinstance(block, dict) else {}
