"""Questions to a code host about changes: pull requests, their statuses, commits, live commits."""

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
    """A pull request in its current state."""

    number: int
    title: str
    labels: tuple[str, ...]
    head: str
    """Its newest commit; for a merged one, the commit that was merged."""
    base_branch: str
    """The branch that it goes into; its author may choose another one later."""
    merged: bool


@dataclass(frozen=True, slots=True)
class Deployed:
    """A successful deployment."""

    revision: str
    at: datetime


class ChangeHost(Protocol):
    """A code host's client. Every method raises `RestError` if the host does not answer."""

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request."""

    def pull_requests_of(self, revision: str) -> Sequence[PullRequest]:
        """Return the pull requests by which a commit came or comes; empty for a direct push."""

    def pull_changes(self, number: int) -> Changeset:
        """Return the changes of a pull request; None for parts that the host cuts."""

    def between(self, live: str, head: str) -> Changeset:
        """Return the changes between two commits; refused unless the first is an ancestor."""

    def goes_back(self, live: str, head: str) -> bool:
        """Return whether ``head`` is the live commit, or older than it."""

    def live(self, environment: str) -> Deployed | None:
        """Return the live deployment of an environment; None: there never was one."""

    def was_live(self, environment: str, revision: str) -> datetime | None:
        """Return when a commit went live in an environment; None: never."""


def commit_of(message: str) -> ChangeCommit:
    """Return a commit with the facts from its message, which is all that the host reports.

    The trailers are those of the last paragraph if each of its lines is a trailer; git is more
    lenient, and so finds more trailers (https://git-scm.com/docs/git-interpret-trailers).
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
    """An open pull request: the texts that its author chose, and its commits."""

    number: int
    revision: str
    """The newest commit."""
    branch: str
    base: str
    """The commit that its target branch had when the host last checked it."""
    base_branch: str
    title: str
    labels: tuple[str, ...]
    author: str
    """Login; empty: the account was deleted."""


class OpenPulls(Protocol):
    """The questions to a code host about open pull requests. Every method raises `RestError`."""

    def every(self) -> Iterator[OpenPull]:
        """Yield every open pull request, also drafts and those of forks."""

    def statuses(self, revision: str) -> tuple[PostedStatus, ...]:
        """Return the statuses that a commit has ever had, the newest first."""


class StatusHost(Protocol):
    """The operations on the statuses of commits. Every method raises `RestError`."""

    def login(self) -> str:
        """Return the account of this token."""

    def statuses(self, revision: str) -> tuple[PostedStatus, ...]:
        """Return the statuses that a commit has ever had, the newest first."""

    def set_status(self, revision: str, status: CommitStatus) -> None:
        """Set a status of a commit, given by its full name."""


def newest_of_each(statuses: Iterable[PostedStatus]) -> tuple[PostedStatus, ...]:
    """Return the first status of each name in a list that has the newest first."""
    newest = dict[str, PostedStatus]()
    for status in statuses:
        newest.setdefault(status.name, status)
    return tuple(newest.values())
