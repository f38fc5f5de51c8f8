"""GitLab: the changes of a merge request or a deploy, their authors, and the live commit.

https://docs.gitlab.com/api/merge_requests/, .../commits/, .../deployments/, .../repositories/

GitLab reports only names and e-mail addresses of a commit, which its author may choose; the account
that pushed is known: https://docs.gitlab.com/api/events/
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
from gate.policy.authors import Authors, Signature, accounts, co_authors, signed

NEEDS: Final = "the role Reporter in the project and the scope api or read_api"
_REQUEST: Final = Purpose("read the merge request", NEEDS)
_REQUESTS: Final = Purpose("ask by which merge request a commit came", NEEDS)
_DIFFS: Final = Purpose("list the files that the merge request changes", NEEDS)
_COMMITS: Final = Purpose("list the commits of the merge request", NEEDS)
_BASE: Final = Purpose("compare the commit with the live one", NEEDS)
_DEPLOYMENTS: Final = Purpose("list the deployments", NEEDS)
_RECENT: Final = 100
"""The maximum number of deployments that are read."""
_NAMES: Final = ("new_path", "old_path")


@dataclass(frozen=True, slots=True)
class GitLabChanges:
    """The client for one project; see `gate.hosts.pulls`. Every method raises `RestError`."""

    rest: Rest
    project: str
    """The project's path: ``projects/42``."""

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
        """Return the changes of a merge request; GitLab says if its list of files is cut."""
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
        """Return whether a commit is the live one, or older than it."""
        refs = "&".join(f"refs[]={quote(ref, safe='')}" for ref in (live, head))
        with self.rest.understood(_BASE):
            path = f"{self.project}/repository/merge_base?{refs}"
            return bool(self.rest.ask(_BASE, "GET", path)["id"] == head)

    def live(self, environment: str) -> Deployed | None:
        """Return the last successful deployment."""
        return max(self._succeeded(environment), key=lambda made: made.at, default=None)

    def was_live(self, environment: str, revision: str) -> datetime | None:
        """Return the last time when a commit went live, among the newest hundred deployments."""
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


_COMMIT: Final = Purpose("ask who wrote the commit", NEEDS)
_PUSHES: Final = Purpose("ask who pushed the commits", NEEDS)
_ENOUGH: Final = 100
"""The number of pushes from before the merge request that are read: one page."""
_MOST_PUSHES: Final = 1_000
"""The maximum number of a project's pushes that are searched for a merge request's branch."""


@dataclass(frozen=True, slots=True)
class GitLabAuthors:
    """The client for one project. Every method raises `GitLabError`."""

    rest: Rest
    project: str
    """The project's path: ``projects/42``."""

    def of_request(self, pull: int, revision: str) -> Authors:
        """Return who opened a merge request, and who wrote and pushed its commits."""
        place = f"{self.project}/merge_requests/{pull}"
        with self.rest.understood(_REQUEST):
            request = self.rest.ask(_REQUEST, "GET", place)
            author = request["author"]
            opened = accounts([None if author is None else author["username"]], "opened it")
        with self.rest.understood(_COMMITS):
            commits = list(self.rest.pages(_COMMITS, f"{place}/commits"))
            names = {str(commit["id"]) for commit in commits}
            written = sum(map(_written, commits), Authors())
        missing = "" if revision in names else "this commit no longer belongs to the merge request"
        with self.rest.understood(_PUSHES):
            pushed = self._pushed(request, revision, names)
        return opened + written + pushed + Authors(unknown=missing)

    def of_commit(self, revision: str) -> Authors:
        """Return who wrote and committed a commit, and the heads of the commits that it merges."""
        with self.rest.understood(_COMMIT):
            commit = self._commit(revision)
            merged = [self._commit(str(parent)) for parent in commit["parent_ids"][1:]]
            return sum(map(_written, merged), _written(commit))

    def _pushed(self, request: Any, revision: str, names: set[str]) -> Authors:
        """Return who pushed a commit of the request, or pushed to it since it was opened.

        A push that another one has replaced counts, too: its changes may be in the later one.
        """
        opened, actors = read_instant(request["created_at"]), list[str | None]()
        last_known = False
        for place, push in enumerate(self._pushes(request)):
            data, since = push["push_data"], read_instant(push["created_at"]) >= opened
            if place >= _ENOUGH and last_known and not since:
                break
            # For a push of many branches at once, GitLab keeps neither names nor commits.
            if data["ref"] != request["source_branch"] or data["ref_type"] != "branch":
                continue
            if since or data["commit_to"] in names:
                actors.append(push["author_username"])
            last_known = last_known or data["commit_to"] == revision
        unknown = "" if last_known else "GitLab does not say who pushed this commit"
        return accounts(actors, "pushed to it") + Authors(unknown=unknown)

    def _pushes(self, request: Any) -> Iterator[Any]:
        """Yield the pushes to the source project of a merge request, the newest first."""
        if request["source_project_id"] is None:  # a fork that was deleted
            return
        place = f"projects/{int(request['source_project_id'])}/events"
        yield from islice(self.rest.pages(_PUSHES, place, {"action": "pushed"}), _MOST_PUSHES)

    def _commit(self, revision: str) -> Any:
        path = f"{self.project}/repository/commits/{quote(revision, safe='')}"
        return self.rest.ask(_COMMIT, "GET", path)


def _written(commit: Any) -> Authors:
    """Return the people that a commit names: its author, its committer, and co-authors."""
    author = Signature(str(commit["author_name"]), str(commit["author_email"]))
    committer = Signature(str(commit["committer_name"]), str(commit["committer_email"]))
    return (
        signed([author], "wrote a commit")
        + signed([committer], "committed it")
        + co_authors(str(commit["message"]))
    )
