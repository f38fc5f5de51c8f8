"""Overrides that a code host is asked about: by a label, or by the options of a run."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from gate.dataclass import dataclass
from gate.decision.decision import Context
from gate.hosts import RestError
from gate.hosts.accounts import People, Setting, is_after
from gate.hosts.comments import Commenter
from gate.hosts.people import Rights, Vouchers, named_by, requests
from gate.policy.authors import WRITE, Authors, Right, bare_name
from gate.policy.override import Labelled, Override, OverrideRule, misfit, refusal

_LINE: Final = "Gate-Override"
"""The beginning of the line in a comment that gives the reason."""
_REASON: Final = re.compile(rf"^[ \t]*{_LINE}:(.*)$", re.IGNORECASE | re.MULTILINE)


def whose(people: People, context: Context) -> Authors:
    """Return the authors of the change, by the event and by the code host."""
    pull, revision = context.pull_request, context.revision
    try:
        if revision is None:
            by_host = Authors(unknown="no commit is known")
        elif pull is None:
            by_host = people.writers(revision)
        else:
            by_host = people.authors(pull, revision)
    except RestError as error:
        by_host = Authors(unknown=str(error))
    return by_host + named_by(context)


@dataclass(frozen=True, slots=True)
class ClaimedApprover:
    """The approver of an override that the options of a run name."""

    people: People
    context: Context

    def __call__(self, who: str, rule: OverrideRule, authors: Authors) -> Right:
        """Return whether they may approve it, and whether the code host confirms that they have."""
        right = Rights(self.people, authors)(who, rule.approvers or (WRITE,))
        if not right.holds:
            return right
        try:
            return self._confirmed(bare_name(who), rule)
        except RestError as error:
            return Right(holds=True, reason=str(error))

    def _confirmed(self, name: str, rule: OverrideRule) -> Right:
        """Return whether somebody has approved every pull request of the run."""
        labels, notes = filter(None, [rule.label]), list[str]()
        approved = [
            revision is not None
            and name
            in {
                bare_name(account.login)
                for account in Vouchers(self.people, pull, revision).approvers(tuple(labels), notes)
            }
            for pull, revision in requests(self.people, self.context)
        ]
        confirmed = bool(approved) and all(approved)
        return Right(holds=True, confirmed=confirmed, reason="; ".join(notes))


@dataclass(frozen=True, slots=True)
class LabelOverride:
    """The label of one pull request."""

    people: People
    commenter: Commenter
    context: Context

    def __call__(self, rule: OverrideRule, at: datetime) -> Labelled:
        """Return the override that the label of a rule requests, or why it does not count.

        It ends after the rule's time from the setting of the label. Its reason is in the latest
        comment with such a line from the same person. It counts for the commit that was the newest
        when the label was set; after a further push, the label must be set again.
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
            # The end must not exceed the rule's limit if the clocks of host and runner differ.
            until=min(setting.at, at) + rule.max_duration,
            label=rule.label,
            confirmed=True,
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
            yield "this is not the newest commit, or it is not known when it was pushed"
        elif is_after(pushed, setting.at):
            yield f"{who} set it before this commit was pushed; remove it and set it again"
        elif not is_after(setting.at, pushed):
            yield f"{who} set it in the second of the push; remove it and set it again"
        authors = whose(self.people, self.context)
        yield from filter(None, [refusal(override, rule, at=at, authors=authors)])
        right = Rights(self.people, authors).of(setting.by, rule.approvers or (WRITE,))
        yield from filter(None, [misfit(who, rule, right)])

    def _reason(self, setting: Setting, pull: int) -> str:
        who = bare_name(setting.by.login)
        comments = sorted(self.commenter.comments(pull), key=lambda comment: -comment.id)
        bodies = (comment.body for comment in comments if bare_name(comment.author) == who)
        reasons = (line.strip() for body in bodies for line in _REASON.findall(body))
        return next(filter(None, reasons), "") if who else ""
