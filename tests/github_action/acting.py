"""A workflow of somebody else that uses the Action, run by act on this machine.

https://github.com/nektos/act; the steps run on the host, with the real action.yml and command.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.servers.github import PULL, REPOSITORY, TOKEN

ROOT: Final = Path(__file__).parents[2]
ACTION: Final = "acme/gate@v1"
PUSHED: Final = {"ref": "refs/heads/main", "repository": {"default_branch": "main"}}
_LAST: Final = """
import json, os, pathlib, sys

def text(path):
    return path.read_text(encoding="utf-8") if path.is_file() else None

steps = {step: told for step, told in json.loads(os.environ["STEPS"]).items() if told["outputs"]}
paths = {
    step: {n: pathlib.Path(told["outputs"].get(n, "")) for n in ("report", "decision")}
    for step, told in steps.items()
}
files = {step: {n: text(path) for n, path in named.items()} for step, named in paths.items()}
pathlib.Path(sys.argv[1]).write_text(json.dumps({"steps": steps, "files": files}))
"""
"""The last step: what it sees, before the runner clears its folders away."""
_NOBODY: Final = {
    f"GIT_{role}_{what}": "ada" if what == "NAME" else "ada@example.com"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """The result of a run."""

    steps: Mapping[str, Any]
    """As the context ``steps`` of the job's last step has those with outputs, by id."""
    files: Mapping[str, Mapping[str, str | None]]
    """By step and output, the text of the file that an output names; None: there is no such."""
    log: str
    code: int
    """The exit code of act: 1 where a job failed."""
    workspace: Path

    def commands(self) -> list[str]:
        """Return the commands that the runner took from the log, but for what it does itself."""
        taken = re.findall(r"^\[[^]]*\] +[^\w\s|]+ +::(.*)$", self.log, re.MULTILINE)
        tokens = [one.split("::")[1] for one in taken if one.startswith("stop-commands::")]
        own = ("set-output:: ", "stop-commands::", *(f"{token}::" for token in tokens))
        return [one for one in taken if not one.startswith(own)]

    def outputs(self, step: str) -> dict[str, str]:
        """Return the outputs of a step."""
        told: dict[str, str] = dict(self.steps[step]["outputs"])
        return told


def counts(bad: int) -> str:
    """Return a file of counts for a policy of `tests.cli.installed`."""
    entry = f"{{total: 1000000, bad: {bad}, windows: {{1h: {{total: 1, bad: 0}}}}}}"
    return f"counts: {{availability: {entry}}}"


def step(name: str, **inputs: Any) -> dict[str, Any]:
    """Return a step that uses the Action."""
    given = {key.replace("_", "-"): value for key, value in inputs.items()}
    return {"id": name, "uses": ACTION, "continue-on-error": True, "with": given}


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it says."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**os.environ, **_NOBODY},
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=60,
    )
    return done.stdout.strip()


def ship(folder: Path) -> Path:
    """Lay out the Action as a runner that uses it gets it: what is in the repository."""
    for name in ("action.yml", ".github/action", "gate"):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    return folder


def play(
    folder: Path,
    files: Mapping[str, str],
    steps: list[dict[str, Any]],
    *,
    event: str = "push",
    payload: Mapping[str, Any] | None = None,
    base: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Played:
    """Run a job of one workflow in a repository, and return what its last step sees of the others.

    Args:
        folder: empty; for everything.
        files: of the commit that is checked out.
        steps: of the job, after the checkout; each with an id.
        event: its name.
        payload: of the event.
        base: files of the branch main; None: the same commit.
        environ: of every step.
    """
    workspace, seen = folder / "chat", folder / "steps.json"
    for content in ([base] if base is not None else []) + [files]:
        commit(workspace, {**content, ".github/workflows/w.yaml": _workflow(event, steps, seen)})
        if content is not files or base is None:
            git(workspace, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
    if event == "pull_request":
        git(workspace, "push", "--quiet", "origin", f"HEAD:refs/pull/{PULL}/head")
    (folder / "event.json").write_text(json.dumps(payload or PUSHED))
    seen.with_suffix(".py").write_text(_LAST, encoding="utf-8")
    done = act(folder, workspace, event, payload, environ=environ)
    assert seen.exists(), done.stdout
    return Played(
        **json.loads(seen.read_text(encoding="utf-8")),
        log=done.stdout,
        code=done.returncode,
        workspace=workspace,
    )


def act(
    folder: Path,
    workspace: Path,
    event: str,
    payload: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    used: str = ACTION,
) -> subprocess.CompletedProcess[str]:
    """Run the workflows of a repository for an event.

    Args:
        folder: for what act remembers, the event and the Action.
        workspace: the repository.
        event: its name.
        payload: of the event.
        environ: of every step.
        secrets: of the repository.
        used: what the workflows call the Action.
    """
    (folder / "event.json").write_text(json.dumps(payload or PUSHED))
    known = {"GITHUB_TOKEN": TOKEN, **(secrets or {})}
    variables = {"GITHUB_REPOSITORY": REPOSITORY, **(environ or {})}
    images = ("ubuntu-latest", "ubuntu-24.04")
    return subprocess.run(
        [
            *(str(Path(sys.executable).with_name("act")), event),
            *("--eventpath", str(folder / "event.json"), "--actor", "ada"),
            *("--local-repository", f"{used}={ship(folder / 'action')}"),
            *(part for image in images for part in ("--platform", f"{image}=-self-hosted")),
            *(part for name, value in known.items() for part in ("--secret", f"{name}={value}")),
            *(part for pair in variables.items() for part in ("--env", "=".join(pair))),
        ],
        cwd=workspace,
        # What act remembers must not lie in the repository, which it copies.
        env={**_runner(), "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=300,
        check=False,
    )


def _workflow(event: str, steps: list[dict[str, Any]], seen: Path) -> str:
    last = {
        "if": "always()",
        "shell": "bash",
        "env": {"STEPS": "${{ toJSON(steps) }}"},
        "run": f'python3 -I "{seen.with_suffix(".py")}" "{seen}"',
    }
    job = {
        "runs-on": "ubuntu-latest",
        "steps": [{"uses": "actions/checkout@v4"}, *steps, last],
    }
    return yaml.safe_dump({"on": [event], "jobs": {"deploy": job}}, sort_keys=False)


def commit(workspace: Path, files: Mapping[str, str]) -> None:
    """Commit files, to a new repository if need be."""
    if not workspace.exists():
        workspace.mkdir(parents=True)
        git(workspace, "init", "--quiet", "--initial-branch=main")
        # The host's own repository, which answers on what its branches are now.
        host = workspace.parent / "host.git"
        git(workspace, "init", "--quiet", "--bare", "--initial-branch=main", str(host))
        git(workspace, "remote", "add", "origin", host.as_uri())
    for name, text in files.items():
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git(workspace, "add", "--all")
    git(workspace, "commit", "--quiet", "--message", "A change")


def _runner() -> dict[str, str]:
    """Return the environment of a runner: that of no CI system, and with our Python on its path."""
    ours = str(Path(sys.executable).parent)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GITHUB_", "GITLAB_", "GATE_", "CI", "COVERAGE", "PYTEST"))
    }
    return {**kept, "PATH": f"{ours}{os.pathsep}{os.environ['PATH']}"}
