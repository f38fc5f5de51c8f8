"""The SLOs by which a shadow deployment can be compared, and the steps of the comparison."""

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
"""The shortest comparison; in less time, bursts of failures do not show."""
_SHORT: Final = timedelta(minutes=5)
"""The shortest step of a longer time: a shorter step may contain no scrape."""
_MOST_STEPS: Final = 60
_SECOND: Final = timedelta(seconds=1)


def shadow_step(lasting: timedelta) -> timedelta:
    """Return the step of the comparison, in whole seconds: 5m for 1h, 24m for 1d.

    There are 10 to 60 steps, which together are the time, or a few seconds longer.

    Args:
        lasting: at least `SHORTEST_SHADOW`.
    """
    steps = min(max(lasting // _SHORT, FEWEST_STEPS), _MOST_STEPS)
    return -(-lasting // (steps * _SECOND)) * _SECOND


def shadow_slos(slos: Sequence[Slo], requirement: ShadowRequirement) -> tuple[RatioSlo, ...]:
    """Return the SLOs by which a shadow is compared: those named, or all that count events.

    A named SLO that cannot be compared is left out; `why_no_shadow` says why.
    """
    return tuple(
        slo
        for slo in slos
        if isinstance(slo, RatioSlo)
        and without_groups(slo) is None
        and (not requirement.slos or slo.name in requirement.slos)
    )


def why_no_shadow(slos: Sequence[Slo], requirement: ShadowRequirement) -> str | None:
    """Return a problem of a requirement that does not depend on data, or None.

    Args:
        slos: the SLOs of the policy.
        requirement: a requirement of a tier of the policy.

    Returns:
        One sentence without a full stop, which says how to mend it.
    """
    return next(_mistakes(slos, requirement), None)


def _mistakes(slos: Sequence[Slo], requirement: ShadowRequirement) -> Iterator[str]:
    if requirement.candidate == requirement.against:
        value = requirement.candidate
        yield f"candidate and against are both {value!r}; write the live deployment's in against"
    if requirement.lasting < SHORTEST_SHADOW:
        yield (
            f"for is {format_duration(requirement.lasting)}; write at least"
            f" {format_duration(SHORTEST_SHADOW)}, since bursts of failures do not show in less"
            " time"
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
            "no SLO here counts events, by which the two could be compared; add one with good or"
            " bad"
            " events"
        )
    for slo in compared:
        if is_part_of_bad(by, slo.sli):
            yield (
                f"{by} is part of what makes an event of {slo.name} bad, so the two differ by"
                " definition; separate them by another label, or name other SLOs in slos"
            )


def without_groups(slo: Slo) -> str | None:
    """Say why an SLO has no events to group by labels; None: it has some."""
    if not isinstance(slo, RatioSlo):
        return without_events(slo)
    if slo.slices is not None:
        return "it counts slices of time, which belong to no group"
    if slo.sli.sliced:
        return "its series have ratios of slices of time, whose events are unknown"
    return None
