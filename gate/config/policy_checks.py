"""What must hold between the parts of a policy file."""

from collections.abc import Iterable
from datetime import timedelta
from fractions import Fraction
from typing import Any, Final

import yaml

from gate.backends import BACKENDS, Registration, registration
from gate.config.class_checks import (
    LOOKING_BACK,
    check_classes,
    warn_of_claims,
    warn_of_new_classes,
    word_pairs,
)
from gate.config.sli_schema import sli_kind
from gate.config.slo_schema import PlacedSlo
from gate.errors import nearest
from gate.parsing.objects import Values
from gate.parsing.reader import Reader, written
from gate.policy.changes import ROLLBACK
from gate.policy.policy import DEFAULT_GUARDS
from gate.policy.rule_settings import NAMED_BURN_RATES
from gate.policy.tiers import Tier, tier_of
from gate.slo.indicator import Sli
from gate.slo.objective import CompositeSlo, RatioSlo, RollingWindow, Slo, Window, counts_events

_COUNTING: Final = {
    "control_charts": "charts are drawn of those only",
}
"""Of those, rules that need events step by step."""
_MONTH: Final = (timedelta(days=28), timedelta(days=31))


def check_policy(values: Values, reader: Reader) -> bool:
    """Note what is wrong between the parts, and return whether the policy can be used."""
    checks = [
        _check_slos(values, reader) if values.given("slos") else True,
        _check_tiers(values, reader) if values.given("tiers") else True,
        check_classes(values, reader),
        _check_floor(values, reader),
    ]
    warn_of_new_classes(values, reader)
    warn_of_claims(values, reader)
    _warn_of_no_history(values, reader)
    _warn_of_no_events(values, reader)
    return all(checks)


def _check_floor(values: Values, reader: Reader) -> bool:
    least = values.get("min_coverage", DEFAULT_GUARDS.min_coverage)
    if not values.given("coverage_floor") or values.get("coverage_floor") <= least:
        return True
    message = (
        f"coverage_floor is above min_coverage, {float(least * 100):g}%; it is the lower bound"
    )
    reader.note(values.node("coverage_floor"), message)
    return False


def _check_slos(values: Values, reader: Reader) -> bool:
    placed: tuple[PlacedSlo, ...] = values.get("slos")
    backend, records = _backend(values), _of_backend(values, "records")
    checked: dict[str, Slo] = {}
    whole = True
    for entry in placed:
        message = _slo_mistake(entry, checked, backend, records)
        if message := message or _language_mistake(entry, backend):
            entry.note(message)
            whole = False
        checked[entry.slo.name] = entry.slo
    slos = [entry.slo for entry in placed]
    if all(slo.advisory for slo in slos):
        reader.note(values.node("slos"), "every SLO is advisory: nothing decides")
        whole = False
    _warn_of_other_windows(values, reader, slos)
    return whole


def _language_mistake(placed: PlacedSlo, backend: Registration[Any] | None) -> str | None:
    if not placed.imported or backend is None or backend.promql:
        return None
    return f"its file is written for Prometheus, which the {backend.kind} backend does not ask"


def _backend(values: Values) -> Registration[Any] | None:
    """Return the backend that the policy names; None where it names none that there is."""
    kind = _of_backend(values, "type")
    return registration(kind) if kind in BACKENDS else None


def _of_backend(values: Values, name: str) -> str:
    """Return what the backend's block says, whether or not the rest of it can be read."""
    entries = word_pairs(values.nodes.get("backend"))
    return next((written(child) for key, child in entries if key.value == name), "")


def _slo_mistake(
    placed: PlacedSlo, earlier: dict[str, Slo], backend: Registration[Any] | None, records: str
) -> str | None:
    slo = placed.slo
    if slo.name in earlier:
        return "another SLO has this name"
    if isinstance(slo, CompositeSlo):
        ratios = [name for name, other in earlier.items() if isinstance(other, RatioSlo)]
        names = [member.slo for member in slo.members]
        shown = names if placed.imported else _member_names(placed.node)
        for member, name in zip(names, shown, strict=True):
            if member not in ratios:
                hint = nearest(name, ratios)
                return f"{name!r} is no SLO with an objective above this one{hint}"
        return None
    if backend is None:
        return None
    return _preset_mistake(placed, backend, records) or _sli_mistake(slo.sli, backend)


def _member_names(node: yaml.Node) -> list[str]:
    """Return the names of a composite's parts as they are written, with their variables."""
    (members,) = [child for key, child in word_pairs(node) if key.value == "composite"]
    entries = [pair for member in members.value for pair in word_pairs(member)]
    return [written(child) for key, child in entries if key.value == "slo"]


def _preset_mistake(placed: PlacedSlo, backend: Registration[Any], records: str) -> str | None:
    sli = None if isinstance(placed.slo, CompositeSlo) else placed.slo.sli
    if sli is None or sli.preset is None:
        return None
    from gate.config.presets import find_preset  # noqa: PLC0415 - for presets only

    name = sli.preset.partition("/")[0]
    preset = find_preset(name, placed.reader.presets)
    if preset is not None and preset.backend != backend.kind:
        return f"the preset {sli.preset} is for the {preset.backend} backend"
    if preset is not None and preset.records is not None and records != name:
        return f"the preset {sli.preset} knows other rows; the backend must say records: {name}"
    return None


def _sli_mistake(sli: Sli, backend: Registration[Any]) -> str | None:
    kind = sli_kind(sli)
    if kind not in backend.indicators:
        fitting = ", ".join(sorted(backend.indicators))
        return f"the {backend.kind} backend cannot count {kind!r} indicators; it counts: {fitting}"
    whole = sli.total is not None or (sli.good is not None and sli.bad is not None)
    if sli.labels is not None and not backend.promql:
        return f"the {backend.kind} backend has no use for labels"
    if backend.promql and kind == "ratio" and not whole:
        return "the key 'total' is missing (or give both good and bad)"
    return None


def _warn_of_other_windows(values: Values, reader: Reader, slos: Iterable[Slo]) -> None:
    if values.get("burn_rates") not in NAMED_BURN_RATES.values():
        return
    windows = {slo.name: slo.window for slo in slos if not isinstance(slo, CompositeSlo)}
    others = [f"{name} ({window})" for name, window in windows.items() if _is_no_month(window)]
    if others:
        lead = "these rates are made for 30 days; they spend another share of the budget of"
        reader.note(values.node("burn_rates"), f"{lead} {', '.join(others)}", fatal=False)


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


def _warn_of_no_history(values: Values, reader: Reader) -> None:
    """Warn of rules that can never be told, so that every change will be undecided."""
    backend = _backend(values)
    if backend is None or backend.keeps_history:
        return
    for key in values.given(*LOOKING_BACK):
        message = f"{key} needs a history, and the {backend.kind} backend keeps none: undecided"
        reader.note(values.node(key), message, fatal=False)


def _warn_of_no_events(values: Values, reader: Reader) -> None:
    """Warn of rules that would say nothing, ever, of the SLOs that there are."""
    keys = values.given(*_COUNTING)
    if not keys or not values.given("slos"):
        return
    if not any(counts_events(placed.slo) for placed in values.get("slos")):
        for key in keys:
            message = f"no SLO here counts events, and {_COUNTING[key]}"
            reader.note(values.node(key), message, fatal=False)
