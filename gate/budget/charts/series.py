"""The charts of one SLO's history: of its ratio and, where something is measured, of its mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gate.budget.charts.chart import Drawn, Kind, NoChart
from gate.budget.charts.draw import Baseline, draw
from gate.budget.charts.rules import RULES
from gate.budget.charts.samples import mean_counts, ratio_counts
from gate.budget.explained import Record
from gate.budget.incidents import find_incidents
from gate.slo.history import Series, SeriesRequest
from gate.slo.measurement import Unmeasured

BURNING: Final = 6.0
"""The burn rate of the incidents that are left out of a baseline: as ``gate incidents`` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charting:
    """How charts are drawn."""

    baseline: timedelta
    """How much of the beginning says what is usual; less than the history."""
    rules: str
    """One of `RULES`."""
    records: Sequence[Record] = ()
    """Known incidents, left out of the baseline and put to the signals."""


def charts(
    series: Series, request: SeriesRequest, *, budget: float, charting: Charting
) -> Iterator[Drawn]:
    """Yield the chart of the ratio and, where the indicator measures anything, of the mean.

    Args:
        series: what happened.
        request: what it answers.
        budget: the share of events that may be bad, above 0; for incidents to leave out.
        charting: how.
    """
    found = find_incidents(series, request, budget=budget, threshold=BURNING)
    baseline = Baseline(
        until=request.span.start + charting.baseline,
        incidents=[(one.start, one.end) for one in found],
        records=charting.records,
    )
    rules, measured = RULES[charting.rules], series.measured
    yield draw(Kind.RATIO, ratio_counts(series), request, baseline, rules)
    if isinstance(measured, Unmeasured):
        yield NoChart(kind=Kind.MEAN, reason=measured.reason, cause=measured.cause)
    elif measured is not None:
        yield draw(Kind.MEAN, mean_counts(measured), request, baseline, rules)
