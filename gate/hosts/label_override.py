"""An override by a label on a pull request: who set it, when, and why, all asked of the host."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gate.decision.decision import Context
from gate.hosts.comments import Commenter
from gate.hosts.people import People, Rights, Setting
from gate.hosts.rest import RestError
from gate.policy.override import Labelled, Override, OverrideRule, refusal
from gate.policy.rights import WRITE, Right, plain

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
        comments = sorted(self.commenter.comments(pull), key=lambda one: -one.id)
        theirs = (one for one in comments if plain(one.author) == plain(setting.by.login))
        reasons = (line.strip() for one in theirs for line in _REASON.findall(one.body))
        return next(filter(None, reasons), "")
