"""Whether somebody who has the right, and is not the author, stands behind a change's class."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gate.ci.github import Account, GitHub
from gate.ci.rest import RestError
from gate.decision.context import Context
from gate.policy.recognition import Approval, Matcher

WRITE: Final = "write"
"""Stands in a policy for all who may write to the repository."""


@dataclass(slots=True)
class Approvals:
    """The approvals of one pull request, asked of GitHub at most once each."""

    client: GitHub
    context: Context
    """Of a pull request whose revision and author are known."""
    _untold: list[str] = field(default_factory=list)

    def __call__(self, matcher: Matcher) -> Approval:
        """Return who approved this very revision, or set one of the labels, and has the right.

        An earlier approval does not count: what was approved then is not what would ship now.
        """
        self._untold.clear()
        try:
            candidates = dict.fromkeys(self._candidates(matcher))
            by = tuple(f"@{one.login}" for one in candidates if self._entitled(one, matcher))
        except RestError as error:
            return Approval(why_not=str(error))
        if by:
            return Approval(by=by)
        wanted = " or ".join(matcher.approved_by)
        known = "; ".join(dict.fromkeys(self._untold))
        why_not = f"nobody of {wanted} but the author has approved this commit or set the label"
        return Approval(why_not=f"{why_not} ({known})" if known else why_not)

    def _candidates(self, matcher: Matcher) -> Iterator[Account]:
        """Yield the people, other than the author, who have approved or set a label."""
        pull, author = self.context.pull_request, _plain(self.context.author)
        if pull is None or self.context.revision is None or not author:
            return
        accounts = list(self.client.approvers(pull, self.context.revision))
        for label in matcher.labels:
            if label in (self.context.labels or ()):
                accounts += filter(None, [self.client.label_setter(pull, label)])
        yield from (one for one in accounts if not one.bot and _plain(one.login) != author)

    def _entitled(self, account: Account, matcher: Matcher) -> bool:
        return any(self._is(account.login, who) for who in matcher.approved_by)

    def _is(self, login: str, who: str) -> bool:
        if who == WRITE:
            return self.client.may_write(login)
        organisation, slash, team = who.removeprefix("@").partition("/")
        if not slash:
            return _plain(login) == _plain(who)
        membership = self.client.in_team(organisation, team, login)
        if membership.untold:
            self._untold.append(membership.untold)
        return membership.member


def _plain(name: str | None) -> str:
    return (name or "").removeprefix("@").lower()
