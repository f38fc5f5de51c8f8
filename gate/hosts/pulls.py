"""Questions to a code host about changes: pull requests, their statuses, commits, what is live."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, Protocol

from gate.dataclass import dataclass
from gate.hosts import CommitStatus, PostedStatus
from gate.hosts.span import Changeset
from gate.policy.changes import ChangeCommit

_PARAGRAPH: Final = "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as it is now."""

    number: int
    title: str
    labels: tuple[str, ...]
    head: str
    """Its newest commit; of a merged one the commit that was merged."""
    base_branch: str
    """That it goes into; its author may choose another one later."""
    merged: bool


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment that succeeded."""

    revision: str
    at: datetime


class ChangeHost(Protocol):
    """A code host's client. Every method raises `RestError` where the host has no answer."""

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request."""

    def pull_requests_of(self, revision: str) -> Sequence[PullRequest]:
        """Return the pull requests that a commit came or comes by; of a direct push none."""

    def pull_changes(self, number: int) -> Changeset:
        """Return what a pull request changes; of what the host cuts None."""

    def between(self, live: str, head: str) -> Changeset:
        """Return what lies between two commits; refused unless the first is an ancestor."""

    def goes_back(self, live: str, head: str) -> bool:
        """Tell whether ``head`` is what is live, or older than it."""

    def live(self, environment: str) -> Deployed | None:
        """Return what is live in an environment; None: nothing ever was."""

    def was_live(self, environment: str, revision: str) -> datetime | None:
        """Return when a commit went live in an environment; None: it never did."""


def commit_of(message: str) -> ChangeCommit:
    """Return a commit from its message, which is all that the host reports.

    The trailers are those of the last paragraph where each of its lines is one: git is more
    lenient, and so finds more of them (https://git-scm.com/docs/git-interpret-trailers).
    """
    _, _, last = message.strip().rpartition(_PARAGRAPH)
    pairs = [line.partition(":") for line in last.split("\n")]
    whole = all(
        colon and key and not key.startswith(" ") and " " not in key for key, colon, _ in pairs
    )
    trailers = [(key, value.strip()) for key, _, value in pairs] if whole else []
    return ChangeCommit(message=message, trailers=trailers if _PARAGRAPH in message.strip() else ())


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
    """Questions to a code host about open pull requests. Every method raises `RestError`."""

    def every(self) -> Iterator[OpenPull]:
        """Yield every open pull request, drafts and those of forks too."""

    def statuses(self, revision: str) -> tuple[PostedStatus, ...]:
        """Return the statuses that a commit has ever had, the newest first."""


class StatusHost(Protocol):
    """The operations on the statuses of commits. Every method raises `RestError`."""

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
