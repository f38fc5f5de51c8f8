"""The result of ``gate anomalies``: the control charts of one or several policies."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.analysis import (
    LeftOut,
    document_head,
    left_out_document,
    reservations_document,
    seen_exit_code,
    service_head,
    unmeasured_document,
)
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource
from gate.decision.slo_document import Json, rfc3339, share
from gate.errors import ExitCode
from gate.history.charts.chart import Chart, ChartKind, ChartResult, NoChart, Point, Signal
from gate.history.charts.signals import FALSE_ALARMS, FALSE_ALARMS_OF_SLICES, FalseAlarms
from gate.measure import Cause, Unmeasured
from gate.policy.coverage import Reservation
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo, Span

_UNSEEN: Final = frozenset({Cause.NO_DATA, Cause.LOW_COVERAGE})
"""The causes of a missing chart if too little data is known; other causes lie in the events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartedSlo:
    """An SLO whose history was requested, and its control charts."""

    slo: RatioSlo
    charts: tuple[ChartResult, ...]
    """The charts of the ratio and, if the indicator measures values, of the mean; empty without
    history."""
    unknown: Fraction
    """The share of the time without known data, 0 to 1."""
    query: str | None
    lost: Unmeasured | None = None
    """The reason why the history is missing; None if it is available."""
    notes: tuple[str, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    """The doubts about these results."""

    @property
    def unmeasured(self) -> Unmeasured | None:
        """The reason why nothing is charted: missing data. None: there is a chart, or data."""
        if self.lost is not None or any(isinstance(chart, Chart) for chart in self.charts):
            return self.lost
        unseen = (
            Unmeasured(cause=chart.cause, reason=chart.reason, query=self.query)
            for chart in self.charts
            if isinstance(chart, NoChart) and chart.cause in _UNSEEN
        )
        return next(unseen, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAnomalies:
    """The control charts of one policy."""

    policy: Policy
    source: PolicySource
    slos: tuple[ChartedSlo, ...]
    left_out: LeftOut
    """SLOs that have no ratio step by step, each with the reason."""

    @property
    def charts(self) -> tuple[tuple[ChartedSlo, Chart], ...]:
        """The charts that could be drawn, each with its SLO."""
        return tuple(
            (slo, chart) for slo in self.slos for chart in slo.charts if isinstance(chart, Chart)
        )

    @property
    def missing(self) -> tuple[tuple[ChartedSlo, NoChart], ...]:
        """The charts that could not be drawn although their SLO has a history."""
        return tuple(
            (slo, chart) for slo in self.slos for chart in slo.charts if isinstance(chart, NoChart)
        )

    @property
    def lost(self) -> tuple[tuple[ChartedSlo, Unmeasured], ...]:
        """The SLOs without a history, each with the reason."""
        return tuple((slo, slo.lost) for slo in self.slos if slo.lost is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyReport:
    """The control charts of all policies."""

    services: tuple[ServiceAnomalies, ...]
    """At least one."""
    span: Span
    step: timedelta
    baseline: timedelta
    rules: str
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided if too little of a history was seen; otherwise allow, whatever was found."""
        return seen_exit_code(slo for service in self.services for slo in service.slos)


def anomalies_document(report: AnomalyReport, *, points: bool = True) -> Json:
    """Return the report as plain data; durations are in seconds, ratios fractions of 1.

    Args:
        report: the report.
        points: whether to include the points of the charts, which are many.
    """
    return {
        **document_head(report.span.end, report.tool_version, report.exit_code),
        "from": rfc3339(report.span.start),
        "to": rfc3339(report.span.end),
        "step_seconds": report.step.total_seconds(),
        "baseline_seconds": report.baseline.total_seconds(),
        "rules": report.rules,
        "simulated_false_alarms": _false_alarms(FALSE_ALARMS[report.rules]),
        "simulated_false_alarms_of_slices": _false_alarms(FALSE_ALARMS_OF_SLICES[report.rules]),
        "services": [
            {
                **service_head(service),
                "slos": [_charted(slo, points=points) for slo in service.slos],
                "left_out": left_out_document(service.left_out),
            }
            for service in report.services
        ],
    }


def _false_alarms(alarms: FalseAlarms) -> Json:
    return {"weeks_share": alarms.every / 100, "most_weeks_share": alarms.most / 100}


def _charted(charted: ChartedSlo, *, points: bool) -> Json:
    return {
        "name": charted.slo.name,
        "unknown_share": share(charted.unknown),
        "query": charted.query,
        "unit": charted.slo.sli.unit,
        "notes": list(charted.notes),
        "reservations": reservations_document(charted.reservations),
        "unmeasured": unmeasured_document(charted.lost),
        "charts": [
            {"kind": chart.kind, "not_drawn": {"cause": chart.cause, "reason": chart.reason}}
            if isinstance(chart, NoChart)
            else chart_document(chart, points=points)
            for chart in charted.charts
        ],
    }


def chart_document(chart: Chart, *, points: bool = True) -> Json:
    """Return a chart, with or without all its points."""
    usual = chart.usual
    return {
        "kind": chart.kind,
        "not_drawn": None,
        "step_seconds": chart.step.total_seconds(),
        "centre": usual.centre,
        "by_time_of_day": bool(usual.by_time),
        "by_weekend": bool(usual.by_day),
        "spread": usual.spread,
        "correlation": usual.dependence.neighbours,
        "baseline": {
            "points": len(chart.baseline),
            "in_incidents": len(chart.excluded),
            "beyond_limits": chart.unruly,
            "mostly_incidents": chart.chronic,
        },
        "signals": [_signal(chart, signal) for signal in chart.signals],
        **({"points": list(_points(chart))} if points else {}),
    }


def _signal(chart: Chart, signal: Signal) -> Json:
    return {
        "worse": signal.worse,
        "since": rfc3339(signal.since),
        "detected_at": rfc3339(signal.points[0].point.sample.end),
        "end": None if signal.open else rfc3339(signal.end),
        "rules": list(signal.rules),
        "records": [record.id for record in signal.records],
        "peak": _point(chart, signal.peak),
    }


def _points(chart: Chart) -> Iterator[Json]:
    used = {id(point): "baseline" for point in chart.baseline}
    used |= {id(point): "incident" for point in chart.excluded}
    watched = {id(watched.point): watched for watched in chart.watched}
    for point in chart.points:
        seen = watched.get(id(point))
        yield {
            **_point(chart, point),
            "used_as": used.get(id(point), "watched"),
            "ewma": {"average": seen.average, "limit": seen.average_limit} if seen else None,
            "rules": list(seen.worse) if seen else [],
        }


def _point(chart: Chart, point: Point) -> Json:
    lower = max(point.lower, 0.0) if chart.kind is ChartKind.RATIO else point.lower
    return {
        "start": rfc3339(point.sample.start),
        "events": point.sample.events,
        "value": point.sample.value,
        "centre": point.centre,
        "lower_limit": lower,
        "upper_limit": point.upper,
        "score": point.score,
    }
