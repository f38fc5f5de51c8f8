"""No command has a tick, or exit code 0, for what was not seen; and usual silence is no alarm."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from tests.command import Result, Run

END = datetime(2026, 11, 20, 14, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = """\
version: 1
service: chat
backend: {type: logs, path: log.jsonl, timestamp: time}
slos:
  - {name: availability, objective: 99%, window: 30d, sli: {bad: "status >= 500"}}
tiers:
  - {name: healthy, remaining: "> 10%", allow: all}
  - {name: exhausted, otherwise: true, allow: [rollback]}
burn_rates: google-30d
"""
COMMANDS = {
    "check": ["check"],
    "status": ["status"],
    "forecast": ["forecast"],
    "incidents": ["incidents", "--last", "30d"],
    "review": ["review", "--periods", "1"],
    "anomalies": ["anomalies", "--last", "30d"],
    "cohorts": ["cohorts", "--by", "model"],
    "report": ["report", "--format", "terminal"],
}
CALM = ("✔", "LASTS", "NO INCIDENTS", "NONE SEEN", "IN CONTROL", "100.0%")
"""Words that none of the reports may contain."""
Kept = Callable[[datetime], bool]


@cache
def log_of(kept: Kept) -> str:
    """A month with 48 requests an hour, of which 1 in 1,000 fails, as far as it is kept."""
    lines = [json.dumps({"time": (END - 200 * DAY).isoformat(), "status": 200, "model": "a"})]
    for place in range(30 * 24 * 12):
        at = END - 30 * DAY + timedelta(minutes=5 * place)
        for number in range(4 if kept(at) else 0):
            status = 500 if (4 * place + number) % 1000 == 0 else 200
            time = (at + timedelta(seconds=1 + 70 * number)).isoformat()
            lines.append(json.dumps({"time": time, "status": status, "model": "ab"[number % 2]}))
    return "\n".join(lines) + "\n"


def write_log(folder: Path, kept: Kept, policy: str = POLICY) -> None:
    """Write a log, and a policy for it."""
    (folder / "log.jsonl").write_text(log_of(kept))
    (folder / "gate.yaml").write_text(policy)


def run(gate: Run, folder: Path, command: str, at: datetime = END) -> Result:
    words = COMMANDS[command]
    return gate(words[0], "gate.yaml", *words[1:], "--at", at.isoformat(), cwd=folder)


def always(_: datetime) -> bool:
    return True


def never(_: datetime) -> bool:
    return False


def for_twenty_minutes(at: datetime) -> bool:
    return at >= END - timedelta(minutes=20)


def for_three_days(at: datetime) -> bool:
    return at >= END - 3 * DAY


def until_yesterday(at: datetime) -> bool:
    return at < END - DAY


def but_for_nine_days(at: datetime) -> bool:
    return not END - 20 * DAY <= at < END - 11 * DAY


def by_day(at: datetime) -> bool:
    return 7 <= at.hour < 22


def on_weekdays(at: datetime) -> bool:
    return by_day(at) and at.weekday() < 5


PAST = {"review"}
"""Looks at periods that are over, each with its own coverage, and not at whether they went on."""


@pytest.mark.crossed
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kept", [never, for_twenty_minutes, until_yesterday, but_for_nine_days])
def test_no_command_says_that_all_is_well_of_what_was_not_seen(
    gate: Run, tmp_path: Path, command: str, kept: Kept
) -> None:
    if command in PAST and kept is until_yesterday:
        pytest.skip("a period with 29 of 30 days is counted")
    write_log(tmp_path, kept)

    done = run(gate, tmp_path, command)

    assert done.exit_code == 3, done.stdout
    lines = [line for line in done.stdout.splitlines() if "has no data" not in line]
    seen = [word for word in CALM if word in "\n".join(lines)]
    if kept is until_yesterday:
        seen = [word for word in seen if "%" not in word]  # 29 of 30 days are measured
    if command == "review":
        seen = [word for word in seen if "%" not in word]  # the objectives that it tries
    assert not seen, done.stdout


@pytest.mark.crossed
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kept", [always, by_day, on_weekdays])
def test_a_service_that_is_well_or_sleeps_at_night_is_not_an_alarm(
    gate: Run, tmp_path: Path, command: str, kept: Kept
) -> None:
    write_log(tmp_path, kept)

    done = run(gate, tmp_path, command)

    assert done.exit_code == 0, done.stdout
    assert "coverage" not in done.stdout.replace("Coverage", ""), done.stdout
    assert "uncovered" not in done.stdout


@pytest.mark.variants(2)
@pytest.mark.parametrize("command", sorted(set(COMMANDS) - PAST - {"anomalies"}))
def test_what_the_policy_lets_pass_is_reported_and_has_no_tick(
    gate: Run, tmp_path: Path, command: str
) -> None:
    lenient = POLICY + "on: {mostly_uncovered: warn, low_coverage: warn}\n"
    write_log(tmp_path, for_three_days, lenient)

    done = run(gate, tmp_path, command)

    assert done.exit_code == 0, done.stdout
    assert "✔" not in done.stdout
    # Cohorts are counted in whole steps of four hours.
    assert re.search(r"\b3d(3h)? of (30d|29d22h)\b", done.stdout)


def test_where_nothing_can_be_charted_nothing_is_in_control(gate: Run, tmp_path: Path) -> None:
    lenient = POLICY + "on: {mostly_uncovered: warn, low_coverage: warn}\n"
    write_log(tmp_path, for_three_days, lenient)

    done = run(gate, tmp_path, "anomalies")

    assert done.exit_code == 3
    assert "NOT CHARTED" in done.stdout


@pytest.mark.crossed
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("seconds", [0, 0.5, 1, 90])
def test_at_the_start_of_a_calendar_period_nothing_is_measured_yet_and_nothing_crashes(
    gate: Run, tmp_path: Path, command: str, seconds: float
) -> None:
    monthly = POLICY.replace("window: 30d", "window: {calendar: month}")
    write_log(tmp_path, always, monthly)
    start = datetime(2026, 11, 1, tzinfo=UTC)

    done = run(gate, tmp_path, command, start + timedelta(seconds=seconds))

    assert done.exit_code in {0, 3}
    assert "Division" not in done.stdout + done.stderr
    if command in {"check", "status", "forecast", "cohorts", "report"} and seconds < 1:
        assert done.exit_code == 3, done.stdout
        said = " ".join(done.stdout.split())
        assert "has just begun, at 2026-11-01 00:00 UTC, and has no data yet" in said
        assert "100.0%" not in done.stdout


@pytest.mark.slow
def test_a_history_that_does_not_reach_as_far_back_as_was_asked_is_worth_a_word(
    gate: Run, tmp_path: Path
) -> None:
    write_log(tmp_path, always)

    done = gate("incidents", "gate.yaml", "--last", "90d", "--at", END.isoformat(), cwd=tmp_path)

    assert done.exit_code == 0
    assert "AS FAR AS MEASURED" in done.stdout
    assert "low coverage: only 30d of 90d are known" in done.stdout
