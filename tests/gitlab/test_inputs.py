"""The component's inputs, the command's options and docs/gitlab.md say the same."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from gate import __version__
from gate.cli.check import check
from gate.reporters import REPORTERS
from tests.gitlab.project import ROOT, TEMPLATE

SPEC, PIPELINE = yaml.safe_load_all(TEMPLATE.read_text(encoding="utf-8"))
INPUTS: Final[dict[str, dict[str, Any]]] = SPEC["spec"]["inputs"]
((NAME, JOB),) = PIPELINE.items()
OPTIONS: Final = {
    max(option.opts, key=len).removeprefix("--").replace("-", "_"): option
    for option in check.params
    if isinstance(option, click.Option)
}
NO_INPUTS: Final = {
    "at",  # a pipeline asks about now
    "ci",  # it is GitLab
    "format",  # the log is read by people
    "output",  # as above
    "write",  # GitLab wants each report in its place
    "quiet",  # as above
    "color",  # a variable can say it: FORCE_COLOR
}
OF_THE_JOB: Final = {"stage", "job_name", "image", "package", "rules", "policies"}
DOCS: Final = (ROOT / "docs" / "gitlab.md").read_text(encoding="utf-8")
SNIPPETS: Final = re.findall(r"^```yaml\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)


def test_each_option_is_an_input_and_nothing_else_is() -> None:
    assert set(INPUTS) - OF_THE_JOB == set(OPTIONS) - NO_INPUTS
    assert set(OPTIONS) >= NO_INPUTS


def test_the_docs_list_each_input_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.*?) \|", DOCS, re.MULTILINE))

    assert list(rows) == list(INPUTS)
    for name, known in INPUTS.items():
        if name != "rules":
            default = (
                str(known["default"]).lower() if known["type"] == "boolean" else known["default"]
            )
            assert rows[name] == (f"`{default}`" if default else ""), name


@pytest.mark.parametrize("name", INPUTS)
def test_each_input_has_a_description_a_type_and_a_default(name: str) -> None:
    known = INPUTS[name]

    assert known["description"].endswith(".")
    kinds: dict[str, type] = {"string": str, "boolean": bool, "array": list}
    assert isinstance(known["default"], kinds[known["type"]])
    if name in OPTIONS:
        assert (known["type"] == "boolean") is OPTIONS[name].is_flag


def test_defaults_are_those_of_the_command_and_of_this_version() -> None:
    assert INPUTS["timeout"]["default"] == OPTIONS["timeout"].default
    assert INPUTS["package"]["default"] == f"error-budget-gate=={__version__}"
    choice = OPTIONS["fail_on"].type
    assert isinstance(choice, click.Choice)
    assert INPUTS["fail_on"]["options"] == [*choice.choices, "none"]


def test_inputs_reach_the_script_as_variables_only() -> None:
    assert "$[[" not in "".join(JOB["script"])
    used = re.findall(r"\$\[\[ inputs\.(\w+) \]\]", TEMPLATE.read_text(encoding="utf-8"))
    assert sorted(used) == sorted(INPUTS)


def test_every_variable_of_the_script_is_quoted_but_for_the_lists() -> None:
    (script,) = JOB["script"]
    bare = re.sub(r'"[^"]*"', "", script)
    assert re.findall(r"\$\w+", bare) == ["$GATE_INPUT_MET", "$GATE_INPUT_POLICIES"]


def test_each_report_of_the_job_is_written_in_a_format_that_there_is() -> None:
    (script,) = JOB["script"]
    written = dict(re.findall(r"--write=(\w+)=(\S+)", script))

    assert set(written) <= set(REPORTERS)
    reports = JOB["artifacts"]["reports"]
    formats = {"annotations": "gitlab"}
    assert {name: written[formats.get(name, name)] for name in reports} == reports


def filled() -> str:
    """Return the pipeline with the default of every input, as GitLab would fill it in."""

    def default(found: re.Match[str]) -> str:
        known = INPUTS[found[1]]["default"]
        return known if isinstance(known, str) else json.dumps(known)

    pipeline = TEMPLATE.read_text(encoding="utf-8").split("\n---\n")[1]
    return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", default, pipeline)


@pytest.mark.parametrize("text", [filled(), *SNIPPETS])
def test_the_schema_of_gitlab_holds(tmp_path: Path, text: str) -> None:
    file = tmp_path / "gitlab-ci.yml"
    file.write_text(text, encoding="utf-8")
    tool = Path(sys.executable).with_name("check-jsonschema")
    arguments = ("--builtin-schema=vendor.gitlab-ci", "--data-transform=gitlab-ci", str(file))
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_snippets_of_the_docs_use_inputs_that_there_are() -> None:
    documents = [yaml.safe_load(snippet) for snippet in SNIPPETS]
    includes = [one for document in documents for one in document.get("include", [])]
    components = [one for one in includes if "/watch@" not in str(one.get("component"))]

    assert components
    for include in components:
        assert set(include["inputs"]) <= set(INPUTS)
    for include in includes:
        assert str(include.get("component", f"@{__version__}")).endswith(f"@{__version__}")
