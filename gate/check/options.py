"""The options of one run, and the override that applies to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Final

from gate.budget.impact import Impact
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.decision.decision import Context, Mode, PolicyDecision, exit_code
from gate.decision.seal import SealKey
from gate.errors import ExitCode, UsageError, nearest
from gate.measure import Backend
from gate.policy.authors import Authors, Right
from gate.policy.changes import Approval, Approve, ChangeFacts, ChangeMatcher, Live
from gate.policy.override import (
    AskApprover,
    AskLabel,
    Labelled,
    Override,
    OverrideRule,
    misfit,
    named,
    refusal,
)
from gate.policy.policy import Policy
from gate.policy.requirements import Claim, Requirement, RequirementResult, as_stated

DEFAULT_TIMEOUT: Final = timedelta(seconds=60)
_LATE: Final = timedelta(minutes=5)
AskFacts = Callable[[Live | None], ChangeFacts]
"""A function that returns the facts about a change, with a policy's setting for the live commit."""


def nothing_known(_live: Live | None) -> ChangeFacts:
    """Return that no fact about the change is known, which rules no class out."""
    return ChangeFacts(paths=None, labels=None, branches=None, commits=None, titles=None)


def nobody(_matcher: ChangeMatcher, _facts: ChangeFacts) -> Approval:
    """Return that approvals cannot be looked up here."""
    return Approval(why_not="there is no pull request whose approvals could be read")


def no_label(_rule: OverrideRule, _at: datetime) -> Labelled:
    """Return that this run has no pull request with labels."""
    return Labelled()


RequirementResults = Mapping[Requirement, RequirementResult]
"""The results of the checks of requirements."""
AskEvidence = Callable[[Policy, datetime], RequirementResults]
"""A function that checks the evaluations that a policy requires, at the instant of the run."""
AskShadows = Callable[[Policy, Backend, datetime], RequirementResults]
"""A function that compares the required shadows, from the counts of the policy's backend."""


def no_evidence(_policy: Policy, _at: datetime) -> RequirementResults:
    """Return that no evaluation was checked, so that each of them is undecided."""
    return {}


def no_shadows(_policy: Policy, _backend: Backend, _at: datetime) -> RequirementResults:
    """Return that no shadow was compared, so that each of them is undecided."""
    return {}


