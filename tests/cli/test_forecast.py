"""``gate forecast`` as it is called, on request logs whose truth is known."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from tests.cli.installed import AT, END, LOGS
from tests.command import Run

FAILED = END - timedelta(days=2, hours=5, minutes=7)


def write_log(path: Path) -> None:
    """Write 7 days of a request every 5 minutes, a burst of 4,000, and 5 failures at once."""
    week = timedelta(days=7)
    lines = [
        {"ts": (END - week + place * timedelta(minutes=5)).isoformat(), "status": 200}
        for place in range(1, 7 * 24 * 12 + 1)
    ]
    lines += [{"ts": FAILED.isoformat(), "status": 200}] * 4000
    lines += [{"ts": FAILED.isoformat(), "status": 500}] * 5
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def test_a_budget_of_request_logs_is_back_when_its_failures_leave(
    gate: Run, write_policy: Callable[..., Path], tmp_path: Path
) -> None:
    write_policy(text=LOGS)
    write_log(tmp_path / "log.jsonl")

    done = gate("forecast", "gate.yaml", "--at", AT, "--format", "json", "--write", "markdown=f.md")

    assert done.exit_code == 0, done.stderr
    (one,) = json.loads(done.stdout)["services"][0]["slos"]
    # 5 failed of 6,021, of which 6.021 may: 83% is consumed.
    assert one["tier"] == "caution"
    back = datetime.fromisoformat(one["projections"][0]["reaches_tier_at"]["healthy"])
    truly = FAILED + timedelta(days=7)
    assert truly <= back < truly + timedelta(days=7) / 720
    assert "Back in healthy, UTC" in (tmp_path / "f.md").read_text()


def test_a_static_backend_keeps_no_history(gate: Run, write_policy: Callable[..., Path]) -> None:
    write_policy()

    done = gate("forecast", "gate.yaml", "--at", AT)

    assert done.exit_code == 2
    assert done.stderr == "gate: gate.yaml: the backend static keeps no history to look at\n"


def test_too_short_a_history_to_draw_from_is_a_usage_error(
    gate: Run, write_policy: Callable[..., Path]
) -> None:
    write_policy()

    done = gate("forecast", "gate.yaml", "--last", "59d")

    assert done.exit_code == 2
    assert "--last must be at least 60d, which an interval needs" in done.stderr


def test_how_much_may_fail_until_a_date_that_has_passed_is_a_usage_error(
    gate: Run, write_policy: Callable[..., Path]
) -> None:
    write_policy()

    done = gate("forecast", "gate.yaml", "--at", AT, "--until", AT)

    assert done.exit_code == 2
    assert f"--until must be later than the time of the measurement, {AT}" in done.stderr
