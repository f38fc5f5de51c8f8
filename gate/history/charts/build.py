"""The control chart of a history of steps, or the reason why it has none."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from gate.dataclass import dataclass
from gate.history.charts import Sample, StepCounts, mean_counts, ratio_counts, samples
from gate.history.charts.baseline import (
    Baseline,
    baseline_of_means,
    baseline_of_ratios,
    moving_sigma,
)
from gate.history.charts.chart import (
    Chart,
    ChartKind,
    ChartResult,
    NoChart,
    Point,
    mean_points,
    ratio_points,
)
from gate.history.charts.dependence import correlation
from gate.history.charts.signals import RULES, RunRule, find_signals, watch
from gate.history.incidents import find_incidents
from gate.history.records import IncidentRecord
from gate.measure import Cause, Unmeasured
from gate.measure.history import Series, SeriesRequest

FEWEST: Final = 20
"""Points that say what is usual, at least."""
EXPECTED: Final = 2
"""Bad events that a point should have in the mean: with fewer, steps are put together."""
_DAY: Final = timedelta(days=1)
_USUAL: Final[Mapping[ChartKind, Callable[[Sequence[Sample]], Baseline]]] = {
    ChartKind.RATIO: baseline_of_ratios,
    ChartKind.MEAN: baseline_of_means,
}
_POINTS: Final[Mapping[ChartKind, Callable[[Sequence[Sample], Baseline], list[Point]]]] = {
    ChartKind.RATIO: ratio_points,
    ChartKind.MEAN: mean_points,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSettings:
    """Which part of a history says what is usual."""

    until: datetime
    """It begins with the history."""
    incidents: Sequence[tuple[datetime, datetime]]
    """Stretches in which nothing was usual."""
    records: Sequence[IncidentRecord]
    """Known incidents, likewise."""

    chronic: bool = False
    """Whether most of it is in incidents, so that these are what is usual and none is left out."""

    def has(self, start: datetime, end: datetime) -> bool:
        """Return whether a stretch belongs to it: wholly before its end, and in no incident."""
        if self.chronic:
            return end <= self.until
        return (
            end <= self.until
            and not any(first < end and start < last for first, last in self.incidents)
            and not any(record.overlaps(start, end) for record in self.records)
        )


def build_chart(
    kind: ChartKind,
    counts: Sequence[StepCounts | None],
    request: SeriesRequest,
    baseline: BaselineSettings,
    rules: Sequence[RunRule],
) -> ChartResult:
    """Draw a chart, or say why it cannot be drawn.

    Args:
        kind: what the counts are.
        counts: by step, as `samples` takes them.
        request: what they answer.
        baseline: what says what is usual.
        rules: by which a point is out of control, beside the moving average.
    """
    steps_per_point = 1 if kind is ChartKind.MEAN else _steps_per_point(counts, request, baseline)
    if not steps_per_point:
        return _flawless(kind, counts)
    every = list(samples(counts, request, steps_per_point))
    measured = [sample for sample in every if baseline.has(sample.start, sample.end)]
    if len(measured) < FEWEST:
        spoilt = sum(sample.end <= baseline.until for sample in every) - len(measured)
        return _too_few(kind, len(measured), spoilt, steps_per_point)
    if request.slices is not None and _varies_too_much(measured):
        reason = "runs of bad slices are so rare that points vary too much, however long they are"
        return NoChart(kind=kind, reason=reason, cause=Cause.LOW_TRAFFIC)
    usual = _USUAL[kind](measured)
    if not usual.spread:
        reason = "nothing varies in the baseline, so what would be unusual is not known"
        return NoChart(kind=kind, reason=reason, cause=Cause.INVALID)
    points = _POINTS[kind](every, usual)
    after = [point for point in points if point.sample.end > baseline.until]
    if not after:
        reason = "nothing is known of the time after the baseline"
        return NoChart(kind=kind, reason=reason, cause=Cause.NO_DATA)
    watched = tuple(watch(after, usual, rules))
    before = points[: -len(after)]
    return Chart(
        kind=kind,
        unit=request.sli.unit,
        step=steps_per_point * request.step,
        usual=usual,
        baseline=tuple(p for p in before if baseline.has(p.sample.start, p.sample.end)),
        excluded=tuple(p for p in before if not baseline.has(p.sample.start, p.sample.end)),
        watched=watched,
        signals=find_signals(watched, baseline.records),
        chronic=baseline.chronic,
    )


def _steps_per_point(
    counts: Sequence[StepCounts | None], request: SeriesRequest, baseline: BaselineSettings
) -> int:
    """Return how many steps make a point; 0: nothing is bad in the baseline.

    Enough that `EXPECTED` bad events are in it and, of slices, that points do not vary too much.
    Where they can, points divide the day, so that each time of day can be compared with itself.
    """
    counted = list(_measured_counts(counts, request, baseline))
    bad = sum(part for part, _ in counted)
    if not counted:
        return 1
    if not bad:
        return 0
    fewest, most = ceil(EXPECTED * len(counted) / bad), _DAY // request.step
    even = [n for n in range(fewest, most + 1) if not _DAY % (n * request.step)]
    if request.slices is None:
        return even[0] if even else fewest
    for steps_per_point in even:
        points = samples(counts, request, steps_per_point)
        measured = [sample for sample in points if baseline.has(sample.start, sample.end)]
        if len(measured) < FEWEST or not _varies_too_much(measured):
            return steps_per_point
    return max(fewest, most) if even else fewest


def _varies_too_much(baseline: Sequence[Sample]) -> bool:
    """Return whether the bad slices of a point vary by more than their mean: sigma by mean above 1.

    Bad slices come in runs, and are worth as few independent events as there are runs. Where a
    point has less than about one run, most points have none, and the next run is far beyond limits
    that are drawn from those. Of independent events one a point would be that much.
    """
    bad = [sample.value * sample.events for sample in baseline]
    return moving_sigma(bad, correlation(bad)) > sum(bad) / len(bad)


def _measured_counts(
    counts: Sequence[StepCounts | None], request: SeriesRequest, baseline: BaselineSettings
) -> Iterator[StepCounts]:
    for place, step_counts in enumerate(counts):
        start = request.span.start + place * request.step
        if step_counts is not None and baseline.has(start, start + request.step):
            yield step_counts


def _flawless(kind: ChartKind, counts: Sequence[StepCounts | None]) -> NoChart:
    if any(step_counts is not None and step_counts[0] for step_counts in counts):
        reason = "nothing failed in the baseline, so it does not show what would be unusual"
        return NoChart(kind=kind, reason=reason, cause=Cause.LOW_TRAFFIC)
    return NoChart(kind=kind, reason="nothing failed at all", cause=None)


def _too_few(kind: ChartKind, samples_left: int, spoilt: int, steps_per_point: int) -> NoChart:
    reason = f"not enough data for a baseline: {samples_left} of the {FEWEST} points needed"
    if spoilt:
        reason += f" ({spoilt} more are in incidents)"
    elif steps_per_point == 1:
        reason += "; look further back"
    if steps_per_point == 1:
        return NoChart(kind=kind, reason=reason, cause=Cause.LOW_COVERAGE)
    rare = "failures, or runs of bad slices, are so rare"
    reason += f"; {rare} that a point takes {steps_per_point} steps"
    return NoChart(kind=kind, reason=reason, cause=Cause.LOW_TRAFFIC)


BURNING: Final = 6.0
"""The burn rate of the incidents that are left out of a baseline: as ``gate incidents`` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charting:
    """How charts are drawn."""

    baseline: timedelta
    """How much of the beginning says what is usual; less than the history."""
    rules: str
    """One of `RULES`."""
    records: Sequence[IncidentRecord] = ()
    """Known incidents, left out of the baseline and compared with the signals."""