@dataclass(frozen=True, slots=True)
class StatedEvidence:
    """Accepts statements as evidence if there is no other: for the past, or in a case."""

    satisfied: Mapping[str, str]
    """The requirements that are stated as met, by name."""

    def __call__(self, policy: Policy, _at: datetime) -> RequirementResults:
        """Return for every requirement of the policy whether it is stated as met."""
        return as_stated(policy.requirements, self.satisfied)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of one run; the files and the network are behind the functions."""

    at: datetime
    """The one instant of the run."""
    change: str | None = None
    """The change class; None: it is recognised."""
    change_from: str = "request"
    """The source of ``change`` in the decision: the option of the command line."""
    facts: AskFacts = nothing_known
    """Called at most once for each live setting of the policies, if a policy needs it."""
    approve: Approve = nobody
    context: Context = field(default_factory=lambda: Context(system="none"))
    satisfied: Mapping[str, str] = field(default_factory=dict)
    """The requirements that are stated as met, by name, each with a link or a note."""
    evidence: AskEvidence = no_evidence
    """Called for each policy with requirements in its tiers, while its backend counts."""
    shadows: AskShadows = no_shadows
    """Called for each policy with requirements in its tiers, after its backend has counted."""
    impact: Impact | None = None
    override: Override | None = None
    labelled: AskLabel = no_label
    """Looks for an override by a label; called only if a change may not ship without one."""
    authors: Callable[[], Authors] = Authors
    """Finds the authors of the change; called once, if ``override`` is given."""
    approver: AskApprover = named
    """Returns whether the approver of ``override`` is entitled, and whether the approval is
    confirmed."""
    also: tuple[timedelta, ...] = ()
    """Further windows with burn rates, beside those that the policy needs."""
    observe: bool = False
    stated: bool = False
    """Whether ``at`` was stated and is not now: a change that it allows may not ship now."""
    fail_on_warn: bool = False
    timeout: timedelta = DEFAULT_TIMEOUT
    key: SealKey | None = field(default=None, repr=False)
    """The key that signs the decision."""

    @property
    def mode(self) -> Mode:
        """The mode of the decision."""
        if self.observe:
            return Mode.OBSERVE
        return Mode.STATED_INSTANT if self.stated else Mode.ENFORCED


def is_other_moment(
    stated: datetime | None, present: datetime, files: Sequence[PolicyFile]
) -> bool:
    """Return whether a stated instant differs from the present; None: not stated.

    A pipeline may state its start. But nobody may choose a moment that suits a change: a stated
    instant counts as the present only as long as a decision of that moment could be used, and at
    most for `_LATE`.
    """
    if stated is None:
        return False
    latest = min(_LATE, *(file.policy.valid_for for file in files))
    return not timedelta() <= present - stated <= latest


_WITH_APPROVALS: Final = frozenset({"github", "gitlab"})
"""The systems whose code host can be asked for the approvals of a pull request."""


def counting_override(files: Sequence[PolicyFile], options: Options) -> Override | None:
    """Return the override of the options, with its confirmation by the code host; None: none.

    Raises:
        UsageError: the override does not count under one of the policies.
    """
    override = options.override
    if override is None:
        return None
    authors = options.authors()
    confirmed = [_confirmed(override, file, authors, options) for file in files]
    return replace(override, confirmed=all(confirmed))


def _confirmed(override: Override, file: PolicyFile, authors: Authors, options: Options) -> bool:
    rule, who = file.policy.overrides, override.approved_by
    # A claim is compared with the known authors: the person who starts the run could name somebody
    # else as well.
    flaw = refusal(override, rule, at=options.at, authors=replace(authors, unknown=""))
    right = Right(holds=False)
    if flaw is None:
        right = options.approver(who, rule, authors)
        flaw = misfit(who, rule, right)
    if flaw is None and _needs_confirmation(rule, options.context):
        flaw = _unconfirmed(who, rule, right, authors)
    if flaw is not None:
        raise UsageError(f"the override does not count under {file.source.path}: {flaw}")
    return right.confirmed


def _needs_confirmation(rule: OverrideRule, context: Context) -> bool:
    if rule.confirmed is not None:
        return rule.confirmed
    return context.pull_request is not None and context.system in _WITH_APPROVALS


def _unconfirmed(who: str, rule: OverrideRule, right: Right, authors: Authors) -> str | None:
    """Return the reason why an approval is only claimed; None: the code host confirms it."""
    if authors.unknown:
        return f"nobody can be distinguished from the author: {authors.unknown}"
    if right.confirmed:
        return None
    label = f", or set the label {rule.label} on it," if rule.label else ""
    reason = f" ({right.reason})" if right.reason else ""
    return (
        f"it is only claimed that {who} has approved it: let them approve this commit of the pull "
        f"request{label} and run this again{reason}"
    )


def overriding(decided: Sequence[PolicyDecision], options: Options) -> Labelled:
    """Return the override that counts: that of the options, otherwise one by a label.

    Each policy that stops the change must have a label that overrides it; the override that ends
    first counts. A decision about another moment cannot be overridden.
    """
    if options.mode is Mode.STATED_INSTANT:
        return Labelled()
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


def check_words(files: Sequence[PolicyFile], options: Options) -> None:
    """Check that the policies know the names in the options.

    Raises:
        UsageError: the change class is unknown to a policy, or a requirement to all of them.
    """
    for file in files:
        classes = file.policy.change_classes
        if options.change is not None and options.change not in classes:
            hint = nearest(options.change, classes)
            raise UsageError(f"{file.source.path} has no change class {options.change!r}{hint}")
    required = [each for file in files for each in file.policy.requirements]
    names = {each.name for each in required}
    claimed = {each.name for each in required if isinstance(each, Claim)}
    for name in options.satisfied:
        if name not in names:
            hint = nearest(name, names) if names else "; no tier requires anything"
            raise UsageError(f"no policy requires {name!r}{hint}")
        if name not in claimed and not isinstance(options.evidence, StatedEvidence):
            raise UsageError(
                f"{name} is checked by its evidence and cannot be stated as met; leave the"
                " statement out"
            )
