"""GitHub's REST API: what the gate reads from it, and the little that it writes.

https://docs.github.com/en/rest?apiVersion=2022-11-28; GitHub Enterprise has the same elsewhere.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import requests

from gate.dataclass import dataclass
from gate.hosts import CommitStatus, PostedStatus, Purpose, State, described
from gate.hosts.accounts import read_instant
from gate.hosts.artifacts import GitHubArtifacts
from gate.hosts.comments import Comment
from gate.hosts.github_changes import GitHubChanges
from gate.hosts.github_events import GitHubDeployments, GitHubError, github_path
from gate.hosts.github_people import GitHubPeople
from gate.hosts.host_files import GitHubFiles
from gate.hosts.pulls import OpenPull
from gate.hosts.rest import Rest
from gate.http import Clock

URL: Final = "https://api.github.com"
"""The address, unless GITHUB_API_URL is set."""
ACTIONS: Final = "github-actions[bot]"
"""The account of a workflow's own token, which may not ask for it."""
_LONGEST_DESCRIPTION: Final = 140
_STATES: Final = {
    "pending": "pending",
    "success": "success",
    "warning": "failure",
    "failure": "failure",
    "error": "error",
}
_LOGIN: Final = Purpose("ask whose token this is", "")
_COMMENTS: Final = Purpose("list the comments of the pull request", "pull-requests: read")
_WRITE: Final = Purpose("write the comment", "pull-requests: write")
_DELETE: Final = Purpose("delete a duplicate of the comment", "pull-requests: write")
_STATUS: Final = Purpose("set the commit status", "statuses: write")


class GitHub:
    """One repository, with one token. One thread at a time.

    Every method raises `GitHubError` if GitHub does not answer as it should.
    """

    def __init__(
        self,
        repository: str,
        token: str,
        *,
        url: str = URL,
        session: requests.Session | None = None,
        clock: Clock | None = None,
        seconds: float = 90.0,
    ) -> None:
        """Prepare; no request is sent yet.

        Args:
            repository: ``acme/chat``.
            token: a token; not empty.
            url: the address of the API: GITHUB_API_URL.
            session: the HTTP session; None: a new one.
            clock: None: the real one.
            seconds: the time limit of all requests together, with the pauses between tries.

        Raises:
            GitHubError: the repository's name is not valid.
        """
        self._repository = f"repos/{github_path(*repository.split('/'))}"
        self._rest = Rest(
            url,
            host="GitHub",
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            secret=token,
            error=GitHubError,
            session=session,
            clock=clock,
            seconds=seconds,
        )
        self.people = GitHubPeople(self._rest, self._repository)
        self.artifacts = GitHubArtifacts(self._rest, self._repository)
        self.files = GitHubFiles(self._rest, self._repository)
        self.deployments = GitHubDeployments(self._rest, self._repository)
        self.open_pulls = GitHubOpenPulls(self._rest, self._repository)
        self.changes = GitHubChanges(self._rest, self._repository)

    def changed_paths(self, pull: int) -> tuple[str, ...]:
        """Return the files that a pull request changes, with the old names of moved ones."""
        return self.changes.changed_paths(pull)

    def login(self) -> str:
        """Return the account of this token."""
        try:
            with self._rest.understood(_LOGIN):
                return str(self._rest.ask(_LOGIN, "GET", "user")["login"])
        except GitHubError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            return ACTIONS

    def comments(self, pull: int) -> tuple[Comment, ...]:
        """Return all comments of a pull request, except those on lines of code."""
        path = f"{self._repository}/issues/{pull}/comments"
        with self._rest.understood(_COMMENTS):
            return tuple(map(_comment, self._rest.pages(_COMMENTS, path)))

    def create_comment(self, pull: int, body: str) -> Comment:
        """Write a comment."""
        return self._write("POST", f"issues/{pull}/comments", body)

    def update_comment(self, comment: Comment, body: str) -> Comment:
        """Replace the text of a comment."""
        return self._write("PATCH", f"issues/comments/{comment.id}", body)

    def delete_comment(self, comment: Comment) -> None:
        """Delete a comment."""
        self._rest.ask(_DELETE, "DELETE", f"{self._repository}/issues/comments/{comment.id}")

    def set_status(self, revision: str, status: CommitStatus) -> None:
        """Set a status of a commit, given by its full name."""
        body = {
            "state": _STATES[status.state],
            "context": status.name,
            "description": described(status, _LONGEST_DESCRIPTION),
        }
        path = f"{self._repository}/statuses/{github_path(revision)}"
        more = {"target_url": status.url} if status.url else {}
        self._rest.ask(_STATUS, "POST", path, body=body | more)

    def statuses(self, revision: str) -> tuple[PostedStatus, ...]:
        """Return the statuses that a commit has ever had, the newest first."""
        return self.open_pulls.statuses(revision)

    def _write(self, method: str, path: str, body: str) -> Comment:
        with self._rest.understood(_WRITE):
            answer = self._rest.ask(
                _WRITE, method, f"{self._repository}/{path}", body={"body": body}
            )
            return _comment(answer)


def _comment(answer: Any) -> Comment:
    user = answer["user"]
    return Comment(
        id=int(answer["id"]),
        author="" if user is None else user["login"],
        body=answer["body"] or "",
        url=answer["html_url"],
    )


_PULLS: Final = Purpose("list the open pull requests", "pull-requests: read")
_STATUSES: Final = Purpose("list the statuses of a commit", "statuses: read")
_POSTED_STATES: Final[dict[str, State]] = {
    "success": "success",
    "failure": "failure",
    "error": "error",
}


@dataclass(frozen=True, slots=True)
class GitHubOpenPulls:
    """The client for one repository. Every method raises `GitHubError`."""

    rest: Rest
    repository: str
    """The repository's path: ``repos/acme/chat``."""

    def every(self) -> Iterator[OpenPull]:
        """Yield every open pull request, the oldest first: new ones then do not shift the pages."""
        query = {"state": "open", "sort": "created", "direction": "asc"}
        with self.rest.understood(_PULLS):
            for pull in self.rest.pages(_PULLS, f"{self.repository}/pulls", query):
                yield _pull(pull)

    def statuses(self, revision: str) -> tuple[PostedStatus, ...]:
        """Return the statuses that a commit has ever had, the newest first."""
        path = f"{self.repository}/commits/{github_path(revision)}/statuses"
        with self.rest.understood(_STATUSES):
            # https://docs.github.com/en/rest/commits/statuses: "in reverse chronological order"
            return tuple(map(_status, self.rest.pages(_STATUSES, path)))


def _pull(pull: Any) -> OpenPull:
    user = pull["user"]
    return OpenPull(
        number=int(pull["number"]),
        revision=str(pull["head"]["sha"]),
        branch=str(pull["head"]["ref"]),
        base=str(pull["base"]["sha"]),
        base_branch=str(pull["base"]["ref"]),
        title=str(pull["title"]),
        labels=tuple(str(label["name"]) for label in pull["labels"]),
        author="" if user is None else str(user["login"]),
    )


def _status(status: Any) -> PostedStatus:
    creator = status["creator"]
    return PostedStatus(
        state=_POSTED_STATES.get(status["state"], "pending"),
        name=str(status["context"]),
        description=status["description"] or "",
        url=status["target_url"] or "",
        author="" if creator is None else str(creator["login"]),
        at=read_instant(status["updated_at"]),
    )
