"""The decision as one JSON document; `decision.schema.json` describes it for everybody else."""

from gate.decision.decision import SCHEMA_VERSION, Decision, PolicyDecision, Source
from gate.decision.slo_document import Json, instant, slo_document
from gate.policy.findings import Finding


def to_document(decision: Decision) -> Json:
    """Return the decision as plain data, ready for ``json.dumps(allow_nan=False)``.

    Every key is always there, in a stable order; None stands for what was not measured or does not
    apply. Shares are fractions of 1, instants RFC 3339 in UTC.
    """
    classes = {policy.change_class for policy in decision.policies}
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": str(decision.verdict),
        "exit_code": int(decision.exit_code),
        "change_class": classes.pop() if len(classes) == 1 else None,
        "evaluated_at": instant(decision.evaluated_at),
        "expires_at": instant(decision.expires_at),
        "tool_version": decision.tool_version,
        "observe": decision.observe,
        "fail_on_warn": decision.fail_on_warn,
        "policies": [_policy(policy, decision) for policy in decision.policies],
    }


def source_document(source: Source) -> Json:
    """Return where a policy came from."""
    return {
        "path": source.path,
        "sha256": source.sha256,
        "revision": source.revision,
        "modified": source.modified,
    }


def _policy(decided: PolicyDecision, decision: Decision) -> Json:
    policy = decided.policy
    return {
        "service": policy.service,
        "owners": list(policy.owners),
        "dashboard": policy.dashboard,
        "source": source_document(decided.source),
        "change_class": decided.change_class,
        "recognised_by": decided.recognised_by,
        "tier": decided.tier.name if decided.tier else None,
        "worst_slo": decided.worst.slo.name if decided.worst else None,
        "verdict": str(decided.verdict),
        "allowed_now": list(decided.allowed_now),
        "allowed_again_at": instant(decided.allowed_again_at),
        "obligations": list(decided.obligations),
        "satisfied": dict(decided.satisfied),
        "slos": [slo_document(known, decision.evaluated_at) for known in decided.assessments],
        "findings": [_finding(finding) for finding in decided.findings],
    }


def _finding(finding: Finding) -> Json:
    return {
        "rule": str(finding.rule),
        "slo": finding.slo,
        "verdict": str(finding.verdict),
        "reason": finding.reason,
        "until": instant(finding.until),
    }
