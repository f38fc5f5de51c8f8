"""The component that watches a canary: its inputs are the command's options, and its pipeline.

`docs/gitlab.md` has the pipeline; gitlab-ci-local runs it here with a gate that ends as it should.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from gate import __version__
from gate.cli.watch import watch
from tests.gitlab.project import ROOT, Project

TEMPLATE: Final = ROOT / "templates" / "watch" / "template.yml"
TEXT: Final = TEMPLATE.read_text(encoding="utf-8")
SPEC, PIPELINE = yaml.safe_load_all(TEXT)
INPUTS: Final[dict[str, dict[str, Any]]] = SPEC["spec"]["inputs"]
((NAME, JOB),) = PIPELINE.items()
OPTIONS: Final = {
    max(option.opts, key=len).removeprefix("--").replace("-", "_"): option
    for option in watch.params
    if isinstance(option, click.Option)
}
NO_INPUTS: Final = {
    *("at", "ci", "format", "output", "write", "quiet", "color"),  # as with gate check
    *("state", "resume"),  # a job that is retried watches anew
    "on_rollback",  # another job rolls back
}
OF_THE_JOB: Final = {"stage", "job_name", "image", "package", "rules", "policy"}
SECTION: Final = (
    (ROOT / "docs" / "gitlab.md").read_text("utf-8").split("## After a deploy")[1].split("\n## ")[0]
)
((SNIPPET,),) = (re.findall(r"^```yaml\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL),)
JOBS: Final = {
    name: job
    for name, job in yaml.safe_load(SNIPPET).items()
    if name not in ("include", "stages", "canary")
}


def test_each_option_is_an_input_and_nothing_else_is() -> None:
    assert set(INPUTS) - OF_THE_JOB == set(OPTIONS) - NO_INPUTS
    assert set(OPTIONS) >= NO_INPUTS


@pytest.mark.parametrize("name", INPUTS)
def test_each_input_has_a_description_a_type_and_a_default_where_there_is_one(name: str) -> None:
    known = INPUTS[name]

    assert known["description"].endswith(".")
    assert known["type"] in ("string", "boolean", "array")
    assert ("default" in known) is (name != "canary")
    if name in OPTIONS:
        assert (known["type"] == "boolean") is OPTIONS[name].is_flag
    assert TEXT.count(f"$[[ inputs.{name} ]]") == 1


@pytest.mark.parametrize("name", ["every", "margin", "timeout"])
def test_defaults_are_those_of_the_command(name: str) -> None:
    assert INPUTS[name]["default"] == OPTIONS[name].default
    assert INPUTS["package"]["default"] == f"error-budget-gate=={__version__}"


def test_inputs_reach_the_script_as_quoted_variables_but_for_the_list() -> None:
    (script,) = JOB["script"]
    assert "$[[" not in script
    bare = re.sub(r'"[^"]*"', "", script)
    assert re.findall(r"\$\w+", bare) == ["$GATE_INPUT_SLO"]


def test_only_10_and_a_lost_runner_make_the_job_fail() -> None:
    assert 10 not in JOB["allow_failure"]["exit_codes"]
    assert {1, 2, 3, 130, 137, 143} == set(JOB["allow_failure"]["exit_codes"])


def test_the_pipeline_of_the_docs_uses_inputs_that_there_are() -> None:
    (_, include) = yaml.safe_load(SNIPPET)["include"]
    assert include["component"].endswith(f"/watch@{__version__}")
    assert set(include["inputs"]) <= set(INPUTS)
    assert {name for name in INPUTS if "default" not in INPUTS[name]} <= set(include["inputs"])


def test_the_schema_of_gitlab_holds(tmp_path: Path) -> None:
    def filled(found: re.Match[str]) -> str:
        known = INPUTS[found[1]].get("default", "track=canary")
        return known if isinstance(known, str) else json.dumps(known)

    file = tmp_path / "gitlab-ci.yml"
    pipeline = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", filled, TEXT.split("\n---\n")[1])
    file.write_text(pipeline, encoding="utf-8")
    tool = Path(sys.executable).with_name("check-jsonschema")
    arguments = ("--builtin-schema=vendor.gitlab-ci", "--data-transform=gitlab-ci", str(file))
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("code", ["0", "1", "2", "3", "10", "130", "137", ""])
@pytest.mark.parametrize("name, own", [("promote", "0"), ("roll back", "10")])
def test_a_job_that_acts_does_so_for_its_own_code_only(
    tmp_path: Path, name: str, own: str, code: str
) -> None:
    deploy = tmp_path / "deploy.sh"
    deploy.write_text("#!/bin/sh\necho deploys\n")
    deploy.chmod(0o755)
    lines = "\n".join(("set -e", *JOBS[name]["script"]))
    environ = {"PATH": os.environ["PATH"], **({"GATE_WATCH_EXIT_CODE": code} if code else {})}

    done = subprocess.run(
        ["sh", "-c", lines], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )

    assert (done.returncode, "deploys" in done.stdout) == ((0, True) if code == own else (3, False))


def make_pipeline(project: Project, **jobs: object) -> None:
    """Give a project the pipeline of the docs, with the components of this checkout."""
    folder = project.folder / "templates" / "watch"
    folder.mkdir()
    shutil.copy(TEMPLATE, folder)
    document = yaml.safe_load(SNIPPET) | jobs
    for include, name in zip(document["include"], ("gate", "watch"), strict=True):
        del include["component"]
        include["local"] = f"/templates/{name}/template.yml"
        include["inputs"]["package"] = ""
    programs = project.folder / "bin"
    programs.mkdir()
    stub = '#!/bin/sh\necho "called with: $*"\n[ "$1" = watch ] || exit 0\nexit "$WATCH_ENDS"\n'
    (programs / "gate").write_text(stub)
    (project.folder / "deploy.sh").write_text('#!/bin/sh\necho "deploys $*"\n')
    for program in (programs / "gate", project.folder / "deploy.sh"):
        program.chmod(0o755)
    document["default"] = {"before_script": ['export PATH="$PWD/bin:$PATH"']}
    project.write({".gitlab-ci.yml": yaml.safe_dump(document, sort_keys=False)})


@pytest.mark.slow
@pytest.mark.parametrize(
    "code, ended, deployed",
    [
        ("0", "PASS", ["canary 10%", "canary 100%"]),
        ("3", "WARN 3", ["canary 10%"]),
        ("10", "FAIL 10", ["canary 10%", "canary 0%"]),
    ],
)
def test_a_pipeline_promotes_or_rolls_back_or_leaves_it_to_somebody(
    project: Project, code: str, ended: str, deployed: list[str]
) -> None:
    # gitlab-ci-local 4.68.1 lets a pipeline go on after an exit code that is not listed.
    make_pipeline(project, **({"gate watch": {"allow_failure": False}} if code == "10" else {}))

    outcome = project.run(WATCH_ENDS=code)

    state = re.search(
        r"^gate watch +finished in [^\n]*?(?:(WARN|FAIL) (\d+))?\s*$", outcome.told, re.MULTILINE
    )
    assert state is not None, outcome.told
    assert (f"{state[1]} {state[2]}" if state[1] else "PASS") == ended, outcome.told
    assert re.findall(r"> deploys (.*)$", outcome.told, re.MULTILINE) == deployed
    called = "watch --ci=gitlab --timeout=60s --canary=track=canary --for=1h --every=1m"
    assert f"called with: {called} --margin=100% --baseline=track=stable" in outcome.told
