"""Failures before and since a deploy, and whether they differ by more than chance."""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.history.cohorts import FEWEST_STEPS, Arm, Pair, design_effect
from gate.history.cohorts.ratios import ratio_of, score_interval
from gate.measure.cohorts import EventCounts
from gate.measure.history import Series, SeriesRequest
from gate.slo.objective import Span

FEWEST_FAILURES: Final = 10
"""The fewest failures before and since the deploy together: with fewer, an interval is too wide."""


class Difference(StrEnum):
    """The result of comparing the share of failures before and since a deploy."""

    WORSE = "worse"
    """The whole interval lies above the share before."""
    BETTER = "better"
    ALIKE = "alike"
    """The interval contains the share before: no difference shows."""
    UNKNOWN = "unknown"
    """Too few events so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """An SLO's events in equally long stretches of time before and since a deploy."""

    slo: str
    before: EventCounts
    since: EventCounts
    before_span: Span
    """As long as ``since_span``; both consist of whole steps, without the step of the deploy."""
    since_span: Span
    difference: Difference
    ratio: float | None = None
    """The failure ratio since the deploy, relative to the one before; None: no failures."""
    interval: tuple[float, float] = field(default=(0.0, float("inf")))
    """The 95% interval of the ratio, with an allowance for failures that come in bursts."""


def before_and_after(
    slo: str, series: Series, request: SeriesRequest, deployed: datetime, until: datetime
) -> BeforeAfter | None:
    """Compare the time since a deploy with as much time before it; None: no whole step.

    The interval is the score interval of the ratio of two shares, of counts that are divided by
    their design effect (`gate.history.cohorts.design_effect`): failures in bursts are fewer pieces
    of evidence. The step of the deploy belongs to neither side.

    Args:
        slo: the SLO of the events.
        series: the events by step.
        request: the request that the series answers.
        deployed: the instant of the deploy.
        until: the next deploy, or the end of the history.
    """
    bounds = [request.end_of(place) for place in range(-1, request.steps)]
    first = next((place for place, start in enumerate(bounds[:-1]) if start >= deployed), None)
    if first is None:
        return None
    whole = [place for place in range(first, request.steps) if bounds[place + 1] <= until]
    own = first - 1 if bounds[first] > deployed else first
    count = min(len(whole), own)
    if not count:
        return None
    since, before = range(first, first + count), range(own - count, own)
    pair = Pair(_arm(series, since), _arm(series, before))
    counts = [EventCounts(*arm.sums) for arm in (pair.rest, pair.group)]
    spans = [Span(bounds[places.start], bounds[places.stop]) for places in (before, since)]
    fields: dict[str, tuple[float, float]] = {}
    difference, ratio = Difference.UNKNOWN, None
    if _enough(pair):
        table = pair.table.thinned(design_effect([pair])).whole()
        ratio, interval = ratio_of(pair.table), score_interval(table)
        fields["interval"] = interval
        difference = _difference(*interval)
    return BeforeAfter(
        slo=slo,
        before=counts[0],
        since=counts[1],
        before_span=spans[0],
        since_span=spans[1],
        difference=difference,
        ratio=ratio,
        **fields,
    )


def _enough(pair: Pair) -> bool:
    steps = min(pair.group.busy_steps, pair.rest.busy_steps)
    return steps >= FEWEST_STEPS and pair.table.failed >= FEWEST_FAILURES


def _difference(low: float, high: float) -> Difference:
    if low > 1:
        return Difference.WORSE
    return Difference.BETTER if high < 1 else Difference.ALIKE


def _arm(series: Series, places: range) -> Arm:
    """Return the events of some steps, on the time line of all steps."""

    def kept(values: Sequence[float | None]) -> tuple[float, ...]:
        return tuple(
            (value or 0.0) if place in places else 0.0 for place, value in enumerate(values)
        )

    return Arm(kept(series.total), kept(series.bad))
