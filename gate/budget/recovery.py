"""When a rolling budget comes back: as its bad events, step by step, leave the window."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate

from gate.slo.history import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How much of what was consumed is still in the window, if nothing more fails."""

    at: datetime
    step: timedelta
    left: tuple[Fraction, ...]
    """After one step, two steps and so on: the share of today's bad events that is left, 1 to 0."""

    def remaining(self, remaining: Fraction) -> Iterator[tuple[datetime, Fraction]]:
        """Yield, step by step, when how much of the budget will be left.

        With r left now, 1 - r is consumed, and what has left the window is given back; the traffic
        is taken to stay what it was, so that the budget's size stays.
        """
        for place, left in enumerate(self.left, start=1):
            yield self.at + place * self.step, 1 - (1 - remaining) * left


def recovery(series: Series, at: datetime, step: timedelta) -> Recovery | None:
    """Return how the bad events of a whole window leave it; None where none is known of.

    Args:
        series: the events of the window that ends at ``at``; a step that is not known has none.
        at: the instant of the run.
        step: of the series.
    """
    bad = [value or 0.0 for value in series.bad]
    total = sum(bad)
    if not total:
        return None
    gone = accumulate(bad)
    return Recovery(
        at=at,
        step=step,
        left=tuple(max(1 - Fraction(sofar) / Fraction(total), Fraction()) for sofar in gone),
    )
