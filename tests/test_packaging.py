"""The built package, its dependencies, its release, and the hook for pre-commit."""

import operator
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from gate import __version__
from gate.cli.first_policy import CASES
from gate.cli.main import COMMANDS
from gate.errors import ExitCode
from gate.parsing.variables import owner
from tests.cli.installed import POLICY, command
from tests.command import environment

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROOT: Final = Path(__file__).parent.parent
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENTS: Final = [
    Requirement(text)
    for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["logs"]]
    if "sys_platform == 'win32'" not in text
]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
HOOK, TEST_HOOK = HOOKS
ELSEWHERE: Final = (ROOT / "docs" / "elsewhere.md").read_text(encoding="utf-8")
CHANGELOG: Final = f"""\
## Unreleased

## [{__version__}] - 2026-12-01

### Added

- A gate.

## [0.0.1] - 2026-11-01

- A fence.
"""


def workflow(name: str) -> dict[str | bool, Any]:
    path = ROOT / ".github" / "workflows" / name
    parsed: dict[str | bool, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return parsed


def run(*arguments: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """Return the names of the files in the sdist, and in the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("build")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, folder / name)
    shutil.copytree(
        ROOT / "gate", folder / "gate", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    build = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])('.')"
    done = run(sys.executable, "-c", build, "build_sdist", folder=folder)
    assert done.returncode == 0, done.stderr
    (sdist_path,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist_path) as sdist:
        packed = {name.partition("/")[2] for name in sdist.getnames()}
        sdist.extractall(folder, filter="data")
    (unpacked,) = folder.glob("error_budget_gate-*/")
    done = run(sys.executable, "-c", build, "build_wheel", folder=unpacked)
    assert done.returncode == 0, done.stderr
    (wheel_path,) = unpacked.glob("*.whl")
    with zipfile.ZipFile(wheel_path) as wheel:
        return packed, set(wheel.namelist())


def test_the_sdist_and_the_wheel_contain_every_file_of_the_package(
    built: tuple[set[str], set[str]],
) -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "gate").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path(name).suffix for name in files} == {".py", ".typed", ".yaml", ".json", ".css"}
    for names in built:
        assert {name for name in names if Path(name).suffix and name.startswith("gate/")} == files


def test_the_wheel_installs_nothing_but_the_package(built: tuple[set[str], set[str]]) -> None:
    _, wheel = built
    folders = {name.partition("/")[0] for name in wheel}
    assert folders == {"gate", f"error_budget_gate-{__version__}.dist-info"}


def test_every_address_in_the_metadata_is_within_one_repository() -> None:
    urls = PROJECT["urls"]
    assert set(urls) == {"Repository", "Issues", "Changelog"}
    assert all(f"{url}/".startswith(f"{urls['Repository']}/") for url in urls.values())


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_each_dependency_has_a_lowest_version_and_is_installed(requirement: Requirement) -> None:
    (bound,) = requirement.specifier
    assert bound.operator == ">="
    # `make lowest` says that the lowest versions are installed. Nobody would notice otherwise
    # that its installer kept newer ones.
    compare = operator.eq if os.environ.get("GATE_LOWEST") == "1" else operator.ge
    padded = Version(version(requirement.name)).release, Version(bound.version).release
    assert compare(*(numbers + (0,) * (3 - len(numbers)) for numbers in padded))


def test_a_job_tests_with_the_lowest_versions() -> None:
    (step,) = (step for step in workflow("ci.yml")["jobs"]["lowest"]["steps"] if "run" in step)
    assert step["run"] == "make lowest"
    done = run("make", "--dry-run", "lowest")
    assert re.search(r"uv pip install .*--resolution lowest-direct -e '\.\[logs\]'", done.stdout)
    assert "GATE_LOWEST=1" in done.stdout


def test_dependabot_updates_every_place_that_names_versions() -> None:
    path = ROOT / ".github" / "dependabot.yml"
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = run(checker, "--builtin-schema=vendor.dependabot", path)
    assert done.returncode == 0, done.stdout
    updates = yaml.safe_load(path.read_text(encoding="utf-8"))["updates"]
    folders = {
        update["package-ecosystem"]: update.get("directories", [update.get("directory")])
        for update in updates
    }
    lists = [ROOT / "pyproject.toml", *ROOT.glob(".github/*/requirements*.txt")]
    places = {f"/{path.parent.relative_to(ROOT)}".removesuffix(".") for path in lists}
    assert set(folders.pop("pip")) == places
    assert folders == {"github-actions": ["/"], "npm": ["/tests/browser"]}
    assert (ROOT / "tests" / "browser" / "package-lock.json").is_file()
    for update in updates:
        assert update["schedule"] == {"interval": "weekly"}
        assert update["groups"]
        assert update["cooldown"]["default-days"] >= 7


def released(folder: Path, tag: str, repository: str) -> subprocess.CompletedProcess[str]:
    """Run the release's check on a copy of what it reads, with this changelog."""
    for name in (".github/release/check.py", "gate/__init__.py", "pyproject.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    (folder / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    return run(sys.executable, folder / ".github/release/check.py", tag, repository)


def repository() -> str:
    return str(PROJECT["urls"]["Repository"]).removeprefix("https://github.com/")


def test_a_tag_of_this_version_may_be_released_with_its_notes(tmp_path: Path) -> None:
    done = released(tmp_path, f"v{__version__}", repository())
    assert (done.returncode, done.stdout, done.stderr) == (0, "### Added\n\n- A gate.\n", "")


@pytest.mark.parametrize(
    ("tag", "owner", "sentences"),
    [
        ("v9.9.9", None, ["the tag v9.9.9 is not", "CHANGELOG.md has no section for 9.9.9"]),
        (__version__, None, [f"the tag {__version__} is not v and the version"]),
        (f"v{__version__}", "mallory/gate", ["[project.urls] in pyproject.toml"] * 3),
    ],
)
def test_another_tag_or_repository_is_refused(
    tmp_path: Path, tag: str, owner: str | None, sentences: list[str]
) -> None:
    done = released(tmp_path, tag, owner or repository())
    assert (done.returncode, done.stdout) == (1, "")
    for line, sentence in zip(done.stderr.splitlines(), sentences, strict=True):
        assert line.startswith(sentence)


def test_nothing_is_published_that_was_not_tested_and_checked() -> None:
    release = workflow("release.yml")
    jobs = release["jobs"]
    # YAML 1.1 reads the key `on` as true.
    assert release[True] == {"push": {"tags": ["v*"]}}
    assert jobs["test"]["uses"] == "./.github/workflows/ci.yml"
    assert "workflow_call" in workflow("ci.yml")[True]
    assert (jobs["publish"]["needs"], jobs["announce"]["needs"]) == (["test", "build"], "publish")
    assert jobs["publish"]["environment"] == "release"
    permissions = {name: job["permissions"] for name, job in jobs.items()}
    assert permissions == {
        "test": {"contents": "read"},
        "build": {"contents": "read"},
        "publish": {"id-token": "write"},
        "announce": {"contents": "write"},
    }


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_runs_a_command_that_there_is(hook: dict[str, Any]) -> None:
    program, name = shlex.split(hook["entry"])
    assert program in PROJECT["scripts"]
    assert name in COMMANDS
    assert (hook["language"], hook["types"]) == ("python", ["yaml"])
    assert f"`{hook['id']}`" in ELSEWHERE


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        ("gate.yaml", True),
        ("services/chat/gate.test.yml", True),
        ("investigate.test.yaml", False),
        ("gate.testyaml", False),
    ],
)
def test_the_hook_of_cases_runs_on_a_policy_and_on_its_cases(path: str, *, matches: bool) -> None:
    assert bool(re.search(TEST_HOOK["files"], path)) is matches


def test_the_hook_of_cases_tries_a_policy_once(tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(POLICY)
    (tmp_path / "gate.test.yaml").write_text(CASES.split("\n\n")[0])
    _, *arguments = shlex.split(TEST_HOOK["entry"])
    done = run(*command(*arguments, "gate.yaml", "gate.test.yaml"), folder=tmp_path)
    assert (done.returncode, done.stdout.count("PASSED")) == (0, 1)


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        ("gate.yaml", True),
        ("services/chat/gate.yml", True),
        ("investigate.yaml", False),
        ("gate.yaml.orig", False),
        ("policies/chat.yaml", False),
    ],
)
def test_the_hook_runs_on_files_with_the_usual_name(path: str, *, matches: bool) -> None:
    assert bool(re.search(HOOK["files"], path)) is matches


