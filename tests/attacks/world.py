"""A repository on a code host, the change of somebody who wants to ship, and the gate's run on it.

Everything is real but the host: repositories are made by git, checkouts as actions/checkout and
GitLab's runner make them, and the command runs as in a job. The budget has 18% left, which allows a
`canary`, `config-change`, `bug-fix`, `security-patch` or `rollback`, and nothing else.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.cli.installed import command
from tests.command import Result, environment, gate
from tests.hosts.repository import commit, git
from tests.servers.github import PULL, REPOSITORY

POLICY: Final = """\
version: 1
service: chat
backend: {{type: static, path: {counts}}}
slos:
  - {{name: availability, objective: 99.9%, window: 30d}}
changes:
  model-update: {{paths: ["models/**"]}}
  config-change: {{paths: ["config/**"]}}
  bug-fix: {{types: [fix]}}
  canary: {{trailers: {{Change-Class: canary}}}}
  security-patch: {{labels: [security], approved_by: ["@grace"]}}
  default: full-rollout
tiers:
  - {{name: healthy, remaining: "> 50%", allow: all}}
  - name: caution
    remaining: "> 10%"
    allow: [canary, config-change, bug-fix, security-patch, rollback]
  - {{name: exhausted, otherwise: true, allow: [security-patch, rollback]}}
"""
SHIPS: Final = frozenset({0, 11})
"""Exit codes that let a job go on; GitLab's lets 11 pass."""
SECRETS: Final = {
    "GITHUB_TOKEN": "ghs_SecretOfTheRunner01",
    "GATE_SIGNING_KEY": "signing/key+of=the&runner",
    "PROMETHEUS_TOKEN": "tok+en/with=odd&characters",
    "AWS_SECRET_ACCESS_KEY": "aws/Secret+Access=Key99",
    "ACTIONS_RUNTIME_TOKEN": "eyRuntimeTokenOfActions",
    "CI_JOB_TOKEN": "glcbt-SecretOfTheJob0001",
}
"""Planted in the environment of every run; none of them may stand in any output."""


