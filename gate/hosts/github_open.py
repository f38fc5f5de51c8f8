"""GitHub: the open pull requests of a repository, and the statuses of a commit."""

from collections.abc import Iterator
from typing import Any, Final

from gate.dataclass import dataclass
from gate.hosts import PostedStatus, Purpose, State
from gate.hosts.accounts import read_instant
from gate.hosts.github_events import github_path
from gate.hosts.open_pulls import OpenPull
from gate.hosts.rest import Rest

_PULLS: Final = Purpose("list the open pull requests", "pull-requests: read")
_STATUSES: Final = Purpose("list the statuses of a commit", "statuses: read")
_STATES: Final[dict[str, State]] = {"success": "success", "failure": "failure", "error": "error"}


@dataclass(frozen=True, slots=True)
class GitHubOpenPulls:
    """The client for one repository. Every method raises `GitHubError`."""

    rest: Rest
    repository: str
    """Where it is: ``repos/acme/chat``."""

    def every(self) -> Iterator[OpenPull]:
        """Yield every open pull request, the oldest first: new ones do not shift the pages."""
        query = {"state": "open", "sort": "created", "direction": "asc"}
        with self.rest.understood(_PULLS):
            for pull in self.rest.pages(_PULLS, f"{self.repository}/pulls", query):
                yield _pull(pull)

    def statuses(self, revision: str) -> tuple[PostedStatus, ...]:
        """Return the statuses that a commit has ever had, the newest first."""
        path = f"{self.repository}/commits/{github_path(revision)}/statuses"
        with self.rest.understood(_STATUSES):
            # https://docs.github.com/en/rest/commits/statuses: "in reverse chronological order"
            return tuple(map(_status, self.rest.pages(_STATUSES, path)))


def _pull(pull: Any) -> OpenPull:
    user = pull["user"]
    return OpenPull(
        number=int(pull["number"]),
        revision=str(pull["head"]["sha"]),
        branch=str(pull["head"]["ref"]),
        base=str(pull["base"]["sha"]),
        base_branch=str(pull["base"]["ref"]),
        title=str(pull["title"]),
        labels=tuple(str(label["name"]) for label in pull["labels"]),
        author="" if user is None else str(user["login"]),
    )


def _status(status: Any) -> PostedStatus:
    creator = status["creator"]
    return PostedStatus(
        state=_STATES.get(status["state"], "pending"),
        name=str(status["context"]),
        description=status["description"] or "",
        url=status["target_url"] or "",
        author="" if creator is None else str(creator["login"]),
        at=read_instant(status["updated_at"]),
    )
