"""Questions to a code host about people: accounts, approvals, labels and pushes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gate.dataclass import dataclass
from gate.policy.authors import Authors, Profile


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """Who did something."""

    login: str
    bot: bool = False
    number: int = 0
    """The host's own, where it asks for it; 0: it does not."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether somebody is in a team."""

    member: bool
    """True only where the host says so."""
    reason: str = ""
    """The reason why the host cannot say; then ``member`` is False, which means nothing."""


@dataclass(frozen=True, slots=True)
class Setting:
    """That a label was set."""

    by: Account
    at: datetime


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who has approved one commit."""

    accounts: tuple[Account, ...] = ()
    notes: tuple[str, ...] = ()
    """The reason why other approvals do not count, each as a sentence without a full stop."""


class People(Protocol):
    """Questions to a code host about people. Every method raises `RestError`."""

    def authors(self, pull: int, revision: str) -> Authors:
        """Return who opened a pull request, wrote its commits, or pushed them."""

    def writers(self, revision: str) -> Authors:
        """Return who wrote and committed one commit, and what it merges."""

    def queued(self, pull: int, revision: str) -> str | None:
        """Return the commit of a pull request that a merge queue has merged into ``revision``.

        None: the pull request has changed since, or the host does not know.
        """

    def pushed_at(self, pull: int, revision: str) -> datetime | None:
        """Return when a commit became the newest of a pull request, by the host's own clock.

        None: it is not the newest, or the host does not know. The dates that commits carry are
        their authors' to choose.
        """

    def approvers(self, pull: int, revision: str) -> Approvers:
        """Return whose last judgement on a pull request approves this very commit."""

    def label_setting(self, pull: int, label: str) -> Setting | None:
        """Return who last set a label; None: it was removed since, never set, or nobody knows."""

    def account(self, login: str) -> Account:
        """Return the account of a login."""

    def profile(self, account: Account) -> Profile:
        """Return what an account says of itself to everybody."""

    def may_write(self, account: Account) -> bool:
        """Tell whether somebody has the right to push to the repository."""

    def in_team(self, team: str, account: Account) -> Membership:
        """Tell whether somebody is in a team: ``acme/sre``."""


def logins(accounts: Sequence[Account]) -> tuple[str, ...]:
    """Return accounts as a report names them."""
    return tuple(f"@{account.login}" for account in accounts)


def read_instant(text: str) -> datetime:
    """Read an instant of a host's answer.

    Raises:
        ValueError: it is none, or has no offset.
    """
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return read


def is_after(moment: datetime, other: datetime) -> bool:
    """Tell whether one instant of a host is surely after another.

    Hosts report whole seconds, or round elsewhere down to milliseconds: of two instants in
    one second nobody knows which was first.
    """
    return moment.replace(microsecond=0) > other.replace(microsecond=0)
