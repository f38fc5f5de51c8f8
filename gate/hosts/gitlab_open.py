"""GitLab: the open merge requests of a project, and the statuses of a commit.

https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests,
https://docs.gitlab.com/api/commits/#list-commit-statuses
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from gate.hosts import PostedStatus, Purpose, State
from gate.hosts.open_pulls import OpenPull, newest_of_each
from gate.hosts.people import read_instant
from gate.hosts.rest import Rest

_NEEDS: Final = "the role Reporter in the project and the scope api or read_api"
_REQUESTS: Final = Purpose("list the open merge requests", _NEEDS)
_STATUSES: Final = Purpose("list the statuses of a commit", _NEEDS)
_STATES: Final[dict[str, State]] = {
    "success": "success",
    "failed": "failure",
    "canceled": "error",
    "skipped": "error",
}


@dataclass(frozen=True, slots=True)
class GitLabOpenRequests:
    """Of one project. Every method raises `GitLabError`."""

    rest: Rest
    project: str
    """Where it is: ``projects/42``."""

    def every(self) -> Iterator[OpenPull]:
        """Yield every open merge request, the oldest first: new ones do not shift the pages."""
        query = {"state": "opened", "order_by": "created_at", "sort": "asc"}
        with self.rest.understood(_REQUESTS):
            for request in self.rest.pages(_REQUESTS, f"{self.project}/merge_requests", query):
                yield _request(request)

    def statuses(self, revision: str) -> tuple[PostedStatus, ...]:
        """Return the newest status of each name that a commit has."""
        path = f"{self.project}/repository/commits/{quote(revision, safe='')}/statuses"
        with self.rest.understood(_STATUSES):
            listed = list(self.rest.pages(_STATUSES, path, {"all": "true"}))
            newest_first = sorted(listed, key=lambda status: -int(status["id"]))
            return newest_of_each(map(_status, newest_first))


def _request(request: Any) -> OpenPull:
    return OpenPull(
        number=int(request["iid"]),
        revision=str(request["sha"]),
        branch=str(request["source_branch"]),
        base=str(request["target_branch"]),
        base_branch=str(request["target_branch"]),
        title=str(request["title"]),
        labels=tuple(map(str, request["labels"])),
        author=str(request["author"]["username"]),
    )


def _status(status: Any) -> PostedStatus:
    return PostedStatus(
        state=_STATES.get(status["status"], "pending"),
        name=str(status["name"]),
        description=status["description"] or "",
        url=status["target_url"] or "",
        author=str(status["author"]["username"]),
        at=read_instant(status["finished_at"] or status["created_at"]),
    )