def test_the_hook_passes_a_sound_policy_and_stops_at_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "counts.yaml").touch()
    (tmp_path / "gate.yaml").write_text(POLICY)
    (tmp_path / "gate.yml").write_text(POLICY.replace("window: 30d", "window: a month"))
    _, *arguments = shlex.split(HOOK["entry"])
    good = run(*command(*arguments, "gate.yaml"), folder=tmp_path)
    assert (good.returncode, good.stdout) == (0, "gate.yaml: sound\n")
    both = run(*command(*arguments, "gate.yaml", "gate.yml"), folder=tmp_path)
    assert both.returncode == ExitCode.USAGE
    assert both.stdout.endswith("gate.yml: 1 error\n")


def test_the_hook_needs_no_optional_dependency(tmp_path: Path) -> None:
    """A policy on request logs is validated where DuckDB cannot be imported."""
    backend = "{type: static, path: counts.yaml}", "{type: logs, path: log.jsonl, timestamp: ts}"
    logs = POLICY.replace(*backend).replace("window: 30d}", "window: 7d, sli: {bad: x > 1}}")
    (tmp_path / "gate.yaml").write_text(logs)
    program = "import sys; sys.modules['duckdb'] = None; from gate.cli.main import run; run()"
    done = run(sys.executable, "-c", program, "validate", "gate.yaml", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "gate.yaml: sound\n")


def test_the_examples_for_pre_commit_use_the_hook_of_this_version() -> None:
    snippets = re.findall(r"```yaml\n(repos:.*?)```", ELSEWHERE, re.DOTALL)
    assert len(snippets) == 2
    for snippet in snippets:
        (entry,) = yaml.safe_load(snippet)["repos"]
        (hook,) = entry["hooks"]
        assert entry["repo"] == PROJECT["urls"]["Repository"]
        assert entry["rev"] == f"v{__version__}"
        assert hook["id"] == HOOK["id"]


def test_the_security_policy_names_variables_that_the_code_reads() -> None:
    security = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "gate").rglob("*.py"))
    variables = re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", security)
    assert variables
    # Those of a runner are known by the words of their names.
    unread = [name for name in variables if f'"{name}"' not in source and owner(name) is None]
    assert unread == []
