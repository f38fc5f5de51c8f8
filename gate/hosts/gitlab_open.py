"""GitLab: the open merge requests of a project, and the statuses of a commit.

https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests,
https://docs.gitlab.com/api/commits/#list-commit-statuses
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from gate.dataclass import dataclass
from gate.hosts import CommitStatus, PostedStatus, Purpose, RestError, State, described
from gate.hosts.accounts import read_instant
from gate.hosts.open_pulls import OpenPull
from gate.hosts.rest import Rest

_NEEDS: Final = "the role Reporter in the project and the scope api or read_api"
_REQUESTS: Final = Purpose("list the open merge requests", _NEEDS)
_STATUSES: Final = Purpose("list the statuses of a commit", _NEEDS)
_STATUS: Final = Purpose(
    "set the commit status", "the role Developer in the project and the scope api"
)
_LONGEST_DESCRIPTION: Final = 255
_PASSED, _FAILED = "success", "failed"
_SENT: Final[dict[State, str]] = {
    "pending": "pending",
    "success": _PASSED,
    "warning": _PASSED,
    "failure": _FAILED,
    "error": _FAILED,
}
"""A pipeline goes on after a warning; a failed status would end it."""
_STATES: Final[dict[str, State]] = {
    "success": "success",
    "failed": "failure",
    "canceled": "error",
    "skipped": "error",
}


@dataclass(frozen=True, slots=True)
class GitLabOpenRequests:
    """The client for one project. Every method raises `GitLabError`."""

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
        """Return the statuses that a commit has ever had, the newest first."""
        path = f"{self.project}/repository/commits/{quote(revision, safe='')}/statuses"
        with self.rest.understood(_STATUSES):
            listed = list(self.rest.pages(_STATUSES, path, {"all": "true"}))
            newest_first = sorted(listed, key=lambda status: -int(status["id"]))
            return tuple(map(_status, newest_first))

    def set_status(self, revision: str, status: CommitStatus) -> None:
        """Set a status of a commit, given by its full name."""
        path = f"{self.project}/statuses/{quote(revision, safe='')}"
        try:
            self.rest.ask(_STATUS, "POST", path, body=_body(status))
        except RestError as error:
            # It refuses "pending" for what is pending already, and says so in these words:
            # https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
            waiting = status.state == "pending" and error.status == HTTPStatus.BAD_REQUEST
            if not (waiting and "Cannot transition status" in str(error)):
                raise


def _body(status: CommitStatus) -> dict[str, str]:
    body = {
        "state": _SENT[status.state],
        "name": status.name,
        "description": described(status, _LONGEST_DESCRIPTION),
    }
    return body | ({"target_url": status.url} if status.url else {})


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
