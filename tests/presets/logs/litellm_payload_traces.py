"""LiteLLM's payloads with fallbacks: several of one trace, of which the one that ended last counts."""

from itertools import cycle
from typing import Any

from tests.presets.logs import litellm_payload as payload
from tests.presets.logs.entries import LOG

FORMS = ("jsonl",)
FALLBACKS = 9
"""Requests whose first model failed; what the last one said is the request's outcome."""
EARLIER = 0.001
"""Seconds by which the first attempt ended before the last."""


def rows() -> list[dict[str, Any]]:
    """Return the payloads of before with traces, and a failed attempt before some of them."""
    lines = [{**row, "trace_id": f"trace-{place}"} for place, row in enumerate(payload.rows())]
    error = {"error_code": "500", "error_class": "InternalServerError"}
    tried = [
        {
            **row,
            "status": "failure",
            "error_information": error,
            "startTime": row["startTime"] + start,
            "endTime": row["endTime"] - EARLIER,
        }
        # Of the answer that a fallback streams LiteLLM 1.106.12 writes the start of the request,
        # which is before that of the first attempt (tests/llm).
        for row, start in zip(lines[1 : FALLBACKS + 1], cycle([-EARLIER, 1e-3]), strict=False)
    ]
    assert all(entry.served for entry in LOG[:FALLBACKS])
    return [*lines, *tried]


EXPECTED: dict[str, list[dict[str, Any]]] = {
    kind: payload.EXPECTED[kind] for kind in ("errors", "inference-failures")
}
