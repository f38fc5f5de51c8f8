"""A backtest on real servers and on request logs: each verdict is that of a check of its own."""

import json
from collections import Counter
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gate.analysis.backtest.run import BacktestOptions, replay
from gate.analysis.incidents import IncidentOptions
from gate.check.options import Options
from gate.check.run import run_check
from gate.config.load import load
from gate.history.records import Deployment
from gate.policy.findings import Finding, Rule, Verdict
from tests.amounts import repeats
from tests.live.command import availability, policy
from tests.servers.series import END

pytestmark = pytest.mark.slow

SEED = 20261129
DAY = timedelta(days=1)
FEW = 8
MANY = repeats(24, explored=60)
"""On each of three backends: 510 in all."""
CLASSES = ("canary", "full-rollout", "rollback", "bug-fix", None)
RULES: dict[str, Any] = {
    "burn_rates": [
        {"long": "1h", "short": "5m", "rate": 6, "effect": "block"},
        {"long": "6h", "short": "30m", "rate": 2, "effect": "warn"},
    ],
    "exhaustion": {"within": "1d", "effect": "warn"},
    "postmortems": {"share": "10%", "known_incidents": "incidents/*.yaml", "last": "2d"},
    "control_charts": {"last": "2d", "baseline": "1d", "effect": "warn"},
    "freezes": [
        {
            "from": "2026-10-24",
            "to": "2026-10-25",
            "time_zone": "UTC",
            "reason": "a fair",
            "allow": ["rollback"],
        }
    ],
    "on": {"low_coverage": "block"},
}
RECORD = """\
id: INC-1
title: the afternoon
services: [chat]
start: 2026-10-27T13:00:00Z
end: 2026-10-27T15:00:00Z
status: reviewed
cause: a cause
remediation: a remedy
"""


def write(folder: Path, backend: dict[str, Any], slos: list[dict[str, Any]]) -> Path:
    (folder / "incidents").mkdir()
    (folder / "incidents" / "1.yaml").write_text(RECORD, encoding="utf-8")
    return policy(folder, "", slos, backend=backend, **RULES)


def deploys(count: int, since: datetime) -> tuple[Deployment, ...]:
    """Return deploys at random instants, most of which no sample and no step falls upon."""
    random = Random(SEED)
    return tuple(
        Deployment(
            time=since + random.random() * (END - since),
            revision=str(place),
            change=random.choice(CLASSES),
        )
        for place in range(count)
    )


def assert_as_checked(path: Path, count: int, since: datetime) -> Counter[Verdict]:
    """See that each verdict, tier and finding is that of a check; return the verdicts."""
    file = load(str(path), {})
    search = IncidentOptions(
        at=END,
        last=END - since,
        step=timedelta(minutes=5),
        threshold=Fraction(6),
        timeout=timedelta(minutes=5),
        deploys=deploys(count, since),
    )
    options = BacktestOptions(search=search, every=None, by_deploys=True)
    (service,) = replay([file], options).services
    verdicts = service.tried.verdicts
    assert len(verdicts) == count
    for past in verdicts:
        checked = Options(at=past.at, change=past.change, observe=True, stated=True)
        (decided,) = run_check([file], checked).policies
        tier = decided.judgement.tier
        assert past.verdict is decided.verdict, past.at
        assert past.tier == (None if tier is None else tier.name), past.at
        assert said(past.findings) == said(decided.judgement.findings), past.at
    return Counter(past.verdict for past in verdicts)


def said(findings: tuple[Finding, ...]) -> list[tuple[Rule, str | None, Verdict, str]]:
    return [(one.rule, one.slo, one.verdict, one.reason) for one in findings]


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_on_a_server_each_verdict_is_that_of_a_check(url: str, tmp_path: Path, count: int) -> None:
    slos = [
        availability("peak", window="3d"),
        availability("trough", window="5d", objective="99.5%"),
        availability("resets", window="2d"),
        availability("gap", window="2d"),
    ]
    path = write(tmp_path, {"type": "prometheus", "url": url}, slos)

    verdicts = assert_as_checked(path, count, END - 14 * DAY)

    assert len(verdicts) > 1


def write_log(path: Path) -> None:
    """Write eight days of requests, none of them on a whole second, with outages and a gap."""
    random = Random(SEED)
    start, rows = END - 8 * DAY, []
    for minute in range(8 * 24 * 60):
        if 5000 < minute < 5300:
            continue
        at = start + timedelta(minutes=minute)
        failing = 0.2 if minute % 2900 in range(60) else 0.001
        for _ in range(random.randrange(8)):
            ts = at + timedelta(seconds=60 * random.random())
            rows.append({"ts": ts.isoformat(), "status": 500 if random.random() < failing else 200})
    rows.sort(key=lambda row: str(row["ts"]))
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_on_request_logs_each_verdict_is_that_of_a_check(tmp_path: Path, count: int) -> None:
    write_log(tmp_path / "log.jsonl")
    slos: list[dict[str, Any]] = [
        {
            "name": "availability",
            "objective": "99%",
            "window": "2d",
            "sli": {"bad": "status >= 500"},
        },
        {
            "name": "short",
            "objective": "98%",
            "window": "1d",
            "sli": {"bad": "status >= 500"},
            "sampled": True,
        },
    ]
    backend = {"type": "logs", "path": "log.jsonl", "timestamp": "ts"}
    path = write(tmp_path, backend, slos)

    verdicts = assert_as_checked(path, count, END - 5 * DAY)

    assert len(verdicts) > 1
