"""Overrides: shipping although the policy says no.

An override has a reason, an approver who has no part in the change, and an end. That somebody has
approved it is a claim where the options of the run say so, until the code host says so, too.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from gate.dataclass import dataclass
from gate.policy.authors import Authors
from gate.policy.logins import Right, bare_name, by_name, is_bot
from gate.slo.quantities import format_duration

MAX_DURATION: Final = timedelta(hours=24)
"""How far ahead an override may end where the policy does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRule:
    """Whether and how a policy lets itself be overridden."""

    max_duration: timedelta = MAX_DURATION
    """The longest time from the decision, or the label, to the override's end; zero: none."""
    approvers: tuple[str, ...] = ()
    """Who may approve one: people, teams or ``write``; empty: anybody but the author."""
    label: str | None = None
    """The label of a pull request; where one of the approvers sets it, that is an override."""
    confirmed: bool | None = None
    """Whether the code host must say that the approver has approved, where options name them.

    None: on a pull request, where approvals can be given.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A request to ship although the policy says no."""

    reason: str
    approved_by: str
    until: datetime
    """The first instant at which it no longer holds."""
    label: str | None = None
    """The label that the approver set; None: the options of the run requested it."""
    confirmed: bool = False
    """The code host says that the approver has approved; else the options of the run claim it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The override that a label on a pull request requests."""

    override: Override | None = None
    why_not: str = ""
    """The reason why the label does not count, or could not be looked for; empty: no reason."""


AskLabel = Callable[[OverrideRule, datetime], Labelled]
"""Looks for the label of a rule that has one, at the instant of the decision."""


AskApprover = Callable[[str, OverrideRule, Authors], Right]
"""From whom an override names, and whose change it is, to whether they may approve and have."""


def named(who: str, rule: OverrideRule, _authors: Authors) -> Right:
    """Return whether a rule names somebody, or lets anybody approve; that they have is claimed."""
    return by_name(who, rule.approvers or (f"@{bare_name(who)}",))


def refusal(
    override: Override, rule: OverrideRule, *, at: datetime, authors: Authors
) -> str | None:
    """Return the reason why an override cannot count, whoever approves it; None: it can.

    Args:
        override: the request.
        rule: of the policy.
        at: the instant of the decision.
        authors: whose change it is and who asks, as far as known; none of them may approve.
    """
    who, longest = override.approved_by, format_duration(rule.max_duration)
    part = authors.part(who.strip())
    flaws = {
        "the policy allows none": not rule.max_duration,
        "it has no reason": not override.reason.strip(),
        "it names nobody who approved it": not who.strip().strip("@"),
        f"{who.strip()} cannot approve a change of their own: they {part}": bool(part),
        f"{who!r} is not a login that GitHub or GitLab can have; write it as @grace": (
            not bare_name(who)
        ),
        f"{who} is a bot, and a bot approves nothing": is_bot(bare_name(who)),
        f"nobody can be distinguished from the author: {authors.unknown}": bool(authors.unknown),
        "its end has passed": override.until <= at,
        f"it ends later than the {longest} that the policy allows": (
            override.until - at > rule.max_duration
        ),
    }
    return next((flaw for flaw, holds in flaws.items() if holds), None)


def misfit(who: str, rule: OverrideRule, right: Right) -> str | None:
    """Return the reason why somebody may not approve an override; None: they may."""
    if right.holds:
        return None
    reason = f" ({right.reason})" if right.reason else ""
    may = f"; {' or '.join(rule.approvers)} may" if rule.approvers else ""
    return f"{who} may not approve it{may}{reason}"
