"""GitHub: who did what to a pull request, who may, and what was deployed when."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from gate.history.records import Deployment
from gate.hosts import Purpose, RestError
from gate.hosts.people import Account, Membership, Setting, read_instant
from gate.hosts.rest import Rest


class GitHubError(RestError):
    """GitHub did not carry out a request; the text is one sentence, without the token."""


def github_path(*parts: str) -> str:
    """Return parts of an address; none of them can lead to another address.

    Raises:
        GitHubError: one of them would.
    """
    try:
        quoted = [quote(part, safe="") for part in parts]
    except UnicodeError:  # half a character, of a file's name that is no text
        quoted = [""]
    if not {"", ".", ".."}.isdisjoint(quoted):
        raise GitHubError(f"cannot ask GitHub about {'/'.join(parts)!r}: it is no plain name")
    return "/".join(quoted)


_JUDGING: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
"""States of a review; a mere comment takes no approval back."""
_BOT: Final = "[bot]"
"""At the end of an app's login, where no person's can have it."""
_PULL: Final = Purpose("read the pull request", "pull-requests: read")
_PUSHES: Final = Purpose("ask when the commit was pushed", "contents: read")
_RIGHT: Final = Purpose("ask who may write to the repository", "metadata: read")
_TEAM: Final = Purpose("ask who is in the team", "members: read of the organization")
_REVIEWS: Final = Purpose("list the reviews of the pull request", "pull-requests: read")
_EVENTS: Final = Purpose("ask who set the label", "pull-requests: read")


@dataclass(slots=True)
class GitHubPeople:
    """Of one repository. Every method raises `GitHubError`."""

    rest: Rest
    repository: str
    """Where it is: ``repos/acme/chat``."""
    _pulls: dict[int, Any] = field(default_factory=dict)
    """Those that were read: neither author nor branch of one ever change."""

    def author(self, pull: int) -> str:
        """Return the login of whoever opened a pull request; empty: the account is no more."""
        with self.rest.understood(_PULL):
            user = self._pull(pull)["user"]
            return "" if user is None else str(user["login"])

    def pushed_at(self, pull: int, revision: str) -> datetime | None:
        """Return when a commit became the newest; None: it is not, or GitHub does not know."""
        with self.rest.understood(_PULL):
            branch = str(self._pull(pull)["head"]["ref"])
        # https://docs.github.com/en/rest/repos/repos#list-repository-activities: newest first
        query = {"ref": f"refs/heads/{branch}", "per_page": "1"}
        with self.rest.understood(_PUSHES):
            pushes = self.rest.ask(_PUSHES, "GET", f"{self.repository}/activity", query=query)
            if not pushes or pushes[0]["after"] != revision:
                return None
            return read_instant(pushes[0]["timestamp"])

    def approvers(self, pull: int, revision: str) -> tuple[Account, ...]:
        """Return whose last judgement on a pull request approves this very revision."""
        path, latest = f"{self.repository}/pulls/{pull}/reviews", dict[Account, Any]()
        with self.rest.understood(_REVIEWS):
            reviews = [
                review
                for review in self.rest.pages(_REVIEWS, path)
                if review["state"] in _JUDGING and review["user"] is not None
            ]
            for review in sorted(reviews, key=lambda review: str(review["submitted_at"])):
                latest[_account(review["user"])] = review
            return tuple(
                account
                for account, review in latest.items()
                if review["state"] == "APPROVED" and review["commit_id"] == revision
            )

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
            return Setting(_account(last["actor"]), read_instant(last["created_at"]))

    def account(self, login: str) -> Account:
        """Return the account of a login, without asking whether there is one."""
        return Account(login, bot=login.endswith(_BOT))

    def may_write(self, account: Account) -> bool:
        """Tell whether somebody has the right to push to the repository."""
        path = f"{self.repository}/collaborators/{github_path(account.login)}/permission"
        with self.rest.understood(_RIGHT):
            # Of the finer roles, maintain counts as write here, and triage as read.
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

    def _pull(self, pull: int) -> Any:
        if pull not in self._pulls:
            path = f"{self.repository}/pulls/{pull}"
            self._pulls[pull] = self.rest.ask(_PULL, "GET", path)
        return self._pulls[pull]


def _account(user: Any) -> Account:
    return Account(user["login"], bot=user.get("type") == "Bot")


_LIST: Final = Purpose("list the deployments", "deployments: read")
_STATUSES: Final = Purpose("ask how a deployment went", "deployments: read")
_WAITING: Final = timedelta(days=1)
"""How long a deployment may have waited, for an approval say, before it went live."""
_TOUCHED: Final = frozenset({"in_progress", "failure", "error"})
"""States of a deployment that may have gone live in a part."""


@dataclass(frozen=True, slots=True)
class GitHubDeployments:
    """Of one repository."""

    rest: Rest
    repository: str
    """Where it is: ``repos/acme/chat``."""

    def since(self, start: datetime, environment: str | None = None) -> tuple[Deployment, ...]:
        """Return what went live from an instant on, the newest first.

        One request for a hundred deployments, and one for each of them.

        Args:
            start: what was created longer than a day before it is not asked about.
            environment: ``production``; None: of all.

        Raises:
            RestError: GitHub does not answer as it should.
        """
        query = {} if environment is None else {"environment": environment}
        deployments = list[Deployment | None]()
        with self.rest.understood(_LIST):
            for entry in self.rest.pages(_LIST, f"{self.repository}/deployments", query):
                if read_instant(entry["created_at"]) < start - _WAITING:
                    break  # the newest come first
                deployments.append(self._deployment(entry))
        return tuple(made for made in deployments if made is not None and made.time >= start)

    def _deployment(self, entry: Any) -> Deployment | None:
        path = f"{self.repository}/deployments/{int(entry['id'])}/statuses"
        statuses = list(self.rest.pages(_STATUSES, path))
        with self.rest.understood(_STATUSES):
            # A tool that tells GitHub nothing more may have deployed all the same.
            live = _live_at(statuses) if statuses else read_instant(entry["created_at"])
        return None if live is None else Deployment(time=live, revision=str(entry["sha"]))


def _live_at(statuses: Sequence[Any]) -> datetime | None:
    """Return when it first succeeded, or else began or failed; None: it never got so far."""
    for states in ({"success"}, _TOUCHED):
        reached = [read_instant(s["created_at"]) for s in statuses if s["state"] in states]
        if reached:
            return min(reached)
    return None
