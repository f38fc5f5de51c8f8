"""Histories to draw charts of."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gate.history.charts import Sample, StepCounts
from gate.measure.history import SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span

START = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR


def request(steps: int, step: timedelta = HOUR) -> SeriesRequest:
    return SeriesRequest(sli=Sli(), span=Span(START, START + steps * step), step=step)


def sample(place: int, value: float, events: float = 1000) -> Sample:
    start = START + place * HOUR
    return Sample(start=start, end=start + HOUR, value=value, events=events)


def samples_of(values: Sequence[float], events: float = 1000) -> list[Sample]:
    """One an hour."""
    return [sample(place, value, events) for place, value in enumerate(values)]


def of_1000(bad: Sequence[float | None]) -> list[StepCounts | None]:
    """Return so many bad ones of 1,000 in each step."""
    return [None if one is None else (one, 1000.0) for one in bad]
