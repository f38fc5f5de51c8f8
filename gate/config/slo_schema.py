"""The entries of ``slos`` in a policy file: an SLO, or the files that hold SLOs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import timedelta
from fractions import Fraction
from typing import Final, NamedTuple

import yaml

from gate.config.rules_schema import ON_HERE
from gate.config.sli_schema import SLI, sli_kind
from gate.dataclass import dataclass
from gate.measure import Cause
from gate.parsing.objects import Field, Object, Values, build_as
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, JsonSchema, ListOf, MapOf, Scalar, Union
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
    TEXT,
    ZONE,
)
from gate.policy.policy import Action
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import (
    CALENDAR,
    NO_OWN_GUARDS,
    Bound,
    CalendarWindow,
    CompositeSlo,
    Denominator,
    Member,
    OwnGuards,
    Period,
    PlatformSlo,
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


_CALENDAR: Final = re.compile(rf"1?\s*(?:({'|'.join(Period)})s?|(?:(month|week|quarter|year)ly))")
"""One calendar period, as people also call it."""


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
                doc="Budget of the whole period, or of the events to date. Default: period.",
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
            doc="What a slice without any event counts as. Default: left-out.",
            example="left-out",
        ),
    },
    build_as(Slices),
)
MEMBER: Final = Object(
    {
        "slo": Field(
            schema=NAME,
            doc="Name of an SLO of this policy that has an objective.",
            required=True,
            example="availability",
        ),
        "weight": Field(
            schema=ABOVE_ZERO,
            doc="Factor for what the member has consumed. Default: 1.",
            example="1",
        ),
    },
    lambda values, _: Member(**{"weight": ABOVE_ZERO.parse("1"), **values.values}),
)


_Sampled = tuple[Bound | None, Fraction]
"""Which bound decides (None: it is not a sample), and the design effect."""


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
                doc="Which value of the 95% interval is compared. Default: pessimistic.",
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
                doc="How many of these events are worth one independent event. Default: 1.",
                example="2",
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
_GUARDS: Final = ("max_age", "min_coverage", "coverage_floor")


class DeclaredSlo(NamedTuple):
    """An SLO, and what its entry says of how the policy deals with it."""

    slo: Slo
    backend: str
    """The name of its backend; empty: the entry names none."""
    actions: Mapping[Cause, Action]
    """What its own ``on`` says."""


def _declare_slo(values: Values, reader: Reader) -> DeclaredSlo:
    return DeclaredSlo(_build_slo(values, reader), values.get("backend", ""), values.get("on", {}))


def _build_slo(values: Values, reader: Reader) -> Slo:
    kinds = values.given(*_KINDS)
    if len(kinds) != 1:
        raise reader.fail(values.node(kinds[1] if kinds else ""), _kind_mistake(kinds))
    (kind,) = kinds
    foreign = values.given(*_ONLY_RATIO) if kind != "objective" else ()
    if kind == "composite":
        foreign += values.given("window", "sli", "backend", *_GUARDS)
    if foreign:
        message = f"{foreign[0]!r} does not go with {kind!r}; remove one of the two"
        raise reader.fail(values.node(foreign[0]), message)
    if kind == "composite":
        return CompositeSlo(members=values.get("composite"), **values.only("name", "advisory"))
    if not values.given("window"):
        message = "the key 'window' is missing; add window: 30d, or window: {calendar: month}"
        raise reader.fail(values.node(), message)
    sli = values.get("sli") or Sli(series=values.get("name"))
    return (_build_spend if kind == "allowance" else _build_ratio)(values, reader, sli)


def _kind_mistake(kinds: tuple[str, ...]) -> str:
    """Say that the budget of an SLO is not given, or is given twice."""
    if len(kinds) > 1:
        return f"{kinds[0]!r} and {kinds[1]!r} do not go together; an SLO has one of the two"
    return (
        "the key 'objective' is missing; add objective: 99.9% (or an allowance: 50000 USD, or"
        " composite: [{slo: ...}])"
    )


def _build_spend(values: Values, reader: Reader, sli: Sli) -> SpendSlo:
    if sli_kind(sli) not in {"spent", "series"}:
        raise reader.fail(
            values.node("sli"),
            "an allowance needs an indicator of what is spent: {spent: ...}; for events write"
            " objective: 99.9%",
        )
    amount, unit = values.get("allowance")
    window, denominator = values.get("window")
    if denominator is not Denominator.PERIOD:
        message = f"'denominator: {denominator.value}' does not go with 'allowance'; remove it"
        raise reader.fail(values.node("window"), message)
    given = values.only("name", "advisory")
    guards = _own_guards(values, reader)
    return SpendSlo(window=window, sli=sli, allowance=amount, unit=unit, guards=guards, **given)


def _own_guards(values: Values, reader: Reader) -> OwnGuards:
    given = values.only(*_GUARDS)
    if not given:
        return NO_OWN_GUARDS
    guards = OwnGuards(**given)
    floor, least = guards.coverage_floor, guards.min_coverage
    if floor is not None and least is not None and floor > least:
        message = f"coverage_floor must not be above min_coverage, which is {float(least * 100):g}%"
        raise reader.fail(values.node("coverage_floor"), message)
    return guards


def _build_ratio(values: Values, reader: Reader, sli: Sli) -> RatioSlo:
    objective, sla = values.get("objective"), values.get("sla")
    if sla is not None and sla >= objective:
        raise reader.fail(values.node("sla"), "the sla must be lower than the objective")
    slices = values.get("timeslices")
    if slices is not None and sli.slo is not None:
        message = "a platform counts its SLO as it is defined there; remove timeslices"
        raise reader.fail(values.node("timeslices"), message)
    if sli.gauge is not None and slices is None:
        # One slice a minute that must be up throughout: availability as uptime monitors count it.
        slices = Slices(length=DURATION.parse("1m"), target=SHARE.parse("100%"))
    if sli.spent is not None:
        raise reader.fail(values.node("sli"), "'spent' needs an allowance instead of an objective")
    window, denominator = values.get("window")
    if slices is not None and slices.length > shortest(window):
        raise reader.fail(values.node("timeslices"), "a slice must not be longer than the window")
    if slices is not None and denominator is not Denominator.PERIOD:
        message = f"'denominator: {denominator.value}' does not go with timeslices; remove it"
        raise reader.fail(values.node("window"), message)
    sampled, design_effect = values.get("sampled") or (None, Fraction(1))
    if (slices is not None or sli.sliced) and sampled:
        raise reader.fail(
            values.node("sampled"), "'sampled' does not go with timeslices; remove one"
        )
    given = values.only("name", "objective", "sla", "min_events", "advisory")
    return RatioSlo(
        window=window,
        denominator=denominator,
        sli=sli,
        slices=slices,
        sampled=sampled,
        design_effect=design_effect,
        guards=_own_guards(values, reader),
        **given,
    )


def shortest(window: Window) -> timedelta:
    """Return the length of a window; of a calendar's, that of the shortest."""
    return window.duration if isinstance(window, RollingWindow) else timedelta(hours=23)


