"""What must hold between the classes of a policy file, and what is said where they are used."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import yaml

from gate.config.rules_schema import ALL_OR_NONE
from gate.errors import nearest
from gate.parsing.objects import Values
from gate.parsing.reader import Reader, UnreadableError, has_variable, written
from gate.policy.changes import BUILT_IN_CHANGES, DEFAULT_CHANGE, ChangeMatcher
from gate.policy.tiers import Tier

LOOKING_BACK: Final = ("postmortems", "control_charts")
"""Rules that need the history."""


def classes(values: Values) -> frozenset[str]:
    """Return every change class that the policy knows: built in, and its own."""
    own = {key.value for key, _ in word_pairs(values.nodes.get("changes"))}
    return frozenset(BUILT_IN_CHANGES) | (own - {"default"})


def check_classes(values: Values, reader: Reader) -> bool:
    """Note every word in an allow, warn, require, except or default that is not a change class."""
    names, whole = classes(values), True
    for node in _class_nodes(values):
        with suppress(UnreadableError):  # noted when it was read
            if reader.literal(node) not in names:
                name = written(node)
                reader.note(node, f"{name!r} is not a change class{nearest(name, names)}")
                whole = False
    return whole


def warn_of_new_classes(values: Values, reader: Reader) -> None:
    """Warn of a class that is new and not described: most likely it is misspelt."""
    for key, child in word_pairs(values.nodes.get("changes")):
        described = any(inner.value == "description" for inner, _ in word_pairs(child))
        if key.value not in {*BUILT_IN_CHANGES, "default"} and not described:
            hint = nearest(key.value, BUILT_IN_CHANGES)
            message = f"{key.value!r} is a new change class; add a description{hint}"
            reader.note(key, message, fatal=False)


def warn_of_claims(values: Values, reader: Reader) -> None:
    """Warn of classes that only their author could choose, and that therefore never count."""
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
    """Warn of a class that no tier allows, so that it can never ship."""
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
    """Return the keys that are words, with their values; none of what is not a block."""
    entries = node.value if isinstance(node, yaml.MappingNode) else []
    words = [(key, child) for key, child in entries if isinstance(key, yaml.ScalarNode)]
    return [(key, child) for key, child in words if not has_variable(key.value)]
