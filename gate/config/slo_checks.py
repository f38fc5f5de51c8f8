"""Checks whether an SLO fits the other SLOs of its policy, and its backend."""

from typing import Any

import yaml

from gate.backends import BACKENDS, Registration, registration
from gate.config.backend_blocks import BackendBlock
from gate.config.class_checks import word_pairs
from gate.config.placed_slo import PlacedSlo
from gate.config.sli_schema import sli_kind
from gate.errors import nearest
from gate.parsing.reader import written
from gate.slo.indicator import Sli
from gate.slo.objective import CompositeSlo, PlatformSlo, RatioSlo, Slo, SpendSlo


def language_mistake(placed: PlacedSlo, source: BackendBlock | None) -> str | None:
    """Return the mistake of an SLO file with expressions that the backend cannot read, or None.

    Args:
        placed: the SLO.
        source: its backend; None if unknown.
    """
    backend = None if source is None else source.backend
    if source is None or not placed.imported or backend is None or backend.promql:
        return None
    advice = f"set {source.key}.type to prometheus"
    if source.name:
        advice = "name a backend of the type prometheus beside 'from'"
    return f"its file has PromQL, which the {backend.kind} backend does not read; {advice}"


def slo_mistake(
    placed: PlacedSlo, earlier: dict[str, Slo], source: BackendBlock | None
) -> str | None:
    """Return the mistake of an SLO, or None.

    Args:
        placed: the SLO.
        earlier: the SLOs above it in the policy, by name.
        source: its backend; None if unknown.
    """
    slo = placed.slo
    if slo.name in earlier:
        return "duplicate SLO name; names must differ"
    if isinstance(slo, CompositeSlo):
        ratios = [
            name for name, other in earlier.items() if isinstance(other, RatioSlo | PlatformSlo)
        ]
        names = [member.slo for member in slo.members]
        shown = names if placed.imported else _member_names(placed.node)
        for member, name in zip(names, shown, strict=True):
            if member not in ratios:
                hint = nearest(name, ratios)
                return f"{name!r} is not an SLO with an objective above this one{hint}"
        return None
    backend = None if source is None else source.backend
    if source is None or backend is None:
        return None
    return (
        _preset_mistake(placed, backend, source)
        or _missing_sli(placed, backend)
        or _platform_mistake(slo, backend)
        or _sli_mistake(slo.sli, backend)
        or _expression_mistake(slo, placed, backend)
    )


def _platform_mistake(slo: Slo, backend: Registration[Any]) -> str | None:
    """Return the mistake of an SLO with 'platform' values whose backend is not an SLO platform."""
    if not isinstance(slo, PlatformSlo) or "platform" in backend.indicators:
        return None
    platforms = [kind for kind in BACKENDS if "platform" in registration(kind).indicators]
    return (
        f"the {backend.kind} backend keeps no SLOs that could be taken from: platform; write"
        f" objective and window here, or name a backend of the type {' or '.join(platforms)}"
    )


def _missing_sli(placed: PlacedSlo, backend: Registration[Any]) -> str | None:
    """Say that the indicator is missing; only a backend with named counts works without one."""
    given = (
        isinstance(placed.slo, PlatformSlo)
        or placed.imported
        or any(key.value == "sli" for key, _ in word_pairs(placed.node))
    )
    if given or "series" in backend.indicators:
        return None
    forms = "{preset: vllm/errors}, or {bad: ..., total: ...}"
    if "platform" in backend.indicators:
        forms = "{slo: NAME}, the name of an SLO of the platform"
        return f"the key 'sli' is missing; add sli: {forms}"
    if "metric" in backend.indicators:
        forms = "{metric: all}, or the name of a metric: {metric: faithfulness, score: 0.7}"
    elif not backend.promql:
        forms = "{bad: status >= 500}, or {column: latency_ms, threshold: 2500}"
    return f"the key 'sli' is missing; add sli: {forms}"


def _expression_mistake(
    slo: RatioSlo | SpendSlo | PlatformSlo, placed: PlacedSlo, backend: Registration[Any]
) -> str | None:
    """Return a mistake in the expressions; those of built-in presets are covered by tests."""
    name = (slo.sli.preset or "").partition("/")[0]
    if name and name not in placed.reader.presets:
        return None
    return backend.mistake_in(slo.sli, slo.slices if isinstance(slo, RatioSlo) else None)


def _member_names(node: yaml.Node) -> list[str]:
    """Return the names of a composite's members as they are written, with their variables."""
    (members,) = [child for key, child in word_pairs(node) if key.value == "composite"]
    entries = [pair for member in members.value for pair in word_pairs(member)]
    return [written(child) for key, child in entries if key.value == "slo"]


def _preset_mistake(
    placed: PlacedSlo, backend: Registration[Any], source: BackendBlock
) -> str | None:
    sli = None if isinstance(placed.slo, CompositeSlo) else placed.slo.sli
    if sli is None or sli.preset is None:
        return None
    from gate.config.presets import find_preset  # noqa: PLC0415 - for presets only

    name = sli.preset.partition("/")[0]
    preset = find_preset(name, placed.reader.presets)
    if preset is not None and preset.backend != backend.kind:
        return (
            f"the preset {sli.preset} is for the {preset.backend} backend, and"
            f" {source.key}.type is {backend.kind}"
        )
    if preset is not None and preset.records is not None and source.words.get("records") != name:
        return (
            f"the preset {sli.preset} reads rows of its own form; set {source.key}.records: {name}"
        )
    return None


def _sli_mistake(sli: Sli, backend: Registration[Any]) -> str | None:
    kind = sli_kind(sli)
    if kind not in backend.indicators:
        fitting = ", ".join(sorted(backend.indicators))
        return (
            f"the {backend.kind} backend does not support {kind!r} indicators; it supports:"
            f" {fitting}"
        )
    whole = sli.total is not None or (sli.good is not None and sli.bad is not None)
    if sli.labels is not None and not backend.promql:
        return f"the {backend.kind} backend does not use labels; remove them"
    if backend.promql and kind == "ratio" and not whole:
        return "the key 'total' is missing; add the expression for all events, or both good and bad"
    return None
