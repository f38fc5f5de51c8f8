"""What a code host knows about its open pull requests, whichever host it is."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from gate.dataclass import dataclass
from gate.hosts import CommitStatus, PostedStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPull:
    """A pull request that is open: what its author chose, and which commits it is about."""

    number: int
    revision: str
    """The newest commit."""
    branch: str
    base: str
    """The commit that its target branch had when the host last looked."""
    base_branch: str
    title: str
    labels: tuple[str, ...]
    author: str
    """Login; empty: the account was deleted."""


class OpenPulls(Protocol):
    """What a client knows about open pull requests. Every method raises `RestError`."""

    def every(self) -> Iterator[OpenPull]:
        """Yield every open pull request, drafts and those of forks too."""

    def statuses(self, revision: str) -> tuple[PostedStatus, ...]:
        """Return the statuses that a commit has ever had, the newest first."""


class StatusHost(Protocol):
    """What a client can do about the statuses of commits. Every method raises `RestError`."""

    def login(self) -> str:
        """Return who writes with this token."""

    def statuses(self, revision: str) -> tuple[PostedStatus, ...]:
        """Return the statuses that a commit has ever had, the newest first."""

    def set_status(self, revision: str, status: CommitStatus) -> None:
        """Set a status of a commit, given by its full name."""


def newest_of_each(statuses: Iterable[PostedStatus]) -> tuple[PostedStatus, ...]:
    """Return the first status of each name, of a list that has the newest first."""
    newest = dict[str, PostedStatus]()
    for status in statuses:
        newest.setdefault(status.name, status)
    return tuple(newest.values())
