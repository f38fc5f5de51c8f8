"""A whole policy file, and what must hold between its parts."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Final

import yaml

from gate.budget.assessment import Guards
from gate.config.backend_shape import BACKEND
from gate.config.change_shape import CHANGES, OVERRIDES
from gate.config.reader import Reader, UnreadableError, nearest, written
from gate.config.rules_shape import BURN_RATES, FREEZE, ON, TIER
from gate.config.scalars import DURATION, NAME, SHARE, TEXT
from gate.config.shapes import Block, Choice, Field, ListOf, Schema, Values
from gate.config.slo_shape import SLO, sli_kind
from gate.policy.burn_rates import NAMED
from gate.policy.changes import BUILT_IN, DEFAULT, ROLLBACK
from gate.policy.override import OverrideRule
from gate.policy.policy import DEFAULT_GUARDS, Policy
from gate.policy.recognition import Matcher
from gate.policy.tiers import Tier, tier_of
from gate.settings import SETTINGS, Settings
from gate.slo.measurement import Sli
from gate.slo.objective import CompositeSlo, RatioSlo, Slo
from gate.slo.window import RollingWindow, Window

_VALID_FOR: Final = timedelta(minutes=15)
_MONTH: Final = (timedelta(days=28), timedelta(days=31))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a policy file says."""

    policy: Policy
    settings: Settings


def _build(values: Values, reader: Reader) -> Contents:
    on = values.get("on") or ON.build(Values(values={}, nodes={}), reader)
    return Contents(
        settings=values.get("backend"),
        policy=Policy(
            service=values.get("service"),
            owners=values.get("owners", ()),
            slos=values.get("slos"),
            tiers=values.get("tiers"),
            burn_rates=values.get("burn_rates", ()),
            freezes=values.get("freezes", ()),
            on=on.actions,
            exempt=on.exempt,
            guards=Guards(
                max_age=values.get("max_age", DEFAULT_GUARDS.max_age),
                min_coverage=values.get("min_coverage", DEFAULT_GUARDS.min_coverage),
            ),
            change_classes=_classes(values),
            default_change=values.get("changes", {}).get("default", DEFAULT),
            matchers={
                name: matcher
                for name, matcher in values.get("changes", {}).items()
                if isinstance(matcher, Matcher) and matcher.looks
            },
            overrides=values.get("overrides", OverrideRule()),
            valid_for=values.get("valid_for", _VALID_FOR),
            dashboard=values.get("dashboard"),
        ),
    )


def _check(values: Values, reader: Reader) -> bool:
    checks = [
        _check_slos(values, reader) if values.given("slos") else True,
        _check_tiers(values, reader) if values.given("tiers") else True,
        _check_classes(values, reader),
    ]
    _warn_of_new_classes(values, reader)
    return all(checks)


def _classes(values: Values) -> frozenset[str]:
    own = {key.value for key, _ in _pairs(values.nodes.get("changes"))}
    return frozenset(BUILT_IN) | (own - {"default"})


def _check_slos(values: Values, reader: Reader) -> bool:
    slos: tuple[Slo, ...] = values.get("slos")
    backend = _backend(values)
    nodes = values.node("slos").value
    known: dict[str, Slo] = {}
    whole = True
    for slo, node in zip(slos, nodes, strict=True):
        message = _slo_mistake(slo, known, backend)
        if message:
            reader.note(node, f"{slo.name}: {message}")
            whole = False
        known[slo.name] = slo
    if all(slo.advisory for slo in slos):
        reader.note(values.node("slos"), "every SLO is advisory: nothing decides")
        whole = False
    _warn_of_other_windows(values, reader, slos)
    return whole


def _backend(values: Values) -> type[Settings] | None:
    """Return which backend is asked for, whether or not the rest of its block can be read."""
    types = [child for key, child in _pairs(values.nodes.get("backend")) if key.value == "type"]
    return next((SETTINGS.get(written(node)) for node in types), None)


def _slo_mistake(slo: Slo, known: dict[str, Slo], backend: type[Settings] | None) -> str | None:
    if slo.name in known:
        return "another SLO has this name"
    if isinstance(slo, CompositeSlo):
        for member in slo.members:
            if not isinstance(known.get(member.slo), RatioSlo):
                ratios = [name for name, other in known.items() if isinstance(other, RatioSlo)]
                hint = nearest(member.slo, ratios)
                return f"{member.slo!r} is no SLO with an objective above this one{hint}"
        return None
    return None if backend is None else _sli_mistake(slo.sli, backend)


def _sli_mistake(sli: Sli, backend: type[Settings]) -> str | None:
    kind = sli_kind(sli)
    if kind not in backend.sli_kinds:
        fitting = ", ".join(sorted(backend.sli_kinds))
        return f"the {backend.kind} backend cannot count {kind!r} indicators; it counts: {fitting}"
    whole = sli.total is not None or (sli.good is not None and sli.bad is not None)
    if sli.labels is not None and backend.kind != "prometheus":
        return f"the {backend.kind} backend has no use for labels"
    if backend.kind == "prometheus" and kind == "ratio" and not whole:
        return "the key 'total' is missing (or give both good and bad)"
    return None


def _warn_of_other_windows(values: Values, reader: Reader, slos: Iterable[Slo]) -> None:
    if values.get("burn_rates") not in NAMED.values():
        return
    windows = {slo.name: slo.window for slo in slos if not isinstance(slo, CompositeSlo)}
    others = [f"{name} ({window})" for name, window in windows.items() if _is_no_month(window)]
    if others:
        message = (
            "these rates are made for 30 days; they spend another share of the budget of"
            f" {', '.join(others)}"
        )
        reader.note(values.node("burn_rates"), message, fatal=False)


