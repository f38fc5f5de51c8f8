"""The options of one run, and the override that counts in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gate.budget.forecast import Impact
from gate.config.load import PolicyFile
from gate.decision.decision import Context, PolicyDecision, exit_code
from gate.errors import ExitCode, UsageError
from gate.policy.changes import Approval, Approve, ChangeFacts, ChangeMatcher, Live
from gate.policy.override import (
    AskLabel,
    AskRight,
    Labelled,
    Override,
    OverrideRule,
    by_name,
    refusal,
)

DEFAULT_TIMEOUT: Final = timedelta(seconds=60)


AskFacts = Callable[[Live | None], ChangeFacts]
"""Finds out what is known of a change, where a policy says so of what is live."""


def nothing_known(_live: Live | None) -> ChangeFacts:
    """Return that nothing is known of the change, which rules no class out."""
    return ChangeFacts(paths=None, labels=None, branches=None, commits=None, titles=None)


def nobody(_matcher: ChangeMatcher, _facts: ChangeFacts) -> Approval:
    """Return that no approval can be looked up here."""
    return Approval(why_not="there is no pull request whose approvals could be read")


def no_label(_rule: OverrideRule, _at: datetime) -> Labelled:
    """Return that there is no pull request here that could have a label."""
    return Labelled()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What one run is to do; the files and the network are behind the functions."""

    at: datetime
    """The one instant of the run."""
    change: str | None = None
    """The change class; None: it is recognised."""
    change_from: str = "request"
    """What states ``change``, as the decision names it: the flag of a command line."""
    facts: AskFacts = nothing_known
    """Called once at most for each such word of the policies, if one of them needs it."""
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


def check_override(file: PolicyFile, options: Options) -> None:
    """Let the override of the options pass only where a policy lets itself be overridden.

    Raises:
        UsageError: it does not count under this policy.
    """
    if options.override is None:
        return
    authors = [who for who in (options.context.author, options.context.actor) if who]
    flaw = refusal(
        options.override,
        file.policy.overrides,
        at=options.at,
        authors=authors,
        ask=options.entitled,
    )
    if flaw is not None:
        raise UsageError(f"the override does not count under {file.source.path}: {flaw}")


def overriding(decided: Sequence[PolicyDecision], options: Options) -> Labelled:
    """Return the override that counts: that of the options, else one by a label.

    Of several policies each that stops the change must have a label that overrides it; of these
    overrides the one that ends first counts.
    """
    if options.override is not None:
        return Labelled(override=options.override)
    rules = [decision.policy.overrides for decision in decided if _stops(decision, options)]
    if not all(rule.label for rule in rules):
        return Labelled()
    answers = [options.labelled(rule, options.at) for rule in dict.fromkeys(rules)]
    overrides = [answer.override for answer in answers if answer.override is not None]
    if overrides and len(overrides) == len(answers):
        return Labelled(override=min(overrides, key=lambda override: override.until))
    reasons = dict.fromkeys(answer.why_not for answer in answers)
    return Labelled(why_not="; ".join(filter(None, reasons)))


def _stops(decided: PolicyDecision, options: Options) -> bool:
    code = exit_code(decided.verdict, observe=options.observe, fail_on_warn=options.fail_on_warn)
    return code is not ExitCode.ALLOW
