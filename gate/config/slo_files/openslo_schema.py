"""The documents of OpenSLO v1: their kinds, windows and durations."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import yaml

from gate.config.slo_files import PASSED_OVER, resources
from gate.config.slo_files.indicators import PERCENTAGE, SHARE_BELOW_ONE
from gate.config.slo_files.openslo_sli import COMPARISON, SLI_SPEC
from gate.parsing.numbers import ABOVE_NONE, ABOVE_ZERO
from gate.parsing.objects import Field, Object, Values, as_read
from gate.parsing.reader import Reader
from gate.parsing.schema import Anything, Choice, ListOf, Scalar, ValueSchema
from gate.parsing.values import BOOLEAN, DURATION, LOCAL, NAME, TEXT, ZONE
from gate.slo.calendar import Period
from gate.slo.objective import CalendarWindow, Denominator, RollingWindow, Window

METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "Occurrences": (),
    "Timeslices": ("timeSliceTarget", "timeSliceWindow"),
    "RatioTimeslices": ("timeSliceWindow",),
}
"""The key for timeslices that an objective needs, by budgeting method."""
_INDICATOR: Final = Object(
    {
        "metadata": PASSED_OVER,
        "spec": Field(schema=SLI_SPEC, doc="Indicator.", required=True),
    },
    lambda values, _: values.get("spec"),
)
_WHERE: Final = {
    "indicator": Field(schema=_INDICATOR, doc="Indicator."),
    "indicatorRef": Field(schema=NAME, doc="Name of an SLI document."),
}


def _slice(text: str) -> timedelta:
    """Read the length of a timeslice; a bare number is in minutes."""
    return DURATION.parse(_shorthand(f"{text}m" if text.isdecimal() else text))


SLICE: Final = Scalar(_slice, DURATION.json)
_OBJECTIVE: Final = Object(
    {
        "displayName": Field(schema=TEXT, doc="Part of the name, if there are several."),
        **COMPARISON,
        "target": Field(schema=SHARE_BELOW_ONE, doc="0.999"),
        "targetPercent": Field(schema=PERCENTAGE, doc="99.9"),
        "timeSliceTarget": Field(schema=ABOVE_NONE, doc="Good share of a slice."),
        "timeSliceWindow": Field(schema=SLICE, doc="Length of a slice."),
        **_WHERE,
        "compositeWeight": Field(
            schema=ABOVE_ZERO, doc="Weight of the objective in the composite."
        ),
    },
    as_read,
)
ALIGNMENT: Final = Object(
    {
        "startTime": Field(schema=LOCAL, doc="Start of a period.", required=True),
        "timeZone": Field(schema=ZONE, doc="Time zone of the calendar.", required=True),
    },
    as_read,
)
"""The start of a window's periods."""


def _build(values: Values, reader: Reader) -> tuple[Window, Denominator]:
    duration, calendar = values.get("duration"), values.get("calendar")
    if values.get("isRolling", calendar is None) != (calendar is None):
        message = "isRolling: true goes without calendar, and isRolling: false with it"
        raise reader.fail(values.node("isRolling"), message)
    if calendar is not None:
        window = aligned_window(duration, values.node("duration"), calendar, reader)
        return window, Denominator.PERIOD
    if duration[-1] in "MQY":
        message = (
            f"{duration} of a rolling window has no fixed length; write it in days, such as 30d"
        )
        raise reader.fail(values.node("duration"), message)
    return RollingWindow(DURATION.parse(duration)), Denominator.PERIOD


def _shorthand(text: str) -> str:
    if not _SHORTHAND.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a valid duration of OpenSLO; write for example 5m (minutes), 1h, 4w,"
            " 1M (month), 1Q or 1Y"
        )
    return text


TIME_WINDOW: Final = ListOf(
    Object(
        {
            "duration": Field(
                schema=Scalar(_shorthand, DURATION.json), doc="4w, or 1M.", required=True
            ),
            "isRolling": Field(schema=BOOLEAN, doc="false with a calendar."),
            "calendar": Field(schema=ALIGNMENT, doc="Calendar that the window is aligned with."),
        },
        _build,
    )
)
_SLO: Final = Object(
    {
        "description": PASSED_OVER,
        "service": Field(schema=TEXT, doc="Service of the SLO.", required=True),
        **_WHERE,
        "timeWindow": Field(schema=TIME_WINDOW, doc="One window."),
        "budgetingMethod": Field(
            schema=Choice(tuple(METHODS)),
            doc="Indicator.",
            required=True,
        ),
        "objectives": Field(
            schema=ListOf(_OBJECTIVE, at_least=1), doc="Objectives.", required=True
        ),
        "alertPolicies": PASSED_OVER,
    },
    as_read,
)
_DATA_SOURCE: Final = Object(
    {
        "type": Field(schema=TEXT, doc="Type of the server.", required=True),
        "connectionDetails": PASSED_OVER,
        "description": PASSED_OVER,
    },
    as_read,
)
_SPECS: Final[Mapping[str, ValueSchema[Any]]] = {
    "SLO": _SLO,
    "SLI": SLI_SPEC,
    "DataSource": _DATA_SOURCE,
    **dict.fromkeys(("Service", "AlertPolicy", "AlertCondition"), Anything()),
    "AlertNotificationTarget": Anything(),
}
KINDS: Final = resources(_SPECS)
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


def aligned_window(
    duration: str, node: yaml.Node, calendar: Values, reader: Reader
) -> CalendarWindow:
    """Return a window of a length such as ``1w`` with an `ALIGNMENT`.

    Raises:
        UnreadableError: a calendar has no such period; the mistake is noted.
    """
    if duration not in _PERIODS:
        message = (
            f"{duration} is not a calendar period; known: {', '.join(_PERIODS)} (M is for"
            " months, m for minutes); a rolling window may have any length: leave calendar out"
        )
        raise reader.fail(node, message)
    period, zone = _PERIODS[duration], calendar.get("timeZone")
    try:
        return CalendarWindow.beginning(period, zone, calendar.get("startTime"))
    except ValueError as error:
        raise reader.fail(calendar.node("startTime"), str(error)) from None