def _is_no_month(window: Window) -> bool:
    return isinstance(window, RollingWindow) and not _MONTH[0] <= window.duration <= _MONTH[1]


def _check_tiers(values: Values, reader: Reader) -> bool:
    tiers: tuple[Tier, ...] = values.get("tiers")
    nodes = values.node("tiers").value
    whole = True
    for place, (tier, node) in enumerate(zip(tiers, nodes, strict=True), start=1):
        if (tier.condition is None) != (place == len(tiers)):
            message = "the last tier, and only the last, must say otherwise: true"
            reader.note(node, f"{tier.name}: {message}")
            return False
        if not tier.allows(ROLLBACK):
            message = f"{tier.name}: forbids rollback, which would prolong an outage"
            reader.note(node, message, fatal=False)
    reached = {tier_of(tiers, remaining).name for remaining in _probes(tiers)}
    for tier, node in zip(tiers, nodes, strict=True):
        if tier.name not in reached or sum(other.name == tier.name for other in tiers) > 1:
            message = "no budget ever reaches this tier, or two tiers have this name"
            reader.note(node, f"{tier.name}: {message}")
            whole = False
    return whole


def _probes(tiers: tuple[Tier, ...]) -> list[Fraction]:
    """Return budgets on, just below and just above every threshold: one in every band.

    Nothing is above 1: more than all of a budget is never left.
    """
    hair = Fraction(1, 10**9)
    thresholds = [tier.condition.threshold for tier in tiers if tier.condition is not None]
    return [
        min(t + d, Fraction(1))
        for t in [*thresholds, Fraction(0)]
        for d in (-hair, Fraction(0), hair)
    ]


def _check_classes(values: Values, reader: Reader) -> bool:
    """Note every word in an allow, warn, require, except or default that is no change class."""
    classes, whole = _classes(values), True
    for node in _class_nodes(values):
        with suppress(UnreadableError):  # noted when it was read
            name = reader.expand(node)
            if name not in classes:
                reader.note(node, f"{name!r} is no change class{nearest(name, classes)}")
                whole = False
    return whole


def _warn_of_new_classes(values: Values, reader: Reader) -> None:
    """Warn of a class that is new and not described: most likely it is misspelt."""
    for key, child in _pairs(values.nodes.get("changes")):
        described = any(inner.value == "description" for inner, _ in _pairs(child))
        if key.value not in {*BUILT_IN, "default"} and not described:
            message = (
                f"{key.value!r} is a new change class; describe it{nearest(key.value, BUILT_IN)}"
            )
            reader.note(key, message, fatal=False)


def _class_nodes(values: Values) -> Iterable[yaml.ScalarNode]:
    blocks = [
        entry
        for key in ("tiers", "freezes", "burn_rates")
        if isinstance(node := values.nodes.get(key), yaml.SequenceNode)
        for entry in node.value
    ]
    for block in [*blocks, values.nodes.get("on"), values.nodes.get("changes")]:
        for key, child in _pairs(block):
            if key.value in {"allow", "warn", "except"} and isinstance(child, yaml.SequenceNode):
                yield from (word for word in child.value if isinstance(word, yaml.ScalarNode))
            elif key.value == "require":
                yield from (name for name, _ in _pairs(child))
            elif key.value == "default" and isinstance(child, yaml.ScalarNode):
                yield child


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """Return the keys and values of a block that may be no block, and of keys that are words."""
    entries = node.value if isinstance(node, yaml.MappingNode) else []
    return [(key, child) for key, child in entries if isinstance(key, yaml.ScalarNode)]


POLICY: Final = Block(
    {
        "version": Field(shape=Choice(("1",)), doc="Of this format: 1.", required=True),
        "service": Field(shape=NAME, doc="The service that ships.", required=True),
        "owners": Field(shape=ListOf(TEXT), doc="Whom to ask: people or teams."),
        "dashboard": Field(shape=TEXT, doc="An address where a person looks next."),
        "backend": Field(shape=BACKEND, doc="Where the counts come from.", required=True),
        "slos": Field(shape=ListOf(SLO, at_least=1), doc="What is promised.", required=True),
        "changes": Field(shape=CHANGES, doc="How a change's class is recognised."),
        "tiers": Field(
            shape=ListOf(TIER, at_least=1),
            doc="Bands of the worst remaining budget; the first that holds.",
            required=True,
        ),
        "burn_rates": Field(shape=BURN_RATES, doc="Multiwindow burn-rate rules."),
        "freezes": Field(shape=ListOf(FREEZE), doc="When only some classes may ship."),
        "overrides": Field(shape=OVERRIDES, doc="none, or how the verdict may be overridden."),
        "on": Field(shape=ON, doc="What happens when the budget is not, or not well, known."),
        "max_age": Field(shape=DURATION, doc="Of the newest sample. Default: 10m."),
        "min_coverage": Field(shape=SHARE, doc="Share of the window with data. Default: 90%."),
        "valid_for": Field(shape=DURATION, doc="How long a decision may be used. Default: 15m."),
    },
    _build,
    check=_check,
)


def policy_schema() -> Schema:
    """Return the JSON Schema of a policy file."""
    schema = POLICY.schema()
    schema["properties"]["version"] = {"description": "Of this format.", "enum": [1, "1"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gate policy",
        "description": "Which kinds of change may ship at which error budget.",
        **schema,
    }
