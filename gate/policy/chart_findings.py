"""Whether an indicator has become worse than it usually is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gate.budget.assessment import Assessment, Doubt
from gate.history.charts.chart import Chart, ChartKind, Drawn, Signal
from gate.measure.counts import Cause, Unmeasured
from gate.policy.burn_rates import Effect
from gate.policy.control_charts import ControlChartRule
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.measurement_findings import doubt_finding
from gate.policy.past import Past
from gate.policy.policy import Policy
from gate.slo.objective import counts_events
from gate.wording import minute

_NOT_ASKED: Final = Unmeasured(cause=Cause.NO_DATA, reason="the history was not looked at")


def chart_findings(
    policy: Policy,
    rule: ControlChartRule,
    assessments: Sequence[Assessment],
    change: str,
    *,
    at: datetime,
    past: Past,
) -> list[Finding]:
    """Return a finding for every chart that is out of control, and for every one that there is not.

    For all SLOs that have neither, one that says so.
    """
    findings, calm, since = list[Finding](), list[str](), at - rule.signal_ttl
    for assessment in assessments:
        if not counts_events(assessment.slo):
            continue
        case, told = _Case(policy, rule, assessment, change), past.charts.get(assessment.slo.name)
        lacks = list(_lacks(told or _NOT_ASKED, since))
        signals = [] if isinstance(told, Unmeasured) else list(_signals(told or (), since))
        findings += [one for about, doubt in lacks for one in _untold(case, doubt, about)]
        findings += [_finding(case, chart, signal) for chart, signal in signals]
        calm += [] if lacks or signals else [assessment.slo.name]
    if calm:
        reason = f"no control chart of {', '.join(calm)} is out of control"
        calm_finding = Finding(
            rule=Rule.CONTROL_CHART, slo=None, verdict=Verdict.ALLOW, reason=reason
        )
        findings.append(calm_finding)
    return findings


@dataclass(frozen=True, slots=True)
class _Case:
    """An SLO, and what it is judged for."""

    policy: Policy
    rule: ControlChartRule
    assessment: Assessment
    change: str

    @property
    def exempt(self) -> bool:
        """Whether the change ships all the same."""
        return self.change in self.rule.allow

    def allowed(self, reason: str) -> Finding:
        """Return what lets the change pass although."""
        return Finding(
            rule=Rule.CONTROL_CHART,
            slo=self.assessment.slo.name,
            verdict=Verdict.ALLOW,
            reason=f"{reason}; {self.change} may ship",
        )


def _lacks(told: tuple[Drawn, ...] | Unmeasured, since: datetime) -> Iterator[tuple[str, Doubt]]:
    """Yield what says nothing of the newest time, and why."""
    if isinstance(told, Unmeasured):
        yield "control charts: ", Doubt(cause=told.cause, reason=told.reason)
        return
    for chart in told:
        about = f"control chart of the {chart.kind}: "
        if isinstance(chart, Chart):
            if chart.newest <= since:
                reason = f"it has no point since {minute(chart.newest)}"
                yield about, Doubt(cause=Cause.NO_DATA, reason=reason)
        elif chart.cause is not None:
            yield about, Doubt(cause=chart.cause, reason=chart.reason)


def _signals(told: Sequence[Drawn], since: datetime) -> Iterator[tuple[Chart, Signal]]:
    """Yield the newest signal of each chart that counts still."""
    for chart in told:
        if isinstance(chart, Chart) and chart.worse and chart.worse[0].end > since:
            yield chart, chart.worse[0]


def _untold(case: _Case, doubt: Doubt, about: str) -> Iterator[Finding]:
    """Say that there is no chart, unless the budget was not measured for the same cause."""
    if any(said.cause is doubt.cause for said in case.assessment.doubts):
        return
    if case.exempt:
        yield case.allowed(f"{about}{doubt.reason}")
    else:
        yield doubt_finding(case.policy, case.assessment, doubt, case.change, about=about)


def _finding(case: _Case, chart: Chart, signal: Signal) -> Finding:
    reason = _reason(chart, signal)
    if case.exempt:
        return case.allowed(reason)
    warns = case.rule.effect is Effect.WARN or case.assessment.slo.advisory
    return Finding(
        rule=Rule.CONTROL_CHART,
        slo=case.assessment.slo.name,
        verdict=Verdict.WARN if warns else Verdict.BLOCK,
        reason=reason,
        until=None if signal.open else signal.end + case.rule.signal_ttl,
        if_calm=not signal.open,
    )


def _reason(chart: Chart, signal: Signal) -> str:
    """Say what is worse, since when, how far, and by which rule."""
    peak = signal.peak
    value, limit, usual = (
        chart.write(number) for number in (peak.sample.value, peak.upper, peak.centre)
    )
    what = "ratio of bad events" if chart.kind is ChartKind.RATIO else "mean"
    when = f"since about {minute(signal.since)}"
    verb = "is" if signal.open else "was"
    until = "" if signal.open else f" until {minute(signal.end)}"
    far = f"up to {value} (limit {limit}, usually {usual})"
    known = f", known as {', '.join(one.id for one in signal.records)}" if signal.records else ""
    rules = ", ".join(signal.rules)
    return f"the {what} {verb} worse than usual {when}{until}: {far}; {rules}{known}"