@dataclass(slots=True)
class World:
    """One repository; the work is done in a clone of it, and pushed to the host."""

    folder: Path
    """Empty."""
    event: dict[str, Any] = field(default_factory=dict)
    """The event of the next run."""
    more: dict[str, str | None] = field(default_factory=dict)
    """Variables of the run to come."""

    def __post_init__(self) -> None:
        """Make the host's repository, whose main has the policy and something to deploy."""
        self.counts.write_text("counts: {availability: {total: 1000000, bad: 820}}\n")
        self.work.mkdir()
        git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.host))
        git(self.work, "init", "--quiet", "--initial-branch=main")
        git(self.work, "remote", "add", "origin", self.host.as_uri())
        self.commit("begin", {"gate.yaml": self.policy, "src/a.py": "a = 1\n"})
        self.push("main")

    @property
    def work(self) -> Path:
        """Where commits are made."""
        return self.folder / "work"

    @property
    def host(self) -> Path:
        """The host's own repository."""
        return self.folder / "host.git"

    @property
    def checkout(self) -> Path:
        """The checkout of the run."""
        return self.folder / "checkout"

    @property
    def counts(self) -> Path:
        """Counts that no change can write: outside of the repository."""
        return self.folder / "counts.yaml"

    @property
    def policy(self) -> str:
        """The policy of main."""
        return POLICY.format(counts=self.counts)

    @property
    def loose(self) -> str:
        """A policy that lets everything ship."""
        return self.policy.replace(
            'remaining: "> 10%"\n', 'remaining: "> 10%"\n    # loose\n'
        ).replace("allow: [canary, config-change, bug-fix, security-patch, rollback]", "allow: all")

    def commit(self, message: str, files: Mapping[str, str] | None = None) -> str:
        """Write files and commit everything that is in the work tree."""
        return commit(self.work, message, dict(files or {}))

    def push(self, *branches: str) -> None:
        """Push what is committed; a branch of another name than the present one: ``HEAD:name``."""
        refs = [
            f"+{branch}" if ":" in branch else f"+HEAD:refs/heads/{branch}" for branch in branches
        ]
        git(self.work, "push", "--quiet", "origin", *refs)

    def branch(self, name: str = "change", start: str = "main") -> None:
        """Begin a branch."""
        git(self.work, "checkout", "--quiet", "-B", name, start)

    def change(self, message: str = "feat: rewrite", files: Mapping[str, str] | None = None) -> str:
        """Commit a change on a branch of its own; without files it is a full-rollout."""
        if git(self.work, "branch", "--show-current") == "main":
            self.branch()
        return self.commit(message, {"src/a.py": "a = 2\n"} if files is None else files)

    def open(self, *, base: str = "main", fork: bool = False, **pull: Any) -> None:
        """Open a pull request of the present branch, and check out what GitHub would merge."""
        head, branch = self.revision(), git(self.work, "branch", "--show-current")
        target = self.on_host(base)
        try:
            tree = git(self.work, "merge-tree", "--write-tree", target, head).splitlines()[0]
        except subprocess.CalledProcessError:
            tree = (
                f"{head}^{{tree}}"  # they conflict, and whoever resolves it takes all of the change
            )
        merge = git(self.work, "commit-tree", tree, "-p", target, "-p", head, "-m", f"Merge {head}")
        names = [f"{merge}:refs/pull/{PULL}/merge", f"{head}:refs/pull/{PULL}/head"]
        self.push(*names, *([] if fork else [branch]))
        source = "mallory/chat" if fork else REPOSITORY
        self.event = self._event() | {
            "number": PULL,
            "action": "opened",
            "pull_request": {
                "number": PULL,
                "title": "Rewrite",
                "user": {"login": "ada"},
                "labels": [],
                "head": {"sha": head, "ref": branch, "repo": {"full_name": source}},
                "base": {"sha": target, "ref": base, "repo": {"full_name": REPOSITORY}},
                **pull,
            },
        }
        self.more = {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_BASE_REF": base,
            "GITHUB_HEAD_REF": branch,
            "GITHUB_REF": f"refs/pull/{PULL}/merge",
            "GITHUB_REF_NAME": f"{PULL}/merge",
            "GITHUB_SHA": merge,
        }

    def pushed(self, branch: str = "main", *, before: str | None = None) -> None:
        """Push the present branch to the host, and make that the event of the run."""
        old = before or self.on_host(branch) or "0" * 40
        self.push(branch)
        self.event = self._event() | {
            "ref": f"refs/heads/{branch}",
            "before": old,
            "after": self.revision(),
            "pusher": {"name": "ada"},
        }
        self.more = {
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": f"refs/heads/{branch}",
            "GITHUB_REF_NAME": branch,
            "GITHUB_SHA": self.revision(),
        }

    def revision(self, ref: str = "HEAD") -> str:
        """Return a commit of the work tree."""
        return git(self.work, "rev-parse", ref)

    def on_host(self, branch: str) -> str:
        """Return the host's commit of a branch; empty: it has none."""
        try:
            return git(self.host, "rev-parse", "--verify", f"refs/heads/{branch}")
        except subprocess.CalledProcessError:
            return ""

    def check_out(
        self, ref: str | None = None, *, depth: int = 0, more: Sequence[str] = ()
    ) -> Path:
        """Make the checkout of the run, as actions/checkout makes it.

        Args:
            ref: of the host; None: that of the event.
            depth: of the history; 0: all of it.
            more: further options of ``git fetch``.
        """
        wanted = ref or self.more.get("GITHUB_REF") or "refs/heads/main"
        local = wanted.replace("refs/heads/", "refs/remotes/origin/").replace(
            "refs/pull/", "refs/remotes/pull/"
        )
        self.checkout.mkdir(exist_ok=True)
        git(self.checkout, "init", "--quiet")
        git(self.checkout, "remote", "add", "origin", self.host.as_uri())
        every = () if depth else ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        limit = (f"--depth={depth}",) if depth else ()
        refs = (*every, f"+{wanted}:{local}")
        git(self.checkout, "fetch", "--quiet", "--no-tags", *limit, *more, "origin", *refs)
        if wanted.startswith("refs/heads/"):
            branch = wanted.removeprefix("refs/heads/")
            git(self.checkout, "checkout", "--quiet", "--force", "-B", branch, local)
        else:
            git(self.checkout, "checkout", "--quiet", "--force", "--detach", local)
        return self.checkout

    def environment(self, **more: str | None) -> dict[str, str | None]:
        """Return the variables of a job of GitHub; without a token to ask GitHub with."""
        path = self.folder / "event.json"
        path.write_text(json.dumps(self.event), encoding="utf-8")
        runner: dict[str, str | None] = {
            **SECRETS,
            "GATE_SIGNING_KEY": None,
            "GITHUB_TOKEN": None,
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": "https://github.invalid",
            "GITHUB_API_URL": "http://127.0.0.1:9/api",
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_WORKSPACE": str(self.checkout),
            "GITHUB_ACTOR": "ada",
            "GITHUB_TRIGGERING_ACTOR": "ada",
            "GITHUB_RUN_ID": "17",
            "GITHUB_RUN_ATTEMPT": "1",
        }
        return runner | self.more | more

    def run(
        self, *arguments: str, policy: str = "gate.yaml", cwd: str = ".", **more: str | None
    ) -> Result:
        """Run ``gate check`` in a folder of the checkout, with more variables.

        With the variable GATE_ATTACKS=installed of the tests' own process as a process of its own.
        """
        words = ("check", policy, *arguments)
        folder, variables = self.checkout / cwd, self.environment(**more)
        if os.environ.get("GATE_ATTACKS") == "installed":
            return _process(words, folder, variables)
        return gate(*words, cwd=folder, env=variables)

    def _event(self) -> dict[str, Any]:
        return {
            "repository": {"full_name": REPOSITORY, "default_branch": "main"},
            "sender": {"login": "ada"},
        }


def _process(words: Sequence[str], folder: Path, variables: Mapping[str, str | None]) -> Result:
    done = subprocess.run(
        command(*words),
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=120,
    )
    return Result(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def keeps_its_secrets(result: Result, *files: Path) -> bool:
    """Tell whether none of the planted secrets stands in what a run wrote."""
    texts = [result.stdout, result.stderr, *(path.read_text() for path in files if path.exists())]
    return not any(secret in text for secret in SECRETS.values() for text in texts)
