"""Which gate a run is: its place, its environment and its leg of a matrix."""

import os
from pathlib import Path

import pytest

from gate.cli.ci_environment import CiEnvironment
from gate.cli.publishing import identity_of, working_folder, writer_of
from gate.decision.decision import Context
from gate.errors import ExitCode
from tests.command import Run
from tests.hosts.repository import commit, git
from tests.servers.github import FakeGitHub

GITLAB = {"GITLAB_CI": "true", "CI_NODE_TOTAL": "2", "CI_PIPELINE_ID": "7"}


@pytest.mark.parametrize(
    "environ, key",
    [
        (GITLAB | {"CI_JOB_NAME": "gate: [eu, a]"}, "[eu, a]"),
        (GITLAB | {"CI_JOB_NAME": "gate 2/3"}, "2/3"),
        (GITLAB | {"CI_JOB_NAME": "gate"}, None),
        ({"GITLAB_CI": "true", "CI_JOB_NAME": "gate 2/3"}, None),
        ({"CI_NODE_TOTAL": "2", "CI_JOB_NAME": "gate 2/3"}, None),
    ],
)
def test_gitlab_says_which_leg_a_job_is(environ: dict[str, str], key: str | None) -> None:
    place = CiEnvironment(Context(system="gitlab"), environ)
    assert identity_of(["gate.yaml"], place, key=None, status_name=None).key == key
    assert identity_of(["gate.yaml"], place, key="mine", status_name=None).key == "mine"


@pytest.mark.parametrize(
    "environ, known",
    [
        ({"GITHUB_RUN_ID": "7", "RUNNER_TRACKING_ID": "github_1"}, True),
        ({"GITHUB_RUN_ID": "7", "RUNNER_NAME": "runner 1"}, True),
        ({"GITHUB_RUN_ID": "7"}, False),
        ({"RUNNER_NAME": "runner 1"}, False),
        (GITLAB | {"CI_JOB_NAME": "gate 1/2"}, True),
        (GITLAB, False),
    ],
)
def test_the_writer_of_a_comment_is_known_where_run_and_job_are(
    environ: dict[str, str], known: bool
) -> None:
    assert (writer_of(environ, ExitCode.BLOCK) is not None) is known


def test_a_retry_of_a_gitlab_job_is_the_same_writer() -> None:
    first = writer_of(GITLAB | {"CI_JOB_NAME": "gate", "CI_JOB_ID": "1"}, ExitCode.BLOCK)
    again = writer_of(GITLAB | {"CI_JOB_NAME": "gate", "CI_JOB_ID": "2"}, ExitCode.ALLOW)
    assert first is not None
    assert again is not None
    assert not again.yields_to(f"marker\n{first.line}\n")


def test_the_working_folder_is_that_of_the_workspace_or_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "services" / "chat"
    inner.mkdir(parents=True)
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "begin", {"services/chat/gate.yaml": "version: 1\n"})
    monkeypatch.chdir(inner)
    for workspace in (None, str(tmp_path / "elsewhere"), str(tmp_path)):
        folder = working_folder(Context(system="github", workspace=workspace))
        assert folder.rstrip("/") == "services/chat"
    (tmp_path / "link").symlink_to(tmp_path)
    folder = working_folder(Context(system="github", workspace=str(tmp_path / "link")))
    assert folder == "services/chat"


def test_a_job_with_a_worse_verdict_keeps_the_comment_of_its_run(
    on_pull_request: Run, fake: FakeGitHub
) -> None:
    run = {"GITHUB_RUN_ID": "17", "GITHUB_JOB": "gate"}
    model = ("--comment", "--change", "model-update")
    on_pull_request(*model, **run, RUNNER_NAME="runner 1")
    done = on_pull_request("--comment", "--change", "canary", **run, RUNNER_NAME="runner 2")
    assert done.exit_code == 0
    assert "gate: comment kept: " in done.stderr
    assert "give each job its own gate key" in done.stderr
    (comment,) = fake.comments
    assert "BLOCK: model-update of chat" in comment.body
    keyed = ("--comment", "--change", "canary", "--gate-key", "eu")
    on_pull_request(*keyed, **run, RUNNER_NAME="runner 2")
    assert ["BLOCK" in comment.body for comment in fake.comments] == [True, False]


