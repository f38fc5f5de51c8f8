"""LiteLLM's payloads with fallbacks: several payloads of one trace, of which the newest counts."""

from datetime import timedelta
from typing import Any

from tests.presets.logs import litellm_payload as payload
from tests.presets.logs.entries import LOG

FORMS = ("jsonl",)
FALLBACKS = 9
"""Requests whose first model failed; what the last one said is the request's outcome."""


def rows() -> list[dict[str, Any]]:
    """Return the payloads of before with traces, and a failed attempt before some of them."""
    lines = [{**row, "trace_id": f"trace-{place}"} for place, row in enumerate(payload.rows())]
    earlier = timedelta(seconds=5).total_seconds()
    error = {"error_code": "500", "error_class": "InternalServerError"}
    tried = [
        {
            **row,
            "status": "failure",
            "error_information": error,
            "startTime": row["startTime"] - earlier,
            "endTime": row["startTime"] - earlier,
        }
        for row in lines[1 : FALLBACKS + 1]
    ]
    assert all(entry.served for entry in LOG[:FALLBACKS])
    return [*lines, *tried]


EXPECTED: dict[str, list[dict[str, Any]]] = {
    kind: payload.EXPECTED[kind] for kind in ("errors", "inference-failures")
}
