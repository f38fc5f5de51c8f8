"""The changes that the fake GitLab knows: merge requests, commits, files, and deployments."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Request:
    """A merge request as it is now."""

    title: str = "Rewrite"
    labels: tuple[str, ...] = ()
    head: str = "c" * 40
    target: str = "main"
    state: str = "opened"
    messages: tuple[str, ...] = ()
    """The messages of its commits."""
    files: tuple[tuple[str, str], ...] = ()
    """New and old path."""
    count: str | None = None
    """The number of files that GitLab reports; None: the true number."""

    def form(self, number: int) -> dict[str, Any]:
        """Return what GitLab tells of it, but for its author."""
        return {
            "iid": number,
            "title": self.title,
            "labels": list(self.labels),
            "sha": self.head,
            "state": self.state,
            "target_branch": self.target,
            "changes_count": str(len(self.files)) if self.count is None else self.count,
        }


@dataclass(slots=True, kw_only=True)
class Deployment:
    """A deployment that succeeded."""

    sha: str
    updated: str
    environment: str = "production"
    finished: str | None = None
    """None: its job does not say, or there is none."""

    def form(self, number: int) -> dict[str, Any]:
        """Return https://docs.gitlab.com/api/deployments/#list-project-deployments."""
        job = None if self.finished is None else {"id": 1, "finished_at": self.finished}
        made = {"id": number, "sha": self.sha, "updated_at": self.updated, "status": "success"}
        return made | {"environment": {"name": self.environment}, "deployable": job}


@dataclass(slots=True)
class Changes:
    """The changes of one project."""

    requests: dict[int, Request] = field(default_factory=dict)
    of_commits: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Commit -> numbers of the merge requests that it came by."""
    deployments: list[Deployment] = field(default_factory=list)
    """The oldest first."""
    parted: str = "a" * 40
    """The answer to where two commits parted."""

    def request(self, number: int) -> Request:
        """Return a merge request; one that no test has described has nothing special."""
        return self.requests.get(number, Request())

    def listed_requests(self, revision: str) -> list[dict[str, Any]]:
        """Return the merge requests of a commit."""
        numbers = self.of_commits.get(revision, ())
        return [self.request(number).form(number) for number in numbers]

    def listed_commits(self, number: int) -> list[dict[str, Any]]:
        """Return the commits of a merge request; none: no test has described them."""
        return [{"id": "d" * 40, "message": text} for text in self.request(number).messages]

    def listed_files(self, number: int) -> list[dict[str, Any]]:
        """Return the files of a merge request."""
        files = self.request(number).files
        return [
            {"new_path": new, "old_path": old, "diff": "", "collapsed": True} for new, old in files
        ]

    def listed_deployments(self, query: dict[str, str]) -> list[dict[str, Any]]:
        """Return the deployments, the newest first."""
        assert (query["status"], query["order_by"], query["sort"]) == ("success", "id", "desc")
        made = [d.form(n) for n, d in enumerate(self.deployments)]
        return [d for d in made[::-1] if d["environment"]["name"] == query["environment"]]
