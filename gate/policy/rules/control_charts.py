"""The rule about control charts: whether an indicator has become worse than usual."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from gate.budget.assessment import Assessment, Doubt
from gate.history.charts.chart import Chart, ChartKind, ChartResult, Signal
from gate.measure import Cause, Unmeasured
from gate.policy.case import NOT_LOOKED_AT, Case, calm
from gate.policy.findings import Finding, Rule
from gate.policy.rule_settings import ControlChartRule
from gate.slo.objective import CompositeSlo, PlatformSlo, RatioSlo, Slo
from gate.wording import instant, without_events


def findings(case: Case, rule: ControlChartRule) -> list[Finding]:
    """Return a finding for every chart that is out of control, and for every missing chart.

    For all SLOs with charts in control, a single finding says so. An SLO that counts no events has
    no charts, which is a finding, too.
    """
    firing, in_control = list[Finding](), list[str]()
    since = case.at - rule.signal_ttl
    for assessment in case.assessments:
        if not isinstance(assessment.slo, RatioSlo):
            # A composite's members have findings of their own; unknown data of a platform's SLO
            # already has one.
            if not isinstance(assessment.slo, CompositeSlo | PlatformSlo):
                firing.append(_not_covered(case, rule, assessment))
            continue
        charts = case.past.charts.get(assessment.slo.name) or NOT_LOOKED_AT
        doubts, signals = list(_doubts(charts, since)), list(_signals(charts, since))
        for about, doubt in doubts:
            firing += case.doubted_history(
                assessment, doubt, about=about, rule=Rule.CONTROL_CHART, allow=rule.allow
            )
        firing += [_fired(case, rule, assessment, chart, signal) for chart, signal in signals]
        if not doubts and not signals:
            in_control.append(assessment.slo.name)
    if in_control:
        reason = f"no control chart of {', '.join(in_control)} is out of control"
        firing.append(calm(Rule.CONTROL_CHART, reason))
    return firing


def _not_covered(case: Case, rule: ControlChartRule, assessment: Assessment) -> Finding:
    reason = without_events(assessment.slo)
    doubt = Doubt(cause=Cause.NOT_COVERED, reason=f"none is drawn, since {reason}")
    about = "control charts: "
    return case.doubted(assessment, doubt, about=about, rule=Rule.CONTROL_CHART, allow=rule.allow)


def _doubts(
    charts: Sequence[ChartResult] | Unmeasured, since: datetime
) -> Iterator[tuple[str, Doubt]]:
    """Yield the doubts about charts that do not reach the newest time."""
    if isinstance(charts, Unmeasured):
        yield "control charts: ", Doubt(cause=charts.cause, reason=charts.reason)
        return
    for chart in charts:
        about = f"control chart of the {chart.kind}: "
        if isinstance(chart, Chart):
            if chart.newest <= since:
                reason = f"it has no point since {instant(chart.newest)}"
                yield about, Doubt(cause=Cause.NO_DATA, reason=reason)
        elif chart.cause is not None:
            yield about, Doubt(cause=chart.cause, reason=chart.reason)


def _signals(
    charts: Sequence[ChartResult] | Unmeasured, since: datetime
) -> Iterator[tuple[Chart, Signal]]:
    """Yield the newest signal of each chart, if it still counts."""
    for chart in () if isinstance(charts, Unmeasured) else charts:
        if isinstance(chart, Chart) and chart.worse and chart.worse[0].end > since:
            yield chart, chart.worse[0]


def _fired(
    case: Case, rule: ControlChartRule, assessment: Assessment, chart: Chart, signal: Signal
) -> Finding:
    return case.fired(
        Rule.CONTROL_CHART,
        _reason(assessment.slo, chart, signal),
        slo=assessment.slo.name,
        allow=rule.allow,
        effect=rule.effect,
        advisory=assessment.slo.advisory,
        until=None if signal.open else signal.end + rule.signal_ttl,
        if_calm=not signal.open,
    )


def _reason(slo: Slo, chart: Chart, signal: Signal) -> str:
    """Say what is worse, since when, how far, and by which rule."""
    peak = signal.peak
    value, limit, usual = (
        chart.write(number) for number in (peak.sample.value, peak.upper, peak.centre)
    )
    sliced = isinstance(slo, RatioSlo) and slo.slices is not None
    counted = "slices" if sliced else "events"
    what = f"ratio of bad {counted}" if chart.kind is ChartKind.RATIO else "mean"
    when = f"since about {instant(signal.since)}"
    verb = "is" if signal.open else "was"
    until = "" if signal.open else f" until {instant(signal.end)}"
    far = f"up to {value} (limit {limit}, usually {usual})"
    ids = ", ".join(record.id for record in signal.records)
    names = f", known as {ids}" if ids else ""
    rules = ", ".join(signal.rules)
    return f"the {what} {verb} worse than usual {when}{until}: {far}; {rules}{names}"
