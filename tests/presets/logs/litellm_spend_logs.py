"""The table LiteLLM_SpendLogs (litellm/proxy/schema.prisma) as databases export it."""

from typing import Any

from tests.presets.logs import litellm_payload as payload
from tests.presets.logs.entries import LOG, OLD, Entry, naive, of

FORMS = ("csv", "parquet", "jsonl")
TYPES = {
    **dict.fromkeys(("startTime", "endTime", "completionStartTime"), "TIMESTAMP"),
    "metadata": "JSON::VARCHAR",
}


def rows() -> list[dict[str, Any]]:
    """Return the log's rows; one is too old, and a failure."""
    return [
        {**_row(LOG[0]), "startTime": naive(OLD), "status": "failure"},
        *map(_row, LOG),
    ]


def _row(entry: Entry) -> dict[str, Any]:
    # The same facts as in the payload, laid out as the table has them.
    told = payload.rows()[entry.number + 1]
    status = told["status_fields"]["guardrail_status"]
    guardrails = [{"guardrail_name": "pii", "guardrail_status": "success"}] * 2
    guardrails[1] = {"guardrail_name": "toxic", "guardrail_status": status}
    metadata = {
        "status": told["status"],
        "error_information": told["error_information"],
        "guardrail_information": guardrails if entry.checked else None,
    }
    return {
        "request_id": told["id"],
        "call_type": "acompletion",
        "spend": entry.cost or 0.0,
        "completion_tokens": entry.tokens,
        "startTime": naive(entry.started),
        "endTime": naive(entry.ended),
        "completionStartTime": naive(entry.first),
        "request_duration_ms": round(entry.latency * 1000),
        "cache_hit": str(entry.cached),
        "metadata": metadata,
        "status": told["status"],
    }


EXPECTED: dict[str, list[dict[str, Any]]] = {
    **payload.EXPECTED,
    "cost-per-query": [
        # Without a price the table has 0.
        of(lambda e: e.served, lambda e: (e.cost or 0) <= 0.05, threshold="0.05")
    ],
}
