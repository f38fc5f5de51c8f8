"""The changes that the fake GitHub knows: titles, labels and commits, and a repository of git."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hosts.repository import git
from tests.servers.github_answers import Answer, Call, description, page, refused, written

FILES_COMPARED = 300
COMMITS_COMPARED = 250


@dataclass(slots=True, kw_only=True)
class Pull:
    """A pull request as it is now."""

    title: str = "Rewrite"
    labels: tuple[str, ...] = ()
    head: str | None = None
    """None: what was pushed to its branch last."""
    base: str = "main"
    merged: bool = False
    messages: tuple[str, ...] = ()
    """The messages of its commits."""

    def form(self, number: int) -> dict[str, Any]:
        """Return what GitHub tells of it, but for where it comes from."""
        labels = [
            {
                "id": 1,
                "node_id": "x",
                "url": "https://github.example/label",
                "name": name,
                "description": "",
                "color": "f29513",
                "default": False,
            }
            for name in self.labels
        ]
        merged = "2026-11-01T00:00:00Z" if self.merged else None
        return {"number": number, "title": self.title, "labels": labels, "merged_at": merged}


@dataclass(slots=True)
class Changes:
    """The changes of one repository."""

    pulls: dict[int, Pull] = field(default_factory=dict)
    of_commits: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Commit -> numbers of the pull requests that it came by."""
    repository: Path | None = None
    """The repository in which comparisons are made."""

    def pull(self, number: int) -> Pull:
        """Return a pull request; one that no test has described has nothing special."""
        return self.pulls.get(number, Pull())

    def of_commit(self, call: Call) -> Answer:
        """List the pull requests of a commit."""
        return page(call, self.of_commits.get(call.parts["commit_sha"], ()), self._simple)

    def _simple(self, number: int) -> dict[str, Any]:
        pull = self.pull(number)
        made = description().example("pull-request-simple")
        sides = {
            "head": made["head"] | {"sha": pull.head or "c" * 40},
            "base": made["base"] | {"ref": pull.base},
        }
        return made | pull.form(number) | sides

    def commits(self, call: Call) -> Answer | None:
        """List the commits of a pull request, 250 at most; None: no test has described them."""
        messages = self.pull(int(call.parts["pull_number"])).messages[:COMMITS_COMPARED]
        return page(call, messages, _commit) if messages else None

    def compare(self, call: Call) -> Answer:
        """Compare two commits, as ``git diff A...B`` and ``git log A..B`` do."""
        base, _, head = call.parts["basehead"].partition("...")
        if self.repository is None:
            return refused(404, "Not Found")
        parted = git(self.repository, "merge-base", base, head)
        statuses = {(True, True): "identical", (True, False): "ahead", (False, True): "behind"}
        status = statuses.get((parted == base, parted == head), "diverged")
        names = git(self.repository, "diff", "--name-only", parted, head).splitlines()
        log = git(self.repository, "log", "--reverse", "--format=%B%x00", f"{base}..{head}")
        messages = [message.strip("\n") for message in log.split("\0")[:-1]]
        size = int(call.query.get("per_page", "250"))
        made = description().example(
            "commit-comparison",
            status=status,
            total_commits=len(messages),
            commits=[_commit(message) for message in messages[:size]],
            files=[description().example("diff-entry", filename=n) for n in names[:FILES_COMPARED]],
        )
        return Answer(200, made)


def _commit(message: str) -> dict[str, Any]:
    return written("d" * 40, message=message)
