"""What was deployed when, as GitHub knows it: https://docs.github.com/en/rest/deployments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gate.history.records import Deployment
from gate.hosts import Purpose
from gate.hosts.people import instant
from gate.hosts.rest import Rest

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
        found = []
        with self.rest.understood(_LIST):
            for one in self.rest.pages(_LIST, f"{self.repository}/deployments", query):
                if instant(one["created_at"]) < start - _WAITING:
                    break  # the newest come first
                found.append(self._deploy(one))
        return tuple(deploy for deploy in found if deploy is not None and deploy.time >= start)

    def _deploy(self, one: Any) -> Deployment | None:
        path = f"{self.repository}/deployments/{int(one['id'])}/statuses"
        statuses = list(self.rest.pages(_STATUSES, path))
        with self.rest.understood(_STATUSES):
            # A tool that tells GitHub nothing more may have deployed all the same.
            live = _live_at(statuses) if statuses else instant(one["created_at"])
        return None if live is None else Deployment(time=live, revision=str(one["sha"]))


def _live_at(statuses: Sequence[Any]) -> datetime | None:
    """Return when it first succeeded, or else began or failed; None: it never got so far."""
    for states in ({"success"}, _TOUCHED):
        reached = [instant(one["created_at"]) for one in statuses if one["state"] in states]
        if reached:
            return min(reached)
    return None
