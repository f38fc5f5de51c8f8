"""GitHub: the changes of a pull request or a deploy, and the live commit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from gate.dataclass import dataclass
from gate.hosts import Purpose
from gate.hosts.accounts import read_instant
from gate.hosts.github_events import GitHubError, github_path
from gate.hosts.pulls import Deployed, PullRequest, commit_of
from gate.hosts.rest import Rest
from gate.hosts.span import Changeset

_MOST_FILES: Final = 3_000
"""The maximum number of files that GitHub lists:
https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files"""
_MOST_COMMITS: Final = 250
"""The maximum number of commits:
https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request, and of comparisons:
https://docs.github.com/en/rest/commits/commits#compare-two-commits"""
_MOST_COMPARED: Final = 300
"""The maximum number of files in a comparison."""
_NAMES: Final = ("filename", "previous_filename")
_PULL: Final = Purpose("read the pull request", "pull-requests: read")
_PULLS: Final = Purpose("ask by which pull request a commit came", "pull-requests: read")
_FILES: Final = Purpose("list the files that the pull request changes", "pull-requests: read")
_COMMITS: Final = Purpose("list the commits of the pull request", "pull-requests: read")
_COMPARE: Final = Purpose("compare the commit with the live one", "contents: read")
_LIST: Final = Purpose("list the deployments", "deployments: read")
_STATUSES: Final = Purpose("ask how a deployment went", "deployments: read")
_WAITING: Final = timedelta(days=1)
"""The longest time that an earlier deployment may have waited, for example for an approval."""


@dataclass(frozen=True, slots=True)
class GitHubChanges:
    """The client for one repository; see `gate.hosts.pulls`. Every method raises `GitHubError`."""

    rest: Rest
    repository: str
    """The repository's path: ``repos/acme/chat``."""

    def changed_paths(self, pull: int) -> tuple[str, ...]:
        """Return the files that a pull request changes, with the old names of moved ones."""
        with self.rest.understood(_FILES):
            files = list(self.rest.pages(_FILES, f"{self.repository}/pulls/{pull}/files"))
            if len(files) >= _MOST_FILES:
                raise GitHubError(f"cannot {_FILES.doing}: GitHub lists the first 3,000 only")
            return _names(files)

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request."""
        with self.rest.understood(_PULL):
            return _pull(self.rest.ask(_PULL, "GET", f"{self.repository}/pulls/{number}"))

    def pull_requests_of(self, revision: str) -> Sequence[PullRequest]:
        """Return the pull requests of a commit."""
        path = f"{self.repository}/commits/{github_path(revision)}/pulls"
        with self.rest.understood(_PULLS):
            return [_pull(pull) for pull in self.rest.pages(_PULLS, path)]

    def pull_changes(self, number: int) -> Changeset:
        """Return the changes of a pull request."""
        paths = self.changed_paths(number)
        path = f"{self.repository}/pulls/{number}/commits"
        with self.rest.understood(_COMMITS):
            commits = [
                commit_of(str(entry["commit"]["message"]))
                for entry in self.rest.pages(_COMMITS, path)
            ]
        return Changeset(paths, commits if len(commits) < _MOST_COMMITS else None)

    def between(self, live: str, head: str) -> Changeset:
        """Return the changes between two commits; the first is an ancestor of the second."""
        with self.rest.understood(_COMPARE):
            answer = self._compared(live, head)
            if answer["status"] not in {"ahead", "identical"}:
                raise GitHubError(f"cannot {_COMPARE.doing}: it does not descend from it")
            files, commits = answer.get("files") or (), answer["commits"]
            whole = answer["total_commits"] == len(commits)
            return Changeset(
                _names(files) if len(files) < _MOST_COMPARED else None,
                [commit_of(str(entry["commit"]["message"])) for entry in commits]
                if whole
                else None,
            )

    def goes_back(self, live: str, head: str) -> bool:
        """Return whether a commit is the live one, or older than it."""
        with self.rest.understood(_COMPARE):
            return self._compared(live, head)["status"] in {"behind", "identical"}

    def _compared(self, live: str, head: str) -> Any:
        between = github_path(f"{live}...{head}")
        # Only the first page has files, and later pages of commits are not needed.
        query = {"per_page": "100"}
        return self.rest.ask(_COMPARE, "GET", f"{self.repository}/compare/{between}", query=query)

    def live(self, environment: str) -> Deployed | None:
        """Return the last successful deployment that nothing has replaced."""
        newest: tuple[datetime, str, datetime] | None = None
        with self.rest.understood(_LIST):
            query = {"environment": environment}
            for entry in self.rest.pages(_LIST, f"{self.repository}/deployments", query):
                created = read_instant(entry["created_at"])
                if newest is not None and created < newest[2] - _WAITING:
                    break  # the newest come first
                last = max(self._statuses(entry), key=_order, default=None)
                if last is None or last["state"] != "success":
                    continue
                at = read_instant(last["created_at"])
                if newest is None or at > newest[0]:
                    newest = (at, str(entry["sha"]), created)
        return None if newest is None else Deployed(revision=newest[1], at=newest[0])

    def was_live(self, environment: str, revision: str) -> datetime | None:
        """Return the last time when a commit went live."""
        with self.rest.understood(_LIST):
            query = {"environment": environment, "sha": revision}
            entries = self.rest.pages(_LIST, f"{self.repository}/deployments", query)
            statuses = chain.from_iterable(
                self._statuses(entry) for entry in entries if entry["sha"] == revision
            )
            times = [read_instant(s["created_at"]) for s in statuses if s["state"] == "success"]
        return max(times, default=None)

    def _statuses(self, entry: Any) -> list[Any]:
        path = f"{self.repository}/deployments/{int(entry['id'])}/statuses"
        with self.rest.understood(_STATUSES):
            return list(self.rest.pages(_STATUSES, path))


def _order(status: Any) -> tuple[datetime, int]:
    return read_instant(status["created_at"]), int(status["id"])


def _names(files: Sequence[Any]) -> tuple[str, ...]:
    names = (str(file[key]) for file in files for key in _NAMES if file.get(key) is not None)
    return tuple(dict.fromkeys(names))


def _pull(answer: Any) -> PullRequest:
    return PullRequest(
        number=int(answer["number"]),
        title=str(answer["title"]),
        labels=tuple(str(label["name"]) for label in answer["labels"]),
        head=str(answer["head"]["sha"]),
        base_branch=str(answer["base"]["ref"]),
        merged=answer["merged_at"] is not None,
    )
