"""``gate review`` as it is called, on request logs whose truth is known."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.installed import AT, END, LOGS
from tests.command import Run

HOURLY = LOGS.replace("window: 7d", "window: 1h, sla: 98%").replace("99.9%", "99%")


def test_each_period_of_request_logs_is_reported(
    gate: Run, write_policy: Callable[..., Path], tmp_path: Path
) -> None:
    write_policy(text=HOURLY)
    # One each quarter of a minute and a bit, which is not in the first hour for the 240th of them.
    lines = [
        {
            "ts": (
                END - timedelta(hours=6) + place * timedelta(seconds=15, microseconds=1)
            ).isoformat(),
            "status": 500 if place in {800, 810, 820} else 200,
        }
        for place in range(1, 6 * 240)
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))

    done = gate("review", "gate.yaml", "--at", AT, "--format", "json", "--write", "markdown=r.md")

    assert done.exit_code == 0, done.stderr
    (one,) = json.loads(done.stdout)["services"][0]["slos"]
    assert [period["bad"] for period in one["review"]["periods"]] == [0, 0, 0, 3, 0, 0]
    assert [period["total"] for period in one["review"]["periods"]] == [239, *[240] * 5]
    assert one["review"]["fit"] == "about right"
    assert "| 2026-10-31 21:00 |" in (tmp_path / "r.md").read_text()


@pytest.mark.parametrize("periods", ["0", "101", "many"])
def test_what_is_not_a_number_of_periods_is_a_usage_error(
    gate: Run, write_policy: Callable[..., Path], periods: str
) -> None:
    write_policy()

    done = gate("review", "gate.yaml", "--periods", periods)

    assert done.exit_code == 2
    assert "--periods" in done.stderr


def test_what_each_period_spent_of_request_logs_is_reported_to_the_cent(
    gate: Run, write_policy: Callable[..., Path], tmp_path: Path
) -> None:
    write_policy(
        text=HOURLY.replace("objective: 99%,", "allowance: 24 USD,")
        .replace("sla: 98%, ", "")
        .replace("bad: status >= 500", "spent: cost")
    )
    # A dime each quarter of a minute is 24 an hour: a cent more in the second one of three.
    start = END - timedelta(hours=3)
    costs = [0.11 if place == 300 else 0.1 for place in range(3 * 240)]
    lines = [
        {"ts": (start + timedelta(seconds=15 * place + 7)).isoformat(), "cost": cost}
        for place, cost in enumerate(costs)
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    done = gate("review", "gate.yaml", "--at", AT, "--periods", "4", "--format", "json")

    assert done.exit_code == 0, done.stderr
    (spend,) = json.loads(done.stdout)["services"][0]["spending"]
    periods = spend["review"]["periods"]
    assert [period["spent"] for period in periods] == [None, 24, 24.01, 24]
    assert [period["met"] for period in periods] == [None, True, False, True]
