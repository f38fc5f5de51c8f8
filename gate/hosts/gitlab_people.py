"""GitLab: the people who contributed to a merge request, and their rights.

https://docs.gitlab.com/api/merge_request_approvals/, .../resource_label_events/, .../members/
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from gate.dataclass import dataclass
from gate.hosts import Purpose, RestError
from gate.hosts.accounts import Account, Approvers, Membership, Setting, is_after, read_instant
from gate.hosts.gitlab_changes import NEEDS, GitLabAuthors
from gate.hosts.rest import Rest
from gate.policy.authors import Authors, Profile

_DEVELOPER: Final = 30
"""The lowest access level that may push: https://docs.gitlab.com/api/access_requests/"""
_VERSIONS: Final = Purpose("ask when the commit was pushed", NEEDS)
_APPROVALS: Final = Purpose("list the approvals of the merge request", NEEDS)
_EVENTS: Final = Purpose("ask who set the label", NEEDS)
_USER: Final = Purpose("ask who somebody is", "the scope api or read_api")
_RIGHT: Final = Purpose("ask who may write to the project", NEEDS)
_GROUP: Final = Purpose("ask who is in the group", "access to the group")


@dataclass(slots=True)
class GitLabPeople:
    """The client for one project. Every method raises `GitLabError`; a team is a group."""

    rest: Rest
    project: str
    """The project's path: ``projects/42``."""
    _authors: GitLabAuthors = field(init=False)

    def __post_init__(self) -> None:
        self._authors = GitLabAuthors(self.rest, self.project)

    def authors(self, pull: int, revision: str) -> Authors:
        """Return who opened a merge request, wrote its commits, or pushed them."""
        return self._authors.of_request(pull, revision)

    def writers(self, revision: str) -> Authors:
        """Return the authors and committers of a commit, and of the commits that it merges."""
        return self._authors.of_commit(revision)

    def queued(self, _pull: int, _revision: str) -> None:
        """Return None: a merge train has a pipeline for each merge request."""

    def pushed_at(self, pull: int, revision: str) -> datetime | None:
        """Return when a commit became the newest of a merge request; None: it is not the newest."""
        with self.rest.understood(_VERSIONS):
            versions = self.rest.pages(_VERSIONS, f"{self._request(pull)}/versions")
            newest = max(versions, key=lambda version: int(version["id"]), default=None)
            if newest is None or newest["head_commit_sha"] != revision:
                return None
            return read_instant(newest["created_at"])

    def approvers(self, pull: int, revision: str) -> Approvers:
        """Return the accounts that have approved since this commit was pushed.

        A project may keep approvals after a push. If an older GitLab does not report the time of an
        approval, the approval does not count.
        """
        with self.rest.understood(_APPROVALS):
            answer = self.rest.ask(_APPROVALS, "GET", f"{self._request(pull)}/approvals")
            given = [(by["user"], by.get("approved_at")) for by in answer["approved_by"]]
        pushed = self.pushed_at(pull, revision) if given else None
        if pushed is None:
            note = "this is not the newest commit, or GitLab does not say when it was pushed"
            return Approvers(notes=(note,) if given else ())
        fresh, notes = list[Mapping[str, Any]](), list[str]()
        with self.rest.understood(_APPROVALS):
            for user, at in given:
                who = f"@{user['username']}"
                if user.get("state", "active") != "active":
                    notes.append(f"{who} is blocked")
                elif at is None:
                    notes.append(
                        f"this GitLab says that {who} has approved, but not when (there is no "
                        f"approved_at): use a newer GitLab, or let {who} set the label"
                    )
                elif is_after(read_instant(at), pushed):
                    fresh.append(user)
                else:
                    notes.append(f"{who} did not approve after this commit was pushed")
        return Approvers(tuple(map(self._account, fresh)), tuple(notes))

    def label_setting(self, pull: int, label: str) -> Setting | None:
        """Return who last set a label; None: it is not set, or its history is unknown."""
        path = f"{self._request(pull)}/resource_label_events"
        with self.rest.understood(_EVENTS):
            changes = [
                event
                for event in self.rest.pages(_EVENTS, path)
                # The name of a label is missing if the label was deleted.
                if event["label"] is not None and event["label"]["name"] == label
            ]
            last = max(changes, key=lambda event: int(event["id"]), default=None)
            if last is None or last["action"] == "remove" or last["user"] is None:
                return None
            if last["user"].get("state", "active") != "active":  # the account is blocked
                return None
            return Setting(self._account(last["user"]), read_instant(last["created_at"]))

    def account(self, login: str) -> Account:
        """Return the account of a login.

        Raises:
            RestError: no account has this login.
        """
        with self.rest.understood(_USER):
            users = self.rest.ask(_USER, "GET", "users", query={"username": login})
            if not users:
                raise RestError(f"cannot {_USER.doing}: GitLab knows no user {login!r}")
            return self._account(users[0])

    def profile(self, account: Account) -> Profile:
        """Return the public profile of an account."""
        with self.rest.understood(_USER):
            page = self.rest.ask(_USER, "GET", f"users/{account.number}")
            emails = filter(None, [page.get("public_email")])
            return Profile(account.login, (str(page["name"]),), tuple(emails))

    def may_write(self, account: Account) -> bool:
        """Return whether an account has the role Developer in the project, or a higher one."""
        try:
            member = self._member(_RIGHT, self.project, account)
        except RestError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return False
        with self.rest.understood(_RIGHT):
            return member["state"] == "active" and int(member["access_level"]) >= _DEVELOPER

    def in_team(self, team: str, account: Account) -> Membership:
        """Return whether an account is in a group or its parent; a hidden group has no members."""
        try:
            with self.rest.understood(_GROUP):
                member = self._member(_GROUP, f"groups/{quote(team, safe='')}", account)
                return Membership(member["state"] == "active")
        except RestError as error:
            if error.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
                raise
            return Membership(member=False, reason=str(error))

    def _member(self, purpose: Purpose, place: str, account: Account) -> Any:
        """Return a membership, also one of a parent group."""
        return self.rest.ask(purpose, "GET", f"{place}/members/all/{account.number}")

    def _account(self, user: Mapping[str, Any]) -> Account:
        """Return an account; only its own page says whether it is a bot."""
        with self.rest.understood(_USER):
            page = self.rest.ask(_USER, "GET", f"users/{int(user['id'])}")
            return Account(page["username"], bot=page["bot"] is not False, number=page["id"])

    def _request(self, pull: int) -> str:
        return f"{self.project}/merge_requests/{pull}"
