"""The budgets of policies without a verdict, and their document."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING

from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.decision.decision import SCHEMA_VERSION, PolicySource
from gate.decision.document import backends_document, source_document
from gate.decision.slo_document import Json, rfc3339, slo_document, tier_document
from gate.errors import ExitCode
from gate.policy.coverage import assessment_reservations, gravest
from gate.policy.findings import Verdict
from gate.policy.policy import Policy

if TYPE_CHECKING:
    from gate.history.burn_down import BurnDown


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStatus:
    """The budgets of one policy."""

    policy: Policy
    source: PolicySource
    assessments: tuple[Assessment, ...]
    """One for each SLO, in the policy's order."""
    burn_downs: Mapping[str, "BurnDown"] = field(default_factory=dict)
    """By SLO; without those whose history was not requested, or is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The budgets of all policies."""

    policies: tuple[PolicyStatus, ...]
    """At least one."""
    evaluated_at: datetime
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided if the policy stops a change for lack of a measured budget."""
        unseen = any(
            gravest(assessment_reservations(status.policy, assessment)) is Verdict.UNDECIDED
            for status in self.policies
            for assessment in status.assessments
        )
        return ExitCode.UNDECIDED if unseen else ExitCode.ALLOW


def status_document(status: Status) -> Json:
    """Return the status as plain data.

    ``slos`` has the same form as in a decision, and each SLO has its ``burn_down``.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluated_at": rfc3339(status.evaluated_at),
        "tool_version": status.tool_version,
        "policies": [
            {
                "service": policy.policy.service,
                "owners": list(policy.policy.owners),
                "dashboard": policy.policy.dashboard,
                "source": source_document(policy.source),
                "backends": backends_document(policy.policy, policy.assessments),
                "slos": [_slo(assessment, policy, status) for assessment in policy.assessments],
            }
            for policy in status.policies
        ],
    }


def burn_down_document(burn_down: "BurnDown | None") -> Json | None:
    """Return the remaining shares of a budget over time; None if they are unknown."""
    if burn_down is None:
        return None
    return {
        "start": rfc3339(burn_down.start),
        "step_seconds": burn_down.step.total_seconds(),
        "full": burn_down.full,
        "left": list(burn_down.left),
        "compared": None if burn_down.compared is None else list(burn_down.compared),
    }


def _slo(assessment: Assessment, within: PolicyStatus, status: Status) -> Json:
    burn_down = burn_down_document(within.burn_downs.get(assessment.slo.name))
    tier = tier_document(within.policy, assessment)
    return slo_document(assessment, status.evaluated_at) | tier | {"burn_down": burn_down}