def _kind_json(kind: str) -> JsonSchema:
    """Return which keys an SLO has with one of `_KINDS`, and which it must not have."""
    foreign = [other for other in _KINDS if other != kind]
    foreign += _ONLY_RATIO if kind != "objective" else ()
    foreign += ("window", "sli", "backend", *_GUARDS) if kind == "composite" else ()
    return {
        "required": [kind] if kind == "composite" else [kind, "window"],
        "not": {"anyOf": [{"required": [key]} for key in foreign]},
    }


SLO: Final = Object(
    {
        "name": Field(
            schema=NAME,
            doc="Name of the SLO, unique in the policy.",
            required=True,
            example="availability",
        ),
        "objective": Field(
            schema=OBJECTIVE,
            doc="Share of events that must be good: 99.9% or 0.999.",
            example="99.9%",
        ),
        "allowance": Field(
            schema=AMOUNT,
            doc="Amount that may be spent in a window: 50000 USD.",
            example="50000 USD",
        ),
        "composite": Field(
            schema=ListOf(MEMBER, at_least=1),
            doc="Other SLOs of this policy whose consumed budgets are added up.",
            example="[{slo: availability}, {slo: latency, weight: 0.5}]",
        ),
        "sla": Field(
            schema=OBJECTIVE, doc="Objective of the contract, laxer than this one.", example="99.5%"
        ),
        "window": Field(
            schema=WINDOW,
            doc="Time over which the budget is counted: 30d, or {calendar: month}.",
            example="30d",
        ),
        "sli": Field(
            schema=SLI,
            doc="The indicator: what is counted. Default: with static, series: NAME.",
            example="{preset: vllm/errors}",
        ),
        "backend": Field(
            schema=NAME,
            doc="Name of the entry of backends that counts it. Default: the only one.",
            example="judge",
        ),
        "timeslices": Field(
            schema=TIMESLICES,
            doc="Counts slices of time instead of events.",
            example="{length: 5m, target: 99%}",
        ),
        "sampled": Field(
            schema=SAMPLED,
            doc="Whether the events are a sample, to be judged by a 95% interval. Default: false.",
            example="true",
        ),
        "min_events": Field(
            schema=COUNT,
            doc="Number of events below which traffic is low. Default: 1 / (1 - objective).",
            example="100",
        ),
        "max_age": Field(
            schema=DURATION,
            doc="Age above which its newest sample is stale. Default: the policy's max_age.",
            example="36h",
        ),
        "min_coverage": Field(
            schema=SHARE,
            doc="Share of the window with data below which its coverage is low. Default: the"
            " policy's min_coverage.",
            example="80%",
        ),
        "coverage_floor": Field(
            schema=SHARE,
            doc="Share below which its budget is unknown. Default: the policy's coverage_floor; at"
            " most min_coverage.",
            example="40%",
        ),
        "on": ON_HERE,
        "advisory": Field(
            schema=BOOLEAN, doc="Whether its findings only warn. Default: false.", example="true"
        ),
    },
    _declare_slo,
    rules={"oneOf": [_kind_json(kind) for kind in _KINDS]},
)


