"""A project with the component in its pipeline, run by gitlab-ci-local on this machine's shell."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tests.servers.processes import binary

ROOT: Final = Path(__file__).parents[2]
TEMPLATE: Final = ROOT / "templates" / "gate" / "template.yml"
HERE: Final = {"package": "", "change": "canary"}
"""Inputs: the command of this checkout is there already."""
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_REMOTE: Final = "git@gitlab.example:acme/chat.git"

POLICY: Final = """\
version: 1
service: chat
owners: ["@acme/llm"]
dashboard: https://grafana.example/d/chat
backend: {type: static, path: counts.yaml}
slos:
  - {name: availability, objective: 99.9%, window: 30d, sli: {series: availability}}
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: caution, remaining: "> 10%", allow: [canary, rollback], warn: [canary]}
  - {name: exhausted, otherwise: true, allow: [rollback]}
"""


def counts(bad: int) -> str:
    """Return the counts of a month in which so many of a million requests have failed."""
    windows = "windows: {1h: {total: 4000, bad: 0}}"
    return f"counts:\n  availability: {{total: 1000000, bad: {bad}, {windows}}}\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a pipeline."""

    code: int
    told: str
    reports: Path

    def text(self, name: str) -> str:
        """Return a report."""
        return (self.reports / name).read_text(encoding="utf-8")

    def json(self, name: str) -> Any:
        """Return a report that is JSON."""
        return json.loads(self.text(name))

    @property
    def gate(self) -> str:
        """How the gate's job ended, with its exit code where that is not 0."""
        ended = r"^gate +finished in [^\n]*?(?:(WARN|FAIL) (\d+))?\s*$"
        found = re.search(ended, self.told, re.MULTILINE)
        assert found is not None, self.told
        return f"{found[1]} {found[2]}" if found[1] else "PASS"


@dataclass(slots=True)
class Project:
    """A checkout; a test writes files into it, commits and runs the pipeline."""

    folder: Path
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def write(self, files: dict[str, str]) -> None:
        """Write files by their names."""
        for name, text in files.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def pipeline(
        self,
        inputs: dict[str, Any] | None = None,
        include: dict[str, str] | None = None,
        **jobs: object,
    ) -> None:
        """Write .gitlab-ci.yml: the gate with these inputs, a job that deploys, and others."""
        known = {"local": "/templates/gate/template.yml"} if include is None else include
        document = {
            "stages": ["build", "test", "deploy"],
            "include": [{**known, "inputs": HERE | (inputs or {})}],
            "deploy": {"stage": "deploy", "script": ['echo "deployed on $GATE_VERDICT"']},
            **jobs,
        }
        self.write({".gitlab-ci.yml": yaml.safe_dump(document, sort_keys=False)})

    def git(self, *arguments: str) -> str:
        """Run git in it."""
        command = ["git", "-C", str(self.folder), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env=self._environment()
        )
        return done.stdout.strip()

    def commit(self, message: str = "feat: something") -> str:
        """Commit everything; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def run(self, *arguments: str, **variables: str) -> Outcome:
        """Run the pipeline, as of a push to the default branch unless the variables say more."""
        if self.git("status", "--porcelain"):
            self.commit()  # what was only written is no part of the run's commit
        command = [binary("gitlab-ci-local"), "--force-shell-executor", *arguments]
        for name, value in (self.variables | {"GITLAB_CI": "true"} | variables).items():
            command += ["--variable", f"{name}={value}"]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            text=True,
            check=False,
        )
        told = _COLOUR.sub("", done.stdout)
        return Outcome(done.returncode, told, self.folder / "gate-reports")

    def request(self, base: str, **variables: str) -> Outcome:
        """Run the pipeline of a merge request from a branch that left the target's at a commit."""
        target = self.folder.parent / "target.git"
        self.git("init", "--quiet", "--bare", str(target))
        self.git("push", "--quiet", "--force", str(target), f"{base}:refs/heads/main")
        request = {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            # Of a fork, as it were: the address of the checkout leads nowhere.
            "CI_MERGE_REQUEST_PROJECT_PATH": "acme/target",
            "CI_MERGE_REQUEST_PROJECT_URL": target.as_uri().removesuffix(".git"),
        }
        return self.run(**request | variables)

    def _environment(self) -> dict[str, str]:
        # The command of this checkout, installed where these tests run.
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        kept = {name: os.environ[name] for name in ("PYTHONPATH", "LANG") if name in os.environ}
        return kept | {"PATH": path, "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"}


def made(folder: Path) -> Project:
    """Return a project with the component, a policy and a budget of which 60% is left."""
    binary("rsync")  # gitlab-ci-local runs it
    project = Project(folder / "chat", folder / "home")
    for place in (project.folder / "templates" / "gate", project.home):
        place.mkdir(parents=True)
    shutil.copy(TEMPLATE, project.folder / "templates" / "gate")
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("config", "user.name", "Ada")
    project.git("config", "user.email", "ada@acme.example")
    project.git("remote", "add", "origin", _REMOTE)
    project.write(
        {
            "gate.yaml": POLICY,
            "counts.yaml": counts(400),
            ".gitignore": "gate-reports/\ncounts.yaml\n.gitlab-ci-local/\n",
        }
    )
    project.pipeline()
    project.commit()
    project.git("update-ref", "refs/remotes/origin/main", "HEAD")
    project.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    return project
