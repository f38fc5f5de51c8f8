"""What a code host shows beside a commit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from gate.decision.decision import Context
from gate.hosts import RestError
from gate.policy.recognition import Approval, ChangeMatcher
from gate.policy.rights import WRITE, Right, by_name, is_group, plain

State = Literal["success", "warning", "failure", "error"]
"""``warning``: the command's exit code 11, which a workflow fails on and GitLab lets pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """A verdict as a code host shows it; each has fewer states of its own."""

    state: State
    name: str
    """Of the check; another of the same name is replaced."""
    description: str
    """One line; cut where it is too long."""
    url: str | None
    """Of the page that has more; None: there is none."""


def shortened(text: str, most: int) -> str:
    """Return a text of so many characters at most."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


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


@dataclass(frozen=True, slots=True)
class Rights:
    """Of the people of one code host."""

    people: People

    def __call__(self, who: str, wanted: Sequence[str]) -> Right:
        """Return whether a name is that of one of them; the host is asked only about groups."""
        if by_name(who, wanted).holds or not any(map(is_group, wanted)):
            return by_name(who, wanted)
        try:
            return self.of(self.people.account(plain(who)), wanted)
        except RestError as error:
            return Right(holds=False, untold=str(error))

    def of(self, account: Account, wanted: Sequence[str]) -> Right:
        """Return whether an account is one of them; a bot never is.

        Raises:
            RestError: the host does not answer as it should.
        """
        if account.bot:
            return Right(holds=False, untold=f"@{account.login} is a bot")
        if by_name(account.login, wanted).holds:
            return Right(holds=True)
        untold = list[str]()
        for group in filter(is_group, wanted):
            if group == WRITE:
                holds = self.people.may_write(account)
            else:
                membership = self.people.in_team(group.removeprefix("@"), account)
                holds = membership.member
                untold += filter(None, [membership.untold])
            if holds:
                return Right(holds=True)
        return Right(holds=False, untold="; ".join(untold))


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals of one pull request, asked of its code host."""

    people: People
    context: Context
    """Of a pull request whose revision is known."""

    def __call__(self, matcher: ChangeMatcher) -> Approval:
        """Return who approved this very revision, or set one of the labels on it.

        Whoever did so for an earlier commit does not count: what was approved then is not what
        would ship now.
        """
        try:
            return self._ask(matcher)
        except RestError as error:
            return Approval(why_not=str(error))

    def _ask(self, matcher: ChangeMatcher) -> Approval:
        rights, by, untold = Rights(self.people), [], []
        for account in dict.fromkeys(self._candidates(matcher)):
            right = rights.of(account, matcher.approved_by)
            if right.holds:
                by.append(f"@{account.login}")
            untold.append(right.untold)
        if by:
            return Approval(by=tuple(by))
        wanted = " or ".join(matcher.approved_by)
        known = "; ".join(filter(None, dict.fromkeys(untold)))
        why_not = (
            f"nobody of {wanted} but the author has approved this commit or set the label on it"
        )
        return Approval(why_not=f"{why_not} ({known})" if known else why_not)

    def _candidates(self, matcher: ChangeMatcher) -> Iterator[Account]:
        """Yield the people, other than the author, who have approved or set a label."""
        pull, revision = self.context.pull_request, self.context.revision
        author = plain(self.people.author(pull)) if pull is not None and revision else ""
        if pull is None or revision is None or not author:
            return
        accounts = [*self.people.approvers(pull, revision)]
        for label in matcher.labels:
            setting = self.people.label_setting(pull, label)
            pushed = None if setting is None else self.people.pushed_at(pull, revision)
            if setting is not None and pushed is not None and pushed <= setting.at:
                accounts.append(setting.by)
        yield from (one for one in accounts if plain(one.login) != author)
