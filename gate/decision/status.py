"""The budgets of one or several policies at one instant, without any verdict."""

from dataclasses import dataclass
from datetime import datetime

from gate.budget.assessment import Assessment
from gate.decision.decision import SCHEMA_VERSION, Source
from gate.decision.document import source_document
from gate.decision.slo_document import Json, instant, slo_document
from gate.policy.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStatus:
    """The budgets of one policy."""

    policy: Policy
    source: Source
    assessments: tuple[Assessment, ...]
    """One per SLO, in the policy's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole."""

    policies: tuple[PolicyStatus, ...]
    """At least one."""
    evaluated_at: datetime
    tool_version: str


def status_document(status: Status) -> Json:
    """Return the status as plain data; ``slos`` has the shape that it has in a decision."""
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluated_at": instant(status.evaluated_at),
        "tool_version": status.tool_version,
        "policies": [
            {
                "service": known.policy.service,
                "owners": list(known.policy.owners),
                "dashboard": known.policy.dashboard,
                "source": source_document(known.source),
                "slos": [slo_document(a, status.evaluated_at) for a in known.assessments],
            }
            for known in status.policies
        ],
    }
