"""How much an SQL engine may read: what the option says reaches whatever opens a backend."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from gate.backends import logs
from gate.cli.main import COMMANDS
from gate.measure import Limits
from tests.cli.installed import AT, LOGS
from tests.command import Run

LOOKING = {
    "check": ["--change=canary"],
    "status": [],
    "incidents": ["--last=1d"],
    "forecast": [],
    "review": [],
    "cohorts": ["--by=route"],
    "anomalies": [],
    "report": ["--last=1d"],
    "backtest": ["--every=12h", "--last=1d"],
    "doctor": [],
}
ELSEWHERE = {"watch", "sweep"}
"""Commands that measure, too, but need a canary or a code host."""


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[Limits]:
    """Return the limits with which the backend of request logs is opened."""
    seen = list[Limits]()

    def noting(opening: Callable[[Any, Limits], Any]) -> Callable[[Any, Limits], Any]:
        def opened(settings: Any, limits: Limits) -> Any:
            seen.append(limits)
            return opening(settings, limits)

        return opened

    noted = replace(
        logs.REGISTRATION,
        open=noting(logs.REGISTRATION.open),
        open_doctor=noting(logs.REGISTRATION.open_doctor),
    )
    monkeypatch.setattr(logs, "REGISTRATION", noted)
    return seen


@pytest.fixture
def policy(tmp_path: Path) -> str:
    row = '{"ts": "2026-10-31T23:59:00Z", "status": 200, "route": "/chat"}\n'
    (tmp_path / "log.jsonl").write_text(row)
    path = tmp_path / "gate.yaml"
    path.write_text(LOGS)
    return str(path)


@pytest.mark.variants(4)
@pytest.mark.parametrize("command", LOOKING)
def test_each_command_that_measures_hands_it_on(
    gate: Run, policy: str, limits: list[Limits], command: str
) -> None:
    gate(command, policy, f"--at={AT}", "--max-scan=1.5GB", "--quiet", *LOOKING[command])

    assert {limit.max_scan for limit in limits} == {1_500_000_000}


def test_without_it_there_is_no_limit(gate: Run, policy: str, limits: list[Limits]) -> None:
    gate("status", policy, f"--at={AT}")

    assert {limit.max_scan for limit in limits} == {None}


def test_a_size_without_a_unit_is_refused(gate: Run, policy: str) -> None:
    done = gate("status", policy, "--max-scan=50")

    assert done.exit_code == 2
    assert "add its unit, as in 50GB" in done.stderr


def test_every_command_with_a_time_limit_has_it() -> None:
    options = {
        name: {each.name for each in getattr(import_module(f"gate.cli.{name}"), name).params}
        for name in COMMANDS
    }

    measuring = {name for name, names in options.items() if "timeout" in names}
    assert {name for name, names in options.items() if "max_scan" in names} == measuring
    assert measuring == {*LOOKING, *ELSEWHERE}
