"""GitHub: deployments and their times, errors, and addresses that cannot lead elsewhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from gate.dataclass import dataclass
from gate.history.records import Deployment
from gate.hosts import Purpose, RestError
from gate.hosts.accounts import read_instant
from gate.hosts.rest import Rest


class GitHubError(RestError):
    """GitHub did not carry out a request; the text is one sentence, without the token."""


def github_path(*parts: str) -> str:
    """Return the parts of an address, quoted; none of them can lead to another address.

    Raises:
        GitHubError: one of them could.
    """
    try:
        quoted = [quote(part, safe="") for part in parts]
    except UnicodeError:  # half of a surrogate pair, from the name of a file that is not valid text
        quoted = [""]
    if not {"", ".", ".."}.isdisjoint(quoted):
        raise GitHubError(f"cannot ask GitHub about {'/'.join(parts)!r}: it is not a plain name")
    return "/".join(quoted)


_LIST: Final = Purpose("list the deployments", "deployments: read")
_STATUSES: Final = Purpose("ask how a deployment went", "deployments: read")
_WAITING: Final = timedelta(days=1)
"""The longest time that a deployment may have waited, for example for an approval."""
_TOUCHED: Final = frozenset({"in_progress", "failure", "error"})
"""The states of a deployment that may have gone live partly."""


@dataclass(frozen=True, slots=True)
class GitHubDeployments:
    """The client for one repository."""

    rest: Rest
    repository: str
    """The repository's path: ``repos/acme/chat``."""

    def since(self, start: datetime, environment: str | None = None) -> tuple[Deployment, ...]:
        """Return the deployments that went live from an instant on, the newest first.

        It sends one request for a hundred deployments, and one for each of them.

        Args:
            start: deployments that were created more than a day earlier are left out.
            environment: ``production``; None: all.

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
            # A tool may have deployed without any further report to GitHub.
            live = _live_at(statuses) if statuses else read_instant(entry["created_at"])
        return (
            None
            if live is None
            else Deployment(time=live, revision=str(entry["sha"]), id=str(entry["id"]))
        )


def _live_at(statuses: Sequence[Any]) -> datetime | None:
    """Return when it first succeeded, or else began or failed; None: it never began."""
    for states in ({"success"}, _TOUCHED):
        reached = [read_instant(s["created_at"]) for s in statuses if s["state"] in states]
        if reached:
            return min(reached)
    return None
