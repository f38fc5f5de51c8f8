"""The decision as one sealed JSON document; `decision.schema.json` describes it for others."""

import hmac
import json
from hashlib import sha256
from typing import Any, Final

from gate.decision.decision import (
    SCHEMA_VERSION,
    Context,
    Decision,
    PolicyDecision,
    Proposed,
    source_document,
)
from gate.decision.slo_document import Json, rfc3339, slo_document
from gate.policy.findings import Finding
from gate.policy.override import Override

SEAL: Final = "seal"
"""The document's key for it."""


def sealed(document: dict[str, Any], key: bytes | None) -> dict[str, Any]:
    """Return the document with its seal at the end, signed where there is a key."""
    return {**document, SEAL: _seal(document, key)}


def seal_flaw(document: dict[str, Any], key: bytes | None) -> str | None:
    """Return why the seal does not hold; None where it does.

    With a key, a document that is not signed by it is refused, whatever else it says.
    """
    seal = document.get(SEAL)
    if not isinstance(seal, dict):
        return "it has no seal"
    true = _seal({name: value for name, value in document.items() if name != SEAL}, key)
    if not _same(seal.get("sha256"), true["sha256"]):
        return "it was altered: its hash does not fit"
    if key is None:
        return None
    if seal.get("hmac_sha256") is None:
        return "it is not signed"
    return None if _same(seal["hmac_sha256"], true["hmac_sha256"]) else "its signature does not fit"


def _seal(document: dict[str, Any], key: bytes | None) -> dict[str, str | None]:
    # One spelling for each document: whitespace and the order of keys do not matter.
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    signature = None if key is None else hmac.new(key, text, sha256).hexdigest()
    return {"sha256": sha256(text).hexdigest(), "hmac_sha256": signature}


def _same(given: object, true: str | None) -> bool:
    # In constant time: how long the comparison takes must not tell how much of a guess is right.
    return isinstance(given, str) and hmac.compare_digest(
        given.encode("utf-8", "replace"), (true or "").encode()
    )


def to_record(document: dict[str, Any]) -> Json:
    """Return the part of a decision's document that is kept, with the seal of the whole.

    The numbers stay in the document; its hash here ties the two together.
    """
    kept = ("evaluated_at", "expires_at", "verdict", "exit_code", "overridden")
    override = ("override", "override_confirmed")
    return {
        **{name: document[name] for name in ("schema_version", *kept, *override, "context")},
        "policies": [
            {name: policy[name] for name in ("service", "change_class", "tier", "verdict")}
            for policy in document["policies"]
        ],
        "decision": document["seal"],
    }


def to_document(decision: Decision) -> Json:
    """Return the decision as plain data, ready for ``json.dumps(allow_nan=False)``.

    Every key is always there, in a stable order; None stands for what was not measured or does not
    apply. Shares are fractions of 1, instants RFC 3339 in UTC. At the end stands a seal.
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
        "change_class": decided.change_class,
        "recognised_by": decided.recognition.how,
        "recognised_from": list(decided.recognition.evidence),
        "recognition_notes": list(decided.recognition.notes),
        "tier": judgement.tier.name if judgement.tier else None,
        "worst_slo": judgement.worst.slo.name if judgement.worst else None,
        "verdict": str(judgement.verdict),
        "allowed_now": list(decided.allowed_now),
        "allowed_again_at": rfc3339(judgement.allowed_again_at),
        "allowed_again_if_calm": judgement.allowed_again_if_calm,
        "obligations": list(judgement.obligations),
        "satisfied": dict(decided.satisfied),
        "proposed_policy": _proposed(decided.proposed),
        "slos": [
            slo_document(assessment, decision.evaluated_at) for assessment in decided.assessments
        ],
        "findings": [_finding(finding) for finding in judgement.findings],
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


def _finding(finding: Finding) -> Json:
    return {
        "rule": str(finding.rule),
        "slo": finding.slo,
        "verdict": str(finding.verdict),
        "reason": finding.reason,
        "until": rfc3339(finding.until),
        "if_calm": finding.if_calm,
    }
