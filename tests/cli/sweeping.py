"""A scheduled job on the default branch, and pull requests that an earlier run has judged."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.cli.installed import POLICY
from tests.command import Result, Run, gate
from tests.servers.github import REPOSITORY, TOKEN, FakeGitHub, OpenPull
from tests.servers.github_changes import Pull

BY_PATH: Final = POLICY.replace(
    "tiers:",
    'changes: {canary: {paths: ["canary/**"], types: [canary]}, security-patch: {labels: '
    '[security], approved_by: ["@grace"]}, default: full-rollout}\ntiers:',
)
"""A policy that allows what changes the folder ``canary`` only, and blocks the rest."""
CANARY: Final = ("canary/a.yaml",)


def commit(number: int) -> str:
    """Return the head of a pull request."""
    return f"{number:040x}"


@dataclass(slots=True)
class Sweeps:
    """A repository with pull requests, and the sweeps of its scheduled job."""

    fake: FakeGitHub
    judge: Run
    """Runs ``gate check`` on a pull request, long ago."""
    folder: Path

    def open(self, number: int = 1, *, files: tuple[str, ...] = CANARY, **facts: Any) -> OpenPull:
        """Open a pull request that nobody has judged."""
        facts.setdefault("sha", commit(number))
        pull = OpenPull(number=number, files=files, **facts)
        self.fake.pulls.append(pull)
        # GitHub does not list the paths of each commit, so its message has to say the class.
        said = "canary: try it" if files == CANARY else "Rewrite"
        self.fake.changes.pulls[number] = Pull(head=pull.sha, base=pull.base, messages=(said,))
        return pull

    def judged(self, number: int = 1, *arguments: str, text: str = BY_PATH, **facts: Any) -> str:
        """Open a pull request and judge it; return its commit."""
        pull = self.open(number, **facts)
        event = {
            "number": pull.number,
            "title": pull.title,
            "user": {"login": pull.author},
            "labels": [{"name": name} for name in pull.labels],
            "head": {"sha": pull.sha, "ref": pull.branch, "repo": {"full_name": REPOSITORY}},
            "base": {"sha": pull.base_sha, "ref": pull.base},
        }
        self.judge("--status", *arguments, text=text, event=event)
        return pull.sha

    def sweep(
        self,
        *arguments: str,
        bad: int = 820,
        text: str = BY_PATH,
        event: dict[str, Any] | None = None,
        **more: str | None,
    ) -> Result:
        """Run ``gate sweep`` on the default branch, with so many failures in a million."""
        (self.folder / "gate.yaml").write_text(text)
        (self.folder / "counts.yaml").write_text(
            f"counts:\n  availability: {{total: 1000000, bad: {bad}}}\n"
        )
        path = self.folder / "schedule.json"
        path.write_text(json.dumps(event or {"repository": {"default_branch": "main"}}))
        runner: dict[str, str | None] = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "schedule",
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_REF_NAME": "main",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": self.fake.url,
            "GITHUB_TOKEN": TOKEN,
        }
        return gate("sweep", "gate.yaml", *arguments, cwd=self.folder, env=runner | more)

    def state(self, sha: str, name: str = "gate/chat") -> str:
        """Return the state that a commit shows."""
        return str(self.fake.shown(sha)[name]["state"])

    def text(self, sha: str, name: str = "gate/chat") -> str:
        """Return the text that a commit shows."""
        return str(self.fake.shown(sha)[name]["description"])

    def copies(self, sha: str, numbers: range, change: Callable[[OpenPull], None]) -> None:
        """Open more pull requests with the status of one that was judged."""
        for number in numbers:
            change(self.open(number))
            for commit_, body in list(self.fake.statuses):
                if commit_ == sha:
                    self.fake.statuses.append((commit(number), body))


def last_line(result: Result) -> str:
    """Return the line that counts."""
    return result.stdout.splitlines()[-1]


def ages(text: str) -> bool:
    """Tell whether a text says how old the decision is."""
    return re.fullmatch(r"The decision ended \S+ ago; the next run decides", text) is not None
