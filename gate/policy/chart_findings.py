"""Whether an indicator has become worse than it usually is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from gate.budget.assessment import Assessment, Doubt
from gate.budget.charts.chart import Chart, Drawn, Kind, Signal
from gate.policy.burn_rates import Effect
from gate.policy.control_charts import ControlChartRule
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.measurement_findings import doubt_finding
from gate.policy.past import Past
from gate.policy.policy import Policy
from gate.policy.postmortems import counts_events
from gate.policy.rounding import minute
from gate.slo.measurement import Cause, Unmeasured

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
    findings, calm = list[Finding](), list[str]()
    for assessment in assessments:
        if counts_events(assessment.slo):
            case = _Case(policy, rule, assessment, change, at)
            found = list(_of_slo(case, past))
            findings += found
            calm += [] if found else [assessment.slo.name]
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
    at: datetime

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


def _of_slo(case: _Case, past: Past) -> Iterator[Finding]:
    told = past.charts.get(case.assessment.slo.name, _NOT_ASKED)
    if isinstance(told, Unmeasured):
        doubt = Doubt(cause=told.cause, reason=told.reason)
        yield from _untold(case, doubt, "control charts: ")
        return
    since = case.at - case.rule.newest
    for chart in told:
        for lack in _lacking(chart, since):
            yield from _untold(case, lack, f"control chart of the {chart.kind}: ")
        if isinstance(chart, Chart):
            newest = (one for one in chart.worse if one.end > since)
            yield from (_finding(case, chart, one) for one in islice(newest, 1))


def _lacking(chart: Drawn, since: datetime) -> Iterator[Doubt]:
    """Yield why the chart says nothing of the newest time; nothing where it does."""
    if isinstance(chart, Chart):
        if chart.newest <= since:
            reason = f"it has no point since {minute(chart.newest)}"
            yield Doubt(cause=Cause.NO_DATA, reason=reason)
    elif chart.cause is not None:
        yield Doubt(cause=chart.cause, reason=chart.reason)


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
        until=None if signal.open else signal.end + case.rule.newest,
        if_calm=not signal.open,
    )


def _reason(chart: Chart, signal: Signal) -> str:
    """Say what is worse, since when, how far, and by which rule."""
    peak = signal.peak
    value, limit, usual = (
        chart.write(number) for number in (peak.sample.value, peak.upper, peak.centre)
    )
    what = "ratio of bad events" if chart.kind is Kind.RATIO else "mean"
    when = f"since about {minute(signal.since)}"
    verb = "is" if signal.open else "was"
    until = "" if signal.open else f" until {minute(signal.end)}"
    far = f"up to {value} (limit {limit}, usually {usual})"
    return f"the {what} {verb} worse than usual {when}{until}: {far}; {', '.join(signal.rules)}"
