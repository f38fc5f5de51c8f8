"""The control chart of a history of steps, or the reason why it is missing."""

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
from gate.history.charts.dependence import correlation, moving_sigma
from gate.history.charts.signals import RULES, RunRule, find_signals, watch
from gate.history.incidents import find_incidents
from gate.history.records import IncidentRecord
from gate.measure import Cause, Unmeasured
from gate.measure.history import Series, SeriesRequest

FEWEST: Final = 20
"""The minimum number of points in a baseline."""
EXPECTED: Final = 2
"""The mean number of bad events that a point should have: with fewer, steps are combined."""
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
    """The part of a history that is the baseline."""

    until: datetime
    """The end of the baseline, which starts with the history."""
    incidents: Sequence[tuple[datetime, datetime]]
    """Incidents in the history, which are left out."""
    records: Sequence[IncidentRecord]
    """Known incidents, which are left out."""

    chronic: bool = False
    """Whether incidents cover most of it: then they are the usual state, and none is left out."""

    def has(self, start: datetime, end: datetime) -> bool:
        """Return whether a stretch belongs to it: all before its end, and not in an incident."""
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
    """Build a chart, or return why it cannot be built.

    Args:
        kind: the kind of the counts.
        counts: the counts by step, as for `samples`.
        request: the request that they answer.
        baseline: the part of the history that is the baseline.
        rules: the rules for points that are out of control, in addition to the moving average.
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
        reason = "nothing varies in the baseline, so it does not show what would be unusual"
        return NoChart(kind=kind, reason=reason, cause=Cause.INVALID)
    points = _POINTS[kind](every, usual)
    after = [point for point in points if point.sample.end > baseline.until]
    if not after:
        reason = "there is no data after the baseline"
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
    """Return the number of steps in a point; 0: nothing is bad in the baseline.

    A point has `EXPECTED` bad events and, for slices, enough of them that points vary little.
    If possible, points divide the day, so that each time of day can be compared with itself.
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
        reason += f" ({spoilt} more in incidents)"
    elif steps_per_point == 1:
        reason += "; look further back"
    if steps_per_point == 1:
        return NoChart(kind=kind, reason=reason, cause=Cause.LOW_COVERAGE)
    rare = "failures, or runs of bad slices, are so rare"
    reason += f"; {rare} that a point takes {steps_per_point} steps"
    return NoChart(kind=kind, reason=reason, cause=Cause.LOW_TRAFFIC)


BURNING: Final = 6.0
"""The burn rate of incidents that are left out of a baseline: the default of ``gate incidents``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charting:
    """The settings of charts."""

    baseline: timedelta
    """The length of the baseline at the start; less than that of the history."""
    rules: str
    """One of `RULES`."""
    records: Sequence[IncidentRecord] = ()
    """Known incidents: they are left out of the baseline, and compared with the signals."""


def _or_all_of_it(
    baseline: BaselineSettings, series: Series, request: SeriesRequest
) -> BaselineSettings:
    """Return the baseline, with the incidents if they cover most of the known data.

    A state that lasts most of the time is the usual one: the chart then shows whether it became
    worse.
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
    """Yield the chart of the ratio and, if the indicator measures values, that of the mean.

    Args:
        series: the events by step.
        request: the request that it answers.
        budget: the share of events that may be bad, above 0, to find the incidents to leave out.
        charting: the settings.
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
