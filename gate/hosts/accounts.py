"""Questions to a code host about people: accounts, approvals, labels and pushes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gate.dataclass import dataclass
from gate.policy.authors import Authors, Profile


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """The account of somebody who did something."""

    login: str
    bot: bool = False
    number: int = 0
    """The host's own number; 0 if the host does not use it in questions."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether somebody is in a team."""

    member: bool
    """True only if the host says so."""
    reason: str = ""
    """The reason why the host cannot say; then ``member`` is False without a meaning."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The event that a label was set."""

    by: Account
    at: datetime


@dataclass(frozen=True, slots=True)
class Approvers:
    """The accounts that have approved a commit."""

    accounts: tuple[Account, ...] = ()
    notes: tuple[str, ...] = ()
    """The reason why other approvals do not count, each as a sentence without a full stop."""


class People(Protocol):
    """The questions to a code host about people. Every method raises `RestError`."""

    def authors(self, pull: int, revision: str) -> Authors:
        """Return the accounts that opened a pull request, wrote its commits, or pushed them."""

    def writers(self, revision: str) -> Authors:
        """Return the authors and committers of a commit, and of the commits that it merges."""

    def queued(self, pull: int, revision: str) -> str | None:
        """Return the commit of a pull request that a merge queue has merged into ``revision``.

        None: the pull request has changed since, or the host does not know.
        """

    def pushed_at(self, pull: int, revision: str) -> datetime | None:
        """Return when a commit became the newest of a pull request, by the host's own clock.

        None: it is not the newest, or the host does not know. The dates in commits do not count,
        since their authors choose them.
        """

    def approvers(self, pull: int, revision: str) -> Approvers:
        """Return the accounts whose last review of a pull request approves exactly this commit."""

    def label_setting(self, pull: int, label: str) -> Setting | None:
        """Return who last set a label; None: it is not set, or its history is unknown."""

    def account(self, login: str) -> Account:
        """Return the account of a login."""

    def profile(self, account: Account) -> Profile:
        """Return the public profile of an account."""

    def may_write(self, account: Account) -> bool:
        """Return whether an account has the right to push to the repository."""

    def in_team(self, team: str, account: Account) -> Membership:
        """Return whether an account is in a team: ``acme/sre``."""


def logins(accounts: Sequence[Account]) -> tuple[str, ...]:
    """Return the names of accounts for a report."""
    return tuple(f"@{account.login}" for account in accounts)


def read_instant(text: str) -> datetime:
    """Read an instant in a host's answer.

    Raises:
        ValueError: it is not an instant, or has no offset.
    """
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return read


def is_after(moment: datetime, other: datetime) -> bool:
    """Return whether one instant of a host is certainly later than another.

    Hosts report whole seconds, or round to milliseconds down or up: the order of two instants in
    one second is unknown.
    """
    return moment.replace(microsecond=0) > other.replace(microsecond=0)
