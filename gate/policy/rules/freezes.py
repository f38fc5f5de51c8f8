"""Whether the calendar is closed, and when it opens."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from gate.policy.case import Case
from gate.policy.findings import Finding, Rule
from gate.policy.rule_settings import Freeze


def findings(case: Case) -> Iterator[Finding]:
    """Yield a finding for every freeze that holds; each says when it ends, whatever it allows."""
    for freeze in case.policy.freezes:
        if freeze.holds(case.at):
            reason = f"frozen: {freeze.reason}"
            finding = case.fired(Rule.FREEZE, reason, slo=None, allow=freeze.allow)
            yield replace(finding, until=freeze.end)


def after_freezes(freezes: Sequence[Freeze], change: str, at: datetime) -> datetime | None:
    """Return the first instant, ``at`` or later, at which no freeze stops a change.

    None where one that stops it has no known end.
    """
    again: datetime | None = at
    for freeze in sorted(freezes, key=lambda freeze: freeze.start):
        if again is not None and freeze.stops(change, again):
            again = freeze.end
    return again
