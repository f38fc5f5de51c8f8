"""What the user asked for in one run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gate.budget.impact import Impact
from gate.decision.context import Context
from gate.policy.override import AskLabel, Labelled, Override, OverrideRule
from gate.policy.recognition import Approval, Approve, ChangeFacts, Matcher
from gate.policy.rights import AskRight, by_name

DEFAULT_TIMEOUT: Final = timedelta(seconds=60)


def nothing_known() -> ChangeFacts:
    """Return that nothing is known of the change, which rules no class out."""
    return ChangeFacts(paths=None, labels=None, branches=None, subjects=None, trailers=None)


def nobody(_matcher: Matcher) -> Approval:
    """Return that no approval can be asked for here."""
    return Approval(why_not="there is no pull request whose approvals could be read")


def no_label(_rule: OverrideRule, _at: datetime) -> Labelled:
    """Return that there is no pull request here that could have a label."""
    return Labelled()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The whole of it; the files and the network are behind the functions."""

    at: datetime
    """The one instant of the run."""
    change: str | None = None
    """The change class; None: it is recognised."""
    facts: Callable[[], ChangeFacts] = nothing_known
    """Finds out what is known of the change; called once at most, if a policy needs it."""
    approve: Approve = nobody
    context: Context = field(default_factory=lambda: Context(system="none"))
    satisfied: Mapping[str, str] = field(default_factory=dict)
    """Requirement -> evidence."""
    impact: Impact | None = None
    override: Override | None = None
    labelled: AskLabel = no_label
    """Looks for an override by a label; called only where a change may not ship without one."""
    entitled: AskRight = by_name
    """Tells whether whoever approved ``override`` is one of those whom a policy names."""
    also: tuple[timedelta, ...] = ()
    """Windows whose burn rates are wanted beside those that the policy needs."""
    observe: bool = False
    fail_on_warn: bool = False
    timeout: timedelta = DEFAULT_TIMEOUT
    key: bytes | None = field(default=None, repr=False)
    """Signs the decision."""
