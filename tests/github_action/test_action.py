"""The step behind action.yml: its outputs and its log, however it ends."""

import base64
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gate.backends import BACKENDS
from gate.errors import ExitCode
from gate.github_action import action
from gate.github_action.inputs import variable
from tests.backends.toy import REGISTERED
from tests.cli.installed import POLICY
from tests.command import environment
from tests.github_action.acting import counts
from tests.github_action.doing import Do, read_back, report
from tests.github_action.pulls import pull_request
from tests.servers.github import FakeGitHub


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (
            {"comment": "perhaps"},
            "the input comment is 'perhaps', but must be one of auto, true, false",
        ),
        ({"directory": "no/such"}, "the input directory: "),
    ],
)
def test_an_input_that_is_wrong_is_a_usage_error(do: Do, inputs: dict[str, str], said: str) -> None:
    done = do(**inputs)
    assert (done.code, done.outputs["exit-code"]) == (ExitCode.USAGE, "2")
    assert said in done.log
    assert "No decision" in done.summary


def test_relative_paths_start_in_the_directory(do: Do, tmp_path: Path) -> None:
    (tmp_path / "chat").mkdir()
    for name in ("gate.yaml", "counts.yaml"):
        (tmp_path / name).rename(tmp_path / "chat" / name)
    assert do(directory="chat").code == ExitCode.BLOCK


def test_a_summary_can_be_left_out(do: Do) -> None:
    assert do(summary="false").summary == ""


def test_every_word_of_the_command_is_foreign_text(do: Do) -> None:
    before, rest = do().log.split("::stop-commands::")
    token, rest = rest.split("\n", 1)
    foreign, after = rest.split(f"\n::{token}::\n")
    assert before == ""
    assert "BLOCK  model-update of chat" in foreign
    assert after.splitlines()[0].startswith("::error file=gate.yaml")


def elsewhere(name: str) -> str:
    """Return a policy whose server's address is in a variable."""
    backend = f'{{type: prometheus, url: "${{{name}}}"}}'
    return POLICY.replace("{type: static, path: counts.yaml}", backend).replace(
        "window: 30d}", "window: 30d, sli: {bad: a, total: b}}"
    )


