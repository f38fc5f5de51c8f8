"""The Python environment of the Action."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from gate.github_action.step import prepare_environment, requirement_files, run
from tests.github_action.acting import ROOT

LISTS = requirement_files({"GITHUB_ACTION_PATH": str(ROOT), "GATE_INPUT_LOGS": "true"})


class Calls(list[list[str]]):
    """Notes the commands instead of running them; the last one that it is told of fails."""

    def __init__(self, failing: int = -1) -> None:
        super().__init__()
        self.failing = failing

    def __call__(self, command: Sequence[str]) -> None:
        self.append(list(command))
        if len(self) == self.failing:
            raise subprocess.CalledProcessError(1, command)
        if "venv" in command:
            Path(command[-1]).mkdir(exist_ok=True)


def pinned(path: Path) -> dict[str, Requirement]:
    """Return what a list names, with its one version."""
    lines = path.read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    entries = [line.split("--hash")[0] for line in lines if not line.startswith("#")]
    return {one.name.lower(): one for one in map(Requirement, entries)}


def test_only_what_has_a_known_hash_is_installed(tmp_path: Path) -> None:
    calls = Calls()
    prepare_environment(tmp_path, LISTS, calls)
    _, pip = calls
    assert {"--require-hashes", "--only-binary=:all:"} < set(pip)
    assert pip[-4:] == ["--requirement", str(LISTS[0]), "--requirement", str(LISTS[1])]
    for path in LISTS:
        text = path.read_text(encoding="utf-8")
        entries = re.findall(r"^[a-z].*(?:\\\n.*)+", text, re.MULTILINE)
        assert len(entries) == len(pinned(path))
        assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)


def test_what_is_pinned_is_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [project["dependencies"], project["optional-dependencies"]["logs"]]
    for names, path in zip(asked, LISTS, strict=True):
        known = pinned(path)
        for one in map(Requirement, names):
            (version,) = [spec.version for spec in known[one.name.lower()].specifier]
            assert Version(version) in one.specifier, one


def test_neither_the_checkout_nor_the_user_has_a_say_in_what_is_installed(tmp_path: Path) -> None:
    calls = Calls()
    python = prepare_environment(tmp_path, LISTS, calls)
    assert [command[:2] for command in calls] == [[sys.executable, "-I"], [str(python), "-I"]]


def test_an_environment_is_made_once(tmp_path: Path) -> None:
    first, second = Calls(), Calls()
    assert prepare_environment(tmp_path, LISTS, first) == prepare_environment(
        tmp_path, LISTS, second
    )
    assert (len(first), len(second)) == (2, 0)


@pytest.mark.parametrize("failing", [1, 2])
def test_one_that_broke_off_is_made_anew(tmp_path: Path, failing: int) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        prepare_environment(tmp_path, LISTS, Calls(failing))
    again = Calls()
    prepare_environment(tmp_path, LISTS, again)
    assert len(again) == 2
    assert "--clear" in again[0]


def test_other_lists_make_another_environment(tmp_path: Path) -> None:
    assert prepare_environment(tmp_path, LISTS, Calls()) != prepare_environment(
        tmp_path, LISTS[:1], Calls()
    )


def test_duckdb_is_left_out_unless_it_is_requested() -> None:
    assert (
        requirement_files({"GITHUB_ACTION_PATH": str(ROOT), "GATE_INPUT_LOGS": "false"})
        == LISTS[:1]
    )


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay out an action that needs nothing, and the variables of a step that uses it."""
    lists = tmp_path / ".github" / "action"
    lists.mkdir(parents=True)
    (lists / "requirements.txt").touch()
    monkeypatch.setenv("GITHUB_ACTION_PATH", str(tmp_path))
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    monkeypatch.delenv("GATE_INPUT_LOGS", raising=False)
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    return lists / "requirements.txt"


def test_it_prints_the_path_of_its_python(
    runner: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls()
    monkeypatch.setattr("gate.github_action.step._call", calls)

    with pytest.raises(SystemExit, match=r"^0$"):
        run()

    assert capsys.readouterr().out == calls[1][0]
    assert Path(calls[1][0]).is_relative_to(runner.parents[2])


@pytest.mark.slow
def test_it_prints_the_path_of_a_python_that_has_just_what_was_requested(
    runner: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"^0$"):
        run()
    python = Path(capsys.readouterr().out)
    assert python.is_relative_to(os.environ["RUNNER_TEMP"])
    program = "import importlib.util as i; print(i.find_spec('click'))"
    done = subprocess.run([python, "-I", "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"None"]


def test_an_environment_that_cannot_be_made_is_reported_and_is_not_a_verdict(
    runner: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNER_TEMP", str(runner))  # a file, below which there is no folder
    with pytest.raises(SystemExit, match=r"^1$"):
        run()
    told = capsys.readouterr()
    stop, *said, _, go, annotation = told.err.splitlines()
    assert (told.out, stop.removeprefix("::stop-commands::")) == ("", go.strip(":"))
    assert "Not a directory" in "\n".join(said)
    assert annotation.startswith("::error title=gate::gate could not be installed")


@pytest.mark.slow  # pip takes seconds, and fails as the module venv does in the test above
def test_what_cannot_be_installed_is_reported_and_is_not_a_verdict(
    runner: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    runner.write_text(f"no-such-thing==1 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"^1$"):
        run()
    told = capsys.readouterr()
    stop, *said, _, go, annotation = told.err.splitlines()
    assert (told.out, stop.removeprefix("::stop-commands::")) == ("", go.strip(":"))
    assert "No matching distribution found for no-such-thing==1" in "\n".join(said)
    assert annotation.startswith("::error title=gate::gate could not be installed")


def test_a_list_that_is_missing_is_reported(
    runner: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.unlink()
    with pytest.raises(SystemExit, match=r"^1$"):
        run()
    assert "No such file" in capsys.readouterr().err


def test_as_a_program_it_does_the_same(runner: Path) -> None:
    runner.unlink()
    program = [sys.executable, "-m", "gate.github_action.step"]
    done = subprocess.run(program, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "No such file" in done.stderr
