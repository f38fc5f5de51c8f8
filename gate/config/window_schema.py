"""The way an SLO is counted: its window, its timeslices, and whether the events are a sample."""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.parsing.numbers import ABOVE_NONE, ABOVE_ZERO
from gate.parsing.objects import Field, Object, Values, build_as
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, Scalar, Union
from gate.parsing.values import BOOLEAN, DURATION, LOCAL, ZONE
from gate.slo.calendar import Period
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import CALENDAR, Bound, CalendarWindow, Denominator, RollingWindow, Window


def _build_window(values: Values, reader: Reader) -> tuple[Window, Denominator]:
    zone = values.get("time_zone", ZONE.parse("UTC"))
    try:
        begins = values.get("begins", CALENDAR)
        window = CalendarWindow.beginning(values.get("calendar"), zone, begins)
    except ValueError as error:
        raise reader.fail(values.node("begins"), str(error)) from None
    return window, values.get("denominator", Denominator.PERIOD)


_CALENDAR: Final = re.compile(rf"1?\s*(?:({'|'.join(Period)})s?|(?:(month|week|quarter|year)ly))")
"""The names of the calendar periods, with their common synonyms."""


def _rolling(text: str) -> tuple[Window, Denominator]:
    try:
        return RollingWindow(DURATION.parse(text)), Denominator.PERIOD
    except ValueError as error:
        words = _CALENDAR.fullmatch("month" if text == "1M" else text.lower())
        if words is None:
            raise
        period = words[1] or words[2]
        raise ValueError(f"{error}, or {{calendar: {period}}} for a calendar period") from None


WINDOW: Final = Union(
    Scalar(_rolling, DURATION.json),
    Object(
        {
            "calendar": Field(
                schema=Choice(tuple(Period)),
                doc="The period. Weeks begin on Monday unless begins says otherwise.",
                required=True,
                example="month",
            ),
            "begins": Field(
                schema=LOCAL,
                doc="Local time at which one of the periods begins, if not at the calendar's.",
                example="2026-01-15T00:00",
            ),
            "time_zone": Field(
                schema=ZONE, doc="Time zone of the calendar. Default: UTC.", example="Europe/Berlin"
            ),
            "denominator": Field(
                schema=Choice(tuple(Denominator)),
                doc="Whether the budget is for the whole period or for the events to date."
                " Default: period.",
                example="to-date",
            ),
        },
        _build_window,
    ),
)
TIMESLICES: Final = Object(
    {
        "length": Field(schema=DURATION, doc="Length of a slice.", required=True, example="5m"),
        "target": Field(
            schema=ABOVE_NONE,
            doc="Share of good events below which a slice is bad.",
            required=True,
            example="99%",
        ),
        "empty": Field(
            schema=Choice(tuple(EmptySlice)),
            doc="How a slice without any event is counted. Default: left-out.",
            example="left-out",
        ),
    },
    build_as(Slices),
)
_Sampled = tuple[Bound | None, Fraction]
"""The bound that decides (None: the events are not a sample), and the design effect."""


def _sampled(text: str) -> _Sampled:
    return (Bound.PESSIMISTIC if BOOLEAN.parse(text) else None), Fraction(1)


def _design_effect(text: str) -> Fraction:
    effect = ABOVE_ZERO.parse(text)
    if effect < 1:
        raise ValueError(
            f"{text!r} is not a valid design effect; write 1 (independent events) or more"
        )
    return effect


SAMPLED: Final = Union(
    Scalar(_sampled, BOOLEAN.json),
    Object(
        {
            "bound": Field(
                schema=Choice(tuple(Bound)),
                doc="Value of the 95% interval that is compared. Default: pessimistic.",
                formerly="compare",
                example="pessimistic",
            ),
            "design_effect": Field(
                schema=Scalar(
                    _design_effect,
                    {
                        "type": ["number", "string"],
                        "minimum": 1,
                        "pattern": ABOVE_ZERO.json["pattern"],
                    },
                ),
                doc="Number of these events that count as one independent event. Default: 1.",
                example="2",
            ),
        },
        lambda values, _: (
            values.get("bound") or Bound.PESSIMISTIC,
            values.get("design_effect") or Fraction(1),
        ),
    ),
)


def shortest(window: Window) -> timedelta:
    """Return the length of a window; for a calendar, that of its shortest period."""
    return window.duration if isinstance(window, RollingWindow) else timedelta(hours=23)
