"""The decision on one change over one or several policies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.errors import ExitCode
from gate.policy.changes import Recognition
from gate.policy.findings import Verdict, worst
from gate.policy.judge import Judgement
from gate.policy.override import Override
from gate.policy.policy import Policy

if TYPE_CHECKING:
    from gate.decision.seal import SealKey

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySource:
    """The source of a policy, by which a reader can find the exact text that decided."""

    path: str
    """The path as the user gave it."""
    sha256: str
    """Hexadecimal hash of the file and of the SLO files that it refers to
    (`gate.parsing.files`)."""
    revision: str | None
    """The git commit that is checked out, or that the policy was read from (``--policy-ref``).

    None outside a checkout, or if one of the policy's files was never committed.
    """
    modified: bool
    """Whether the file differs from that commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecision:
    """The decision of one policy about the change."""

    policy: Policy
    source: PolicySource
    recognition: Recognition
    """The class of the change, and how it was found."""
    assessments: tuple[Assessment, ...]
    """One for each SLO, in the policy's order."""
    judgement: Judgement
    """The judgement on this class at these budgets."""
    allowed_now: tuple[str, ...]
    """The change classes that this policy would allow at this moment, sorted."""
    satisfied: Mapping[str, str] = field(default_factory=dict)
    """For each requirement, the evidence that the user gave."""
    proposed: "Proposed | None" = None
    """The judgement of the policy that the change proposes; None: the change does not alter the
    policy."""
    keeps_history: bool = True
    """Whether its backend can answer questions about the past."""

    @property
    def change_class(self) -> str:
        """The class that was judged."""
        return self.recognition.change

    @property
    def verdict(self) -> Verdict:
        """The verdict of the judgement."""
        return self.judgement.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """The verdict of a policy that the change itself alters; it does not count."""

    verdict: Verdict | None
    """None: the policy was not judged."""
    reason: str = ""
    """The reason why it was not judged, or only in part; empty: it was. It repeats nothing of the
    policy's text."""
    sha256: str
    """The hash of the altered file, computed as `PolicySource.sha256`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The facts that a CI system states about its run; a fact is None if it is not stated."""

    system: str
    """``github``, ``gitlab``, ``buildkite``, ``jenkins``, ``circleci``, or ``shell``."""
    event: str | None = None
    """The name of the event that started the run: ``pull_request``, ``push``."""
    repository: str | None = None
    """``acme/chat``."""
    revision: str | None = None
    """The commit that would ship; on a pull request its head, not the trial merge."""
    branch: str | None = None
    """The branch that the change comes from."""
    base: str | None = None
    """The commit or branch that the change is compared with; None: no comparison."""
    base_from: str | None = None
    """The source of ``base`` if it is not an event: ``--base``."""
    base_branch: str | None = None
    """The branch that the change is to go into; a plain name, ``main``."""
    default_branch: str | None = None
    """The default branch of the repository."""
    pull_request: int | None = None
    """The number of the pull request; for a merge request, its iid."""
    pull_requests: tuple[int, ...] = ()
    """The numbers of other pull requests of the run: of a merge queue's group, of the run before
    it."""
    target_project: str | None = None
    """The number of the project of a merge request, if that may differ from this project."""
    title: str | None = None
    labels: Sequence[str] | None = ()
    """The labels of the pull request; None: unknown."""
    author: str | None = None
    """The author of the change."""
    actor: str | None = None
    """The account or app that started this run."""
    people: tuple[str, ...] = ()
    """Everyone who wrote, pushed or started something, by the event and the variables."""
    attempt: int = 1
    """The attempt of the run; above 1, it is a re-run, with the event of the first attempt."""
    workspace: str | None = None
    """The folder that the CI system has made its checkout in."""
    no_secrets: bool = False
    """Whether the run is one of a fork or of Dependabot: it has no secrets, and a read-only
    token."""
    environment: str | None = None
    """The environment that the change would ship to, as the user states it."""
    url: str | None = None
    """The page of the run."""
    folder: str = ""
    """The folder that the run works in, from the top of the repository; empty: the top, or
    unknown."""
    frozen: bool = False
    """Whether the CI system itself declares a deploy freeze (GitLab's CI_DEPLOY_FREEZE)."""


class Mode(StrEnum):
    """The purpose of a decision."""

    ENFORCED = "enforced"
    """The verdict decides whether the change may ship at this moment."""
    OBSERVE = "observe"
    """The verdict is reported, without any effect."""
    STATED_INSTANT = "stated-instant"
    """The verdict is that of another moment, and says nothing about the present."""


def overall_verdict(verdicts: Iterable[Verdict], mode: Mode) -> Verdict:
    """Return the verdict of several policies together.

    An allow at another instant is undecided at this one; a block at another instant stays a block.
    """
    verdict = worst(verdicts)
    opens = verdict in {Verdict.ALLOW, Verdict.WARN}
    return Verdict.UNDECIDED if opens and mode is Mode.STATED_INSTANT else verdict


def exit_code(
    verdict: Verdict, *, observe: bool, fail_on_warn: bool, override: Override | None = None
) -> ExitCode:
    """Derive the exit code, which no report and no delivery changes."""
    if observe or override is not None:
        return ExitCode.ALLOW
    return {
        Verdict.ALLOW: ExitCode.ALLOW,
        Verdict.WARN: ExitCode.WARN if fail_on_warn else ExitCode.ALLOW,
        Verdict.UNDECIDED: ExitCode.UNDECIDED,
        Verdict.BLOCK: ExitCode.BLOCK,
    }[verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The decision on a change by all policies together."""

    policies: tuple[PolicyDecision, ...]
    """At least one."""
    verdict: Verdict
    """The `overall_verdict` of the policies."""
    exit_code: ExitCode
    """Derived only from the verdict, the two flags below and the override."""
    observe: bool
    """Whether the verdict is reported but not enforced."""
    fail_on_warn: bool
    evaluated_at: datetime
    expires_at: datetime
    tool_version: str
    mode: Mode = Mode.ENFORCED
    """Its purpose; `Mode.OBSERVE` exactly if ``observe`` is set."""
    context: Context = field(default_factory=lambda: Context(system="none"))
    """The context of the run that requested the decision."""
    override: Override | None = None
    """The accepted override, whether or not it was needed. The verdict stays as it is.

    None if the mode is `Mode.STATED_INSTANT`: an override cannot have let anything ship then.
    """
    not_overridden: str = ""
    """The reason why a label that requests an override does not count; empty without such a
    label."""
    key: "SealKey | None" = field(default=None, repr=False)
    """The key that signs the JSON document."""

    @property
    def overridden(self) -> bool:
        """Whether the change ships only because of the override."""
        plain = exit_code(self.verdict, observe=self.observe, fail_on_warn=self.fail_on_warn)
        return self.override is not None and plain is not ExitCode.ALLOW
