"""The entries of ``slos`` in a policy file: an SLO, or the files that hold SLOs."""

from datetime import timedelta
from fractions import Fraction
from typing import Final

import yaml

from gate.config.sli_schema import SLI, sli_kind
from gate.dataclass import dataclass
from gate.parsing.objects import Field, Object, Values, build_as
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, ListOf, Scalar, Union
from gate.parsing.values import (
    ABOVE_NONE,
    ABOVE_ZERO,
    AMOUNT,
    BOOLEAN,
    COUNT,
    DURATION,
    GLOB,
    LOCAL,
    NAME,
    OBJECTIVE,
    SHARE,
    ZONE,
)
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import (
    CALENDAR,
    Bound,
    CalendarWindow,
    CompositeSlo,
    Denominator,
    Member,
    Period,
    RatioSlo,
    RollingWindow,
    Slo,
    SpendSlo,
    Window,
)


def _build_window(values: Values, reader: Reader) -> tuple[Window, Denominator]:
    zone = values.get("time_zone", ZONE.parse("UTC"))
    try:
        begins = values.get("begins", CALENDAR)
        window = CalendarWindow.beginning(values.get("calendar"), zone, begins)
    except ValueError as error:
        raise reader.fail(values.node("begins"), str(error)) from None
    return window, values.get("denominator", Denominator.PERIOD)


def _rolling(text: str) -> tuple[Window, Denominator]:
    return RollingWindow(DURATION.parse(text)), Denominator.PERIOD


WINDOW: Final = Union(
    Scalar(_rolling, DURATION.json),
    Object(
        {
            "calendar": Field(
                schema=Choice(tuple(Period)),
                doc="The period; weeks begin on Monday, unless begins says otherwise.",
                required=True,
            ),
            "begins": Field(
                schema=LOCAL, doc="Local time at which a period begins, if not the calendar's."
            ),
            "time_zone": Field(schema=ZONE, doc="Whose calendar it is. Default: UTC."),
            "denominator": Field(
                schema=Choice(tuple(Denominator)),
                doc="period (default): of the whole period; to-date: of the events so far.",
            ),
        },
        _build_window,
    ),
)
TIMESLICES: Final = Object(
    {
        "length": Field(schema=DURATION, doc="Length of a slice.", required=True),
        "target": Field(
            schema=ABOVE_NONE,
            doc="A slice is bad when its good ratio is under this.",
            required=True,
        ),
        "empty": Field(
            schema=Choice(tuple(EmptySlice)),
            doc="What a slice without any event counts as. Default: left-out.",
        ),
    },
    build_as(Slices),
)
MEMBER: Final = Object(
    {
        "slo": Field(schema=NAME, doc="A ratio SLO of this policy.", required=True),
        "weight": Field(schema=ABOVE_ZERO, doc="Times what it has consumed. Default: 1."),
    },
    lambda values, _: Member(**{"weight": ABOVE_ZERO.parse("1"), **values.values}),
)


_Sampled = tuple[Bound | None, Fraction]
"""Which bound decides (None: it is no sample), and the design effect."""


def _sampled(text: str) -> _Sampled:
    return (Bound.PESSIMISTIC if BOOLEAN.parse(text) else None), Fraction(1)


def _design_effect(text: str) -> Fraction:
    effect = ABOVE_ZERO.parse(text)
    if effect < 1:
        raise ValueError(f"{text!r}: a design effect is 1 or more; 1 is that of independent events")
    return effect


SAMPLED: Final = Union(
    Scalar(_sampled, BOOLEAN.json),
    Object(
        {
            "bound": Field(
                schema=Choice(tuple(Bound)),
                doc="Which end of the 95% interval decides. Default: pessimistic.",
                formerly="compare",
            ),
            "design_effect": Field(
                schema=Scalar(_design_effect, {"type": "number", "minimum": 1}),
                doc="How many times as many events it takes as of independent ones. Default: 1.",
            ),
        },
        lambda values, _: (
            values.get("bound") or Bound.PESSIMISTIC,
            values.get("design_effect") or Fraction(1),
        ),
    ),
)
_ONLY_RATIO: Final = ("sla", "timeslices", "sampled", "min_events")
_KINDS: Final = ("objective", "allowance", "composite")


def _build_slo(values: Values, reader: Reader) -> Slo:
    kinds = values.given(*_KINDS)
    if len(kinds) != 1:
        message = "an SLO has exactly one of objective, allowance and composite"
        raise reader.fail(values.node(), message)
    (kind,) = kinds
    foreign = values.given(*_ONLY_RATIO) if kind != "objective" else ()
    if kind == "composite":
        foreign += values.given("window", "sli")
    if foreign:
        raise reader.fail(values.node(foreign[0]), f"{foreign[0]!r} does not go with {kind!r}")
    if kind == "composite":
        return CompositeSlo(members=values.get("composite"), **values.only("name", "advisory"))
    if not values.given("window"):
        raise reader.fail(values.node(), "the key 'window' is missing: 30d, or a calendar period")
    sli = values.get("sli") or Sli(series=values.get("name"))
    return (_build_spend if kind == "allowance" else _build_ratio)(values, reader, sli)


