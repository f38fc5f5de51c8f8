"""What code hosts tell of people, and which approvals and overrides count by it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from gate.decision.decision import Context
from gate.hosts import RestError
from gate.hosts.comments import Commenter
from gate.policy.changes import Approval, ChangeMatcher
from gate.policy.override import (
    WRITE,
    Labelled,
    Override,
    OverrideRule,
    Right,
    bare_name,
    by_name,
    is_group,
    refusal,
)


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
    """Why the host cannot say; then ``member`` is False, which means nothing."""


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


def read_instant(text: str) -> datetime:
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
            return self.of(self.people.account(bare_name(who)), wanted)
        except RestError as error:
            return Right(holds=False, reason=str(error))

    def of(self, account: Account, wanted: Sequence[str]) -> Right:
        """Return whether an account is one of them; a bot never is.

        Raises:
            RestError: the host does not answer as it should.
        """
        if account.bot:
            return Right(holds=False, reason=f"@{account.login} is a bot")
        if by_name(account.login, wanted).holds:
            return Right(holds=True)
        reasons = list[str]()
        for group in filter(is_group, wanted):
            if group == WRITE:
                holds = self.people.may_write(account)
            else:
                membership = self.people.in_team(group.removeprefix("@"), account)
                holds = membership.member
                reasons += filter(None, [membership.reason])
            if holds:
                return Right(holds=True)
        return Right(holds=False, reason="; ".join(reasons))


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
        rights, by, refusals = Rights(self.people), [], []
        for account in dict.fromkeys(self._candidates(matcher)):
            right = rights.of(account, matcher.approved_by)
            if right.holds:
                by.append(f"@{account.login}")
            refusals.append(right.reason)
        if by:
            return Approval(by=tuple(by))
        wanted = " or ".join(matcher.approved_by)
        reasons = "; ".join(filter(None, dict.fromkeys(refusals)))
        why_not = (
            f"nobody of {wanted} but the author has approved this commit or set the label on it"
        )
        return Approval(why_not=f"{why_not} ({reasons})" if reasons else why_not)

    def _candidates(self, matcher: ChangeMatcher) -> Iterator[Account]:
        """Yield the people, other than the author, who have approved or set a label."""
        pull, revision = self.context.pull_request, self.context.revision
        author = bare_name(self.people.author(pull)) if pull is not None and revision else ""
        if pull is None or revision is None or not author:
            return
        accounts = [*self.people.approvers(pull, revision)]
        for label in matcher.labels:
            setting = self.people.label_setting(pull, label)
            pushed = None if setting is None else self.people.pushed_at(pull, revision)
            if setting is not None and pushed is not None and pushed <= setting.at:
                accounts.append(setting.by)
        yield from (account for account in accounts if bare_name(account.login) != author)


_LINE: Final = "Gate-Override"
"""Begins the line of a comment that says why."""
_REASON: Final = re.compile(rf"^[ \t]*{_LINE}:(.*)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LabelOverride:
    """The label of one pull request."""

    people: People
    commenter: Commenter
    context: Context

    def __call__(self, rule: OverrideRule, at: datetime) -> Labelled:
        """Return the override that the label of a rule stands for, or why it stands for none.

        It ends as long after the label was set as the rule allows, and its reason is in the
        latest comment with such a line that the same person wrote. It is for the commit that the
        label was set on: one that was pushed later takes another setting.
        """
        pull, label = self.context.pull_request, rule.label
        if pull is None or label is None:
            return Labelled()
        try:
            setting = self.people.label_setting(pull, label)
            return Labelled() if setting is None else self._judged(setting, rule, pull, at)
        except RestError as error:
            return Labelled(why_not=f"the label {label} does not count: {error}")

    def _judged(self, setting: Setting, rule: OverrideRule, pull: int, at: datetime) -> Labelled:
        override = Override(
            reason=self._reason(setting, pull),
            approved_by=f"@{setting.by.login}",
            # Not above what the rule allows where the clocks of host and runner differ.
            until=min(setting.at, at) + rule.max_duration,
            label=rule.label,
        )
        flaw = next(self._flaws(override, setting, rule, pull, at), None)
        if flaw is None:
            return Labelled(override=override)
        return Labelled(why_not=f"the label {rule.label} does not count: {flaw}")

    def _flaws(
        self, override: Override, setting: Setting, rule: OverrideRule, pull: int, at: datetime
    ) -> Iterator[str]:
        who = override.approved_by
        if not override.reason:
            yield f"{who} has not said why, in a comment with the line {_LINE}: REASON"
        pushed = self.people.pushed_at(pull, self.context.revision or "")
        if pushed is None:
            yield "this is not the newest commit, or nobody knows when it was pushed"
        elif setting.at < pushed:
            yield f"{who} set it before this commit was pushed; take it off and set it anew"
        author = self.people.author(pull)
        if not author:
            yield "nobody knows whose change this is"

        def ask(_who: str, wanted: Sequence[str]) -> Right:
            return Rights(self.people).of(setting.by, wanted)

        named = replace(rule, approvers=rule.approvers or (WRITE,))
        yield from filter(None, [refusal(override, named, at=at, authors=[author], ask=ask)])

    def _reason(self, setting: Setting, pull: int) -> str:
        comments = sorted(self.commenter.comments(pull), key=lambda comment: -comment.id)
        bodies = (c.body for c in comments if bare_name(c.author) == bare_name(setting.by.login))
        reasons = (line.strip() for body in bodies for line in _REASON.findall(body))
        return next(filter(None, reasons), "")