def _or_all_of_it(
    baseline: BaselineSettings, series: Series, request: SeriesRequest
) -> BaselineSettings:
    """Return the baseline with all that is in it where most of what is known lies in incidents.

    What is bad most of the time is what is usual: the chart then says whether it became worse.
    """
    starts = [
        request.span.start + place * request.step
        for place, total in enumerate(series.total)
        if total
    ]
    before = [start for start in starts if start + request.step <= baseline.until]
    calm = sum(baseline.has(start, start + request.step) for start in before)
    return replace(baseline, chronic=calm < len(before) / 2)


def charts(
    series: Series, request: SeriesRequest, *, budget: float, charting: Charting
) -> Iterator[ChartResult]:
    """Yield the chart of the ratio and, where the indicator measures anything, of the mean.

    Args:
        series: what happened.
        request: what it answers.
        budget: the share of events that may be bad, above 0; for incidents to leave out.
        charting: how.
    """
    incidents = find_incidents(series, request, budget=budget, threshold=BURNING)
    baseline = _or_all_of_it(
        BaselineSettings(
            until=request.span.start + charting.baseline,
            incidents=[(incident.start, incident.end) for incident in incidents],
            records=charting.records,
        ),
        series,
        request,
    )
    rules, measured = RULES[charting.rules], series.measured
    yield build_chart(ChartKind.RATIO, ratio_counts(series), request, baseline, rules)
    if isinstance(measured, Unmeasured):
        yield NoChart(kind=ChartKind.MEAN, reason=measured.reason, cause=measured.cause)
    elif measured is not None:
        yield build_chart(ChartKind.MEAN, mean_counts(measured), request, baseline, rules)
