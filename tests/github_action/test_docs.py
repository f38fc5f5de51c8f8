"""docs/github.md agrees with action.yml, and its workflows are sound."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.github_action.acting import ROOT
from tests.github_action.recipes import DOCS, recipes, write

TEXT: Final = DOCS.read_text(encoding="utf-8")
ACTION: Final[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
EVENTS: Final = {
    *("push", "workflow_dispatch", "deployment", "merge_group", "pull_request", "workflow_run"),
    "schedule",
}


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading."""
    table = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n|---", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in table.splitlines()[1:]]


def named(cells: list[str]) -> list[str]:
    return re.findall(r"`([^`]+)`", cells[0])


def steps() -> list[dict[str, Any]]:
    """Return every step of every recipe that uses the Action."""
    jobs = [job for text in recipes().values() for job in yaml.safe_load(text)["jobs"].values()]
    return [one for job in jobs for one in job["steps"] if "acme/gate@" in one.get("uses", "")]


def test_the_table_of_inputs_is_whole_and_has_the_defaults() -> None:
    listed = {name: cells[2] for cells in rows("Inputs") for name in named(cells)}
    assert sorted(listed) == sorted(ACTION["inputs"])
    for name, known in ACTION["inputs"].items():
        if known["default"] and "${{" not in known["default"]:
            assert listed[name] == f"`{known['default']}`", name


def test_the_table_of_outputs_is_whole() -> None:
    assert [named(cells)[0] for cells in rows("Outputs")] == list(ACTION["outputs"])


def test_there_is_a_recipe_for_every_event() -> None:
    # YAML takes the key "on" for true.
    found = [yaml.safe_load(text)[True] for text in recipes().values()]
    assert {one for on in found for one in ([on] if isinstance(on, str) else on)} == EVENTS


def test_the_recipes_use_only_inputs_and_outputs_that_there_are() -> None:
    assert len(steps()) >= 5
    for one in steps():
        assert set(one.get("with", {})) <= set(ACTION["inputs"])
    outputs = re.findall(r"(?:steps|needs)\.gate\.outputs\.([\w-]+)", TEXT)
    assert set(outputs) <= set(ACTION["outputs"])


def test_secrets_come_in_by_the_environment_alone() -> None:
    for one in steps():
        assert "secrets." not in str(one.get("with"))
        assert set(one["env"]) == {"PROMETHEUS_URL"}


def test_every_recipe_starts_from_no_permission_at_all() -> None:
    for text in recipes().values():
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {}
        assert all(job["permissions"] for job in workflow["jobs"].values())


def tool(name: str, *arguments: str | Path) -> str:
    """Run a linter that is installed beside our Python; return what it says where it objects."""
    done = subprocess.run(
        [Path(sys.executable).with_name(name), *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr if done.returncode else ""


@pytest.fixture(scope="module")
def workflows(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return our own workflows, and the recipes as a repository would have them."""
    ours = list((ROOT / ".github" / "workflows").iterdir())
    return ours + write(tmp_path_factory.mktemp("recipes"))


def test_zizmor_finds_nothing(workflows: list[Path]) -> None:
    arguments = ("--offline", "--no-progress", "--no-config")
    assert tool("zizmor", *arguments, *workflows) == ""
    assert tool("zizmor", *arguments, "--persona=pedantic", ROOT / "action.yml") == ""


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    text = (ROOT / "action.yml").read_text().replace('"$GATE_FOLDER"', "${{ inputs.directory }}")
    (tmp_path / "action.yml").write_text(text)
    assert "template-injection" in tool("zizmor", "--offline", tmp_path / "action.yml")


@pytest.mark.slow
def test_the_schemas_of_github_hold(workflows: list[Path]) -> None:
    schema = "--builtin-schema=vendor.github-"
    assert tool("check-jsonschema", f"{schema}workflows", *workflows) == ""
    assert tool("check-jsonschema", f"{schema}actions", ROOT / "action.yml") == ""
