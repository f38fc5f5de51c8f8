"""GitLab's REST API: notes of a merge request, open merge requests, and statuses of a commit.

https://docs.gitlab.com/api/notes/#merge-requests,
https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests,
https://docs.gitlab.com/api/commits/#list-commit-statuses; a self-hosted server has another host.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import requests

from gate.dataclass import dataclass
from gate.hosts import CommitStatus, PostedStatus, Purpose, RestError, State, described
from gate.hosts.accounts import read_instant
from gate.hosts.artifacts import GitLabArtifacts
from gate.hosts.comments import Comment
from gate.hosts.gitlab_changes import GitLabChanges
from gate.hosts.gitlab_people import GitLabPeople
from gate.hosts.host_files import GitLabFiles
from gate.hosts.pulls import OpenPull
from gate.hosts.rest import Rest
from gate.http import Clock

_READ: Final = "the role Reporter in the project and the scope api"
_CHANGE: Final = "the role Developer in the project and the scope api"
_LOGIN: Final = Purpose("ask whose token this is", "the scope api")
_LIST: Final = Purpose("list the notes of the merge request", _READ)
_CREATE: Final = Purpose("write the note", _READ)
_UPDATE: Final = Purpose("update the note", _CHANGE)
_DELETE: Final = Purpose("delete a duplicate of the note", _CHANGE)


class GitLabError(RestError):
    """GitLab did not carry out a request; the text is one sentence, without the token."""


class GitLab:
    """One project, with one token. One thread at a time.

    Every method raises `GitLabError` if GitLab does not answer as it should. A comment in the
    methods is a note in GitLab; the number of a merge request is its IID.
    """

    def __init__(
        self,
        project: str,
        token: str,
        *,
        url: str,
        page: str = "",
        session: requests.Session | None = None,
        clock: Clock | None = None,
        seconds: float = 90.0,
    ) -> None:
        """Prepare; no request is sent yet.

        Args:
            project: its number or its path: CI_PROJECT_ID, ``acme/chat``.
            token: the token of the project, a group or a person. A job's own token may read notes,
                but not write them.
            url: the address of the API: CI_API_V4_URL.
            page: the page of the project, for links to its notes: CI_PROJECT_URL.
            session: the HTTP session; None: a new one.
            clock: None: the real one.
            seconds: the time limit of all requests together, with the pauses between tries.
        """
        # The whole path is one part of the address: acme%2Fchat.
        self._project = f"projects/{quote(project, safe='', errors='replace')}"
        self._page = page
        self._requests = dict[int, int]()
        """The merge request of each note: GitLab identifies a note by both."""
        self._rest = Rest(
            url,
            host="GitLab",
            headers={"Accept": "application/json", "PRIVATE-TOKEN": token},
            secret=token,
            error=GitLabError,
            numbered=True,
            session=session,
            clock=clock,
            seconds=seconds,
        )
        self.artifacts = GitLabArtifacts(self._rest, self._project)
        self.files = GitLabFiles(self._rest, self._project)
        self.people = GitLabPeople(self._rest, self._project)
        self.open_pulls = GitLabOpenRequests(self._rest, self._project)
        self.changes = GitLabChanges(self._rest, self._project)

    def login(self) -> str:
        """Return the account of this token; a project's token has a user of its own."""
        with self._rest.understood(_LOGIN):
            return str(self._rest.ask(_LOGIN, "GET", "user")["username"])

    def comments(self, pull: int) -> tuple[Comment, ...]:
        """Return all notes of a merge request, including those that GitLab itself writes."""
        with self._rest.understood(_LIST):
            notes = self._rest.pages(_LIST, self._notes(pull))
            return tuple(self._comment(note, pull) for note in notes)

    def create_comment(self, pull: int, body: str) -> Comment:
        """Write a note."""
        return self._write(_CREATE, "POST", self._notes(pull), pull, body)

    def update_comment(self, comment: Comment, body: str) -> Comment:
        """Replace the text of a note that this client has read or written."""
        pull = self._requests[comment.id]
        return self._write(_UPDATE, "PUT", f"{self._notes(pull)}/{comment.id}", pull, body)

    def delete_comment(self, comment: Comment) -> None:
        """Delete a note that this client has read or written."""
        pull = self._requests[comment.id]
        self._rest.ask(_DELETE, "DELETE", f"{self._notes(pull)}/{comment.id}")

    def set_status(self, revision: str, status: CommitStatus) -> None:
        """Set a status of a commit, given by its full name."""
        self.open_pulls.set_status(revision, status)

    def statuses(self, revision: str) -> tuple[PostedStatus, ...]:
        """Return the statuses that a commit has ever had, the newest first."""
        return self.open_pulls.statuses(revision)

    def _notes(self, pull: int) -> str:
        return f"{self._project}/merge_requests/{pull}/notes"

    def _write(self, purpose: Purpose, method: str, path: str, pull: int, body: str) -> Comment:
        with self._rest.understood(purpose):
            return self._comment(self._rest.ask(purpose, method, path, body={"body": body}), pull)

    def _comment(self, note: Mapping[str, Any], pull: int) -> Comment:
        number = int(note["id"])
        self._requests[number] = pull
        return Comment(
            id=number,
            author=note["author"]["username"],
            body=note["body"],
            url=f"{self._page}/-/merge_requests/{pull}#note_{number}",
        )


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
"""The state that is sent: a pipeline goes on after a warning; a failed status would end it."""
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
    """The project's path: ``projects/42``."""

    def every(self) -> Iterator[OpenPull]:
        """Yield every open merge request, the oldest first: new ones then do not shift pages."""
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
            # GitLab refuses "pending" for a status that is pending already, in these words:
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
