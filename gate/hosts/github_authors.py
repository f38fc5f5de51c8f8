"""The authors of a pull request on GitHub: who opened, wrote, committed and pushed it.

The authors in commits are chosen by whoever writes them; the account that pushed is known to
GitHub.
"""

from collections.abc import Iterator
from dataclasses import field
from datetime import datetime
from typing import Any, Final

from gate.dataclass import dataclass
from gate.hosts import Purpose
from gate.hosts.accounts import Account, read_instant
from gate.hosts.github_events import github_path
from gate.hosts.rest import Rest
from gate.policy.authors import Authors, Signature, accounts, co_authors, is_bot, signed

_PULL: Final = Purpose("read the pull request", "pull-requests: read")
_COMMITS: Final = Purpose("list the commits of the pull request", "pull-requests: read")
_COMMIT: Final = Purpose("ask who wrote the commit", "contents: read")
_PUSHES: Final = Purpose("ask who pushed the commits, and when", "contents: read")
_MOST_COMMITS: Final = 250
"""The maximum number of commits that GitHub lists:
https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request"""
_BY_THE_SITE: Final = ("web-flow", "noreply@github.com")
"""The committer of commits from GitHub's web pages, and its address: not a person.
https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification"""
_ENOUGH: Final = 100
"""The number of pushes from before the pull request that are read: one page."""


@dataclass(slots=True)
class GitHubAuthors:
    """The client for one repository. Every method raises `GitHubError`."""

    rest: Rest
    repository: str
    """The repository's path: ``repos/acme/chat``."""
    _pulls: dict[int, Any] = field(default_factory=dict)
    _lists: dict[str, list[Any]] = field(default_factory=dict)
    """The lists that were read, by path."""

    def head(self, pull: int) -> str:
        """Return the newest commit of a pull request."""
        with self.rest.understood(_PULL):
            return str(self._pull(pull)["head"]["sha"])

    def of_pull(self, pull: int, revision: str) -> Authors:
        """Return who opened a pull request, and who wrote and pushed its commits."""
        with self.rest.understood(_PULL):
            user = self._pull(pull)["user"]
            opened = accounts([None if user is None else user["login"]], "opened it")
            opened_at, count = (
                read_instant(self._pull(pull)["created_at"]),
                self._pull(pull)["commits"],
            )
        with self.rest.understood(_COMMITS):
            commits = self._listed(_COMMITS, f"{self.repository}/pulls/{pull}/commits")
            names = {str(commit["sha"]) for commit in commits}
            written = sum(map(_written, commits), Authors())
            missing = ""
            if count > len(commits) or len(commits) >= _MOST_COMMITS:
                missing = f"GitHub lists {len(commits)} of its commits and may have more"
            elif revision not in names:
                missing = "this commit no longer belongs to the pull request"
        pushed = self._pushed(pull, revision, names, opened_at)
        return opened + written + pushed + Authors(unknown=missing)

    def of_commit(self, revision: str) -> Authors:
        """Return who wrote and committed a commit, and the heads of the commits that it merges."""
        with self.rest.understood(_COMMIT):
            commit = self._commit(revision)
            merged = [self._commit(str(parent["sha"])) for parent in commit["parents"][1:]]
            return sum(map(_written, merged), _written(commit))

    def pushed_at(self, pull: int, revision: str) -> datetime | None:
        """Return when a commit became the newest; None: it is not, or GitHub does not know."""
        with self.rest.understood(_PUSHES):
            newest = next(self._pushes(pull), None)
            if newest is None or newest["after"] != revision:
                return None
            return read_instant(newest["timestamp"])

    def _pushed(self, pull: int, revision: str, names: set[str], opened: datetime) -> Authors:
        """Return who pushed a commit of the pull request, or pushed to it since it was opened.

        A push that another one has replaced counts, too: its changes may be in the later one.
        """
        actors, last_known = list[str | None](), False
        with self.rest.understood(_PUSHES):
            for place, push in enumerate(self._pushes(pull)):
                since = read_instant(push["timestamp"]) >= opened
                if place >= _ENOUGH and not since:
                    break
                if since or push["after"] in names:
                    actors.append(None if push["actor"] is None else push["actor"]["login"])
                last_known = last_known or push["after"] == revision
        unknown = "" if last_known else "GitHub does not say who pushed this commit"
        return accounts(actors, "pushed to it") + Authors(unknown=unknown)

    def _pushes(self, pull: int) -> Iterator[Any]:
        """Yield the pushes to the branch of a pull request, the newest first.

        The branch of a fork belongs to the fork. A deleted fork has no repository.
        """
        head = self._pull(pull)["head"]
        if head["repo"] is None:
            return
        place = f"repos/{github_path(*str(head['repo']['full_name']).split('/'))}/activity"
        # https://docs.github.com/en/rest/repos/repos#list-repository-activities: newest first
        yield from self.rest.pages(_PUSHES, place, {"ref": f"refs/heads/{head['ref']}"})

    def _listed(self, purpose: Purpose, path: str) -> list[Any]:
        if path not in self._lists:
            self._lists[path] = list(self.rest.pages(purpose, path))
        return self._lists[path]

    def _commit(self, revision: str) -> Any:
        path = f"{self.repository}/commits/{github_path(revision)}"
        return self.rest.ask(_COMMIT, "GET", path, query={"per_page": "1"})

    def _pull(self, pull: int) -> Any:
        if pull not in self._pulls:
            path = f"{self.repository}/pulls/{pull}"
            self._pulls[pull] = self.rest.ask(_PULL, "GET", path)
        return self._pulls[pull]


def account_of(user: Any) -> Account:
    """Return the account in an answer that GitHub calls a simple user."""
    login = str(user["login"])
    return Account(login, bot=is_bot(login) or user.get("type", "User") != "User")


def _written(commit: Any) -> Authors:
    """Return the people that a commit names: its author, its committer, and co-authors."""
    text = commit["commit"]
    author = _named(commit["author"], text["author"], "wrote a commit")
    committer, address = commit["committer"], (text["committer"] or {}).get("email")
    by_the_site = address if committer is None else committer.get("login")
    committed = Authors()
    if by_the_site not in _BY_THE_SITE:
        committed = _named(committer, text["committer"], "committed it")
    return author + committed + co_authors(str(text["message"]))


def _named(user: Any, signature: Any, part: str) -> Authors:
    if user:
        return accounts([user["login"]], part)
    if signature is None:
        return Authors(unknown="a commit does not say who wrote it")
    name, address = signature.get("name") or "", signature.get("email") or ""
    return signed([Signature(str(name), str(address))], part)
