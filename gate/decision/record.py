"""One line for the log of decisions: enough to answer who let what ship, when, and why."""

from typing import Any

from gate.decision.slo_document import Json


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
