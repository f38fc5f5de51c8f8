"""Checks between the parts of a policy file."""

from collections.abc import Iterable
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.config.backend_blocks import block_of, blocks_of, naming_mistake
from gate.config.backend_schema import check_backends, check_one_place
from gate.config.class_checks import (
    LOOKING_BACK,
    check_classes,
    check_tiers,
    warn_of_claims,
    warn_of_new_classes,
    warn_of_unused_classes,
    word_pairs,
)
from gate.config.placed_slo import PlacedSlo
from gate.config.slo_checks import language_mistake, slo_mistake
from gate.parsing.objects import Values
from gate.parsing.reader import Reader
from gate.policy.policy import DEFAULT_GUARDS
from gate.policy.rule_settings import NAMED_BURN_RATES
from gate.slo.objective import (
    NO_OWN_GUARDS,
    CompositeSlo,
    RatioSlo,
    RollingWindow,
    Slo,
    SpendSlo,
    Window,
)

_COUNTING: Final = {
    "control_charts": "remove it, or add an SLO with an objective",
}
"""The rules that need events step by step, each with the remedy."""
_LONGEST_KEPT: Final = timedelta(days=366)
_MONTH: Final = (timedelta(days=28), timedelta(days=31))


def check_policy(values: Values, reader: Reader) -> bool:
    """Note the mistakes between the parts, and return whether the policy can be used."""
    checks = [
        check_one_place(values, reader),
        check_backends(values, reader),
        _check_slos(values, reader) if values.given("slos") else True,
        check_tiers(values, reader) if values.given("tiers") else True,
        check_classes(values, reader),
        _check_floor(values, reader),
        _check_required(values, reader),
    ]
    warn_of_new_classes(values, reader)
    warn_of_claims(values, reader)
    warn_of_unused_classes(values, reader)
    _warn_of_no_history(values, reader)
    _warn_of_no_events(values, reader)
    return all(checks)


def _check_floor(values: Values, reader: Reader) -> bool:
    least = values.get("min_coverage", DEFAULT_GUARDS.min_coverage)
    whole = True
    if values.given("coverage_floor") and values.get("coverage_floor") > least:
        reader.note(values.node("coverage_floor"), _too_high(least))
        whole = False
    sources = blocks_of(values)
    for placed in values.get("slos", ()):
        own = NO_OWN_GUARDS if isinstance(placed.slo, CompositeSlo) else placed.slo.guards
        source = block_of(placed, sources)
        needed = least if source is None else source.guards.min_coverage or least
        if own.min_coverage is None and own.coverage_floor and own.coverage_floor > needed:
            placed.note(_too_high(needed))
            whole = False
    return whole


def _too_high(least: Fraction) -> str:
    return f"coverage_floor must not be above min_coverage, which is {float(least * 100):g}%"


def _check_required(values: Values, reader: Reader) -> bool:
    if not values.given("tiers"):
        return True
    tiers, node = values.get("tiers"), values.node("tiers")
    if not any(tier.require for tier in tiers):
        return True
    from gate.config.requirement_schema import check_requirements, warn_of_bare_names  # noqa: PLC0415 - where anything is required only

    if not values.get("claims", False):
        warn_of_bare_names(tiers, node, reader)
    if not values.given("slos"):
        return True
    slos = tuple(placed.slo for placed in values.get("slos"))
    return check_requirements(tiers, node, slos, reader)


def _check_slos(values: Values, reader: Reader) -> bool:
    placed: tuple[PlacedSlo, ...] = values.get("slos")
    sources = blocks_of(values)
    checked: dict[str, Slo] = {}
    whole = True
    for entry in placed:
        source = block_of(entry, sources)
        message = naming_mistake(entry, sources) or slo_mistake(entry, checked, source)
        if message := message or language_mistake(entry, source):
            entry.note(message)
            whole = False
        checked[entry.slo.name] = entry.slo
    slos = [entry.slo for entry in placed]
    if all(slo.advisory for slo in slos):
        reader.note(
            values.node("slos"),
            "every SLO is advisory, so that nothing decides; remove advisory from one of them",
        )
        whole = False
    _warn_of_unused_backends(values, reader, placed)
    _warn_of_other_windows(values, reader, slos)
    for entry in placed:
        _warn_of_long_window(entry)
    return whole


def _warn_of_long_window(placed: PlacedSlo) -> None:
    """Warn of a window that is longer than most backends keep data."""
    window = None if isinstance(placed.slo, CompositeSlo) else placed.slo.window
    if isinstance(window, RollingWindow) and window.duration > _LONGEST_KEPT:
        message = (
            f"hardly any backend keeps {window} of data (Prometheus keeps 15d by default), so that"
            " most of it is not covered; windows are usually 28d or 30d"
        )
        placed.reader.note(placed.node, f"{placed.slo.name}: {message}", fatal=False)


def _warn_of_unused_backends(values: Values, reader: Reader, placed: tuple[PlacedSlo, ...]) -> None:
    """Warn of a backend that counts nothing: an SLO probably names another one by mistake."""
    sources = blocks_of(values)
    if any(naming_mistake(entry, sources) for entry in placed):
        return  # It may be used once the mistakes are corrected.
    used = {source.name for entry in placed if (source := block_of(entry, sources)) is not None}
    for key, _ in word_pairs(values.nodes.get("backends")):
        if key.value in sources and key.value not in used:
            message = (
                f"no SLO uses the backend {key.value}, so that it is never queried; remove it, or"
                f" write backend: {key.value} on an SLO"
            )
            reader.note(key, message, fatal=False)


def _warn_of_other_windows(values: Values, reader: Reader, slos: Iterable[Slo]) -> None:
    if values.get("burn_rates") not in NAMED_BURN_RATES.values():
        return
    windows = {slo.name: slo.window for slo in slos if isinstance(slo, RatioSlo | SpendSlo)}
    others = [f"{name} ({window})" for name, window in windows.items() if _is_no_month(window)]
    if others:
        lead = "these rates are for windows of 30 days; they use another share of the budget of"
        reader.note(values.node("burn_rates"), f"{lead} {', '.join(others)}", fatal=False)


def _is_no_month(window: Window) -> bool:
    return isinstance(window, RollingWindow) and not _MONTH[0] <= window.duration <= _MONTH[1]


def _warn_of_no_history(values: Values, reader: Reader) -> None:
    """Warn of rules that can never be evaluated: every check would be undecided."""
    for source in blocks_of(values).values():
        backend = source.backend
        if backend is None or backend.keeps_history:
            continue
        whose = f"the backend {source.name} ({backend.kind})"
        for key in values.given(*LOOKING_BACK):
            message = (
                f"{key} needs a history, which"
                f" {whose if source.name else f'the {backend.kind} backend'} does not keep: every"
                " check will be undecided; remove it"
            )
            reader.note(values.node(key), message, fatal=False)


def _warn_of_no_events(values: Values, reader: Reader) -> None:
    """Warn of rules that can never apply to the SLOs of the policy."""
    keys = values.given(*_COUNTING)
    if not keys or not values.given("slos"):
        return
    if not any(isinstance(placed.slo, RatioSlo) for placed in values.get("slos")):
        for key in keys:
            message = f"{key} has no effect: no SLO here has a ratio; {_COUNTING[key]}"
            reader.note(values.node(key), message, fatal=False)
