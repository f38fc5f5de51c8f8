"""The commands, as a user runs them, on requests that ClickHouse keeps."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import Run
from tests.servers.clickhouse import EVERY, PASSWORD, START, ClickHouse

AT = START + timedelta(hours=48)
DAY = 86_400
BAD = DAY // EVERY
"""The failed requests of the second day: there is one request a second, and one in `EVERY`
fails."""
SLO = {"name": "up", "objective": "95%", "window": "1d", "sli": {"bad": "status >= 500"}}


def policy(folder: Path, *slos: dict[str, Any], **more: Any) -> None:
    """Write a policy into a folder."""
    backend = {"type": "clickhouse", "url": "${CLICKHOUSE_URL}", "user": "gate"}
    backend |= {"password": "${PASSWORD}", "table": "requests", "timestamp": "ts", **more}
    text = yaml.safe_dump(
        {
            "version": 1,
            "service": "chat",
            "backend": backend,
            "slos": list(slos or [SLO]),
            "tiers": [
                {"name": "healthy", "remaining": "> 50%", "allow": "all"},
                {"name": "rest", "otherwise": True, "allow": ["rollback"]},
            ],
        }
    )
    (folder / "gate.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def environment(clickhouse_server: ClickHouse) -> dict[str, str]:
    return {"CLICKHOUSE_URL": clickhouse_server.url, "PASSWORD": PASSWORD, "COLUMNS": "200"}


COMMANDS = {
    "check": (["--change=canary", "--dry-run"], 0, [f"{BAD:,} of {DAY:,}", "80.0%", "read"]),
    "status": ([], 0, [f"{BAD:,} of {DAY:,}", "ClickHouse read"]),
    "doctor": ([], 0, [f"{BAD:,} bad of {DAY:,}", "ClickHouse 26.", "(engine MergeTree)"]),
    "incidents": (["--last=1d", "--threshold=2"], 0, ["NO INCIDENTS"]),
    "forecast": ([], 0, ["80.0% left of 1d"]),
    "cohorts": (["--by=status", "--last=1d"], 0, ["each value of status always or never fails"]),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_counts_what_was_written(
    environment: dict[str, str],
    tmp_path: Path,
    gate: Run,
    command: str,
) -> None:
    options, code, words = COMMANDS[command]
    policy(tmp_path)

    done = gate(
        command, "gate.yaml", f"--at={AT.isoformat()}", *options, cwd=tmp_path, env=environment
    )

    assert done.exit_code == code, done
    for word in words:
        assert word in done.stdout


MISTAKES = {
    "a column": ({"sli": {"bad": "statu >= 500"}}, {}, 'no column "statu" in the table'),
    "a number as a condition": ({"sli": {"bad": "status"}}, {}, "a condition is expected"),
    "a table": ({}, {"table": "request"}, "60 UNKNOWN_TABLE"),
    "a database": ({}, {"database": "nope"}, "81 UNKNOWN_DATABASE"),
    "a time": ({}, {"timestamp": "id"}, "has no time"),
    "a large scan": ({}, {"max_scan": "1kB"}, "max_scan allows 1 kB"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_undecided_and_named(
    environment: dict[str, str],
    tmp_path: Path,
    gate: Run,
    mistake: str,
) -> None:
    slo, backend, words = MISTAKES[mistake]
    policy(tmp_path, {**SLO, **slo}, **backend)
    options = ["--change=canary", f"--at={AT.isoformat()}"]

    done = gate("check", "gate.yaml", *options, cwd=tmp_path, env=environment)

    assert done.exit_code == 3, done
    assert words in done.stdout


def test_function_that_may_not_be_called_is_a_mistake_of_the_policy(
    environment: dict[str, str], tmp_path: Path, gate: Run
) -> None:
    policy(tmp_path, {**SLO, "sli": {"bad": "rand() > 5"}})

    done = gate("check", "gate.yaml", "--change=canary", cwd=tmp_path, env=environment)

    assert done.exit_code == 2
    assert "rand()" in done.stderr


def test_condition_on_every_row_leaves_others_out(
    environment: dict[str, str], tmp_path: Path, gate: Run
) -> None:
    policy(tmp_path, where="toInt64(id) % 2 = 1")  # no failure among these

    done = gate("status", "gate.yaml", f"--at={AT.isoformat()}", cwd=tmp_path, env=environment)

    assert f"0 of {DAY // 2:,}" in done.stdout


def test_latency_that_is_not_a_number_counts_as_bad(
    clickhouse_server: ClickHouse, environment: dict[str, str], tmp_path: Path, gate: Run
) -> None:
    clickhouse_server.run(
        "CREATE OR REPLACE TABLE slow (ts DateTime64(3), ms Float64) ENGINE = MergeTree ORDER BY ts"
    )
    clickhouse_server.run(
        f"INSERT INTO slow SELECT toDateTime64({int(AT.timestamp())} - number * 60, 3, 'UTC'),"
        " if(number % 10 = 0, nan, number % 2) FROM numbers(1440)"
    )
    slo = {"name": "fast", "objective": "50%", "window": "1d"}
    policy(tmp_path, {**slo, "sli": {"column": "ms", "threshold": 2}}, table="slow")

    done = gate("status", "gate.yaml", f"--at={AT.isoformat()}", cwd=tmp_path, env=environment)

    assert "144 of 1,440" in done.stdout


def test_first_policy_is_sound_when_its_variables_are_set(
    environment: dict[str, str], tmp_path: Path, gate: Run
) -> None:
    gate("init", "--backend=clickhouse", cwd=tmp_path, env=environment)
    variables = {**environment, "CLICKHOUSE_PASSWORD": PASSWORD}

    done = gate("validate", "gate.yaml", cwd=tmp_path, env=variables)

    assert (done.exit_code, done.stderr) == (0, "")


def test_sqlglot_that_is_missing_is_named(
    environment: dict[str, str],
    tmp_path: Path,
    gate: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gate.backends.sql.registering.find_spec", lambda _: None)
    policy(tmp_path)

    for command in (["status"], ["doctor"]):
        done = gate(*command, "gate.yaml", cwd=tmp_path, env=environment)
        assert done.exit_code == 2
        assert "pip install 'sqlglot[c]>=30'" in done.stderr
