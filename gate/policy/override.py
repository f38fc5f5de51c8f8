"""Break-glass: shipping although the policy says no, for a reason, by somebody else, for a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gate.slo.duration import format_duration

LONGEST: Final = timedelta(hours=24)
"""How far ahead an override may end where the policy does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRule:
    """Whether and how a policy lets itself be overridden."""

    longest: timedelta = LONGEST
    """From the decision to the override's end, at most; zero: never."""
    approvers: tuple[str, ...] = ()
    """Who may approve one; empty: anybody but the author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One that was asked for."""

    reason: str
    approved_by: str
    until: datetime
    """The first instant at which it no longer holds."""


def refusal(
    override: Override, rule: OverrideRule, *, at: datetime, authors: Sequence[str]
) -> str | None:
    """Return why an override does not count; None where it does.

    Args:
        override: what was asked for.
        rule: of the policy.
        at: the instant of the decision.
        authors: whose change it is and who asks, as far as known; none of them may approve.
    """
    who, approver = override.approved_by, _plain(override.approved_by)
    longest = format_duration(rule.longest)
    flaws = {
        "the policy allows none": not rule.longest,
        "it has no reason": not override.reason.strip(),
        "it names nobody who approved it": not approver,
        f"{who} cannot approve a change of their own": approver in map(_plain, authors),
        f"{who} may not approve it; {' or '.join(rule.approvers)} may": (
            bool(rule.approvers) and approver not in map(_plain, rule.approvers)
        ),
        "its end has passed": override.until <= at,
        f"it ends later than the {longest} that the policy allows": (
            override.until - at > rule.longest
        ),
    }
    return next((flaw for flaw, found in flaws.items() if found), None)


def _plain(name: str) -> str:
    return name.strip().removeprefix("@").lower()
