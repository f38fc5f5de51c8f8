"""GitLab's REST API: who did what to a merge request, its notes, and the status of a commit.

https://docs.gitlab.com/api/merge_request_approvals/, .../resource_label_events/, .../members/,
.../notes/#merge-requests; a server of one's own has the same elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import requests

from gate.hosts import CommitStatus, Purpose, RestError, shortened
from gate.hosts.comments import Comment
from gate.hosts.host_files import GitLabFiles
from gate.hosts.people import Account, Membership, Setting, read_instant
from gate.hosts.rest import Rest
from gate.http import Clock

_DEVELOPER: Final = 30
"""The lowest access level that may push: https://docs.gitlab.com/api/access_requests/"""
_NEEDS: Final = "the role Reporter in the project and the scope api or read_api"
_REQUEST: Final = Purpose("read the merge request", _NEEDS)
_VERSIONS: Final = Purpose("ask when the commit was pushed", _NEEDS)
_APPROVALS: Final = Purpose("list the approvals of the merge request", _NEEDS)
_EVENTS: Final = Purpose("ask who set the label", _NEEDS)
_USER: Final = Purpose("ask who somebody is", "the scope api or read_api")
_RIGHT: Final = Purpose("ask who may write to the project", _NEEDS)
_GROUP: Final = Purpose("ask who is in the group", "sight of the group")


@dataclass(frozen=True, slots=True)
class GitLabPeople:
    """Of one project. Every method raises `GitLabError`; a team is a group."""

    rest: Rest
    project: str
    """Where it is: ``projects/42``."""

    def author(self, pull: int) -> str:
        """Return the login of whoever opened a merge request."""
        with self.rest.understood(_REQUEST):
            return str(self.rest.ask(_REQUEST, "GET", self._request(pull))["author"]["username"])

    def pushed_at(self, pull: int, revision: str) -> datetime | None:
        """Return when a commit became the newest of a merge request; None: it is not."""
        with self.rest.understood(_VERSIONS):
            versions = self.rest.pages(_VERSIONS, f"{self._request(pull)}/versions")
            newest = max(versions, key=lambda version: int(version["id"]), default=None)
            if newest is None or newest["head_commit_sha"] != revision:
                return None
            return read_instant(newest["created_at"])

    def approvers(self, pull: int, revision: str) -> tuple[Account, ...]:
        """Return who has approved since this commit was pushed.

        A project may let approvals outlive a push. Where an older GitLab does not tell when one
        was given, it does not count.
        """
        with self.rest.understood(_APPROVALS):
            answer = self.rest.ask(_APPROVALS, "GET", f"{self._request(pull)}/approvals")
            given = [(by["user"], by.get("approved_at")) for by in answer["approved_by"]]
        pushed = self.pushed_at(pull, revision) if given else None
        if pushed is None:
            return ()
        with self.rest.understood(_APPROVALS):
            fresh = [user for user, at in given if at is not None and pushed <= read_instant(at)]
        return tuple(map(self._account, fresh))

    def label_setting(self, pull: int, label: str) -> Setting | None:
        """Return who last set a label; None: it was removed since, never set, or nobody knows."""
        path = f"{self._request(pull)}/resource_label_events"
        with self.rest.understood(_EVENTS):
            changes = [
                event
                for event in self.rest.pages(_EVENTS, path)
                # Of a label that was deleted there is none.
                if event["label"] is not None and event["label"]["name"] == label
            ]
            last = max(changes, key=lambda event: int(event["id"]), default=None)
            if last is None or last["action"] == "remove" or last["user"] is None:
                return None
            return Setting(self._account(last["user"]), read_instant(last["created_at"]))

    def account(self, login: str) -> Account:
        """Return the account of a login.

        Raises:
            RestError: there is none.
        """
        with self.rest.understood(_USER):
            users = self.rest.ask(_USER, "GET", "users", query={"username": login})
            if not users:
                raise RestError(f"cannot {_USER.doing}: GitLab knows no user {login!r}")
            return self._account(users[0])

    def may_write(self, account: Account) -> bool:
        """Tell whether somebody has the role Developer in the project, or a higher one."""
        try:
            member = self._member(_RIGHT, self.project, account)
        except RestError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return False
        with self.rest.understood(_RIGHT):
            return member["state"] == "active" and int(member["access_level"]) >= _DEVELOPER

    def in_team(self, team: str, account: Account) -> Membership:
        """Tell whether somebody is in a group, or in one above it; a hidden group has nobody."""
        try:
            with self.rest.understood(_GROUP):
                member = self._member(_GROUP, f"groups/{quote(team, safe='')}", account)
                return Membership(member["state"] == "active")
        except RestError as error:
            if error.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
                raise
            return Membership(member=False, reason=str(error))

    def _member(self, purpose: Purpose, place: str, account: Account) -> Any:
        """Return a membership, be it of a group above."""
        return self.rest.ask(purpose, "GET", f"{place}/members/all/{account.number}")

    def _account(self, user: Mapping[str, Any]) -> Account:
        """Return an account; that it is a bot only its own page tells."""
        with self.rest.understood(_USER):
            page = self.rest.ask(_USER, "GET", f"users/{int(user['id'])}")
            return Account(page["username"], bot=page["bot"] is not False, number=page["id"])

    def _request(self, pull: int) -> str:
        return f"{self.project}/merge_requests/{pull}"


