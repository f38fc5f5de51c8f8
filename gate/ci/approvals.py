"""Whether somebody who has the right, and is not the author, stands behind a change's class."""

from collections.abc import Iterator
from dataclasses import dataclass

from gate.ci.people import Account, People
from gate.ci.rest import RestError
from gate.ci.rights import Rights
from gate.decision.context import Context
from gate.policy.recognition import Approval, Matcher
from gate.policy.rights import plain


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals of one pull request, asked of its code host."""

    people: People
    context: Context
    """Of a pull request whose revision is known."""

    def __call__(self, matcher: Matcher) -> Approval:
        """Return who approved this very revision, or set one of the labels on it.

        Whoever did so for an earlier commit does not count: what was approved then is not what
        would ship now.
        """
        try:
            return self._ask(matcher)
        except RestError as error:
            return Approval(why_not=str(error))

    def _ask(self, matcher: Matcher) -> Approval:
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

    def _candidates(self, matcher: Matcher) -> Iterator[Account]:
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
