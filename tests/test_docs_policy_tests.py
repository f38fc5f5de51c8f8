"""docs/policy-tests.md: its example is tried as it stands there, its words are the program's."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from gate.analysis.cases.words import FORMATS
from gate.cli import test as command
from gate.config.cases_schema import CASE, CASES, CHANGE, EXPECT, read_cases
from gate.config.stated import STATED_SLO, UNMEASURED
from gate.errors import ExitCode
from gate.policy.findings import Verdict
from tests.command import Run

TEXT = (Path(__file__).parent.parent / "docs" / "policy-tests.md").read_text(encoding="utf-8")
POLICY, EXAMPLE, CHANGED, *PIPELINES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
(SHOWN,) = re.findall(r"```console\n\$ (.*?)```", TEXT, re.DOTALL)
(FAILED,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gate.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "gate.test.yaml").write_text(EXAMPLE, encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_example_comes_out_as_shown(gate: Run) -> None:
    head, output = SHOWN.split("\n", 1)
    done = gate(*shlex.split(head)[1:], env={"PROMETHEUS_URL": None})

    assert done.exit_code == 0
    assert done.stdout.startswith(output)


def test_the_altered_policy_fails_as_shown(gate: Run, folder: Path) -> None:
    (folder / "gate.yaml").write_text(POLICY.replace('"> 50%"', '">= 50%"'), encoding="utf-8")
    done = gate("test", "gate.yaml", env={"PROMETHEUS_URL": None})

    assert done.exit_code == 12
    assert done.stdout.startswith(FAILED)


def test_the_pipelines_run_the_command_with_a_format_that_there_is() -> None:
    assert len(PIPELINES) == 2
    for pipeline in PIPELINES:
        assert yaml.safe_load(pipeline)
        (form,) = re.findall(r"gate test policies/gate.yaml --write (\w+)=", pipeline)
        assert form in FORMATS


def test_the_change_is_read_as_it_stands_there() -> None:
    change = yaml.safe_dump(yaml.safe_load(CHANGED), default_flow_style=True, width=1000)
    case = f"name: a, {change.strip()[1:-1]}, expect: {{verdict: allow}}"
    text = f"version: 1\nat: 2026-11-20T14:00:00Z\ncases: [{{{case}}}]\n"

    assert len(read_cases(text.encode(), "a", {}).cases) == 1


@pytest.mark.parametrize("block", [CASES, CASE, EXPECT, STATED_SLO, CHANGE.longer])
def test_every_key_is_reported(block: object) -> None:
    keys = set(block.fields) - {"version", "cases"}  # type: ignore[attr-defined]

    assert {key for key in keys if f"`{key}`" not in TEXT and f"\n  {key}:" not in TEXT} == set()


def test_every_option_code_cause_and_verdict_is_reported() -> None:
    options = [one for one in command.test.params if isinstance(one, click.Option)]

    assert {f"`{max(one.opts, key=len)}" in TEXT for one in options} == {True}
    codes = (ExitCode.ALLOW, ExitCode.FINDINGS, ExitCode.USAGE)
    assert all(f"\n| {int(code)} |" in TEXT for code in codes)
    assert all(f"`{word}`" in TEXT for word in (*UNMEASURED, *Verdict))
    assert all(name in TEXT for name in FORMATS)
