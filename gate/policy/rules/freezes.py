"""The rule about freezes: whether one holds, and when it ends."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from gate.policy.case import Case
from gate.policy.findings import Finding, Rule
from gate.policy.rule_settings import Freeze


def findings(case: Case) -> Iterator[Finding]:
    """Yield a finding for every freeze that holds, with its end, even if it allows the change."""
    for freeze in case.policy.freezes:
        if freeze.holds(case.at):
            reason = f"frozen: {freeze.reason}"
            finding = case.fired(Rule.FREEZE, reason, slo=None, allow=freeze.allow)
            yield replace(finding, until=freeze.end)


def after_freezes(freezes: Sequence[Freeze], change: str, at: datetime) -> datetime | None:
    """Return the first instant, ``at`` or later, at which no freeze stops a change.

    None if a freeze that stops it has no known end.
    """
    again: datetime | None = at
    for freeze in sorted(freezes, key=lambda freeze: freeze.start):
        if again is not None and freeze.stops(change, again):
            again = freeze.end
    return again