_READ: Final = "the role Reporter in the project and the scope api"
_CHANGE: Final = "the role Developer in the project and the scope api"
_LOGIN: Final = Purpose("ask whose token this is", "the scope api")
_LIST: Final = Purpose("list the notes of the merge request", _READ)
_CREATE: Final = Purpose("write the note", _READ)
_UPDATE: Final = Purpose("update the note", _CHANGE)
_DELETE: Final = Purpose("delete a duplicate of the note", _CHANGE)
_STATUS: Final = Purpose("set the commit status", _CHANGE)
_LONGEST_DESCRIPTION: Final = 255
_PASSED, _FAILED = "success", "failed"
_STATES: Final = {"success": _PASSED, "warning": _PASSED, "failure": _FAILED, "error": _FAILED}
"""A pipeline goes on after a warning; a failed status would end it."""


class GitLabError(RestError):
    """GitLab did not carry out a request; the text is one sentence, without the token."""


class GitLab:
    """One project, with one token. One thread at a time.

    Every method raises `GitLabError` where GitLab does not answer as it should. What the methods
    call a comment is a note; the number of a merge request is its IID.
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
        """Prepare; nothing is sent.

        Args:
            project: its number or its path: CI_PROJECT_ID, ``acme/chat``.
            token: of the project, a group or a person. A job's own may read notes, not write them.
            url: of the API: CI_API_V4_URL.
            page: of the project, for links to its notes: CI_PROJECT_URL.
            session: to send with; None: one is made.
            clock: None: the real one.
            seconds: that all requests together may take, pauses between tries included.
        """
        # As one part of the address, whatever it holds: acme%2Fchat.
        self._project = f"projects/{quote(project, safe='', errors='replace')}"
        self._page = page
        self._requests = dict[int, int]()
        """Note -> merge request: GitLab names a note by both."""
        self._rest = Rest(
            url,
            host="GitLab",
            headers={"Accept": "application/json", "PRIVATE-TOKEN": token},
            secret=token,
            error=GitLabError,
            session=session,
            clock=clock,
            seconds=seconds,
        )
        self.files = GitLabFiles(self._rest, self._project)
        self.people = GitLabPeople(self._rest, self._project)

    def login(self) -> str:
        """Return who writes with this token; a project's token has a user of its own."""
        with self._rest.understood(_LOGIN):
            return str(self._rest.ask(_LOGIN, "GET", "user")["username"])

    def comments(self, pull: int) -> tuple[Comment, ...]:
        """Return all notes of a merge request, GitLab's own about its history among them."""
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
        body = {
            "state": _STATES[status.state],
            "name": status.name,
            "description": shortened(status.description, _LONGEST_DESCRIPTION),
        }
        path = f"{self._project}/statuses/{quote(revision, safe='')}"
        more = {"target_url": status.url} if status.url else {}
        self._rest.ask(_STATUS, "POST", path, body=body | more)

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
