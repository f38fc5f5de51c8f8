"""Reports on control charts, made by hand of histories that are."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from gate.analysis.anomalies import AnomalyReport, ChartedSlo, ServiceAnomalies
from gate.history.charts.build import BaselineSettings, build_chart
from gate.history.charts.chart import Chart, ChartKind
from gate.history.charts.signals import DEFAULT, RULES
from gate.history.records import IncidentRecord, RecordStatus
from gate.measure.history import SeriesRequest
from gate.slo.indicator import Histogram, Sli
from gate.slo.objective import Span
from tests.budget.building import ratio_slo
from tests.reporters.builders import policy_of, source

AT = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = 7 * 24
SPAN = Span(AT - 2 * WEEK * HOUR, AT)
CALM = [10.0 + hour % 5 for hour in range(2 * WEEK)]
"""Bad events of 1,000, or the sum of 1,000 values: 1.2% or 0.012 s in the mean."""
WORSE = [*CALM[:-5], *[100.0] * 5]
ONCE = [*CALM[:-50], *[100.0] * 5, *CALM[-45:]]
BETTER = [*CALM[:-20], *[1.0] * 20]
LATENCY = Sli(histogram=Histogram(good="x", total="x", threshold=Fraction(2), unit="s"))
RECORD = IncidentRecord(
    services=("chat",),
    id="INC-42",
    title="t",
    start=AT - 3 * HOUR,
    end=None,
    status=RecordStatus.OPEN,
)


def chart(
    bad: Sequence[float] = CALM,
    kind: ChartKind = ChartKind.RATIO,
    records: tuple[IncidentRecord, ...] = (),
    incidents: Sequence[tuple[datetime, datetime]] = (),
) -> Chart:
    baseline = BaselineSettings(
        until=SPAN.start + WEEK * HOUR, incidents=incidents, records=records
    )
    request = SeriesRequest(sli=LATENCY, span=SPAN, step=HOUR)
    drawn = build_chart(kind, [(one, 1000.0) for one in bad], request, baseline, RULES[DEFAULT])
    assert isinstance(drawn, Chart)
    return drawn


def charted(*charts: Any, name: str = "availability", **fields: Any) -> ChartedSlo:
    slo = replace(ratio_slo(), name=name, sli=LATENCY)
    known = ChartedSlo(slo=slo, charts=charts, unknown=Fraction(0), query="q")
    return replace(known, **fields)


def service(*slos: ChartedSlo, **fields: Any) -> ServiceAnomalies:
    known = ServiceAnomalies(policy=policy_of(()), source=source(), slos=slos, left_out=())
    return replace(known, **fields)


def report(*services: ServiceAnomalies) -> AnomalyReport:
    return AnomalyReport(
        services=services,
        span=SPAN,
        step=HOUR,
        baseline=WEEK * HOUR,
        rules=DEFAULT,
        tool_version="1",
    )
