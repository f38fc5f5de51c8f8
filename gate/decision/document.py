"""The decision as one sealed JSON document; `decision.schema.json` describes it for others."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gate.budget.assessment import Assessment
from gate.budget.forecast import PACE
from gate.decision.decision import (
    SCHEMA_VERSION,
    Context,
    Decision,
    PolicyDecision,
    PolicySource,
    Proposed,
)
from gate.decision.seal import sealed
from gate.decision.slo_document import Json, rfc3339, slo_document, tier_document
from gate.measure import Cause
from gate.policy.changes import ComparedWith
from gate.policy.findings import Finding
from gate.policy.judge import Judgement
from gate.policy.override import Override
from gate.policy.policy import Policy
from gate.policy.requirements import CheckedRequirement
from gate.policy.rounding import known_tier
from gate.policy.rules.tiers import tier_verdict

if TYPE_CHECKING:
    pass


def to_document(decision: Decision) -> Json:
    """Return the decision as plain data, ready for ``json.dumps(allow_nan=False)``.

    Every key is always present, in a stable order; None means not measured or not applicable.
    Shares are fractions of 1, and instants are RFC 3339 in UTC. The seal comes last.
    """
    classes = {policy.change_class for policy in decision.policies}
    document: Json = {
        "schema_version": SCHEMA_VERSION,
        "verdict": str(decision.verdict),
        "exit_code": int(decision.exit_code),
        "change_class": classes.pop() if len(classes) == 1 else None,
        "evaluated_at": rfc3339(decision.evaluated_at),
        "expires_at": rfc3339(decision.expires_at),
        "tool_version": decision.tool_version,
        "mode": str(decision.mode),
        "observe": decision.observe,
        "fail_on_warn": decision.fail_on_warn,
        "overridden": decision.overridden,
        "override": _override(decision.override),
        "override_confirmed": None if decision.override is None else decision.override.confirmed,
        "not_overridden": decision.not_overridden or None,
        "context": _context(decision.context),
        "policies": [_policy(policy, decision) for policy in decision.policies],
    }
    return sealed(document, decision.key)


def _policy(decided: PolicyDecision, decision: Decision) -> Json:
    policy, judgement = decided.policy, decided.judgement
    return {
        "service": policy.service,
        "owners": list(policy.owners),
        "dashboard": policy.dashboard,
        "source": source_document(decided.source),
        "backends": backends_document(policy, decided.assessments),
        "change_class": decided.change_class,
        "recognised_by": decided.recognition.how,
        "recognised_from": list(decided.recognition.evidence),
        "recognition_notes": list(decided.recognition.remarks),
        "compared": _compared(decided.recognition.comparison),
        "tier": judgement.tier.name if judgement.tier else None,
        "worst_slo": judgement.worst.slo.name if judgement.worst else None,
        "verdict": str(judgement.verdict),
        "allowed_now": list(decided.allowed_now),
        "allowed_again_at": rfc3339(judgement.allowed_again_at),
        "allowed_again_if_calm": judgement.allowed_again_if_calm,
        "allowed_again_at_pace": pace_document(judgement),
        "allowed_again_needs_samples": judgement.needs_samples,
        "obligations": list(judgement.obligations),
        "satisfied": dict(decided.satisfied),
        "requirements": [_requirement(checked) for checked in judgement.requirements],
        "proposed_policy": _proposed(decided.proposed),
        "slos": [
            slo_document(assessment, decision.evaluated_at)
            | tier_document(policy, assessment)
            | _says(decided, assessment)
            for assessment in decided.assessments
        ],
        "findings": [_finding(finding) for finding in judgement.findings],
    }


def _says(decided: PolicyDecision, assessment: Assessment) -> Json:
    """Return what the tier of one SLO's budget says about the change; None: unknown."""
    tier = known_tier(decided.policy.tiers, assessment)
    if tier is None:
        return {"tier_verdict": None}
    return {"tier_verdict": str(tier_verdict(tier, decided.change_class))}


def pace_document(judgement: Judgement) -> Json | None:
    """Return when a change is allowed if as much fails as lately; None: unknown."""
    if not judgement.paced:
        return None
    at = rfc3339(judgement.allowed_again_at_pace)
    return {"pace_seconds": PACE.total_seconds(), "at": at}


def _compared(comparison: ComparedWith | None) -> Json | None:
    if comparison is None:
        return None
    return {
        "base": comparison.base,
        "base_from": comparison.base_from,
        "files": comparison.files,
        "commits": comparison.commits,
    }


def _proposed(proposed: Proposed | None) -> Json | None:
    if proposed is None:
        return None
    verdict = None if proposed.verdict is None else str(proposed.verdict)
    return {"verdict": verdict, "reason": proposed.reason or None, "sha256": proposed.sha256}


def _override(override: Override | None) -> Json | None:
    if override is None:
        return None
    return {
        "reason": override.reason,
        "approved_by": override.approved_by,
        "until": rfc3339(override.until),
        "label": override.label,
    }


def _context(context: Context) -> Json:
    return {
        "system": context.system,
        "repository": context.repository,
        "revision": context.revision,
        "branch": context.branch,
        "base": context.base,
        "pull_request": context.pull_request,
        "author": context.author,
        "actor": context.actor,
        "environment": context.environment,
        "url": context.url,
    }


def _requirement(checked: CheckedRequirement) -> Json:
    requirement, result = checked.requirement, checked.result
    return {
        "name": requirement.name,
        "kind": requirement.kind,
        "state": str(result.state),
        "verdict": str(result.state.verdict),
        "reason": result.reason,
        "facts": dict(result.facts),
    }


def _finding(finding: Finding) -> Json:
    return {
        "rule": str(finding.rule),
        "slo": finding.slo,
        "verdict": str(finding.verdict),
        "reason": finding.reason,
        "until": rfc3339(finding.until),
        "if_calm": finding.if_calm,
        "cause": None if finding.cause is None else str(finding.cause),
        "unchecked": None if finding.unchecked is None else str(finding.unchecked),
    }


def source_document(source: PolicySource) -> Json:
    """Return the source of a policy as plain data."""
    return {
        "path": source.path,
        "sha256": source.sha256,
        "revision": source.revision,
        "modified": source.modified,
    }


def backends_document(
    policy: Policy, assessments: Sequence[Assessment] | None = None
) -> list[Json]:
    """Return the backends of a policy as plain data, with the SLOs that each counts.

    The name is None for a single backend, which has no name.

    Args:
        policy: the policy with the backends.
        assessments: the assessments of all its SLOs, which show whether each backend answered;
            None: leave that out.
    """
    documents: list[Json] = []
    for name, kind in policy.backends.items():
        document: Json = {
            "name": name or None,
            "type": kind,
            "slos": [slo.name for slo in policy.counted_by(name)],
        }
        if assessments is not None:
            document["answered"] = answered(policy, name, assessments)
        documents.append(document)
    return documents


def answered(policy: Policy, backend: str, assessments: Sequence[Assessment]) -> bool | None:
    """Return whether a backend answered any query; None: it counts no SLO."""
    names = {slo.name for slo in policy.counted_by(backend)}
    own = [assessment for assessment in assessments if assessment.slo.name in names]
    failed = [any(doubt.cause is Cause.BACKEND_ERROR for doubt in each.doubts) for each in own]
    return not all(failed) if own else None
