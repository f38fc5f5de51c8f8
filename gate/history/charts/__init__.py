"""Control charts of an indicator; here what they are drawn of: its ratio or mean, step by step."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from gate.dataclass import dataclass
from gate.measure.history import Measured, Series, SeriesRequest

FEWEST_EVENTS: Final = 20
"""Events that a mean is taken of at least: of fewer it says more of them than of the service."""


StepCounts = tuple[float, float]
"""What is summed up (bad events, or amounts), and the events that it is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One point in the making."""

    start: datetime
    end: datetime
    value: float
    """Bad of all events, 0 to 1; or the mean."""
    events: float
    """That it is of; above 0."""


def ratio_counts(series: Series) -> list[StepCounts | None]:
    """Return each step's bad events and events; None where none is known of."""
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
    """Yield a sample for every this many steps with known data, the oldest first.

    Args:
        counts: by step.
        request: what they answer.
        steps_per_point: steps that make a sample, at least 1. The newest is whole: what is over a
            whole number of them is left out at the beginning.
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
