"""Checks between the tiers and the change classes of a policy file."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from typing import Final

import yaml

from gate.config.tier_schema import ALL_OR_NONE
from gate.errors import nearest
from gate.parsing.nodes import child_at
from gate.parsing.objects import Values
from gate.parsing.reader import Reader, UnreadableError, has_variable, written
from gate.parsing.variables import literal_text
from gate.policy.changes import BUILT_IN_CHANGES, DEFAULT_CHANGE, ROLLBACK, ChangeMatcher
from gate.policy.tiers import Tier, bands

LOOKING_BACK: Final = ("postmortems", "control_charts")
"""The rules that need the history."""


def classes(values: Values) -> frozenset[str]:
    """Return every change class of a policy: the built-in classes, and its own."""
    own = {key.value for key, _ in word_pairs(values.nodes.get("changes"))}
    return frozenset(BUILT_IN_CHANGES) | (own - {"default"})


def check_classes(values: Values, reader: Reader) -> bool:
    """Note every word in an allow, warn, require, except or default that is not a change class."""
    names, whole = classes(values), True
    for node in _class_nodes(values):
        with suppress(UnreadableError):  # already noted when it was read
            if literal_text(node, reader) not in names:
                name = written(node)
                reader.note(node, f"{name!r} is not a change class{nearest(name, names)}")
                whole = False
    return whole


def warn_of_new_classes(values: Values, reader: Reader) -> None:
    """Warn of a new class without a description: its name is probably misspelt."""
    for key, child in word_pairs(values.nodes.get("changes")):
        described = any(inner.value == "description" for inner, _ in word_pairs(child))
        if key.value not in {*BUILT_IN_CHANGES, "default"} and not described:
            hint = nearest(key.value, BUILT_IN_CHANGES)
            message = f"{key.value!r} is a new change class; add a description{hint}"
            reader.note(key, message, fatal=False)


def warn_of_claims(values: Values, reader: Reader) -> None:
    """Warn of classes that only the author of a change could choose: they never count."""
    tiers: tuple[Tier, ...] = values.get("tiers") or ()
    changes = values.get("changes") or {}
    default = changes.get("default", DEFAULT_CHANGE)
    allowing = {name: sum(tier.allows(name) for tier in tiers) for name in (*changes, default)}
    for key, _ in word_pairs(values.nodes.get("changes")):
        matcher = changes.get(key.value)
        if not isinstance(matcher, ChangeMatcher) or matcher.approved_by:
            continue
        by_parts = matcher.paths or matcher.types or matcher.trailers
        if matcher.looks and not by_parts and allowing[key.value] > allowing[default]:
            message = (
                f"{key.value}: authors choose labels and branches themselves, so these never give a"
                " class that may do more; add approved_by: [write]"
            )
            reader.note(key, message, fatal=False)


def warn_of_unused_classes(values: Values, reader: Reader) -> None:
    """Warn of a class that no tier allows: it can never ship."""
    tiers: tuple[Tier, ...] = values.get("tiers") or ()
    for key, _ in word_pairs(values.nodes.get("changes")):
        if tiers and key.value != "default" and not any(tier.allows(key.value) for tier in tiers):
            message = (
                f"no tier allows {key.value}, so that it never ships; add it to the allow of a tier"
            )
            reader.note(key, message, fatal=False)


def _class_nodes(values: Values) -> Iterable[yaml.ScalarNode]:
    blocks = [
        (key, entry)
        for key in ("tiers", "freezes", "burn_rates")
        if isinstance(node := values.nodes.get(key), yaml.SequenceNode)
        for entry in node.value
    ]
    single = ("on", "changes", "exhaustion", *LOOKING_BACK)
    for place, block in [*blocks, *((key, values.nodes.get(key)) for key in single)]:
        for key, child in word_pairs(block):
            if key.value in {"allow", "warn", "except"} and isinstance(child, yaml.SequenceNode):
                noted = ALL_OR_NONE if (place, key.value) == ("tiers", "allow") else ()
                words = (word for word in child.value if isinstance(word, yaml.ScalarNode))
                yield from (word for word in words if word.value not in noted)
            elif key.value == "require":
                yield from (name for name, _ in word_pairs(child))
            elif key.value == "default" and isinstance(child, yaml.ScalarNode):
                yield child


def word_pairs(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """Return the keys that are scalars, with their values; nothing if the node is not a block."""
    entries = node.value if isinstance(node, yaml.MappingNode) else []
    words = [(key, child) for key, child in entries if isinstance(key, yaml.ScalarNode)]
    return [(key, child) for key, child in words if not has_variable(key.value)]


_Mistakes = Iterator[tuple[yaml.Node, str]]


def check_tiers(values: Values, reader: Reader) -> bool:
    """Note the mistakes among the tiers, and return whether they can be used."""
    tiers: tuple[Tier, ...] = values.get("tiers")
    nodes: list[yaml.Node] = values.node("tiers").value
    mistakes = list(_duplicates(tiers, nodes)) or list(_endings(tiers, nodes))
    mistakes = mistakes or list(_unreached(tiers, nodes))
    for node, message in mistakes:
        reader.note(node, message)
    for tier, node in zip(tiers, nodes, strict=True):
        if not tier.allows(ROLLBACK):
            message = (
                f"{tier.name}: forbids rollback, which would prolong an outage; add it to allow"
            )
            reader.note(node, message, fatal=False)
    if not mistakes:
        for node, message in _inverted(tiers, nodes):
            reader.note(node, message, fatal=False)
    return not mistakes


def _duplicates(tiers: Sequence[Tier], nodes: Sequence[yaml.Node]) -> _Mistakes:
    lines: dict[str, int] = {}
    for tier, node in zip(tiers, nodes, strict=True):
        place = child_at(node, "name")
        if tier.name in lines:
            first = lines[tier.name]
            yield place, f"duplicate tier name {tier.name!r}; the first one is on line {first}"
        lines.setdefault(tier.name, place.start_mark.line + 1)


def _endings(tiers: Sequence[Tier], nodes: Sequence[yaml.Node]) -> _Mistakes:
    """Yield each tier before the last that holds for every budget, and a last one that does not."""
    for tier, node in zip(tiers[:-1], nodes, strict=False):
        if tier.condition is None:
            message = "otherwise: true holds for every budget; move this tier to the end"
            yield node, f"{tier.name}: {message}"
    if tiers[-1].condition is not None:
        yield (
            nodes[-1],
            f"{tiers[-1].name}: the last tier must hold for all other budgets; replace remaining"
            " with otherwise: true, or add a tier with it",
        )


def _unreached(tiers: Sequence[Tier], nodes: Sequence[yaml.Node]) -> _Mistakes:
    """Yield the tiers that no budget reaches, each with the tier above that is the reason."""
    probes = _probes(tiers)
    places = [[tier.holds(remaining) for tier in tiers].index(True) for remaining in probes]
    for place, (tier, node) in enumerate(zip(tiers, nodes, strict=True)):
        if place in places:
            continue
        held = {above for above, at in zip(places, probes, strict=True) if tier.holds(at)}
        falling = [above for above in sorted(held) if str(tiers[above].condition)[0] == "<"]
        if not held:
            yield node, f"{tier.name}: no budget is ever {tier.condition}: at most 100% is left"
        elif falling:
            above = tiers[falling[0]]
            meant = str(above.condition).replace("<", ">")
            message = f"{above.name}: with {str(above.condition)!r} before it, no budget reaches"
            yield nodes[falling[0]], f"{message} {tier.name}; did you mean {meant!r}?"
        else:
            names = ", ".join(f"{tiers[above].name} ({tiers[above].condition})" for above in held)
            message = f"{tier.name}: no budget reaches this tier: {names} holds first"
            yield node, f"{message}; put higher thresholds first"


def _inverted(tiers: Sequence[Tier], nodes: Sequence[yaml.Node]) -> _Mistakes:
    """Yield the tiers that allow a class which another tier forbids with more budget left."""
    thresholds = [tier.condition.threshold for tier in tiers if tier.condition is not None]
    for upper, lower in pairwise(bands(tiers, min([Fraction(0), *thresholds]) - 1, Fraction(1))):
        if lower.tier.condition is None or lower.tier.condition.operator[0] != "<":
            continue
        names = BUILT_IN_CHANGES if lower.tier.allow is None else lower.tier.allow
        more = sorted(name for name in names if not upper.tier.allows(name))
        if more:
            place = next(place for place, tier in enumerate(tiers) if tier is lower.tier)
            message = (
                f"{lower.tier.name}: allows {more[0]} at {str(lower.tier.condition)!r}, and"
                f" {upper.tier.name} forbids it with more budget left; check the comparison"
            )
            yield nodes[place], message


def _probes(tiers: Sequence[Tier]) -> list[Fraction]:
    """Return budgets on, just below and just above every threshold: at least one in every band.

    None is above 1, since never more than the whole budget is left.
    """
    hair = Fraction(1, 10**9)
    thresholds = [tier.condition.threshold for tier in tiers if tier.condition is not None]
    return [
        min(threshold + distance, Fraction(1))
        for threshold in [*thresholds, Fraction(0)]
        for distance in (-hair, Fraction(0), hair)
    ]