def test_inputs_do_not_reach_the_policy(do: Do, tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(elsewhere(variable("change")))
    assert "${GATE_INPUT_CHANGE} is never filled in" in do().log


@pytest.mark.parametrize(
    ("inputs", "code"),
    [({}, 3), ({"dry_run": "true"}, 0), ({"on_no_secrets": "allow"}, 0)],
)
def test_a_fork_without_secrets_is_undecided(
    do: Do, fake: FakeGitHub, tmp_path: Path, inputs: dict[str, str], code: int
) -> None:
    (tmp_path / "gate.yaml").write_text(elsewhere("CHAT_URL"))
    done = do(pull_request(repo="mallory/chat"), **inputs)
    assert (done.code, done.outputs["verdict"], done.outputs["exit-code"]) == (
        code,
        "undecided",
        str(code),
    )
    assert "CHAT_URL is not set" in done.log
    assert "stop-commands" not in done.log  # the command was not even run
    assert fake.seen == []


def test_a_missing_variable_elsewhere_is_a_mistake(do: Do, tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(elsewhere("CHAT_URL"))
    assert do().code == ExitCode.USAGE


def test_a_fork_whose_policy_has_another_mistake_gets_a_report_on_that(
    do: Do, tmp_path: Path
) -> None:
    text = elsewhere("CHAT_URL").replace("tiers", "teirs")
    (tmp_path / "gate.yaml").write_text(text)
    done = do(pull_request(repo="mallory/chat"))
    assert (done.code, done.outputs["verdict"]) == (ExitCode.USAGE, "error")


def test_where_no_policy_is_known_to_count_the_run_is_undecided_and_says_why(do: Do) -> None:
    done = do(pull_request(repo="mallory/chat"), policy_ref="main", on_no_secrets="allow")
    assert (done.code, done.outputs["verdict"]) == (ExitCode.UNDECIDED, "undecided")
    assert "it is not in a git repository" in report(done)
    assert "UNDECIDED: no policy that counts" in done.summary


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("url", "auth", "masked"),
    [
        ("http://127.0.0.1:9", "username: ada, password: '${SECRET}'", [b"ada:s3cret", None]),
        ("http://ada:${SECRET}@127.0.0.1:9", None, [b"ada:s3cret", None]),
        ("http://127.0.0.1:9", "bearer: '${SECRET}'", [None]),
        ("http://127.0.0.1:9", None, []),
        ("http://[::${SECRET}", None, []),
    ],
)
def test_secrets_that_are_made_of_secrets_are_masked(
    do: Do,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    url: str,
    auth: str | None,
    masked: list[bytes | None],
) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    backend = f'type: prometheus, retries: 0, url: "{url}"' + (
        f", auth: {{{auth}}}" if auth else ""
    )
    text = POLICY.replace("type: static, path: counts.yaml", backend)
    text = text.replace("window: 30d", "window: 30d, sli: {bad: a_total, total: b_total}")
    (tmp_path / "gate.yaml").write_text(text)
    done = do()
    shown = [base64.b64encode(one).decode() if one else "s3cret" for one in masked]
    lines = done.log.splitlines()
    assert [line for line in lines if line.startswith("::add-mask::")] == [
        f"::add-mask::{one}" for one in shown
    ]
    assert lines[: len(shown)] == [f"::add-mask::{one}" for one in shown]  # before anything else


def test_the_secrets_of_a_backend_that_is_only_registered_are_masked(
    do: Do, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, package in REGISTERED.items():
        monkeypatch.setitem(BACKENDS, kind, package)
    monkeypatch.setenv("SECRET", "s3cret")
    backend = "{type: toy, path: counts.txt, token: '${SECRET}'}"
    text = POLICY.replace("{type: static, path: counts.yaml}", backend)
    (tmp_path / "gate.yaml").write_text(text)

    assert do().log.splitlines()[0] == "::add-mask::s3cret"


def test_a_command_that_is_killed_is_an_internal_error(
    do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies = (
        "import os, signal; print('last words', flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    real = subprocess.Popen

    def popen(_command: list[str], **more: Any) -> subprocess.Popen[str]:
        return real([sys.executable, "-c", dies], **more)

    monkeypatch.setattr(subprocess, "Popen", popen)
    done = do()
    assert (done.code, done.outputs["exit-code"]) == (ExitCode.INTERNAL, "1")
    assert "last words" in done.log


def test_a_fault_of_the_step_itself_sets_every_output(
    do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("::error::a bug")

    monkeypatch.setattr(action, "find_policies", fail)
    done = do()
    assert (done.code, done.outputs["verdict"]) == (ExitCode.INTERNAL, "error")
    assert set(done.outputs) == {
        *("verdict", "exit-code", "tier", "remaining"),
        *(
            "change-class",
            "report",
            "decision",
        ),
    }
    before, trace = done.log.split("RuntimeError: ::error::a bug")
    assert before.startswith("::stop-commands::")
    assert "No decision" in report(done)
    assert "::error title=gate::gate itself failed" in trace


def test_an_interrupted_step_ends_the_command_and_sets_every_output(do: Do) -> None:
    class Interrupting(StringIO):
        def write(self, text: str) -> int:
            if "BLOCK  model-update" in text:
                raise KeyboardInterrupt
            return super().write(text)

    done = do(log=Interrupting())
    assert (done.code, done.outputs["exit-code"]) == (ExitCode.INTERRUPTED, "130")
    assert "interrupted" in report(done)


def test_reports_that_cannot_be_written_change_no_exit_code(do: Do, tmp_path: Path) -> None:
    for name in ("decision.json", "gate.markdown", "gate.github"):
        (tmp_path / name).mkdir()
    done = do()
    assert (done.code, done.outputs["exit-code"]) == (ExitCode.BLOCK, "10")
    assert done.outputs["verdict"] == "unknown"
    assert "could not be written" in report(done)


@pytest.fixture
def step_environment(tmp_path: Path) -> dict[str, str]:
    """The variables of a process whose policy blocks."""
    (tmp_path / "gate.yaml").write_text(POLICY)
    (tmp_path / "counts.yaml").write_text(counts(820))
    return environment(
        {
            "GATE_FOLDER": str(tmp_path),
            "GITHUB_OUTPUT": str(tmp_path / "outputs"),
            variable("change"): "model-update",
        }
    )


@pytest.mark.slow
def test_the_process_ends_with_the_code_of_the_step(
    tmp_path: Path, step_environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gate.github_action.action"],
        cwd=tmp_path,
        env=step_environment,
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == ExitCode.BLOCK
    assert read_back((tmp_path / "outputs").read_text())["exit-code"] == "10"


def test_the_step_is_that_of_its_process(
    tmp_path: Path, step_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", step_environment)

    with pytest.raises(SystemExit) as end:
        action.run()

    assert end.value.code == ExitCode.BLOCK
    assert read_back((tmp_path / "outputs").read_text())["exit-code"] == "10"
