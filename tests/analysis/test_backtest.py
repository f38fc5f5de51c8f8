"""Replaying the past: each verdict is that of a check at that instant, and counted as it is."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random

import pytest

from gate.analysis.backtest import BacktestReport, PolicyBacktest
from gate.analysis.backtest.run import BacktestOptions, replay
from gate.analysis.incidents.run import IncidentOptions
from gate.check.options import Options
from gate.check.run import run_check
from gate.config.load import PolicyFile
from gate.history.records import Deployment, IncidentRecord, RecordStatus
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.rule_settings import PostmortemRule
from tests.analysis.memory import AT, Opening, file, slo
from tests.analysis.minutes import MINUTE, ByTheMinute, Ledger, ManyAtOnce, Minute

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = AT - 12 * DAY
"""Of all ledgers."""
SEED = 20261129


def minutes(random: Random, failing: float, outages: int, gaps: int) -> list[Minute]:
    """Return 12 days of traffic in which some outages and some gaps are."""
    count = 12 * DAY // MINUTE
    made: list[Minute] = [
        (events := random.randrange(40), sum(random.random() < failing for _ in range(events)))
        for _ in range(count)
    ]
    for _ in range(outages):
        first, length = random.randrange(count), random.randrange(5, 90)
        for place in range(first, min(first + length, count)):
            events, _ = made[place] or (0, 0)
            made[place] = events, int(events * random.random() / 12)
    for _ in range(gaps):
        first, length = random.randrange(count), random.randrange(30, 2000)
        made[first : first + length] = [None] * (min(first + length, count) - first)
    return made


RULES = """\
burn_rates:
  - {long: 1h, short: 5m, rate: 6, effect: block}
  - {long: 6h, short: 30m, rate: 2, effect: warn}
exhaustion: {within: 8h, effect: warn}
control_charts: {last: 36h, step: 30m, baseline: 24h, effect: warn}
on: {low_coverage: block, stale: warn, low_traffic: allow}
freezes:
  - {from: 2026-10-24, to: 2026-10-25, time_zone: UTC, reason: a fair, allow: [rollback]}
"""
SLOS = (
    slo("a").replace("30d", "1d"),
    slo("b", budget="objective: 99.5%").replace("30d", "12h"),
    slo("c", budget="objective: 99%", more="sampled: true").replace("30d", "1d"),
    slo("d", budget="objective: 99%", more="timeslices: {length: 5m, target: 95%}").replace(
        "30d", "12h"
    ),
    "  - {name: money, allowance: 400000 USD, window: {calendar: week}, sli: {spent: a}}\n",
    "  - {name: all, composite: [{slo: a, weight: 0.5}, {slo: b, weight: 0.5}]}\n",
)
HISTORIES = {"a": (0.0003, 5, 2), "b": (0.0003, 4, 0), "c": (0.005, 9, 2), "d": (0.0003, 4, 1)}
"""Which share fails without an outage, how many of those there are, and how many gaps."""
DEPLOYED = ("canary", "bug-fix", "full-rollout", "security-patch", "of-no-policy", None)


def postmortems(random: Random) -> PostmortemRule:
    """Return a rule with records of some hours, by which it excuses."""
    starts = [AT - random.random() * 12 * DAY for _ in range(6)]
    records = tuple(
        IncidentRecord(
            id=f"INC-{place}",
            title="known",
            services=("chat",),
            start=start,
            end=start + 4 * HOUR,
            status=RecordStatus.REVIEWED,
            cause="a cause",
            remediation="a remedy" if place % 2 else None,
        )
        for place, start in enumerate(starts)
    )
    return PostmortemRule(
        share=Fraction(1, 10),
        threshold=Fraction(6),
        patterns=("incidents/*.yaml",),
        records=records,
        last=DAY,
        excuse_reviewed=True,
    )


def policy(random: Random, *slos: str, more: str = RULES) -> PolicyFile:
    read = file("chat", *slos, more=more)
    return replace(read, policy=replace(read.policy, postmortems=postmortems(random)))


def options(*deploys: Deployment, last: timedelta = 10 * DAY, **fields: object) -> BacktestOptions:
    search = IncidentOptions(
        at=AT,
        last=last,
        step=timedelta(minutes=5),
        threshold=Fraction(6),
        timeout=timedelta(seconds=3),
        deploys=deploys,
    )
    given: dict[str, object] = {"every": None, "by_deploys": bool(deploys), **fields}
    return BacktestOptions(search=search, **given)  # type: ignore[arg-type]  # by name


def tried(report: BacktestReport) -> PolicyBacktest:
    (service,) = report.services
    return service.tried


@pytest.mark.parametrize("kind", [ByTheMinute, ManyAtOnce])
def test_at_random_instants_it_says_what_a_check_says(kind: type[ByTheMinute]) -> None:
    random = Random(SEED)
    read = policy(random, *SLOS)
    backend = kind(
        {name: Ledger(START, minutes(random, *shape)) for name, shape in HISTORIES.items()}
    )
    opening = Opening({"chat": backend})
    deploys = [
        Deployment(
            time=AT - random.random() * 10 * DAY,
            revision=str(place),
            change=random.choice(DEPLOYED),
        )
        for place in range(100)
    ]

    backtest = tried(replay([read], options(*deploys), open_with=opening))

    assert len(backtest.verdicts) == 100
    for past in backtest.verdicts:
        assert past.deploy is not None
        known_class = past.deploy.change in read.policy.change_classes
        assert past.change == (past.deploy.change if known_class else "full-rollout")
        checked = Options(at=past.at, change=past.change, observe=True, stated=True)
        (decided,) = run_check([read], checked, open_with=opening).policies
        tier = decided.judgement.tier
        assert past.verdict is decided.verdict
        assert past.tier == (None if tier is None else tier.name)
        assert said(past.findings) == said(decided.judgement.findings)
    verdicts = Counter(past.verdict for past in backtest.verdicts)
    assert set(verdicts) == set(Verdict), "the histories have everything in them"
    firing = {
        finding.rule
        for past in backtest.verdicts
        for finding in past.findings
        if finding.verdict is not Verdict.ALLOW
    }
    assert firing == {*Rule}


def said(findings: Iterable[Finding]) -> list[tuple[Rule, str | None, Verdict, str]]:
    """Return all of findings but when they end: a check also asks when a budget recovers."""
    return [(one.rule, one.slo, one.verdict, one.reason) for one in findings]
