"""The backends of a policy, and which of them counts an SLO."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import yaml

from gate.backends import BACKENDS, Registration, registration
from gate.config.backend_schema import GUARDS, NamedBackend
from gate.config.class_checks import word_pairs
from gate.config.placed_slo import PlacedSlo
from gate.errors import nearest
from gate.measure import Cause
from gate.parsing.objects import Values
from gate.parsing.reader import written
from gate.policy.policy import Action
from gate.slo.objective import NO_OWN_GUARDS, CompositeSlo, OwnGuards, Slo


class BackendBlock(NamedTuple):
    """A policy's description of one of its backends, as far as it can be read."""

    name: str
    """Empty if it is the only backend of the policy, which has no name."""
    words: Mapping[str, str]
    """The scalar values of its block, as they are written."""
    guards: OwnGuards
    actions: Mapping[Cause, Action]

    @property
    def key(self) -> str:
        """The place of its block in the file."""
        return f"backends.{self.name}" if self.name else "backend"

    @property
    def backend(self) -> Registration[Any] | None:
        """Its registration; None if no backend has its type."""
        kind = self.words.get("type", "")
        return registration(kind) if kind in BACKENDS else None

    @property
    def guards_by_default(self) -> OwnGuards:
        """The default requirements on measurements, for keys that no block and no policy has."""
        backend = self.backend
        age = None if backend is None else backend.max_age(self.words)
        return NO_OWN_GUARDS if age is None else OwnGuards(max_age=age)


BackendBlocks = Mapping[str, BackendBlock]
"""The backends of a policy by name; the name of a single backend is empty."""


def blocks_of(values: Values) -> BackendBlocks:
    """Return the backends that a policy names, even if the rest of the policy cannot be read."""
    if not _has_several(values):
        node = values.nodes.get("backend")
        return {} if node is None else {"": BackendBlock("", _words(node), NO_OWN_GUARDS, {})}
    read: Mapping[str, NamedBackend[Any]] = values.get("backends", {})
    sources = {}
    for key, node in word_pairs(values.nodes["backends"]):
        if not isinstance(node, yaml.MappingNode):
            continue
        entry = read.get(key.value)
        guards, actions = (NO_OWN_GUARDS, {}) if entry is None else (entry.guards, entry.actions)
        sources[key.value] = BackendBlock(key.value, _words(node), guards, actions)
    return sources


def _has_several(values: Values) -> bool:
    """Return whether a policy has ``backends``, or a key that is probably a misspelling of it."""
    given = {key.value for key, _ in word_pairs(values.node())}
    return "backends" in given or ("backends" in values.nodes and "backend" not in values.nodes)


def _words(node: yaml.Node) -> dict[str, str]:
    return {key.value: written(child) for key, child in word_pairs(node)}


def block_of(placed: PlacedSlo, sources: BackendBlocks) -> BackendBlock | None:
    """Return the backend that counts an SLO; None for an unknown name and for a composite."""
    if isinstance(placed.slo, CompositeSlo):
        return None
    if not placed.backend and len(sources) == 1:
        return next(iter(sources.values()))
    return sources.get(placed.backend) if placed.backend or "" in sources else None


def naming_mistake(placed: PlacedSlo, sources: BackendBlocks) -> str | None:
    """Return the mistake in the name of an SLO's backend, or None."""
    names = [name for name in sources if name]
    if isinstance(placed.slo, CompositeSlo) or not sources:
        return None
    if placed.backend and not names:
        return (
            f"backend: {placed.backend} names an entry of backends, and this policy has a single"
            " backend; remove it, or write backends: {NAME: {type: ...}}"
        )
    if placed.backend and placed.backend not in names:
        hint = nearest(placed.backend, names)
        return f"{placed.backend!r} is not a backend of this policy{hint}"
    if not placed.backend and len(names) > 1:
        # The SLO files of other tools have no such key.
        place = " beside 'from'" if placed.imported else ""
        return (
            "the key 'backend' is missing, since this policy has several; add backend:"
            f" NAME{place}, which is one of: {', '.join(names)}"
        )
    return None


def on_backend(placed: PlacedSlo, source: BackendBlock | None, *, age_given: bool) -> Slo:
    """Return an SLO with the requirements of its backend on measurements.

    Args:
        placed: the SLO; its own requirements come first.
        source: its backend; None for a composite.
        age_given: whether the policy sets the maximum age of the newest sample; if it does not, the
            default of the backend's type applies.
    """
    slo = placed.slo
    if source is None or not source.name or isinstance(slo, CompositeSlo):
        return slo
    asking = [slo.guards, source.guards, *([] if age_given else [source.guards_by_default])]
    guards = OwnGuards(
        **{
            key: next((value for own in asking if (value := getattr(own, key)) is not None), None)
            for key in GUARDS
        }
    )
    return replace(slo, sli=slo.sli.counted_by(source.name), guards=guards)
