"""An SLO as an entry of ``slos`` in a policy file."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from gate.config.rules_schema import ON_HERE
from gate.config.sli_schema import SLI, sli_kind
from gate.config.window_schema import SAMPLED, TIMESLICES, WINDOW, shortest
from gate.measure import Cause
from gate.parsing.numbers import ABOVE_ZERO, AMOUNT, COUNT, OBJECTIVE, SHARE
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import JsonSchema, ListOf
from gate.parsing.values import BOOLEAN, DURATION, NAME
from gate.policy.policy import Action
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import (
    NO_OWN_GUARDS,
    CompositeSlo,
    Denominator,
    Member,
    OwnGuards,
    RatioSlo,
    Slo,
    SpendSlo,
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
            doc="Factor for the member's consumed budget. Default: 1.",
            example="1",
        ),
    },
    lambda values, _: Member(**{"weight": ABOVE_ZERO.parse("1"), **values.values}),
)
_ONLY_RATIO: Final = ("sla", "timeslices", "sampled", "min_events")
_KINDS: Final = ("objective", "allowance", "composite")
GUARDS: Final = ("max_age", "min_coverage", "coverage_floor")


class DeclaredSlo(NamedTuple):
    """An SLO, and the settings of its entry for the policy."""

    slo: Slo
    backend: str
    """The name of its backend; empty if the entry names none."""
    actions: Mapping[Cause, Action]
    """The actions of its own ``on``."""


def _declare_slo(values: Values, reader: Reader) -> DeclaredSlo:
    return DeclaredSlo(_build_slo(values, reader), values.get("backend", ""), values.get("on", {}))


def _build_slo(values: Values, reader: Reader) -> Slo:
    kinds = values.given(*_KINDS)
    if len(kinds) != 1:
        raise reader.fail(values.node(kinds[1] if kinds else ""), _kind_mistake(kinds))
    (kind,) = kinds
    foreign = values.given(*_ONLY_RATIO) if kind != "objective" else ()
    if kind == "composite":
        foreign += values.given("window", "sli", "backend", *GUARDS)
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
    """Return the mistake of an SLO whose kind of budget is missing or ambiguous."""
    if len(kinds) > 1:
        return f"{kinds[0]!r} and {kinds[1]!r} do not go together; an SLO has one of the two"
    return (
        "the key 'objective' is missing; add objective: 99.9% (or an allowance: 50000 USD, or"
        " composite: [{slo: ...}])"
    )


def _build_spend(values: Values, reader: Reader, sli: Sli) -> SpendSlo:
    if sli_kind(sli) not in {"spent", "series"}:
        needed = "an allowance needs an indicator of what is spent: {spent: ...}"
        raise reader.fail(values.node("sli"), f"{needed}; for events write objective: 99.9%")
    amount, unit = values.get("allowance")
    window, denominator = values.get("window")
    if denominator is not Denominator.PERIOD:
        message = f"'denominator: {denominator.value}' does not go with 'allowance'; remove it"
        raise reader.fail(values.node("window"), message)
    given = values.only("name", "advisory")
    guards = own_guards(values, reader)
    return SpendSlo(window=window, sli=sli, allowance=amount, unit=unit, guards=guards, **given)


def own_guards(values: Values, reader: Reader) -> OwnGuards:
    """Return the requirements of the entry on the measurements of its SLO."""
    given = values.only(*GUARDS)
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
        # One slice a minute that must be entirely up: availability as uptime monitors count it.
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
        message = "'sampled' does not go with timeslices; remove one"
        raise reader.fail(values.node("sampled"), message)
    given = values.only("name", "objective", "sla", "min_events", "advisory")
    return RatioSlo(
        window=window,
        denominator=denominator,
        sli=sli,
        slices=slices,
        sampled=sampled,
        design_effect=design_effect,
        guards=own_guards(values, reader),
        **given,
    )


def _kind_json(kind: str) -> JsonSchema:
    """Return the schema of an SLO of one of the `_KINDS`: its required and its excluded keys."""
    foreign = [other for other in _KINDS if other != kind]
    foreign += _ONLY_RATIO if kind != "objective" else ()
    foreign += ("window", "sli", "backend", *GUARDS) if kind == "composite" else ()
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
