"""The people of the fake GitLab: who there is, what they did to the merge request, and their roles.

https://docs.gitlab.com/api/merge_request_approvals/, .../resource_label_events/, .../users/,
.../members/ and .../merge_requests/ say what it looks like.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.servers.github_answers import Answer

ROLES: Final = {"guest": 10, "reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}
"""Access levels: https://docs.gitlab.com/api/access_requests/."""


def written(
    commit: str,
    name: str = "Ada",
    email: str = "ada@example.com",
    *,
    committer: tuple[str, str] | None = None,
    message: str = "feat: rewrite",
    parents: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a commit, which has names and addresses and no accounts."""
    committer_name, committer_email = committer or (name, email)
    return {
        "id": commit,
        "author_name": name,
        "author_email": email,
        "committer_name": committer_name,
        "committer_email": committer_email,
        "message": message,
        "parent_ids": list(parents),
    }


def push(who: str | None, branch: str | None, commit: str | None, at: str) -> dict[str, Any]:
    """Return an event of a push; of many branches at once it has neither branch nor commit."""
    return {
        "action_name": "pushed to",
        "author_username": who,
        "created_at": at,
        "push_data": {"commit_to": commit, "ref": branch, "ref_type": "branch"},
    }


@dataclass(slots=True)
class People:
    """Tests read and write its fields."""

    author: str | None = "ada"
    """The author of the merge request."""
    source: int | None = 42
    """Project that it comes from; None: it was deleted."""
    branch: str = "shorter"
    pushers: dict[str, str | None] = field(default_factory=dict)
    """Commit -> who pushed it, where that is not ada; None: GitLab has no event of it."""
    other_pushes: list[dict[str, Any]] = field(default_factory=list)
    """Newer ones."""
    commits: list[dict[str, Any]] | None = None
    """The commits of the merge request, the newest first; None: ada wrote each version."""
    single: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Commit -> what GitLab says of it."""
    emails: dict[str, str] = field(default_factory=dict)
    """Login -> address that everybody may see."""
    numbers: dict[str, int] = field(
        default_factory=lambda: {"ada": 1, "grace": 2, "alan": 3, "helper": 4}
    )
    bots: set[str] = field(default_factory=lambda: {"helper"})
    blocked: set[str] = field(default_factory=set)
    versions: list[tuple[str, str]] = field(default_factory=list)
    """Commit and instant, oldest first."""
    approvals: list[tuple[str, str | None]] = field(default_factory=list)
    """Login and instant; None: an older GitLab, which does not tell it."""
    label_events: list[dict[str, Any]] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)
    """In the project, inherited ones too."""
    groups: dict[str, set[str]] = field(default_factory=dict)
    """Path -> members; others are hidden."""

    def user(self, login: str) -> dict[str, Any]:
        """Return somebody as lists have them."""
        state = "blocked" if login in self.blocked else "active"
        number = self.numbers[login]
        return {"id": number, "username": login, "name": login.title(), "state": state}

    def user_of(self, number: int) -> dict[str, Any]:
        """Return somebody by their number."""
        return self.user(next(login for login, other in self.numbers.items() if other == number))

    def page(self, number: int) -> Answer | None:
        """Return somebody as their own page has them, which alone tells bots."""
        if number not in self.numbers.values():
            return None
        user = self.user_of(number)
        address = self.emails.get(user["username"], "")
        return Answer(200, user | {"bot": user["username"] in self.bots, "public_email": address})

    def request(self) -> dict[str, Any]:
        """Return the merge request."""
        return {
            "author": None if self.author is None else self.user(self.author),
            "created_at": "2026-11-01T08:00:00.000Z",
            "source_branch": self.branch,
            "source_project_id": self.source,
        }

    def listed_commits(self) -> list[dict[str, Any]]:
        """Return the commits of the merge request, newest first."""
        if self.commits is not None:
            return self.commits
        return [written(commit) for commit, _ in self.versions[::-1]]

    def pushes(self) -> list[dict[str, Any]]:
        """Return the pushes to the project that the merge request comes from, newest first."""
        versions = [
            push(who, self.branch, commit, at)
            for commit, at in self.versions[::-1]
            if (who := self.pushers.get(commit, "ada")) is not None
        ]
        return self.other_pushes + versions

    def listed_versions(self) -> list[dict[str, Any]]:
        """Return the versions of the merge request, newest first."""
        known = [
            {"id": place, "head_commit_sha": commit, "created_at": at, "state": "collected"}
            for place, (commit, at) in enumerate(self.versions, start=110)
        ]
        return known[::-1]

    def listed_approvals(self) -> list[dict[str, Any]]:
        """Return who has approved."""
        return [
            {"user": self.user(login)} | ({} if at is None else {"approved_at": at})
            for login, at in self.approvals
        ]

    def labelled(self, login: str | None, action: str, label: str | None, at: str) -> None:
        """Set or remove a label as somebody; None: the account, or the label, is no more."""
        event = {
            "id": 119 + len(self.label_events),
            "user": None if login is None else self.user(login),
            "created_at": at,
            "resource_type": "MergeRequest",
            "resource_id": 28,
            "label": None if label is None else {"id": 74, "name": label, "color": "#0033CC"},
            "action": action,
        }
        self.label_events.append(event)

    def member(self, number: int) -> Answer | None:
        """Return a member of the project."""
        user = self.page(number)
        if user is None or user.body["username"] not in self.roles:
            return None
        level = ROLES[self.roles[user.body["username"]]]
        return Answer(200, self.user_of(number) | {"access_level": level})

    def group_member(self, group: str, number: int) -> Answer | None:
        """Return a member of a group."""
        user = self.user_of(number)
        if user["username"] not in self.groups.get(group, ()):
            return None
        return Answer(200, user | {"access_level": 30})
