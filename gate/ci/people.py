"""Who did what on a pull request, and who may: what a code host is asked about people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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
    untold: str = ""
    """Why it cannot be told; then ``member`` is False, which means nothing."""


@dataclass(frozen=True, slots=True)
class Setting:
    """That a label was set."""

    by: Account
    at: datetime


class People(Protocol):
    """What a code host's client tells of people. Every method raises `RestError`."""

    def author(self, pull: int) -> str:
        """Return the login of whoever opened a pull request; empty: the account is no more."""

    def pushed_at(self, pull: int, revision: str) -> datetime | None:
        """Return when a commit became the newest of a pull request, by the host's own clock.

        None: it is not the newest, or the host does not know. The dates that commits carry are
        their authors' to choose.
        """

    def approvers(self, pull: int, revision: str) -> Sequence[Account]:
        """Return whose last judgement on a pull request approves this very commit."""

    def label_setting(self, pull: int, label: str) -> Setting | None:
        """Return who last set a label; None: it was removed since, never set, or nobody knows."""

    def account(self, login: str) -> Account:
        """Return the account of a login."""

    def may_write(self, account: Account) -> bool:
        """Tell whether somebody has the right to push to the repository."""

    def in_team(self, team: str, account: Account) -> Membership:
        """Tell whether somebody is in a team: ``acme/sre``."""


def instant(text: str) -> datetime:
    """Read an instant of a host's answer.

    Raises:
        ValueError: it is none, or has no offset.
    """
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return read