def _build_spend(values: Values, reader: Reader, sli: Sli) -> SpendSlo:
    if sli_kind(sli) not in {"spent", "series"}:
        raise reader.fail(
            values.node("sli"), "an allowance goes with an indicator of what is spent"
        )
    amount, unit = values.get("allowance")
    window, denominator = values.get("window")
    if denominator is not Denominator.PERIOD:
        message = f"{denominator.value!r} does not go with 'allowance'"
        raise reader.fail(values.node("window"), message)
    given = values.only("name", "advisory")
    return SpendSlo(window=window, sli=sli, allowance=amount, unit=unit, **given)


def _build_ratio(values: Values, reader: Reader, sli: Sli) -> RatioSlo:
    objective, sla = values.get("objective"), values.get("sla")
    if sla is not None and sla >= objective:
        raise reader.fail(values.node("sla"), "the sla must be laxer (lower) than the objective")
    slices = values.get("timeslices")
    if sli.gauge is not None and slices is None:
        # One slice a minute that must be up throughout: availability as uptime monitors count it.
        slices = Slices(length=DURATION.parse("1m"), target=SHARE.parse("100%"))
    if sli.spent is not None:
        raise reader.fail(values.node("sli"), "what is spent goes with an allowance")
    window, denominator = values.get("window")
    if slices is not None and slices.length > shortest(window):
        raise reader.fail(values.node("timeslices"), "a slice cannot be longer than the window")
    if slices is not None and denominator is not Denominator.PERIOD:
        message = f"{denominator.value!r} does not go with timeslices: the window has all of them"
        raise reader.fail(values.node("window"), message)
    sampled, design_effect = values.get("sampled") or (None, Fraction(1))
    if (slices is not None or sli.sliced) and sampled:
        raise reader.fail(values.node("sampled"), "a sample is counted in events, not timeslices")
    given = values.only("name", "objective", "sla", "min_events", "advisory")
    return RatioSlo(
        window=window,
        denominator=denominator,
        sli=sli,
        slices=slices,
        sampled=sampled,
        design_effect=design_effect,
        **given,
    )


def shortest(window: Window) -> timedelta:
    """Return the length of a window; of a calendar's, that of the shortest."""
    return window.duration if isinstance(window, RollingWindow) else timedelta(hours=23)


SLO: Final = Object(
    {
        "name": Field(schema=NAME, doc="Unique in the policy.", required=True),
        "objective": Field(schema=OBJECTIVE, doc="The share that must be good: 99.9% or 0.999."),
        "allowance": Field(schema=AMOUNT, doc="What may be spent per window: 50000 USD."),
        "composite": Field(
            schema=ListOf(MEMBER, at_least=1), doc="Other SLOs of this policy, with weights."
        ),
        "sla": Field(schema=OBJECTIVE, doc="The contract's objective, laxer than this one."),
        "window": Field(schema=WINDOW, doc="30d, or {calendar: month, time_zone: Europe/Berlin}."),
        "sli": Field(schema=SLI, doc="What is counted. Static backends default to the SLO's name."),
        "timeslices": Field(schema=TIMESLICES, doc="Count slices of time instead of events."),
        "sampled": Field(schema=SAMPLED, doc="The events are a sample: judge by a 95% interval."),
        "min_events": Field(
            schema=COUNT, doc="Fewer events are low traffic. Default: 1 / (1 - objective)."
        ),
        "advisory": Field(schema=BOOLEAN, doc="Its findings warn and never block. Default: false."),
    },
    _build_slo,
    rules={"oneOf": [{"required": [kind]} for kind in _KINDS]},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSlo:
    """An SLO, and where it is written."""

    slo: Slo
    node: yaml.Node
    reader: Reader
    """Of the file that it is written in."""
    imported: bool = False
    """That is a file of another tool, with its expressions in PromQL."""

    def note(self, message: str) -> None:
        """Note a mistake where the SLO is written."""
        self.reader.note(self.node, f"{self.slo.name}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SloFiles:
    """An entry that names SLO files."""

    pattern: str
    """A glob, from the policy's folder."""
    window: tuple[Window, Denominator] | None
    """Of SLOs whose files name none."""
    values: Values
    """Where it says so."""


FROM: Final = Object(
    {
        "from": Field(
            schema=GLOB,
            doc="Files of OpenSLO, Sloth, Pyrra or slo-generator, from this file's folder.",
            required=True,
        ),
        "window": Field(
            schema=WINDOW, doc="Of SLOs whose files say none. Default: Sloth's 30d, else required."
        ),
    },
    lambda values, _: SloFiles(
        pattern=values.get("from"), window=values.get("window"), values=values
    ),
)