LEGS = {"GITHUB_RUN_ID": "17", "GITHUB_JOB": "gate", "GITHUB_RUN_ATTEMPT": "1"}
BLOCK, ALLOW = ("--status", "--change", "model-update"), ("--status", "--change", "canary")


def test_a_success_never_goes_over_the_failure_of_another_leg(
    on_pull_request: Run, fake: FakeGitHub
) -> None:
    on_pull_request(*BLOCK, **LEGS, RUNNER_NAME="runner 1")
    done = on_pull_request(*ALLOW, **LEGS, RUNNER_NAME="runner 2")
    assert done.exit_code == 0
    assert "gate: commit status failure: gate/chat (set by another job of this run" in done.stderr
    shown = fake.shown("a" * 40)["gate/chat"]
    assert (shown["state"], shown["description"][:5]) == ("failure", "BLOCK")
    assert shown["description"] == fake.statuses[1][1]["description"]
    on_pull_request(*ALLOW, **LEGS, RUNNER_NAME="runner 2")
    assert fake.shown("a" * 40)["gate/chat"]["state"] == "failure"
    on_pull_request(*ALLOW, **LEGS, RUNNER_NAME="runner 1")  # the leg itself has asked again
    assert fake.shown("a" * 40)["gate/chat"]["state"] == "success"


def test_nor_over_the_error_of_another_leg(on_pull_request: Run, fake: FakeGitHub) -> None:
    on_pull_request(*ALLOW, "--met", "x=y", **LEGS, RUNNER_NAME="runner 1")
    on_pull_request(*ALLOW, **LEGS, RUNNER_NAME="runner 2")
    assert fake.shown("a" * 40)["gate/chat"]["state"] == "error"


@pytest.mark.parametrize(
    "more",
    [
        {"GITHUB_RUN_ATTEMPT": "2"},
        {"GITHUB_RUN_ID": "18"},
        {"RUNNER_NAME": "runner 1"},
        {"RUNNER_NAME": None},
    ],
)
def test_a_later_run_or_the_same_job_takes_its_failure_back(
    on_pull_request: Run, fake: FakeGitHub, more: dict[str, str]
) -> None:
    on_pull_request(*BLOCK, **LEGS, RUNNER_NAME="runner 1")
    on_pull_request(*ALLOW, **(LEGS | {"RUNNER_NAME": "runner 2"} | more))
    assert fake.shown("a" * 40)["gate/chat"]["state"] == "success"


@pytest.mark.parametrize("fault", ["author", "listing", "success", "key"])
def test_what_is_not_a_failure_of_another_leg_stops_nothing(
    on_pull_request: Run, fake: FakeGitHub, fault: str
) -> None:
    first = ALLOW if fault == "success" else BLOCK
    on_pull_request(*first, **LEGS, RUNNER_NAME="runner 1")
    if fault == "author":
        fake.set_by = {
            0: ("mallory", "2026-11-01T00:00:00Z"),
            1: ("mallory", "2026-11-01T00:00:00Z"),
        }
    if fault == "listing":
        fake.forbidden = {"repos/list-commit-statuses-for-ref"}
    key = ("--gate-key", "eu") if fault == "key" else ()
    name = "gate/chat//eu" if key else "gate/chat"
    on_pull_request(*ALLOW, *key, **LEGS, RUNNER_NAME="runner 2")
    assert fake.shown("a" * 40)[name]["state"] == "success"


def test_without_a_token_a_leg_says_that_there_is_none(on_pull_request: Run) -> None:
    done = on_pull_request(*ALLOW, **LEGS, RUNNER_NAME="runner 1", GITHUB_TOKEN="")
    assert done.exit_code == 0
    assert "no commit status: there is no token for github" in done.stderr


def test_signals_are_left_as_they_were_outside_of_the_main_thread() -> None:
    from threading import Thread  # noqa: PLC0415 - for this test

    from gate.cli.status_publisher import ending_signals  # noqa: PLC0415 - as above

    ended = list[int]()

    def run() -> None:
        with ending_signals():
            ended.append(os.getpid())

    thread = Thread(target=run)
    thread.start()
    thread.join()
    assert ended == [os.getpid()]
