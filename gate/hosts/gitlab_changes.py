"""GitLab: what a merge request or a deploy changes, and which commit is live.

https://docs.gitlab.com/api/merge_requests/, .../commits/, .../deployments/, .../repositories/
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from gate.dataclass import dataclass
from gate.hosts import Purpose, RestError
from gate.hosts.accounts import read_instant
from gate.hosts.pulls import Deployed, PullRequest, commit_of
from gate.hosts.rest import Rest
from gate.hosts.span import Changeset

_NEEDS: Final = "the role Reporter in the project and the scope api or read_api"
_REQUEST: Final = Purpose("read the merge request", _NEEDS)
_REQUESTS: Final = Purpose("ask by which merge request a commit came", _NEEDS)
_DIFFS: Final = Purpose("list the files that the merge request changes", _NEEDS)
_COMMITS: Final = Purpose("list the commits of the merge request", _NEEDS)
_BASE: Final = Purpose("compare the commit with what is live", _NEEDS)
_DEPLOYMENTS: Final = Purpose("list the deployments", _NEEDS)
_RECENT: Final = 100
"""Deployments that are looked at."""
_NAMES: Final = ("new_path", "old_path")


@dataclass(frozen=True, slots=True)
class GitLabChanges:
    """The client for one project; see `gate.hosts.pulls`. Every method raises `RestError`."""

    rest: Rest
    project: str
    """Where it is: ``projects/42``."""

    def pull_request(self, number: int) -> PullRequest:
        """Return a merge request."""
        with self.rest.understood(_REQUEST):
            return _request(self._request(number))

    def pull_requests_of(self, revision: str) -> Sequence[PullRequest]:
        """Return the merge requests of a commit."""
        path = f"{self.project}/repository/commits/{quote(revision, safe='')}/merge_requests"
        with self.rest.understood(_REQUESTS):
            return [_request(request) for request in self.rest.pages(_REQUESTS, path)]

    def pull_changes(self, number: int) -> Changeset:
        """Return what a merge request changes; GitLab says when it lists less than all files."""
        with self.rest.understood(_DIFFS):
            count = str(self._request(number)["changes_count"])
            files = list(self.rest.pages(_DIFFS, f"{self._path(number)}/diffs"))
            names = dict.fromkeys(str(file[key]) for file in files for key in _NAMES)
        with self.rest.understood(_COMMITS):
            commits = [
                commit_of(str(entry["message"]))
                for entry in self.rest.pages(_COMMITS, f"{self._path(number)}/commits")
            ]
        return Changeset(tuple(names) if count == str(len(files)) else None, commits)

    def between(self, live: str, head: str) -> Changeset:
        """Refuse: GitLab does not say where it cuts a comparison."""
        raise RestError(
            f"cannot {_BASE.doing}: GitLab may cut what lies between {live} and {head};"
            " fetch the whole history (GIT_DEPTH: 0)"
        )

    def goes_back(self, live: str, head: str) -> bool:
        """Tell whether a commit is what is live, or older than it."""
        refs = "&".join(f"refs[]={quote(ref, safe='')}" for ref in (live, head))
        with self.rest.understood(_BASE):
            path = f"{self.project}/repository/merge_base?{refs}"
            return bool(self.rest.ask(_BASE, "GET", path)["id"] == head)

    def live(self, environment: str) -> Deployed | None:
        """Return the deployment that succeeded last."""
        return max(self._succeeded(environment), key=lambda made: made.at, default=None)

    def was_live(self, environment: str, revision: str) -> datetime | None:
        """Return when a commit went live last, of the newest hundred deployments."""
        times = (made.at for made in self._succeeded(environment) if made.revision == revision)
        return max(times, default=None)

    def _succeeded(self, environment: str) -> Iterator[Deployed]:
        query = {
            "environment": environment,
            "status": "success",
            "order_by": "id",
            "sort": "desc",
        }
        path = f"{self.project}/deployments"
        with self.rest.understood(_DEPLOYMENTS):
            for entry in islice(self.rest.pages(_DEPLOYMENTS, path, query), _RECENT):
                job = entry.get("deployable") or {}
                at = job.get("finished_at") or entry["updated_at"]
                yield Deployed(str(entry["sha"]), read_instant(at))

    def _request(self, number: int) -> Any:
        return self.rest.ask(_REQUEST, "GET", self._path(number))

    def _path(self, number: int) -> str:
        return f"{self.project}/merge_requests/{number}"


def _request(answer: Any) -> PullRequest:
    return PullRequest(
        number=int(answer["iid"]),
        title=str(answer["title"]),
        labels=tuple(map(str, answer["labels"])),
        head=str(answer["sha"]),
        base_branch=str(answer["target_branch"]),
        merged=answer["state"] == "merged",
    )
