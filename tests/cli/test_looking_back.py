"""The commands that look back, as they are called, on request logs whose truth is known."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.installed import AT, END, LOGS
from tests.command import Run

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
WEEK = 7 * 24 * 60


@pytest.fixture
def week(write_policy: Callable[..., Path], tmp_path: Path) -> None:
    """Seven days of a request a minute, by turns of two prompts; for an hour all of v2 fail."""
    write_policy(text=LOGS)
    outage = range(WEEK - 2 * 24 * 60, WEEK - 2 * 24 * 60 + 60)
    rows = (
        {
            "ts": (END - 7 * DAY + place * MINUTE).isoformat(),
            "prompt": f"v{1 + place % 2}",
            "status": 500 if place in outage and place % 2 else 200,
        }
        for place in range(1, WEEK + 1)
    )
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def look(gate: Run, command: str, *options: str) -> dict[str, Any]:
    done = gate(command, "gate.yaml", "--at", AT, "--format", "json", "--last", "7d", *options)
    assert (done.exit_code, done.stderr) == (0, "")
    (service,) = json.loads(done.stdout)["services"]
    assert isinstance(service, dict)
    return service


@pytest.mark.usefixtures("week")
def test_the_incident_is_found_where_it_was(gate: Run) -> None:
    (incident,) = look(gate, "incidents")["incidents"]

    assert incident["start"] == "2026-10-30T00:00:00Z"
    assert incident["duration_seconds"] == 3600
    assert incident["slos"][0]["bad"] == 30


@pytest.mark.usefixtures("week")
def test_the_prompt_that_failed_is_found(gate: Run) -> None:
    (slo,) = look(gate, "cohorts", "--by", "prompt")["slos"]

    assert [(one["value"], one["total"], one["bad"]) for one in slo["groups"]] == [
        ("v2", WEEK / 2, 30),
        ("v1", WEEK / 2, 0),
    ]


@pytest.mark.usefixtures("week")
def test_a_chart_of_what_never_failed_before_says_that_it_cannot_tell(gate: Run) -> None:
    (slo,) = look(gate, "anomalies")["slos"]
    (chart,) = slo["charts"]

    assert chart["not_drawn"]["cause"] == "low_traffic"
    assert chart["not_drawn"]["reason"].startswith("nothing failed in the baseline")
