"""Report, summary and comment of a step; none of them decides."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gate.errors import ExitCode
from tests.cli.installed import AT
from tests.command import gate
from tests.github_action.doing import Do, report, warnings
from tests.github_action.pulls import pull_request
from tests.servers.github import REPOSITORY, TOKEN, FakeGitHub


def test_report_summary_and_comment_say_the_same(do: Do, fake: FakeGitHub) -> None:
    done = do()
    (comment,) = fake.comments
    assert done.code == ExitCode.BLOCK
    assert "BLOCK: model-update of chat" in report(done)
    assert done.summary.rstrip() == report(done).rstrip()
    assert comment.body.split("\n", 1)[1].rstrip() == report(done).rstrip()
    assert warnings(done) == []


def test_the_comment_is_that_of_the_command(do: Do, fake: FakeGitHub, tmp_path: Path) -> None:
    runner = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_API_URL": fake.url,
        "GITHUB_TOKEN": TOKEN,
    }
    (tmp_path / "event.json").write_text(json.dumps(pull_request()))
    arguments = ("check", "gate.yaml", "--at", AT, "--environment", "prod", "--comment")
    gate(*arguments, cwd=tmp_path, env=runner)
    assert len(fake.comments) == 1
    assert "comment updated" in do(environment="prod").log
    assert len(fake.comments) == 1


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("event", "inputs", "written"),
    [
        (None, {"comment": "auto"}, 1),
        (None, {"comment": "true"}, 1),
        (None, {"comment": "false"}, 0),
        ({"ref": "refs/heads/main"}, {"comment": "true"}, 0),
        (pull_request(repo="mallory/chat"), {"comment": "auto"}, 0),
        (pull_request(repo="mallory/chat"), {"comment": "true"}, 1),
    ],
)
def test_who_gets_a_comment(
    do: Do, fake: FakeGitHub, event: dict[str, Any] | None, inputs: dict[str, str], written: int
) -> None:
    assert do(event, **inputs).code == ExitCode.BLOCK
    assert len(fake.comments) == written


def test_a_comment_that_is_not_allowed_is_a_warning(do: Do, fake: FakeGitHub) -> None:
    fake.forbidden.add("issues/create-comment")
    done = do()
    assert (done.code, done.outputs["verdict"]) == (ExitCode.BLOCK, "block")
    (warning,) = warnings(done)
    assert "pull-requests: write" in warning


def test_without_a_token_there_is_no_comment_and_a_warning(do: Do, fake: FakeGitHub) -> None:
    done = do(token="")
    assert (done.code, fake.comments) == (ExitCode.BLOCK, [])
    assert "token is empty" in warnings(done)[0]


@pytest.mark.slow
def test_a_run_without_a_decision_replaces_a_comment_that_says_allow(
    do: Do, fake: FakeGitHub
) -> None:
    do(change="canary")
    assert "ALLOW" in fake.comments[0].body
    done = do(change="canarry")
    (comment,) = fake.comments
    assert (done.code, done.outputs["verdict"]) == (ExitCode.USAGE, "error")
    assert "No decision" in comment.body
    assert "ALLOW" not in comment.body


@pytest.mark.slow
def test_the_commit_has_the_status_of_the_latest_run_also_of_one_without_a_decision(
    do: Do, fake: FakeGitHub
) -> None:
    for change in ("canary", "model-update", "canarry"):
        do(change=change, status="true", environment="prod")
    told = [(status["state"], status["description"].split(";")[0]) for _, status in fake.statuses]
    wrong = "No decision: the command line, the inputs or a policy file are wrong"
    assert {status["context"] for _, status in fake.statuses} == {"gate/chat/prod"}
    assert [(state, text) for state, text in told if state != "pending"] == [
        ("success", "ALLOW: canary of chat"),
        ("failure", "BLOCK: model-update of chat"),
        ("error", wrong),
        (
            "error",
            wrong,
        ),  # of the command, and of the step, which cannot know whether it was killed
    ]
    assert [told[place][0] for place in (0, 2, 4)] == ["pending"] * 3


@pytest.mark.variants(1)
@pytest.mark.parametrize("inputs", [{}, {"status": "false"}, {"change": "canarry"}])
def test_a_status_is_set_on_request_only(do: Do, fake: FakeGitHub, inputs: dict[str, str]) -> None:
    do(**inputs)
    assert fake.statuses == []


@pytest.mark.slow
def test_a_status_that_cannot_be_set_fails_nothing(do: Do, fake: FakeGitHub) -> None:
    fake.forbidden.add("repos/create-commit-status")
    assert do(change="canary", status="true").code == ExitCode.ALLOW
    done = do(change="canarry", status="true")
    assert (done.code, done.outputs["verdict"]) == (ExitCode.USAGE, "error")
    assert "no commit status: " in done.log
    assert "statuses: write" in done.log


@pytest.mark.slow
def test_a_policy_that_cannot_be_read_takes_back_what_an_earlier_run_said(
    do: Do, fake: FakeGitHub, tmp_path: Path
) -> None:
    do(change="canary", status="true")
    (tmp_path / "gate.yaml").write_text("version: 2")
    done = do(status="true")
    (comment,) = fake.comments
    ((name, status),) = fake.shown("a" * 40).items()
    assert (done.code, name, status["state"]) == (ExitCode.USAGE, "gate/chat", "error")
    assert "No decision" in done.summary
    assert "ALLOW" not in comment.body


@pytest.mark.slow
def test_legs_of_a_matrix_have_a_comment_and_a_status_each(do: Do, fake: FakeGitHub) -> None:
    blocked = do(status="true", gate_key='{"region": "eu"}')
    allowed = do(status="true", change="canary", gate_key='{"region": "us"}')
    assert (blocked.code, allowed.code) == (ExitCode.BLOCK, ExitCode.ALLOW)
    states = {name: status["state"] for name, status in fake.shown("a" * 40).items()}
    assert states == {"gate/chat//eu": "failure", "gate/chat//us": "success"}
    assert ["BLOCK" in comment.body for comment in fake.comments] == [True, False]


@pytest.mark.slow
def test_two_directories_have_a_comment_and_a_status_each(
    do: Do, fake: FakeGitHub, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for file in ("gate.yaml", "counts.yaml"):
            (tmp_path / name / file).write_text((tmp_path / file).read_text())
    started = Path.cwd()
    for name, change in (("a", "model-update"), ("b", "canary")):
        os.chdir(started)
        where = {"directory": name, "workspace": str(tmp_path)}
        do(status="true", change=change, policy_ref="none", **where)
    states = {name: status["state"] for name, status in fake.shown("a" * 40).items()}
    assert states == {"gate/chat (a/gate.yaml)": "failure", "gate/chat (b/gate.yaml)": "success"}
    assert ["BLOCK" in comment.body for comment in fake.comments] == [True, False]


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    "inputs",
    [
        {"dry_run": "perhaps"},
        {"comment": "always"},
        {"on-no-secrets": "maybe"},
        {"directory": "missing"},
        {"wait": "soon"},
        {"policies": "gate.yaml\n"},
    ],
)
def test_wrong_inputs_leave_no_earlier_success(
    do: Do, fake: FakeGitHub, tmp_path: Path, inputs: dict[str, str]
) -> None:
    do(change="canary", status="true")
    assert fake.shown("a" * 40)["gate/chat"]["state"] == "success"
    if "policies" in inputs:
        (tmp_path / "gate.yaml").write_text("version: 2")
    done = do(change="canary", status="true", **inputs)
    assert done.code == ExitCode.USAGE
    states = {name: status["state"] for name, status in fake.shown("a" * 40).items()}
    assert states["gate/chat"] == "error" or inputs == {"directory": "missing"}
    assert "error" in states.values()
