"""action.yml says what the code behind it does, and passes everything on safely."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from gate.errors import ExitCode
from gate.github_action.inputs import OPTIONS, STEP_INPUTS, variable
from gate.github_action.report import failed
from tests.github_action.acting import ROOT

ACTION: Final[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
(STEP,) = ACTION["runs"]["steps"]
OUTPUTS: Final = {"report", "decision", *failed(ExitCode.USAGE, "").outputs}


def test_the_inputs_are_the_options_of_the_command_and_those_of_the_step() -> None:
    assert set(ACTION["inputs"]) == set(OPTIONS) | set(STEP_INPUTS)


def test_names_are_kebab_case_and_described() -> None:
    for name, known in [*ACTION["inputs"].items(), *ACTION["outputs"].items()]:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
        assert known["description"]


def test_every_input_comes_in_by_the_environment_and_by_nothing_else() -> None:
    token = {"GITHUB_TOKEN": "${{ inputs.token }}"}
    named = {variable(name): f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}
    named.pop(variable("token"))
    assert STEP["env"] == named | token
    assert "${{" not in STEP["run"]


def test_an_empty_input_means_the_default_of_action_yml() -> None:
    told = {name: one["default"] for name, one in ACTION["inputs"].items() if name in STEP_INPUTS}
    assert told.pop("token") == "${{ github.token }}"
    assert told == {name: default for name, default in STEP_INPUTS.items() if name != "token"}
    # The command has the defaults of its options, but for those that the step sees to, and flags.
    own = {"comment": "auto", "dry-run": "false", "status": "false"}
    own["gate-key"] = "${{ toJSON(matrix) }}"
    for name in set(OPTIONS) - set(STEP_INPUTS):
        assert ACTION["inputs"][name]["default"] == own.get(name, "")


def test_the_outputs_are_those_that_the_code_sets() -> None:
    assert set(ACTION["outputs"]) == OUTPUTS
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.{STEP['id']}.outputs.{name} }}}}"


def test_it_touches_no_environment_of_later_steps() -> None:
    paths = [ROOT / "action.yml", *(ROOT / "gate" / "cli").glob("action*.py")]
    for path in [*paths, *(ROOT / "gate" / "ci").glob("github_*.py")]:
        assert "GITHUB_ENV" not in path.read_text(encoding="utf-8")


@pytest.fixture
def bare(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the step's script on a machine with little more than bash."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "mkdir").symlink_to(shutil.which("mkdir") or "")

    def run(python: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        for name in ("python3", "python") if python else ():
            (programs / name).write_text(f"#!/bin/sh\n{python}\n")
            (programs / name).chmod(0o755)
        script = ("--noprofile", "--norc", "-eo", "pipefail", "-c", STEP["run"])
        environ = {
            "PATH": str(programs),
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_OUTPUT": str(tmp_path / "outputs"),
            "GITHUB_ACTION_PATH": str(tmp_path / "action"),
            **more,
        }
        return subprocess.run(
            [shutil.which("bash") or "bash", *script],
            env=environ,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.parametrize("python", [None, "exit 1"], ids=["none", "too old"])
def test_without_a_python_the_outputs_are_set_all_the_same(
    bare: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, python: str | None
) -> None:
    done = bare(python)
    told = dict(line.split("=", 1) for line in (tmp_path / "outputs").read_text().splitlines())
    assert set(told) == OUTPUTS
    assert (told["verdict"], told["exit-code"], done.returncode) == ("error", "1", 1)
    assert "No decision" in Path(told["report"]).read_text()
    assert done.stdout.startswith("::error title=gate::No Python 3.11")


@pytest.mark.parametrize(
    ("place", "spelt"),
    [
        ("3.12.9/x64/bin/python", "{}"),
        ("3.14.0/x64/python.exe", "{}"),
        ("3.11.1/arm64/bin/python", "{}/"),
    ],
)
def test_a_python_of_the_tool_cache_does(
    bare: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, place: str, spelt: str
) -> None:
    cached = tmp_path / "cache" / "Python" / place
    cached.parent.mkdir(parents=True)
    cached.write_text('#!/bin/sh\n[ "$1" = -I ] || { echo took it >&2; exit 7; }\n')
    cached.chmod(0o755)
    done = bare(RUNNER_TOOL_CACHE=spelt.format(tmp_path / "cache"))
    assert (done.stdout, done.returncode) == ("took it\n", 7)
