"""A seal on a decision, and its line in the log of decisions."""

import hmac
import json
from hashlib import sha256
from typing import Any, Final

from gate.decision.slo_document import Json

SEAL: Final = "seal"
"""The document's key for it."""


def sealed(document: dict[str, Any], key: bytes | None) -> dict[str, Any]:
    """Return the document with its seal at the end, signed where there is a key."""
    return {**document, SEAL: _seal(document, key)}


def flaw(document: dict[str, Any], key: bytes | None) -> str | None:
    """Return why the seal does not hold; None where it does.

    With a key, a document that is not signed by it is refused, whatever else it says.
    """
    told = document.get(SEAL)
    if not isinstance(told, dict):
        return "it has no seal"
    true = _seal({name: value for name, value in document.items() if name != SEAL}, key)
    if not _same(told.get("sha256"), true["sha256"]):
        return "it was altered: its hash does not fit"
    if key is None:
        return None
    if told.get("hmac_sha256") is None:
        return "it is not signed"
    return None if _same(told["hmac_sha256"], true["hmac_sha256"]) else "its signature does not fit"


def _seal(document: dict[str, Any], key: bytes | None) -> dict[str, str | None]:
    # One spelling for each document: whitespace and the order of keys do not matter.
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    signature = None if key is None else hmac.new(key, text, sha256).hexdigest()
    return {"sha256": sha256(text).hexdigest(), "hmac_sha256": signature}


def _same(told: object, true: str | None) -> bool:
    # In constant time: how long the comparison takes must not tell how much of a guess is right.
    return isinstance(told, str) and hmac.compare_digest(
        told.encode("utf-8", "replace"), (true or "").encode()
    )


def to_record(document: dict[str, Any]) -> Json:
    """Return the part of a decision's document that is kept, with the seal of the whole.

    The numbers stay in the document; its hash here ties the two together.
    """
    kept = ("evaluated_at", "expires_at", "verdict", "exit_code", "overridden", "override")
    return {
        **{name: document[name] for name in ("schema_version", *kept, "context")},
        "policies": [
            {name: policy[name] for name in ("service", "change_class", "tier", "verdict")}
            for policy in document["policies"]
        ],
        "decision": document["seal"],
    }
