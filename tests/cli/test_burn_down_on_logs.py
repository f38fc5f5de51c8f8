"""Every point of a burn-down on request logs is what ``gate status --at`` says of its instant."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.command import Run

FIRST, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 3, 12, 13, 14, tzinfo=UTC)
ROW = timedelta(minutes=4)
BAD = "sli: {bad: status >= 500}"
JUDGED = "sli: {bad: judged, total: judged IS NOT NULL}"
INDIAN = "{calendar: month, time_zone: Asia/Kolkata}"
SLICES = "timeslices: {length: 1h, target: 95%}"
POLICY = f"""\
version: 1
service: chat
backend: {{type: logs, path: log.jsonl, timestamp: ts}}
max_age: 1h
slos:
  - {{name: errors, objective: 97%, window: 7d, {BAD}}}
  - {{name: month, objective: 97%, window: {INDIAN}, {BAD}}}
  - {{name: slices, objective: 90%, window: 7d, {SLICES}, {BAD}}}
  - {{name: sampled, objective: 97%, window: 7d, sampled: true, {JUDGED}}}
  - {{name: spend, allowance: 50 USD, window: 7d, sli: {{spent: cost}}}}
  - {{name: both, composite: [{{slo: errors}}, {{slo: month, weight: 2}}]}}
tiers:
  - {{name: healthy, remaining: "> 50%", allow: all}}
  - {{name: rest, otherwise: true, allow: [rollback]}}
"""


@pytest.fixture
def logs(tmp_path: Path) -> None:
    """Five weeks of a service that sleeps at night, with a slow decline and an outage."""
    chance, at, rows = Random(14), FIRST, []
    while at <= END:
        asleep = at.hour < 5
        failing = 0.9 if datetime(2026, 10, 25, 9, tzinfo=UTC) < at < END - 8 * ROW * 240 else 0.02
        if not asleep:
            row = {
                "ts": (at + timedelta(seconds=chance.randrange(200))).isoformat(),
                "status": 500 if chance.random() < failing else 200,
                "judged": chance.random() < 0.02 if chance.random() < 0.3 else None,
                "cost": chance.randrange(30) / 1000,
            }
            rows.append(json.dumps(row))
        at += ROW
    (tmp_path / "log.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "gate.yaml").write_text(POLICY, encoding="utf-8")


def status(gate: Run, at: datetime, *options: str) -> dict[str, dict[str, Any]]:
    asked = ("--at", at.isoformat(), "--format", "json", *options)
    document = json.loads(gate("status", "gate.yaml", *asked).stdout)
    return {slo["name"]: slo for slo in document["policies"][0]["slos"]}


@pytest.mark.slow
@pytest.mark.usefixtures("logs")
def test_each_cell_of_a_burn_down_is_the_status_of_its_instant(gate: Run) -> None:
    drawn = status(gate, END)
    compared = 0
    then = dict[datetime, dict[str, dict[str, Any]]]()
    for name, slo in drawn.items():
        burn_down = slo["burn_down"]
        assert burn_down is not None, name
        start = datetime.fromisoformat(burn_down["start"])
        step = timedelta(seconds=burn_down["step_seconds"])
        for place, value in list(enumerate(burn_down["left"], start=1))[::4]:
            at = min(start + place * step, END)
            if at not in then:
                then[at] = status(gate, at, "--no-burn-down")
            told = then[at][name]
            stale = "stale" in {doubt["cause"] for doubt in told["doubts"]}
            if value is None:
                assert told["remaining"] is None or stale, (name, at)
                continue
            assert value == pytest.approx(told["remaining"], abs=1e-9), (name, at)
            compared += 1
    assert compared > 20


@pytest.mark.usefixtures("logs")
def test_a_report_draws_how_fast_an_allowance_is_spent(gate: Run) -> None:
    html = gate("report", "gate.yaml", "--at", END.isoformat(), "--last", "10d").stdout

    assert "Burn rate of spend of chat" in html
    assert "Burn rate and share of good events of errors of chat" in html
    assert "outlined bars everything else." in html
