"""``gate backtest`` as it is called, on request logs whose truth is known."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.installed import AT, END, LOGS
from tests.command import Run
from tests.servers.github import REPOSITORY, TOKEN, Deployment, FakeGitHub

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OUTAGE = END - 2 * DAY
DAILY = LOGS.replace("99.9%", "99%").replace("window: 7d", "window: 1d")
"""A policy under which 14.4 requests a day may fail."""
DEPLOYS = [
    {"time": (OUTAGE - HOUR / 2).isoformat(), "revision": "v1"},
    {"time": (OUTAGE + 2 * HOUR).isoformat(), "revision": "v2", "change": "model-update"},
    {"time": (OUTAGE + 3 * HOUR).isoformat(), "revision": "v1", "change": "rollback"},
]


@pytest.fixture
def log(write_policy: Callable[..., Path], tmp_path: Path) -> None:
    """Five days of a request a minute, of which for an hour all fail, and three deploys."""
    write_policy(text=DAILY)
    minute = timedelta(minutes=1)
    times = [END - 5 * DAY + place * minute for place in range(1, 5 * DAY // minute + 1)]
    rows = (
        {"ts": at.isoformat(), "status": 500 if OUTAGE < at <= OUTAGE + HOUR else 200}
        for at in times
    )
    (tmp_path / "log.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "deploys.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in DEPLOYS))


def look(gate: Run, *options: str, code: int = 0, **more: Any) -> dict[str, Any]:
    arguments = ("--at", AT, "--format", "json", "--last", "3d", *options)
    done = gate("backtest", "gate.yaml", *arguments, **more)
    assert done.exit_code == code, done.stderr
    (service,) = json.loads(done.stdout)["services"]
    assert isinstance(service, dict)
    return service


@pytest.mark.usefixtures("log")
def test_past_deploys_get_the_verdicts_of_gate_check(gate: Run) -> None:
    tried = look(gate, "--deploys", "deploys.jsonl")["policy"]

    assert [(one["revision"], one["verdict"]) for one in tried["results"]] == [
        ("v1", "allow"),
        ("v2", "block"),
        ("v1", "allow"),
    ]
    for deploy, result in zip(DEPLOYS, tried["results"], strict=True):
        change = deploy.get("change", "full-rollout")
        done = gate(
            *("check", "gate.yaml", "--at", deploy["time"], "--change", change),
            *("--format", "json", "--dry-run"),
        )
        (decided,) = json.loads(done.stdout)["policies"]
        assert result["verdict"] == decided["verdict"]
        assert result["tier"] == decided["tier"]
    assert tried["verdicts"]["allow"]["before_incident"] == 1
    assert tried["verdicts"]["block"]["before_incident"] == 0


@pytest.mark.slow
@pytest.mark.usefixtures("log")
def test_without_deploys_it_asks_every_hour_or_as_often_as_it_is_reported(gate: Run) -> None:
    hourly = look(gate)["policy"]
    daily = look(gate, "--every", "1d")["policy"]
    beside = look(gate, "--every", "1d", "--deploys", "deploys.jsonl")["policy"]

    assert (hourly["counted"], hourly["count"]) == ("hours", 3 * 24)
    # From the end of the outage's hour on, for a day: it leaves the window as it came into it.
    blocked = [one["at"] for one in hourly["results"] if one["verdict"] == "block"]
    assert len(blocked) == 24
    assert blocked[0] == (OUTAGE + HOUR).isoformat().replace("+00:00", "Z")
    assert (daily["counted"], daily["count"]) == ("instants", 3)
    assert (beside["counted"], beside["count"], len(beside["results"])) == ("deploys", 3, 6)


@pytest.mark.usefixtures("log")
def test_another_policy_is_beside_it(gate: Run, tmp_path: Path) -> None:
    (tmp_path / "lax.yaml").write_text(DAILY.replace("99%", "90%"), encoding="utf-8")

    service = look(gate, "--deploys", "deploys.jsonl", "--against", "lax.yaml")

    assert service["policy"]["verdicts"]["block"]["count"] == 1
    assert service["against"]["verdicts"]["block"]["count"] == 0
    (differing,) = service["differing"]
    assert (differing["policy"], differing["against"]) == ("block", "allow")
    assert service["against"]["source"]["path"] == "lax.yaml"


@pytest.mark.slow
@pytest.mark.usefixtures("log")
def test_a_class_and_a_requirement_can_be_stated(gate: Run) -> None:
    repaired = look(gate, "--change", "security-patch")["policy"]
    met = look(gate, "--change", "security-patch", "--met", "shadow=URL")["policy"]

    assert {one["rule"] for one in repaired["blocked_by"]} == {"requirement"}
    assert met["blocked_by"] == []
    assert met["change_class"] == "security-patch"


@pytest.mark.usefixtures("log")
def test_deploys_that_github_has_are_replayed(gate: Run, fake: FakeGitHub) -> None:
    live = (OUTAGE + 2 * HOUR).isoformat()
    fake.deployments = [Deployment(sha="a" * 40, created=live, statuses=(("success", live),))]
    runner = {
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": fake.url,
    }

    tried = look(gate, "--deploys", "github", env=runner)["policy"]

    assert [(one["revision"], one["verdict"]) for one in tried["results"]] == [("a" * 40, "block")]


@pytest.mark.usefixtures("log")
def test_no_deploy_in_the_time_is_not_a_pass(gate: Run) -> None:
    assert look(gate, "--deploys", "deploys.jsonl", "--last", "1d", code=3)["policy"]["count"] == 0


@pytest.mark.usefixtures("log")
def test_a_report_has_it_too(gate: Run) -> None:
    done = gate(
        *("report", "gate.yaml", "--at", AT, "--last", "2d", "--backtest", "--format", "markdown"),
        *("--deploys", "deploys.jsonl"),
    )

    assert "WOULD HAVE BLOCKED 1 OF 2: Backtest of chat" in done.stdout


def test_a_policy_of_another_service_is_not_compared(
    gate: Run, write_policy: Callable[..., Path], tmp_path: Path
) -> None:
    write_policy(DAILY)
    (tmp_path / "other.yaml").write_text(DAILY.replace("service: chat", "service: search"))

    done = gate("backtest", "gate.yaml", "--at", AT, "--against", "other.yaml")

    assert done.exit_code == 2
    assert (
        "other.yaml is a policy of service search, and gate.yaml is one of chat; compare two"
        " policies of the same service"
    ) in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--every", "30s"), "--every must be at least 1m"),
        (("--against", "none.yaml"), "none.yaml:1:1: error: the file cannot be read"),
        (("second.yaml", "--against", "gate.yaml"), "--against can be used with one POLICY only"),
        (("--change", "canari"), "has no change class 'canari'; did you mean 'canary'?"),
        (("--met", "shadows=1"), "no policy requires 'shadows'; did you mean 'shadow'?"),
        (("--deploys", "none.jsonl"), "none.jsonl:1:1: error: the file cannot be read"),
    ],
)
def test_what_cannot_be_replayed_is_a_usage_error(
    gate: Run, write_policy: Callable[..., Path], options: tuple[str, ...], message: str
) -> None:
    write_policy()

    done = gate("backtest", "gate.yaml", "--at", AT, *options)

    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_static_backend_keeps_no_history(gate: Run, write_policy: Callable[..., Path]) -> None:
    write_policy()

    done = gate("backtest", "gate.yaml", "--at", AT)

    assert done.exit_code == 2
    assert done.stderr == "gate: gate.yaml: the backend static keeps no history to look at\n"
