"""Whom a policy names to approve, and overrides: shipping although the policy says no.

A policy names people (``@ada``), teams (``@acme/sre``), and all who may ``write``. An override has
a reason, an approver other than the author, and an end.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gate.slo.quantities import format_duration

WRITE: Final = "write"
"""Stands in a policy for all who may write to the repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Whether somebody is one of those whom a policy names."""

    holds: bool
    """True only where it is known."""
    reason: str = ""
    """What could not be found out; it might have made the difference."""


AskRight = Callable[[str, Sequence[str]], Right]
"""From a name and those whom a policy names to whether it is one of them."""


def bare_name(name: str) -> str:
    """Return a name as it is compared."""
    return name.strip().removeprefix("@").lower()


def by_name(who: str, wanted: Sequence[str]) -> Right:
    """Return whether a policy names somebody themselves; who is in a team is not looked up."""
    groups = [name for name in wanted if is_group(name)]
    if bare_name(who) in {bare_name(name) for name in wanted if name not in groups}:
        return Right(holds=True)
    reason = f"who is among {' or '.join(groups)} cannot be asked here" if groups else ""
    return Right(holds=False, reason=reason)


def is_group(name: str) -> bool:
    """Tell whether a name in a policy stands for several people, whom a code host knows."""
    return name == WRITE or "/" in name


MAX_DURATION: Final = timedelta(hours=24)
"""How far ahead an override may end where the policy does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRule:
    """Whether and how a policy lets itself be overridden."""

    max_duration: timedelta = MAX_DURATION
    """From the decision, or the setting of the label, to the override's end; zero: never."""
    approvers: tuple[str, ...] = ()
    """Who may approve one: people, teams or ``write``; empty: anybody but the author."""
    label: str | None = None
    """Of a pull request; where one of the approvers sets it, that is an override."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A request to ship although the policy says no."""

    reason: str
    approved_by: str
    until: datetime
    """The first instant at which it no longer holds."""
    label: str | None = None
    """The label that the approver set; None: the options of the run requested it."""


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
        override: the request.
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
        "it names nobody who approved it": not bare_name(who),
        f"{who} cannot approve a change of their own": bare_name(who) in map(bare_name, authors),
        "its end has passed": override.until <= at,
        f"it ends later than the {longest} that the policy allows": (
            override.until - at > rule.max_duration
        ),
    }
    yield from (flaw for flaw, holds in flaws.items() if holds)
    right = ask(who, rule.approvers) if rule.approvers else None
    if right is not None and not right.holds:
        reason = f" ({right.reason})" if right.reason else ""
        yield f"{who} may not approve it; {' or '.join(rule.approvers)} may{reason}"
