"""What happened when: the second contract, of backends that keep a history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable

from gate.slo.measurement import Sli, Unmeasured
from gate.slo.window import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRequest:
    """What happened in each step of a stretch of time."""

    sli: Sli
    span: Span
    step: timedelta
    """The span is a whole number of these; each leaves its start out and includes its end."""
    mean: bool = False
    """Also tell the mean of what the indicator measures, where it measures anything: a histogram's
    values, or a column's."""

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return self.span.length // self.step


def newest_steps(span: Span, step: timedelta) -> Span:
    """Return the newest part of a stretch that is a whole number of steps."""
    return Span(span.end - span.length // step * step, span.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is needed for the mean of each step: sums can be put together, means cannot."""

    sums: tuple[float | None, ...]
    """Of the values, in the unit that they are measured in; None: nothing is known of that step."""
    events: tuple[float | None, ...]
    """That were measured; known wherever the sum is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Events by step, the oldest first; None: nothing is known of that step.

    Floats: a history is looked at and extrapolated from, and no budget is decided by it.
    """

    total: tuple[float | None, ...]
    bad: tuple[float | None, ...]
    """Known wherever the total is; 0 <= bad <= total."""
    query: str
    notes: tuple[str, ...] = ()
    measured: Measured | Unmeasured | None = None
    """None: no mean was asked for, or the indicator has none."""


SeriesAnswer = Series | Unmeasured


@runtime_checkable
class History(Protocol):
    """Anything that can tell what happened when. Not every backend can."""

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return what happened in each step, for every request in order; never raises.

        The sum over the steps is what `Backend.measure` counts over the span, but for what a
        server extrapolates at the ends of each step.
        """
        ...
