"""Groups by step, made by hand."""

from collections.abc import Sequence

from gate.history.cohorts import Arm, Pair


def even(total: float, bad: float, steps: int = 20) -> Arm:
    """Return a group whose events, and failures, are the same in every step."""
    return Arm((total / steps,) * steps, (bad / steps,) * steps)


def burst(total: float, bad: Sequence[float]) -> Arm:
    """Return a group with so many events in each step, and these failures."""
    return Arm((total,) * len(bad), tuple(bad))


def pair(group: tuple[float, float], rest: tuple[float, float], steps: int = 20) -> Pair:
    """Return two even groups, each by its events and failures."""
    return Pair(even(*group, steps), even(*rest, steps))
