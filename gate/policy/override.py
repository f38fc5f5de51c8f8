"""Overrides: a change ships although the policy stops it.

An override has a reason, an approver who did not contribute to the change, and an end. An approval
that the options of the run state is a claim until the code host confirms it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from gate.dataclass import dataclass
from gate.policy.authors import Authors, Right, bare_name, by_name, is_bot
from gate.slo.quantities import format_duration

MAX_DURATION: Final = timedelta(hours=24)
"""The longest time to the end of an override if the policy does not set one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRule:
    """Whether a policy can be overridden, and how."""

    max_duration: timedelta = MAX_DURATION
    """The longest time from the decision, or the label, to the override's end; zero: no
    overrides."""
    approvers: tuple[str, ...] = ()
    """The possible approvers: people, teams or ``write``; empty: anybody except the author."""
    label: str | None = None
    """The label of a pull request that is an override if one of the approvers has set it."""
    confirmed: bool | None = None
    """Whether the code host must confirm an approval that the options state.

    None: on a pull request, where approvals can be given.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A request to ship although the policy stops the change."""

    reason: str
    approved_by: str
    until: datetime
    """The first instant at which it no longer holds."""
    label: str | None = None
    """The label that the approver set; None: the options of the run requested the override."""
    confirmed: bool = False
    """Whether the code host confirms the approval; otherwise the options of the run claim it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The override that a label on a pull request requests."""

    override: Override | None = None
    why_not: str = ""
    """The reason why the label does not count, or could not be read; empty: no reason."""


AskLabel = Callable[[OverrideRule, datetime], Labelled]
"""A function that looks for the label of a rule, at the instant of the decision."""
AskApprover = Callable[[str, OverrideRule, Authors], Right]
"""A function of an override and the authors; returns whether the approver may approve, and has."""


def named(who: str, rule: OverrideRule, _authors: Authors) -> Right:
    """Return whether a rule names somebody, or allows any approver; the approval is claimed."""
    return by_name(who, rule.approvers or (f"@{bare_name(who)}",))


def refusal(
    override: Override, rule: OverrideRule, *, at: datetime, authors: Authors
) -> str | None:
    """Return the reason why an override cannot count, whoever approves it; None: it can count.

    Args:
        override: the request.
        rule: the rule of the policy.
        at: the instant of the decision.
        authors: the known authors of the change and the requester; none of them may approve.
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
