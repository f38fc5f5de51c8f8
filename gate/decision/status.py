"""The budgets of one or several policies at one instant, without any verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from gate.budget.assessment import Assessment
from gate.decision.decision import SCHEMA_VERSION, PolicySource
from gate.decision.document import source_document
from gate.decision.slo_document import Json, instant, slo_document
from gate.policy.policy import Policy

if TYPE_CHECKING:  # `gate check` comes by here, and needs none
    from gate.history.past_budget import BurnDown


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStatus:
    """The budgets of one policy."""

    policy: Policy
    source: PolicySource
    assessments: tuple[Assessment, ...]
    """One per SLO, in the policy's order."""
    burn_downs: Mapping[str, "BurnDown"] = field(default_factory=dict)
    """By SLO; one whose history was not asked for, or is not known, has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole."""

    policies: tuple[PolicyStatus, ...]
    """At least one."""
    evaluated_at: datetime
    tool_version: str


def status_document(status: Status) -> Json:
    """Return the status as plain data.

    ``slos`` has the shape that it has in a decision, and each has its ``burn_down``.
    """
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
                "slos": [_slo(one, known, status) for one in known.assessments],
            }
            for known in status.policies
        ],
    }


def burn_down_document(known: "BurnDown | None") -> Json | None:
    """Return how a budget came down, as shares of it that were left; None where it is not known."""
    if known is None:
        return None
    return {
        "start": instant(known.start),
        "step_seconds": known.step.total_seconds(),
        "full": known.full,
        "left": list(known.left),
    }


def _slo(known: Assessment, within: PolicyStatus, status: Status) -> Json:
    burn_down = burn_down_document(within.burn_downs.get(known.slo.name))
    return slo_document(known, status.evaluated_at) | {"burn_down": burn_down}
