"""Which SLOs a shadow deployment can be compared by, and in which steps of time."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from gate.errors import nearest
from gate.history.cohorts import FEWEST_STEPS
from gate.history.cohorts.comparison import is_part_of_bad
from gate.policy.requirements import ShadowRequirement
from gate.slo.objective import RatioSlo, Slo
from gate.slo.quantities import format_duration
from gate.wording import without_events

SHORTEST_SHADOW: Final = FEWEST_STEPS * timedelta(minutes=1)
"""In less time it is not seen whether failures come in bursts."""
_SHORT: Final = timedelta(minutes=5)
"""A step with fewer scrapes may know nothing; only of a short time are steps shorter."""
_MOST_STEPS: Final = 60
_SECOND: Final = timedelta(seconds=1)


def shadow_step(lasting: timedelta) -> timedelta:
    """Return the step in which a time is looked at, in whole seconds: 5m of 1h, 24m of 1d.

    There are 10 to 60 of them, and together they are the time, or a few seconds more.

    Args:
        lasting: at least `SHORTEST_SHADOW`.
    """
    steps = min(max(lasting // _SHORT, FEWEST_STEPS), _MOST_STEPS)
    return -(-lasting // (steps * _SECOND)) * _SECOND


def shadow_slos(slos: Sequence[Slo], requirement: ShadowRequirement) -> tuple[RatioSlo, ...]:
    """Return the SLOs by which a shadow is compared: those named, or all that count events.

    One that is named and cannot be compared is left out; `why_no_shadow` says so.
    """
    return tuple(
        slo
        for slo in slos
        if isinstance(slo, RatioSlo)
        and without_groups(slo) is None
        and (not requirement.slos or slo.name in requirement.slos)
    )


def why_no_shadow(slos: Sequence[Slo], requirement: ShadowRequirement) -> str | None:
    """Say what is wrong with a requirement whatever data there is; None: nothing.

    Args:
        slos: of the policy.
        requirement: of a tier of the same policy.

    Returns:
        One sentence without a full stop, which says what to do.
    """
    return next(_mistakes(slos, requirement), None)


def _mistakes(slos: Sequence[Slo], requirement: ShadowRequirement) -> Iterator[str]:
    if requirement.candidate == requirement.against:
        value = requirement.candidate
        yield f"candidate and against are both {value!r}; write the live deployment's in against"
    if requirement.lasting < SHORTEST_SHADOW:
        yield (
            f"for is {format_duration(requirement.lasting)}; write at least"
            f" {format_duration(SHORTEST_SHADOW)}, since in less time it is not seen whether"
            " failures come in bursts"
        )
    by_name = {slo.name: slo for slo in slos}
    for name in requirement.slos:
        if name not in by_name:
            yield f"no SLO is named {name!r}{nearest(name, by_name)}"
        elif (reason := without_groups(by_name[name])) is not None:
            yield f"{name} cannot be compared: {reason}; name other SLOs in slos"
    yield from _incomparable(shadow_slos(slos, requirement), requirement.by)


def _incomparable(compared: Sequence[RatioSlo], by: str) -> Iterator[str]:
    if not compared:
        yield (
            "no SLO counts events by which the two could be compared; add one with good or bad"
            " events"
        )
    for slo in compared:
        if is_part_of_bad(by, slo.sli):
            yield (
                f"{by} is part of what makes an event of {slo.name} bad, so the two differ by"
                " definition; separate them by another label, or name other SLOs in slos"
            )


def without_groups(slo: Slo) -> str | None:
    """Say why an SLO has no events that could be grouped by labels; None: it has."""
    if not isinstance(slo, RatioSlo):
        return without_events(slo)
    if slo.slices is not None:
        return "it counts slices of time, which belong to no group"
    if slo.sli.sliced:
        return "its series hold ratios of slices of time, of which the events are not known"
    return None
