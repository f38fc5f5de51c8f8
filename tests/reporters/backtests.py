"""Backtests made by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from gate.analysis.backtest import BacktestReport, PolicyBacktest, ServiceBacktest
from gate.analysis.backtest.verdicts import Nearness, PastVerdict
from gate.history.incidents import Incident, IncidentEnding
from gate.history.records import Deployment
from gate.history.service_incidents import ServiceIncident, SloImpact
from gate.measure import Cause
from gate.policy.findings import Finding, Rule, Verdict
from gate.slo.objective import Span
from tests.analysis.memory import AT, file, slo
from tests.reporters.incidents import service as searched

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TIER = Finding(
    rule=Rule.TIER,
    slo="a",
    verdict=Verdict.BLOCK,
    reason="5.0% of its budget is left; tier low does not allow it",
)
BURN = Finding(
    rule=Rule.BURN_RATE, slo="a", verdict=Verdict.BLOCK, reason="burning at 20.00 over 1h"
)
STALE = Finding(
    rule=Rule.MEASUREMENT,
    slo="b",
    verdict=Verdict.UNDECIDED,
    reason="the newest sample is 20m old; max_age is 10m",
    cause=Cause.STALE,
)
CALM = Finding(rule=Rule.TIER, slo="a", verdict=Verdict.ALLOW, reason="90.0% of its budget is left")
FINDINGS = {
    Verdict.ALLOW: (CALM,),
    Verdict.WARN: (replace(BURN, verdict=Verdict.WARN), CALM),
    Verdict.UNDECIDED: (STALE, CALM),
    Verdict.BLOCK: (TIER, BURN),
}


def past(
    ago: timedelta, verdict: Verdict = Verdict.ALLOW, *, deploy: str | None = None, **fields: Any
) -> PastVerdict:
    """Return the verdict of so long ago; of a deploy where its revision is given."""
    at = AT - ago
    findings = fields.pop("findings", FINDINGS[verdict])
    left = {Verdict.BLOCK: Fraction(1, 20), Verdict.UNDECIDED: None}.get(verdict, Fraction(9, 10))
    given: dict[str, Any] = {
        "change": "full-rollout",
        "deploy": None
        if deploy is None
        else Deployment(time=at, revision=deploy, change=fields.get("change")),
        "usual": verdict,
        "usual_reasons": tuple(f"{f.rule}, {f.slo}: {f.reason}" for f in findings)
        if verdict is not Verdict.ALLOW
        else (),
        "tier": None if left is None else "exhausted" if verdict is Verdict.BLOCK else "healthy",
        "worst": None if left is None else "a",
        "left": left,
        "remaining": {} if left is None else {"a": left},
        "bound_below": {} if left is None else {"a": Fraction(0)},
        "measured": verdict is not Verdict.UNDECIDED,
    }
    return PastVerdict(at=at, verdict=verdict, findings=findings, **(given | fields))


def incident(ago: timedelta, share: float = 0.25) -> ServiceIncident:
    """Return an incident of half an hour that began so long ago."""
    felt = Incident(
        start=AT - ago,
        end=AT - ago + HOUR / 2,
        ending=IncidentEnding.CALM,
        bad=300.0,
        peak=20.0,
        unknown=timedelta(),
    )
    return ServiceIncident(impacts=(SloImpact(slo="a", incident=felt, share=share),))


def backtest(
    *verdicts: PastVerdict, incidents: Sequence[ServiceIncident] = (), **fields: Any
) -> PolicyBacktest:
    """Return what the policy of chat says at these instants and now."""
    read = file("chat", slo("a"), slo("b"))
    given: dict[str, Any] = {
        "policy": read.policy,
        "source": read.source,
        "change": "full-rollout",
        "verdicts": verdicts,
        "last": past(timedelta()),
        "nearness": Nearness(incidents=tuple(incidents), step=timedelta(minutes=5)),
        "by_deploys": any(verdict.deploy for verdict in verdicts),
        "every": None if any(verdict.deploy for verdict in verdicts) else HOUR,
    }
    return PolicyBacktest(**(given | fields))


def report(
    tried: PolicyBacktest, against: PolicyBacktest | None = None, **fields: Any
) -> BacktestReport:
    """Return the report on it, of ten days."""
    service = ServiceBacktest(incidents=searched(**fields), tried=tried, against=against)
    return BacktestReport(
        services=(service,),
        span=Span(AT - 10 * DAY, AT),
        every=tried.every,
        tool_version="1.2.3",
    )


STORY = backtest(
    past(9 * DAY, deploy="v1"),
    past(8 * DAY, Verdict.WARN, deploy="v2"),
    past(5 * DAY, Verdict.BLOCK, deploy="v3", change="model-update", usual=Verdict.BLOCK),
    past(4 * DAY, Verdict.BLOCK, deploy="v4"),
    past(3 * DAY, Verdict.UNDECIDED, deploy="v5"),
    past(DAY, deploy="v6", change="rollback", usual=Verdict.BLOCK, usual_reasons=("a reason",)),
    incidents=(incident(5 * DAY - 20 * timedelta(minutes=1)), incident(9 * DAY - HOUR * 2)),
)
"""Six deploys, of which two are blocked; one of those comes 20 minutes before an incident."""
