"""What ``gate anomalies`` found: the control charts of one or several policies."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from gate.decision.decision import SCHEMA_VERSION, PolicySource
from gate.decision.document import source_document
from gate.decision.slo_document import Json, instant, share
from gate.errors import ExitCode
from gate.history.charts.chart import Chart, ChartKind, Drawn, NoChart, Point, Signal
from gate.measure.counts import Unmeasured
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo
from gate.slo.window import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Charted:
    """One SLO whose history was asked for."""

    slo: RatioSlo
    charts: tuple[Drawn, ...]
    """Of the ratio and, where the indicator measures anything, of the mean; empty without history.
    """
    unknown: Fraction
    """The share of the time of which nothing is known, 0 to 1."""
    query: str | None
    lost: Unmeasured | None = None
    """Given: there is no history, and this is why."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAnomalies:
    """One policy."""

    policy: Policy
    source: PolicySource
    slos: tuple[Charted, ...]
    left_out: tuple[tuple[str, str], ...]
    """SLOs that have no ratio step by step, each with a sentence that says so."""

    @property
    def charts(self) -> tuple[tuple[Charted, Chart], ...]:
        """Those that could be drawn."""
        return tuple((c, one) for c in self.slos for one in c.charts if isinstance(one, Chart))

    @property
    def missing(self) -> tuple[tuple[Charted, NoChart], ...]:
        """Those that could not, of SLOs that have a history."""
        return tuple((c, one) for c in self.slos for one in c.charts if isinstance(one, NoChart))

    @property
    def lost(self) -> tuple[tuple[Charted, Unmeasured], ...]:
        """SLOs without a history."""
        return tuple((one, one.lost) for one in self.slos if one.lost is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyReport:
    """The whole."""

    services: tuple[ServiceAnomalies, ...]
    """At least one."""
    span: Span
    step: timedelta
    baseline: timedelta
    rules: str
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided where a history could not be had; there is no verdict on what was found."""
        lost = any(service.lost for service in self.services)
        return ExitCode.UNDECIDED if lost else ExitCode.ALLOW


def anomalies_document(report: AnomalyReport, *, points: bool = True) -> Json:
    """Return the report as plain data; durations are in seconds, ratios fractions of 1.

    Args:
        report: the report.
        points: whether to tell the points of the charts, which are many.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluated_at": instant(report.span.end),
        "tool_version": report.tool_version,
        "exit_code": report.exit_code,
        "from": instant(report.span.start),
        "to": instant(report.span.end),
        "step_seconds": report.step.total_seconds(),
        "baseline_seconds": report.baseline.total_seconds(),
        "rules": report.rules,
        "services": [
            {
                "service": service.policy.service,
                "source": source_document(service.source),
                "slos": [_charted(one, points=points) for one in service.slos],
                "left_out": [{"slo": slo, "reason": reason} for slo, reason in service.left_out],
            }
            for service in report.services
        ],
    }


def _charted(one: Charted, *, points: bool) -> Json:
    lost = one.lost
    return {
        "name": one.slo.name,
        "unknown": share(one.unknown),
        "query": one.query,
        "unit": one.slo.sli.unit,
        "notes": list(one.notes),
        "unmeasured": {"cause": lost.cause, "reason": lost.reason} if lost else None,
        "charts": [
            {"kind": chart.kind, "not_drawn": {"cause": chart.cause, "reason": chart.reason}}
            if isinstance(chart, NoChart)
            else chart_document(chart, points=points)
            for chart in one.charts
        ],
    }


def chart_document(chart: Chart, *, points: bool = True) -> Json:
    """Return a chart, with or without all its points."""
    usual = chart.usual
    return {
        "kind": chart.kind,
        "not_drawn": None,
        "step_seconds": chart.step.total_seconds(),
        "usual": usual.centre,
        "by_time_of_day": bool(usual.by_time),
        "spread": usual.spread,
        "correlation": usual.alike,
        "baseline": {
            "points": len(chart.baseline),
            "in_incidents": len(chart.excluded),
            "beyond_limits": chart.unruly,
        },
        "signals": [_signal(chart, one) for one in chart.signals],
        **({"points": list(_points(chart))} if points else {}),
    }


def _signal(chart: Chart, one: Signal) -> Json:
    return {
        "worse": one.worse,
        "since": instant(one.since),
        "seen_at": instant(one.points[0].point.sample.end),
        "end": None if one.open else instant(one.end),
        "rules": list(one.rules),
        "known": [record.id for record in one.records],
        "peak": _point(chart, one.peak),
    }


def _points(chart: Chart) -> Iterator[Json]:
    used = {id(point): "baseline" for point in chart.baseline}
    used |= {id(point): "incident" for point in chart.excluded}
    watched = {id(one.point): one for one in chart.watched}
    for point in chart.points:
        one = watched.get(id(point))
        yield {
            **_point(chart, point),
            "use": used.get(id(point), "watched"),
            "ewma": {"average": one.average, "limit": one.average_limit} if one else None,
            "rules": list(one.worse) if one else [],
        }


def _point(chart: Chart, point: Point) -> Json:
    lower = max(point.lower, 0.0) if chart.kind is ChartKind.RATIO else point.lower
    return {
        "start": instant(point.sample.start),
        "events": point.sample.events,
        "value": point.sample.value,
        "usual": point.centre,
        "lower": lower,
        "upper": point.upper,
        "score": point.score,
    }
