"""The table LiteLLM_SpendLogs (litellm/proxy/schema.prisma) as databases export it."""

from typing import Any

from tests.presets.logs import litellm_payload as payload
from tests.presets.logs.entries import LOG, OLD, Entry, count, naive, of

FORMS = ("csv", "parquet", "jsonl")
TYPES = {
    **dict.fromkeys(("startTime", "endTime", "completionStartTime"), "TIMESTAMP"),
    "metadata": "JSON::VARCHAR",
    "request_tags": "JSON::VARCHAR",
}


def rows() -> list[dict[str, Any]]:
    """Return the log's rows; one is too old, and a failure, and some are of no user."""
    last = LOG[-1]
    return [
        {**_row(LOG[0]), "startTime": naive(OLD), "status": "failure"},
        *map(_row, LOG),
        *(_of(last, told) for told in payload.rows()[len(LOG) + 1 :]),
    ]


def _row(entry: Entry) -> dict[str, Any]:
    # The same facts as in the payload, laid out as the table has them.
    return _of(entry, payload.rows()[entry.number + 1])


def _of(entry: Entry, told: dict[str, Any]) -> dict[str, Any]:
    status = told["status_fields"]["guardrail_status"]
    guardrails = [{"guardrail_name": "pii", "guardrail_status": "success"}] * 2
    guardrails[1] = {"guardrail_name": "toxic", "guardrail_status": status}
    metadata = {
        "status": told["status"],
        "error_information": told["error_information"],
        "guardrail_information": guardrails if status != "not_run" else None,
    }
    return {
        "request_id": told["id"],
        "call_type": "acompletion",
        "spend": told["response_cost"] or 0.0,
        "completion_tokens": told["completion_tokens"],
        "startTime": naive(entry.started),
        "endTime": naive(entry.ended),
        "completionStartTime": naive(entry.first),
        "request_duration_ms": round(entry.latency * 1000),
        "cache_hit": str(entry.cached),
        "metadata": metadata,
        "request_tags": told["request_tags"],
        "status": told["status"],
    }


_FIRST_TOKEN: list[dict[str, Any]] = [
    *payload.FIRST_TOKEN[:-1],
    # Nothing tells of a request that failed whether it was to be streamed.
    of(
        lambda e: not e.cached and not e.cancelled and (e.streaming or e.failed),
        lambda e: e.served and e.first_token <= 2,
        threshold="2s",
        options={"failures": "bad"},
    ),
]
_COST: list[dict[str, Any]] = [
    *payload.EXPECTED["cost-per-query"][:-1],
    # Where the payload has no price at all the table has 0, too.
    {**payload.EXPECTED["cost-per-query"][-1], "bad": count(lambda e: (e.cost or 0) > 0.05)},
]
EXPECTED: dict[str, list[dict[str, Any]]] = {
    **payload.EXPECTED,
    "cost-per-query": _COST,
    "time-to-first-token": _FIRST_TOKEN,
}