PLATFORM: Final = "platform"
"""Where an SLO is from whose objective and window its platform has."""


def _declare_platform_slo(values: Values, reader: Reader) -> DeclaredSlo:
    sli = values.get("sli") or Sli(slo=values.get("name"))
    objective, sla = values.get("objective"), values.get("sla")
    if objective is not None and sla is not None and sla >= objective:
        raise reader.fail(values.node("sla"), "the sla must be lower than the objective")
    window, denominator = values.get("window") or (None, Denominator.PERIOD)
    slo = PlatformSlo(
        sli=sli,
        window=window,
        denominator=denominator,
        guards=_own_guards(values, reader),
        **values.only("name", "objective", "sla", "min_events", "advisory"),
    )
    return DeclaredSlo(slo, values.get("backend", ""), values.get("on", {}))


_OF_PLATFORM: Final = Object(
    {
        "slo": replace(SLI.fields["slo"], required=True),
        "group": SLI.fields["group"],
    },
    build_as(Sli),
)
FROM_PLATFORM: Final = Object(
    {
        "from": Field(
            schema=Scalar(Choice((PLATFORM,)).parse, {"const": PLATFORM}),
            doc="platform: objective and window are those that the SLO platform has.",
            required=True,
            example=PLATFORM,
        ),
        **{
            key: SLO.fields[key]
            for key in ("name", "sla", "backend", "min_events", *_GUARDS, "on", "advisory")
        },
        "sli": Field(
            schema=_OF_PLATFORM,
            doc="The SLO of the platform. Default: slo: NAME.",
            example="{slo: Chat availability}",
        ),
        "objective": Field(
            schema=OBJECTIVE,
            doc="Which objective is meant, where the platform has several. Default: its only one.",
            example="99.9%",
        ),
        "window": Field(
            schema=WINDOW,
            doc="Which window is meant, where the platform has several. Default: its only one.",
            example="30d",
        ),
    },
    _declare_platform_slo,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSlo:
    """An SLO, and where it is written."""

    slo: Slo
    node: yaml.Node
    reader: Reader
    """The reader of the file that it is written in."""
    imported: bool = False
    """That is a file of another tool, with its expressions in PromQL."""
    backend: str = ""
    """The name of its backend, as its entry has it; empty: the entry names none."""
    actions: Mapping[Cause, Action] = field(default_factory=dict)
    """What its own ``on`` says."""

    def note(self, message: str) -> None:
        """Note a mistake where the SLO is written, or the expression with which it begins."""
        role = message.partition(":")[0]
        expressions = [
            expression
            for key, child in ([] if self.imported else self.node.value)
            if key.value == "sli" and isinstance(child, yaml.MappingNode)
            for name, expression in child.value
            if name.value == role
        ]
        node = expressions[0] if expressions else self.node
        self.reader.note(node, f"{self.slo.name}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SloFiles:
    """An entry that names SLO files."""

    pattern: str
    """A glob, from the policy's folder."""
    window: tuple[Window, Denominator] | None
    """Of SLOs whose files name none."""
    backend: str
    """The name of the backend that counts them; empty: the entry names none."""
    groups: Mapping[str, Sequence[str]]
    """By label, the values that have an SLO each where a file groups by the label."""
    values: Values
    """Where it says so."""


FROM: Final = Object(
    {
        "from": Field(
            schema=GLOB,
            doc="Files of OpenSLO, Sloth, Pyrra or slo-generator, relative to this file's folder.",
            required=True,
            example="slos/*.yaml",
        ),
        "window": Field(
            schema=WINDOW,
            doc="Window of SLOs whose files have none. Default: 30d for Sloth, otherwise required.",
        ),
        "backend": Field(
            schema=NAME,
            doc="Name of the entry of backends that counts them. Default: the only one.",
            example="prom",
        ),
        "groups": Field(
            schema=MapOf(ListOf(TEXT, at_least=1)),
            doc=(
                "For Pyrra's grouping: values of the label, each an SLO of its own; '*' stands for"
                " all others together."
            ),
            example="{handler: [/chat, /embed, '*']}",
        ),
    },
    lambda values, _: SloFiles(
        pattern=values.get("from"),
        window=values.get("window"),
        backend=values.get("backend", ""),
        groups=values.get("groups", {}),
        values=values,
    ),
)
