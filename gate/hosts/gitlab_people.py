"""What GitLab is asked about people: who opened, pushed, approved and labelled, and who may.

https://docs.gitlab.com/api/merge_request_approvals/, .../resource_label_events/, .../members/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from gate.hosts import Purpose, RestError
from gate.hosts.people import Account, Membership, Setting, instant
from gate.hosts.rest import Rest

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
            return instant(newest["created_at"])

    def approvers(self, pull: int, revision: str) -> tuple[Account, ...]:
        """Return who has approved since this commit was pushed.

        A project may let approvals outlive a push. Where an older GitLab does not tell when one
        was given, it does not count.
        """
        with self.rest.understood(_APPROVALS):
            told = self.rest.ask(_APPROVALS, "GET", f"{self._request(pull)}/approvals")
            given = [(one["user"], one.get("approved_at")) for one in told["approved_by"]]
        pushed = self.pushed_at(pull, revision) if given else None
        if pushed is None:
            return ()
        with self.rest.understood(_APPROVALS):
            fresh = [user for user, at in given if at is not None and pushed <= instant(at)]
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
            user, at = last["user"], instant(last["created_at"])
        return Setting(self._account(user), at)

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
        return self._level(account) >= _DEVELOPER

    def in_team(self, team: str, account: Account) -> Membership:
        """Tell whether somebody is in a group, or in one above it; a hidden group has nobody."""
        try:
            with self.rest.understood(_GROUP):
                member = self._member(_GROUP, f"groups/{quote(team, safe='')}", account)
                return Membership(member["state"] == "active")
        except RestError as error:
            if error.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
                raise
            return Membership(member=False, untold=str(error))

    def _level(self, account: Account) -> int:
        """Return the access level in the project; 0: none."""
        try:
            member = self._member(_RIGHT, self.project, account)
        except RestError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return 0
        with self.rest.understood(_RIGHT):
            return int(member["access_level"]) if member["state"] == "active" else 0

    def _member(self, purpose: Purpose, place: str, account: Account) -> Any:
        """Return a membership, be it of a group above."""
        return self.rest.ask(purpose, "GET", f"{place}/members/all/{account.number}")

    def _account(self, user: Mapping[str, Any]) -> Account:
        """Return an account; that it is a bot only its own page tells."""
        with self.rest.understood(_USER):
            known = self.rest.ask(_USER, "GET", f"users/{int(user['id'])}")
            return Account(known["username"], bot=known["bot"] is not False, number=known["id"])

    def _request(self, pull: int) -> str:
        return f"{self.project}/merge_requests/{pull}"
