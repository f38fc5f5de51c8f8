"""OpenSLO's windows and durations.

https://github.com/OpenSLO/OpenSLO/blob/main/README.md#slo
"""

import re
from datetime import datetime, timedelta
from typing import Final

from gate.parsing.reader import Reader
from gate.parsing.schema import Field, ListOf, Object, Scalar, Values
from gate.parsing.values import BOOLEAN, DURATION, ZONE
from gate.slo.objective import Denominator
from gate.slo.window import CalendarWindow, Period, RollingWindow, Window

_SHORTHAND: Final = re.compile(r"([1-9][0-9]{0,5})([mhdwMQY])")
_PERIODS: Final = {
    "1d": Period.DAY,
    "1w": Period.WEEK,
    "7d": Period.WEEK,
    "1M": Period.MONTH,
    "3M": Period.QUARTER,
    "1Q": Period.QUARTER,
    "12M": Period.YEAR,
    "4Q": Period.YEAR,
    "1Y": Period.YEAR,
}


def _shorthand(text: str) -> str:
    if not _SHORTHAND.fullmatch(text):
        raise ValueError(
            f"{text!r} is no duration of OpenSLO; write for example 5m (minutes), 1h, 4w, 1M"
            " (month), 1Q or 1Y"
        )
    return text


def _slice(text: str) -> timedelta:
    """Read the length of a timeslice; a number is of minutes."""
    return DURATION.parse(_shorthand(f"{text}m" if text.isdecimal() else text))


def _start(text: str) -> datetime:
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        start = None
    if start is None or start.tzinfo is not None:
        raise ValueError(f"{text!r} is no time without a zone, such as 2026-01-01 00:00:00")
    return start


def _calendar(duration: str, calendar: Values, reader: Reader) -> CalendarWindow:
    start, zone = calendar.get("startTime"), calendar.get("timeZone")
    window = CalendarWindow(_PERIODS[duration], zone)
    begins = start.replace(tzinfo=zone)
    if window.whole(begins).start != begins:
        first = window.whole(begins).start.astimezone(zone).replace(tzinfo=None)
        message = (
            f"{start} is not where a {window.period} begins; the budget renews with the calendar's"
            f" {window.period} here, as at {first}"
        )
        raise reader.fail(calendar.node("startTime"), message)
    return window


def _build(values: Values, reader: Reader) -> tuple[Window, Denominator]:
    duration, calendar = values.get("duration"), values.get("calendar")
    if values.get("isRolling", calendar is None) != (calendar is None):
        message = "isRolling: true goes without calendar, and isRolling: false with it"
        raise reader.fail(values.node("isRolling"), message)
    if calendar is not None:
        if duration not in _PERIODS:
            message = (
                f"{duration} is no period of a calendar; known: {', '.join(_PERIODS)} (M is for"
                " months, m for minutes)"
            )
            raise reader.fail(values.node("duration"), message)
        return _calendar(duration, calendar, reader), Denominator.PERIOD
    if duration[-1] in "MQY":
        message = f"{duration} that rolls has no fixed length; write it in days, such as 30d"
        raise reader.fail(values.node("duration"), message)
    return RollingWindow(DURATION.parse(duration)), Denominator.PERIOD


_CALENDAR: Final = Object(
    {
        "startTime": Field(
            schema=Scalar(_start, {"type": "string"}), doc="Where a period begins.", required=True
        ),
        "timeZone": Field(schema=ZONE, doc="Whose calendar it is.", required=True),
    },
    lambda values, _: values,
)
TIME_WINDOW: Final = ListOf(
    Object(
        {
            "duration": Field(
                schema=Scalar(_shorthand, DURATION.json), doc="4w, or 1M.", required=True
            ),
            "isRolling": Field(schema=BOOLEAN, doc="false with a calendar."),
            "calendar": Field(schema=_CALENDAR, doc="What the window is aligned with."),
        },
        _build,
    )
)
SLICE: Final = Scalar(_slice, DURATION.json)
