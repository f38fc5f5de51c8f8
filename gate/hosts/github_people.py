"""GitHub: who did what to a pull request, and who may."""

from dataclasses import field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from gate.dataclass import dataclass
from gate.hosts import Purpose
from gate.hosts.accounts import Account, Approvers, Membership, Setting, is_after, read_instant
from gate.hosts.github_authors import GitHubAuthors, account_of
from gate.hosts.github_events import GitHubError, github_path
from gate.hosts.rest import Rest
from gate.policy.authors import Authors, Profile
from gate.policy.logins import is_bot

_JUDGING: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
"""States of a review; a mere comment takes no approval back."""
_STRANGERS: Final = frozenset({"NONE", "MANNEQUIN"})
"""Associations with the repository of whom it does not belong to, or not any more."""
_RIGHT: Final = Purpose("ask who may write to the repository", "metadata: read")
_TEAM: Final = Purpose("ask who is in the team", "members: read of the organization")
_REVIEWS: Final = Purpose("list the reviews of the pull request", "pull-requests: read")
_EVENTS: Final = Purpose("ask who set the label", "pull-requests: read")
_QUEUE: Final = Purpose("ask when the merge queue took the pull request", "contents: read")
_USER: Final = Purpose("ask who somebody is", "")


@dataclass(slots=True)
class GitHubPeople:
    """The client for one repository. Every method raises `GitHubError`."""

    rest: Rest
    repository: str
    """The repository's path: ``repos/acme/chat``."""
    _authors: GitHubAuthors = field(init=False)

    def __post_init__(self) -> None:
        self._authors = GitHubAuthors(self.rest, self.repository)

    def authors(self, pull: int, revision: str) -> Authors:
        """Return who opened a pull request, wrote its commits, or pushed them."""
        return self._authors.of_pull(pull, revision)

    def writers(self, revision: str) -> Authors:
        """Return who wrote and committed one commit, and what it merges."""
        return self._authors.of_commit(revision)

    def queued(self, pull: int, revision: str) -> str | None:
        """Return the commit of a pull request that a merge queue has merged; None: not known.

        Of a pull request that was pushed to since, the newest commit is not what the queue has.
        """
        head = self._authors.head(pull)
        with self.rest.understood(_QUEUE):
            path = f"{self.repository}/commits/{github_path(revision)}"
            commit = self.rest.ask(_QUEUE, "GET", path, query={"per_page": "1"})
            # A commit of the queue is GitHub's own, and so is its date.
            taken = read_instant(commit["commit"]["committer"]["date"])
            by_github = (commit["committer"] or {}).get("login") == "web-flow"
        pushed = self.pushed_at(pull, head)
        return head if by_github and pushed is not None and is_after(taken, pushed) else None

    def pushed_at(self, pull: int, revision: str) -> datetime | None:
        """Return when a commit became the newest; None: it is not, or GitHub does not know."""
        return self._authors.pushed_at(pull, revision)

    def approvers(self, pull: int, revision: str) -> Approvers:
        """Return whose last judgement on a pull request approves this very revision.

        Where somebody has judged twice in one second, nobody knows what was last.
        """
        path, latest = f"{self.repository}/pulls/{pull}/reviews", dict[Account, list[Any]]()
        with self.rest.understood(_REVIEWS):
            for review in self.rest.pages(_REVIEWS, path):
                if review["state"] in _JUDGING and review["user"] is not None:
                    latest.setdefault(account_of(review["user"]), []).append(review)
            approvals = {
                account: last[0]
                for account, reviews in latest.items()
                if (last := _last(reviews)) and all(_approves(review, revision) for review in last)
            }
        accounts, notes = list[Account](), list[str]()
        for account, review in approvals.items():
            if review.get("author_association") in _STRANGERS and not self._belongs(account):
                notes.append(f"@{account.login} has no access to the repository")
            else:
                accounts.append(account)
        return Approvers(tuple(accounts), tuple(notes))

    def label_setting(self, pull: int, label: str) -> Setting | None:
        """Return who last set a label; None: it was removed since, never set, or nobody knows."""
        path = f"{self.repository}/issues/{pull}/events"
        with self.rest.understood(_EVENTS):
            changes = [
                event
                for event in self.rest.pages(_EVENTS, path)
                if event["event"] in {"labeled", "unlabeled"} and event["label"]["name"] == label
            ]
            last = max(changes, key=lambda event: int(event["id"]), default=None)
            if last is None or last["event"] == "unlabeled" or last["actor"] is None:
                return None
            return Setting(account_of(last["actor"]), read_instant(last["created_at"]))

    def account(self, login: str) -> Account:
        """Return the account of a login, without asking whether there is one."""
        return Account(login, bot=is_bot(login))

    def profile(self, account: Account) -> Profile:
        """Return what an account says of itself to everybody."""
        with self.rest.understood(_USER):
            page = self.rest.ask(_USER, "GET", f"users/{github_path(account.login)}")
            names, emails = filter(None, [page["name"]]), filter(None, [page["email"]])
            return Profile(account.login, tuple(names), tuple(emails))

    def may_write(self, account: Account) -> bool:
        """Tell whether somebody has the right to push to the repository."""
        path = f"{self.repository}/collaborators/{github_path(account.login)}/permission"
        with self.rest.understood(_RIGHT):
            # Among the finer roles, maintain counts as write here, and triage as read.
            return self.rest.ask(_RIGHT, "GET", path)["permission"] in {"admin", "write"}

    def in_team(self, team: str, account: Account) -> Membership:
        """Tell whether somebody is in a team; GitHub hides teams from a workflow's own token."""
        organization, _, slug = team.partition("/")
        teams = f"orgs/{github_path(organization)}/teams/{github_path(slug)}"
        path = f"{teams}/memberships/{github_path(account.login)}"
        try:
            with self.rest.understood(_TEAM):
                return Membership(self.rest.ask(_TEAM, "GET", path)["state"] == "active")
        except GitHubError as error:
            if error.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
                raise
            return Membership(member=False, reason=str(error))

    def _belongs(self, account: Account) -> bool:
        try:
            return self.may_write(account)
        except GitHubError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return False


def _last(reviews: list[Any]) -> list[Any]:
    """Return the latest judgement; several, where they were in one second."""
    newest = max(read_instant(review["submitted_at"]) for review in reviews)
    return [
        review for review in reviews if not is_after(newest, read_instant(review["submitted_at"]))
    ]


def _approves(review: Any, revision: str) -> bool:
    return bool(review["state"] == "APPROVED" and review["commit_id"] == revision)
