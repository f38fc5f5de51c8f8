"""A run that ends without a decision leaves no verdict of an earlier run on the commit."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gate.cli.ci_environment import CiEnvironment
from gate.cli.status_publisher import StatusPublisher, failing_status
from gate.decision.decision import Context
from gate.hosts.identity import GateIdentity
from tests.cli.conftest import EVENT
from tests.cli.installed import AT, POLICY, command
from tests.command import Run, environment
from tests.hosts.test_github_people import HEAD
from tests.servers.github import REPOSITORY, TOKEN, FakeGitHub

WRONG = "the command line, the inputs or a policy file are wrong"


@pytest.fixture
def check(on_pull_request: Run, fake: FakeGitHub) -> Run:
    """Run the gate on a commit that an earlier run has allowed."""
    assert on_pull_request("--status", "--change", "canary").exit_code == 0
    assert fake.shown(HEAD)["gate/chat"]["state"] == "success"
    return partial(on_pull_request, "--status")


def shown(fake: FakeGitHub, name: str = "gate/chat") -> tuple[str, str]:
    status = fake.shown(HEAD)[name]
    return status["state"], status["description"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--wait", "soon"),
        ("--wait", "5m", "--at", "yesterday"),
        ("--impact", "everything"),
        ("--met", "shadow"),
        ("--override-until", "never"),
        ("--no-such-option",),
        ("--dry-run=true",),
        ("--status=yes",),
        ("--wait", "5m", "--change"),
        ("--fail-on", "all"),
        ("--override", "because"),
        ("--wait", "5m", "--at", AT),
        ("--change", "no-such-class"),
        ("--met", "no-such=thing"),
        ("--write", "odd=file"),
    ],
)
def test_a_wrong_command_line_is_an_error(
    check: Run, fake: FakeGitHub, arguments: tuple[str, ...]
) -> None:
    done = check(*arguments)
    assert done.exit_code == 2
    assert shown(fake) == ("error", f"No decision: {WRONG}; see the log of the run")
    assert list(fake.shown(HEAD)) == ["gate/chat"]
    assert "gate: commit status error: gate/chat" in done.stderr


@pytest.mark.variants(3)
@pytest.mark.parametrize(
    "text",
    [
        "version: 2\nservice: chat\n",
        "version: 1\n",
        "",
        "service: other\n",
        "]: not valid YAML",
        POLICY.replace("service: chat", "service: other").replace("window", "windows"),
        POLICY.replace("path: counts.yaml", "path: '${UNSET}'"),
        POLICY.replace("type: static", "type: none"),
    ],
)
def test_a_policy_that_cannot_be_read_is_an_error_under_the_name_that_the_commit_has(
    check: Run, fake: FakeGitHub, text: str
) -> None:
    assert check("--change", "canary", text=text).exit_code == 2
    assert shown(fake)[0] == "error"
    assert list(fake.shown(HEAD)) == ["gate/chat"]


@pytest.mark.parametrize(
    "text, name", [("version: 2\nservice: chat\n", "gate/chat"), ("", "gate/(gate.yaml)")]
)
def test_on_a_new_commit_the_name_is_what_the_text_still_says(
    on_pull_request: Run, fake: FakeGitHub, text: str, name: str
) -> None:
    assert on_pull_request("--status", text=text).exit_code == 2
    assert list(fake.shown(HEAD)) == [name]


def test_a_policy_that_is_not_there_is_an_error_too(check: Run, fake: FakeGitHub) -> None:
    done = check("missing.yaml")
    assert done.exit_code == 2
    assert fake.shown(HEAD)["gate/chat, (missing.yaml)"]["state"] == "error"


@pytest.mark.parametrize("target", ["secret.yaml", "/dev/zero", ".", "\x00"])
def test_a_policy_that_is_not_a_plain_file_names_no_service(
    fake: FakeGitHub, tmp_path: Path, target: str
) -> None:
    (tmp_path / "secret.yaml").write_text("service: hidden\n")
    path = tmp_path / "linked.yaml"
    if target == "\x00":
        path = tmp_path / target
    else:
        path.symlink_to(target)
    place = CiEnvironment(Context(system="shell"), {})
    identity = GateIdentity(paths=("linked.yaml",))
    publisher = StatusPublisher(place, identity, (str(path),))
    assert publisher._names() == ["gate/(linked.yaml)"]
    assert fake.statuses == []


def test_a_chosen_name_is_the_same_whatever_is_wrong(check: Run, fake: FakeGitHub) -> None:
    named = partial(check, "--status-name", "error budget", "--change", "canary")
    assert named().exit_code == 0
    assert shown(fake, "error budget")[0] == "success"
    for wrong in ({"text": ""}, {"text": "service: x\n"}):
        assert named(**wrong).exit_code == 2
        assert shown(fake, "error budget")[0] == "error"
    assert set(fake.shown(HEAD)) == {"gate/chat", "error budget"}
    assert named("--wait", "soon").exit_code == 2


@pytest.mark.parametrize(
    "place",
    ["check.run_check", "check.render", "check.append", "parameters.load_all", "check.signing_key"],
)
def test_a_fault_of_the_program_is_an_error(
    check: Run, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def broken(*_arguments: Any, **_options: Any) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(f"gate.cli.{place}", broken)
    done = check("--change", "canary", "--record", "log.jsonl")
    assert done.exit_code == 1
    assert shown(fake) == ("error", "No decision: the gate failed; see the log of the run")


def test_where_the_statuses_cannot_be_listed_the_text_names_it(
    check: Run, fake: FakeGitHub
) -> None:
    fake.forbidden = {"repos/list-commit-statuses-for-ref"}
    assert check(text="service: chat\n").exit_code == 2
    assert shown(fake)[0] == "error"


def test_a_status_of_somebody_else_gives_no_name(check: Run, fake: FakeGitHub) -> None:
    fake.set_by = dict.fromkeys(range(len(fake.statuses)), ("mallory", AT))
    assert check(text="version: 2\n").exit_code == 2
    assert shown(fake)[0] == "success"  # is not ours
    assert fake.shown(HEAD)["gate/(gate.yaml)"]["state"] == "error"


@pytest.mark.parametrize("more", [{"GITHUB_TOKEN": ""}, {"event": {"head": {"repo": None}}}])
def test_without_a_token_or_a_commit_the_failure_is_reported_all_the_same(
    on_pull_request: Run, fake: FakeGitHub, more: dict[str, Any]
) -> None:
    done = on_pull_request("--status", text="", **more)
    assert done.exit_code == 2
    assert "no commit status: " in done.stderr
    assert fake.statuses == []


def test_without_the_option_nothing_is_set(on_pull_request: Run, fake: FakeGitHub) -> None:
    assert on_pull_request("--wait", "soon").exit_code == 2
    assert on_pull_request(text="").exit_code == 2
    assert fake.statuses == []


def test_a_policy_that_may_not_be_opened_names_no_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    path = tmp_path / "gate.yaml"
    path.write_text("service: chat\n")
    identity = GateIdentity(paths=("gate.yaml",))
    publisher = StatusPublisher(CiEnvironment(Context(system="shell"), {}), identity, (str(path),))
    assert publisher._names() == ["gate/chat"]
    monkeypatch.setattr(Path, "open", refuse)
    assert publisher._names() == ["gate/(gate.yaml)"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_signal_that_ends_a_job_interrupts_it_and_is_an_error(
    fake: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": fake.url}
    context = Context(
        system="github", repository=REPOSITORY, revision=HEAD, url="https://x.example"
    )
    identity = GateIdentity(paths=("gate.yaml",))
    publisher = StatusPublisher(CiEnvironment(context, environ), identity, ("gate.yaml",))
    publisher.start(["chat"])
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), failing_status(publisher):
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
    assert shown(fake) == ("error", "No decision: the run was interrupted; see the log of the run")
    assert "gate: commit status error: gate/chat" in capsys.readouterr().err


def test_each_status_is_set_once_however_often_it_was_set(check: Run, fake: FakeGitHub) -> None:
    for _ in range(2):
        check("--change", "canary")
    sent = len(fake.statuses)
    check(text="version: 2\n")
    assert len(fake.statuses) == sent + 1


@contextmanager
def stuck(fake: FakeGitHub, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the command until it waits for a backend that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f'{{type: prometheus, url: "http://127.0.0.1:{silent.getsockname()[1]}"}}'
        text = POLICY.replace("{type: static, path: counts.yaml}", url).replace(
            "window: 30d", "window: 30d, sli: {bad: b_total, total: t_total}"
        )
        (folder / "gate.yaml").write_text(text)
        (folder / "event.json").write_text(json.dumps({"pull_request": EVENT}))
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": fake.url,
            "GITHUB_TOKEN": TOKEN,
        }
        with subprocess.Popen(
            command("check", "gate.yaml", "--status", "--change", "canary"),
            cwd=folder,
            env=environment(runner),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            connection, _ = silent.accept()
            with connection:
                yield process


@pytest.mark.variants(1)
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    "number, state, code",
    [
        (signal.SIGTERM, "error", 130),
        (signal.SIGHUP, "error", 130),
        (signal.SIGKILL, "pending", -signal.SIGKILL),
    ],
)
def test_a_job_that_is_cancelled_leaves_no_verdict(
    fake: FakeGitHub, tmp_path: Path, number: int, state: str, code: int
) -> None:
    fake.plant_status(HEAD, fake.writer, state="success", context="gate/chat")
    with stuck(fake, tmp_path) as process:
        assert shown(fake)[0] == "pending"
        process.send_signal(number)
        assert process.wait(30) == code
    assert shown(fake)[0] == state
