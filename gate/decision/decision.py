"""The decision on one change over one or several policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gate.budget.assessment import Assessment
from gate.errors import ExitCode
from gate.policy.findings import Finding, Verdict
from gate.policy.policy import Policy
from gate.policy.tiers import Tier

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a policy came from, so that a reader can find the very text that decided."""

    path: str
    """As the user gave it."""
    sha256: str
    """Hash of the file's bytes, hexadecimal."""
    revision: str | None
    """The git commit that last touched the file; None outside a checkout or never committed."""
    modified: bool
    """Whether the file differs from that commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecision:
    """What one policy says of the change."""

    policy: Policy
    source: Source
    change_class: str
    recognised_by: str
    """How the class was found: ``--change``, or the policy's default."""
    assessments: tuple[Assessment, ...]
    """One per SLO, in the policy's order."""
    findings: tuple[Finding, ...]
    """Worst first."""
    verdict: Verdict
    tier: Tier | None
    """The band of the worst measured budget; None where none could be measured."""
    worst: Assessment | None
    """The SLO with that budget."""
    allowed_now: tuple[str, ...]
    """Change classes that this policy would let ship at this moment, sorted."""
    allowed_again_at: datetime | None
    """When this change will be allowed, where that is certain (a reset, a freeze's end)."""
    obligations: tuple[str, ...]
    """What must be or has been done for this class: the tier's requirements."""
    satisfied: Mapping[str, str] = field(default_factory=dict)
    """Requirement -> the evidence that the user gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The whole."""

    policies: tuple[PolicyDecision, ...]
    """At least one."""
    verdict: Verdict
    """The worst of the policies'."""
    exit_code: ExitCode
    """Derived from the verdict and the two flags below, and from nothing else."""
    observe: bool
    """The verdict is told but not enforced."""
    fail_on_warn: bool
    evaluated_at: datetime
    expires_at: datetime
    tool_version: str


def exit_code(verdict: Verdict, *, observe: bool, fail_on_warn: bool) -> ExitCode:
    """Derive the exit code; no report and no delivery has a part in it."""
    if observe:
        return ExitCode.ALLOW
    return {
        Verdict.ALLOW: ExitCode.ALLOW,
        Verdict.WARN: ExitCode.WARN if fail_on_warn else ExitCode.ALLOW,
        Verdict.UNDECIDED: ExitCode.UNDECIDED,
        Verdict.BLOCK: ExitCode.BLOCK,
    }[verdict]
