"""What must hold between the tiers of a policy file: one message for each thing that is wrong."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import yaml

from gate.parsing.objects import Values
from gate.parsing.reader import Reader
from gate.parsing.schema import child_at
from gate.policy.changes import BUILT_IN_CHANGES, ROLLBACK
from gate.policy.tiers import Tier, bands

_Mistakes = Iterator[tuple[yaml.Node, str]]


def check_tiers(values: Values, reader: Reader) -> bool:
    """Note what is wrong between the tiers, and return whether they can be used."""
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
    """Yield tiers that hold for every budget before the end, and a last one that does not."""
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
    """Yield the tiers that no budget reaches, and which tier above is the reason."""
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
    """Yield tiers for small budgets that allow what another one forbids with more budget left."""
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

    None is above 1: more than all of a budget is never left.
    """
    hair = Fraction(1, 10**9)
    thresholds = [tier.condition.threshold for tier in tiers if tier.condition is not None]
    return [
        min(threshold + distance, Fraction(1))
        for threshold in [*thresholds, Fraction(0)]
        for distance in (-hair, Fraction(0), hair)
    ]
