"""The budget of a composite, from those of its members."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from gate.budget.assessment import Assessment, Doubt
from gate.budget.forecast import Recovery
from gate.budget.ratio import composite_consumed, seconds
from gate.slo.objective import CompositeSlo


def assess_composite(slo: CompositeSlo, parts: Mapping[str, Assessment]) -> Assessment:
    """Return the budget of a composite from its members' (by name).

    It is not measured unless every member is: a missing member could be the overspent one.
    """
    weighted = [(member.weight, parts[member.slo]) for member in slo.members]
    doubts = tuple(doubt for _, part in weighted for doubt in _member_doubts(part))
    shares = [(weight, part.consumed) for weight, part in weighted if part.consumed is not None]
    if len(shares) < len(weighted):
        return Assessment(slo=slo, doubts=doubts)
    consumed = composite_consumed(shares)
    costs = [
        (weight, part.stated_cost) for weight, part in weighted if part.stated_cost is not None
    ]
    worst = {name: part.worst_case or part for name, part in parts.items()}
    best = {name: part.best_case or part for name, part in parts.items()}
    return Assessment(
        slo=slo,
        doubts=doubts,
        consumed=consumed,
        remaining=1 - consumed,
        stated_cost=composite_consumed(costs) if costs else None,
        small_part=next((part.small_part for _, part in weighted if part.small_part), None),
        worst_case=assess_composite(slo, worst) if _suspected(slo, parts) else None,
        best_case=assess_composite(slo, best) if _suspected(slo, parts) else None,
        rounding=_composite_rounding(zip((part for _, part in weighted), shares, strict=True)),
    )


def _composite_rounding(
    parts: Iterable[tuple[Assessment, tuple[Fraction, Fraction]]],
) -> tuple[Fraction, Fraction] | None:
    """Return the bounds of the remaining share by the members' rounding; None: it is exact.

    ``parts`` are the members, all of them measured, with their weights and consumed shares.
    """
    lowest = highest = Fraction(1)
    rounded = False
    for part, (weight, consumed) in parts:
        rounded |= part.rounding is not None
        low, high = part.rounding or (1 - consumed, 1 - consumed)
        lowest -= weight * (1 - low)
        highest -= weight * (1 - high)
    return (lowest, highest) if rounded else None


def _suspected(slo: CompositeSlo, parts: Mapping[str, Assessment]) -> bool:
    return any(parts[member.slo].worst_case is not None for member in slo.members)


def _member_doubts(part: Assessment) -> list[Doubt]:
    """Return the effect of a member's doubts on the composite, each with its own cause.

    A measured member is judged by itself, with its doubts: only the doubts of an advisory member,
    which only warn there, must be repeated.
    """
    name = part.slo.name
    if not part.measured:
        why = f"a member could not be measured: {name}"
        return [Doubt(cause=doubt.cause, reason=why) for doubt in part.doubts]
    doubts = part.doubts if part.slo.advisory else ()
    return [
        Doubt(cause=doubt.cause, reason=f"its member {name}: {doubt.reason}") for doubt in doubts
    ]


def composed(parts: Sequence[tuple[Fraction, Recovery]]) -> Recovery:
    """Return the recovery of a composite, by the longest of its members' steps.

    Args:
        parts: the part of the composite's budget that each member took (weight x consumed), above
            0, and the member's recovery; at least one.
    """
    step = max(part.step for _, part in parts)
    start, end = min(part.at for _, part in parts), max(part.end for _, part in parts)
    total = sum(share for share, _ in parts)
    left = tuple(
        sum((share * part.left_at(start + place * step) for share, part in parts), Fraction(0))
        / total
        for place in range(1, -((start - end) // step) + 1)
    )
    paces = [
        share * part.added * seconds(step) / seconds(part.step)
        for share, part in parts
        if part.added is not None
    ]
    added = sum(paces, Fraction(0)) / total if len(paces) == len(parts) else None
    return Recovery(at=start, step=step, left=left, added=added)
