"""Break-glass: shipping although the policy says no, for a reason, by somebody else, for a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gate.policy.rights import AskRight, by_name, plain
from gate.slo.quantities import format_duration

LONGEST: Final = timedelta(hours=24)
"""How far ahead an override may end where the policy does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRule:
    """Whether and how a policy lets itself be overridden."""

    max_duration: timedelta = LONGEST
    """From the decision, or the setting of the label, to the override's end; zero: never."""
    approvers: tuple[str, ...] = ()
    """Who may approve one: people, teams or ``write``; empty: anybody but the author."""
    label: str | None = None
    """Of a pull request; where one of the approvers sets it, that is an override."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One that was asked for."""

    reason: str
    approved_by: str
    until: datetime
    """The first instant at which it no longer holds."""
    label: str | None = None
    """That the approver set; None: it was asked for on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What a label on a pull request comes to."""

    override: Override | None = None
    why_not: str = ""
    """Why the label does not count, or could not be looked for; empty: there is none."""


AskLabel = Callable[[OverrideRule, datetime], Labelled]
"""Looks for the label of a rule that has one, at the instant of the decision."""


def refusal(
    override: Override,
    rule: OverrideRule,
    *,
    at: datetime,
    authors: Sequence[str],
    ask: AskRight = by_name,
) -> str | None:
    """Return why an override does not count; None where it does.

    Args:
        override: what was asked for.
        rule: of the policy.
        at: the instant of the decision.
        authors: whose change it is and who asks, as far as known; none of them may approve.
        ask: whether the approver is one whom the rule names; called only where all else is well.
    """
    return next(_flaws(override, rule, at, authors, ask), None)


def _flaws(
    override: Override, rule: OverrideRule, at: datetime, authors: Sequence[str], ask: AskRight
) -> Iterator[str]:
    who, longest = override.approved_by, format_duration(rule.max_duration)
    flaws = {
        "the policy allows none": not rule.max_duration,
        "it has no reason": not override.reason.strip(),
        "it names nobody who approved it": not plain(who),
        f"{who} cannot approve a change of their own": plain(who) in map(plain, authors),
        "its end has passed": override.until <= at,
        f"it ends later than the {longest} that the policy allows": (
            override.until - at > rule.max_duration
        ),
    }
    yield from (flaw for flaw, found in flaws.items() if found)
    right = ask(who, rule.approvers) if rule.approvers else None
    if right is not None and not right.holds:
        untold = f" ({right.untold})" if right.untold else ""
        yield f"{who} may not approve it; {' or '.join(rule.approvers)} may{untold}"
