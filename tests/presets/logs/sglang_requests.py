"""SGLang's sglang-request-metrics-*.log (request_metrics_exporter.py, req_time_stats.py)."""

import json
from typing import Any

from tests.presets.logs.entries import LOG, OLD, Entry, count, of

FORMS = ("jsonl",)


def rows() -> list[dict[str, Any]]:
    """Return the log's rows; one is too old, and aborted."""
    old = {"request_received_ts": OLD.timestamp(), "finish_reason": {"type": "abort"}}
    return [{**_row(LOG[0]), **old}, *map(_row, LOG)]


def _row(entry: Entry) -> dict[str, Any]:
    row: dict[str, Any] = {
        "request_parameters": json.dumps({"stream": entry.streaming}),
        "id": f"{entry.number:032x}",
        "finish_reason": {"type": "length" if entry.finish == "length" else "stop"},
        "prompt_tokens": 10,
        "completion_tokens": entry.tokens,
        "e2e_latency": entry.latency,
        "request_received_ts": entry.started.timestamp(),
    }
    if entry.failed:
        status = None if entry.cancelled or not entry.told else entry.status
        reason = {"type": "abort", "message": "x", "status_code": status, "err_type": None}
        return {**row, "finish_reason": reason}
    first = entry.started.timestamp() + entry.first_token
    decode = entry.latency - entry.first_token
    return {
        **row,
        "prefill_finished_time": first,
        **({"decode_throughput": entry.tokens / decode} if decode else {}),
    }


def _untold(entry: Entry) -> bool:
    return entry.failed and (entry.cancelled or not entry.told)


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "errors": [
        of(lambda e: e.status != 400, lambda e: e.served),
        of(lambda _: True, lambda e: e.served, options={"client_errors": "bad"}),
        of(
            lambda e: e.status != 400 and not _untold(e),
            lambda e: e.served,
            options={"cancelled": "excluded"},
        ),
    ],
    "latency": [
        of(lambda e: e.served, lambda e: e.latency <= 10, threshold="10s"),
        of(
            lambda _: True,
            lambda e: e.served and e.latency <= 10,
            threshold="10s",
            options={"failures": "bad"},
        ),
    ],
    "time-to-first-token": [of(lambda e: e.served, lambda e: e.first_token <= 2, threshold="2s")],
    "inter-token-latency": [
        # Without any time between its tokens a request has no throughput, which counts as bad.
        of(
            lambda e: e.served,
            lambda e: e.latency > e.first_token and e.mean <= 1 / 10,
            threshold="100ms",
        )
    ],
    "spend": [{"spent": sum(entry.tokens for entry in LOG)}],
    "inference-failures": [
        {"bad": count(lambda e: e.failed and e.status != 400), "total": len(LOG)}
    ],
}
