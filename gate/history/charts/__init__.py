"""Control charts of an indicator, and the samples that they show: its ratio or mean by step."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from gate.dataclass import dataclass
from gate.measure.history import Measured, Series, SeriesRequest

FEWEST_EVENTS: Final = 20
"""The minimum number of events for a mean: with fewer, the mean shows single events rather than the
service."""
StepCounts = tuple[float, float]
"""The sums of each step (bad events, or amounts), and its numbers of events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sample, which becomes a point of a chart."""

    start: datetime
    end: datetime
    value: float
    """The share of bad events, 0 to 1; or the mean."""
    events: float
    """The number of its events; above 0."""


def ratio_counts(series: Series) -> list[StepCounts | None]:
    """Return each step's bad events and events; None if a step is unknown."""
    return [
        None if total is None or not total else (bad or 0.0, total)
        for bad, total in zip(series.bad, series.total, strict=True)
    ]


def mean_counts(measured: Measured) -> list[StepCounts | None]:
    """Return each step's sum and number of values; None if they are too few for a mean."""
    return [
        None if of is None or of < FEWEST_EVENTS else (sum_ or 0.0, of)
        for sum_, of in zip(measured.sums, measured.events, strict=True)
    ]


def samples(
    counts: Sequence[StepCounts | None], request: SeriesRequest, steps_per_point: int
) -> Iterator[Sample]:
    """Yield a sample for each group of steps with known data, the oldest first.

    Args:
        counts: the counts by step.
        request: the request that they answer.
        steps_per_point: the number of steps in a sample, at least 1. The newest sample is complete:
            surplus steps are left out at the beginning.
    """
    for first in range(len(counts) % steps_per_point, len(counts), steps_per_point):
        measured = [
            step_counts
            for step_counts in counts[first : first + steps_per_point]
            if step_counts is not None
        ]
        if not measured:
            continue
        start = request.span.start + first * request.step
        events = sum(of for _, of in measured)
        yield Sample(
            start=start,
            end=start + steps_per_point * request.step,
            value=sum(part for part, _ in measured) / events,
            events=events,
        )
