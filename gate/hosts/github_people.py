"""GitHub: the people who contributed to a pull request, and their rights."""

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
from gate.policy.authors import Authors, Profile, is_bot

_JUDGING: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
"""The states of a review that replace an earlier one; a mere comment does not."""
_STRANGERS: Final = frozenset({"NONE", "MANNEQUIN"})
"""The associations with the repository of people who do not belong to it."""
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
        """Return the authors and committers of a commit, and of the commits that it merges."""
        return self._authors.of_commit(revision)

    def queued(self, pull: int, revision: str) -> str | None:
        """Return the commit of a pull request that a merge queue has merged; None: unknown.

        If the pull request has got more commits since, its newest commit is not in the queue.
        """
        head = self._authors.head(pull)
        with self.rest.understood(_QUEUE):
            path = f"{self.repository}/commits/{github_path(revision)}"
            commit = self.rest.ask(_QUEUE, "GET", path, query={"per_page": "1"})
            # A commit of the queue is made by GitHub, and so is its date.
            taken = read_instant(commit["commit"]["committer"]["date"])
            by_github = (commit["committer"] or {}).get("login") == "web-flow"
        pushed = self.pushed_at(pull, head)
        return head if by_github and pushed is not None and is_after(taken, pushed) else None

    def pushed_at(self, pull: int, revision: str) -> datetime | None:
        """Return when a commit became the newest; None: it is not, or GitHub does not know."""
        return self._authors.pushed_at(pull, revision)

    def approvers(self, pull: int, revision: str) -> Approvers:
        """Return the accounts whose last review of a pull request approves exactly this revision.

        If somebody has two reviews in one second, their order is unknown.
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
        """Return who last set a label; None: it is not set, or its history is unknown."""
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
        """Return the account of a login, without checking that it exists."""
        return Account(login, bot=is_bot(login))

    def profile(self, account: Account) -> Profile:
        """Return the public profile of an account."""
        with self.rest.understood(_USER):
            page = self.rest.ask(_USER, "GET", f"users/{github_path(account.login)}")
            names, emails = filter(None, [page["name"]]), filter(None, [page["email"]])
            return Profile(account.login, tuple(names), tuple(emails))

    def may_write(self, account: Account) -> bool:
        """Return whether an account has the right to push to the repository."""
        path = f"{self.repository}/collaborators/{github_path(account.login)}/permission"
        with self.rest.understood(_RIGHT):
            # This field counts the finer role maintain as write, and triage as read.
            return self.rest.ask(_RIGHT, "GET", path)["permission"] in {"admin", "write"}

    def in_team(self, team: str, account: Account) -> Membership:
        """Return whether an account is in a team; a workflow's own token cannot read teams."""
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
    """Return the latest review; several if they were in the same second."""
    newest = max(read_instant(review["submitted_at"]) for review in reviews)
    return [
        review for review in reviews if not is_after(newest, read_instant(review["submitted_at"]))
    ]


def _approves(review: Any, revision: str) -> bool:
    return bool(review["state"] == "APPROVED" and review["commit_id"] == revision)
