"""StandardLoggingPayload as JSON lines (litellm/types/utils.py)."""

from typing import Any

from tests.presets.logs.entries import LOG, OLD, Entry, count, of

FORMS = ("jsonl",)


def rows() -> list[dict[str, Any]]:
    """Return the log's rows; one is too old, and a failure."""
    old = {**_row(LOG[0]), "startTime": OLD.timestamp(), "status": "failure"}
    return [old, *map(_row, LOG)]


def _row(entry: Entry) -> dict[str, Any]:
    code = "499" if entry.cancelled else str(entry.status)
    error = {"error_code": code, "error_class": "X", "traceback": "..."} if entry.failed else None
    return {
        "id": f"chatcmpl-{entry.number}",
        "call_type": "acompletion",
        "stream": entry.streaming or None,
        "response_cost": entry.cost,
        "status": "failure" if entry.failed else "success",
        "status_fields": {
            "llm_api_status": "failure" if entry.failed else "success",
            "guardrail_status": _guardrail(entry),
        },
        "completion_tokens": entry.tokens,
        "startTime": entry.started.timestamp(),
        "endTime": entry.ended.timestamp(),
        "completionStartTime": entry.first.timestamp(),
        "response_time": (entry.first - entry.started).total_seconds(),
        "cache_hit": entry.cached or None,
        "error_information": error if entry.told else None,
        "metadata": {"user_api_key_alias": "x"},
    }


def _guardrail(entry: Entry) -> str:
    if not entry.checked:
        return "not_run"
    if entry.unguarded:
        return "guardrail_failed_to_respond"
    return "guardrail_intervened" if entry.flagged else "success"


def _blamed(entry: Entry) -> bool:
    """Return whether the caller is to blame."""
    return entry.cancelled or entry.status == 400


def _streamed(entry: Entry) -> bool:
    return entry.streaming and entry.served and not entry.cached


ERRORS: list[dict[str, Any]] = [
    of(lambda e: not _blamed(e) and e.status != 429, lambda e: e.served),
    of(
        lambda e: not _blamed(e),
        lambda e: e.served,
        options={"rate_limited": "bad"},
    ),
    of(
        lambda e: not _blamed(e),
        lambda e: e.served or e.status == 429,
        options={"rate_limited": "good"},
    ),
    of(
        lambda e: e.status != 429,
        lambda e: e.served or _blamed(e),
        options={"client_errors": "good"},
    ),
    of(
        lambda _: True,
        lambda e: e.served,
        options={"client_errors": "bad", "rate_limited": "bad"},
    ),
]
LATENCY: list[dict[str, Any]] = [
    of(lambda e: e.served and not e.cached, lambda e: e.latency <= 10, threshold="10s"),
    of(
        lambda e: e.served,
        lambda e: e.latency <= 10,
        threshold="10s",
        options={"cache_hits": "included"},
    ),
    of(
        lambda e: not e.cached,
        lambda e: e.served and e.latency <= 10,
        threshold="10s",
        options={"failures": "bad"},
    ),
]
FIRST_TOKEN: list[dict[str, Any]] = [
    of(_streamed, lambda e: e.first_token <= 2, threshold="2s"),
    of(
        lambda e: e.served and not e.cached,
        lambda e: e.first_token <= 2,
        threshold="2000ms",
        options={"streaming": "all"},
    ),
]
PER_TOKEN: list[dict[str, Any]] = [of(_streamed, lambda e: e.mean <= 1 / 10, threshold="100ms")]
SAFETY: list[dict[str, Any]] = [
    of(lambda e: e.checked, lambda e: not e.flagged and not e.unguarded),
    of(
        lambda e: e.checked and not e.unguarded,
        lambda e: not e.flagged,
        options={"guardrail_failures": "excluded"},
    ),
]
SPEND: list[dict[str, Any]] = [{"spent": sum(entry.cost or 0 for entry in LOG)}]
FAILURES: list[dict[str, Any]] = [
    {
        "bad": count(lambda e: e.failed and (e.status >= 500 or e.status == 408)),
        "total": len(LOG),
    }
]
EXPECTED: dict[str, list[dict[str, Any]]] = {
    "errors": ERRORS,
    "latency": LATENCY,
    "time-to-first-token": FIRST_TOKEN,
    "inter-token-latency": PER_TOKEN,
    "content-safety": SAFETY,
    "cost-per-query": [
        of(lambda e: e.served, lambda e: e.cost is not None and e.cost <= 0.05, threshold="0.05")
    ],
    "spend": SPEND,
    "inference-failures": FAILURES,
}
