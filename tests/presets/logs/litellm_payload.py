"""StandardLoggingPayload as JSON lines (litellm/types/utils.py)."""

from typing import Any

from tests.presets.logs.entries import LOG, OLD, Entry, count, of

FORMS = ("jsonl",)


def rows() -> list[dict[str, Any]]:
    """Return the log's rows; one is too old, and a failure, and some are of no user."""
    old = {**_row(LOG[0]), "startTime": OLD.timestamp(), "status": "failure"}
    return [old, *map(_row, LOG), *[_keyless()] * KEYLESS, *[_health_check()] * HEALTH_CHECKS]


KEYLESS, HEALTH_CHECKS = 4, 6


def _keyless() -> dict[str, Any]:
    """A chat without a key, as LiteLLM 1.106.12 writes it down."""
    error = {"error_code": "", "error_class": "Exception", "error_message": "No api key passed in."}
    refused = {"status": "failure", "response_cost": 0.0, "completion_tokens": 0, "stream": None}
    guardrail = {"llm_api_status": "failure", "guardrail_status": "not_run"}
    return {
        **_row(LOG[0]),
        **refused,
        "status_fields": guardrail,
        "error_information": error,
        "metadata": {"user_api_key_hash": ""},
    }


def _health_check() -> dict[str, Any]:
    """One that is answered at once and costs something."""
    row = {**_row(LOG[0]), "request_tags": ["litellm-internal-health-check", "User-Agent: x"]}
    guardrail = {"llm_api_status": "success", "guardrail_status": "not_run"}
    return {**row, "response_cost": HEALTH_PRICE, "status_fields": guardrail}


HEALTH_PRICE = 0.001


def _row(entry: Entry) -> dict[str, Any]:
    code = "499" if entry.cancelled else str(entry.status)
    error = {"error_code": code, "error_class": "X", "traceback": "..."} if entry.failed else None
    # A client that leaves once the answer has begun is a success to LiteLLM, with this code.
    failed = entry.failed and not entry.cancelled
    return {
        "id": f"chatcmpl-{entry.number}",
        "call_type": "acompletion",
        "stream": (entry.streaming or None) if not failed else None,
        "model_parameters": {"stream": entry.streaming},
        "request_tags": ["User-Agent: x"],
        "response_cost": 0.0 if failed or _unpriced(entry) else entry.cost,
        "status": "failure" if failed else "success",
        "status_fields": {
            "llm_api_status": "failure" if failed else "success",
            "guardrail_status": _guardrail(entry),
        },
        "completion_tokens": entry.tokens,
        "startTime": entry.started.timestamp(),
        "endTime": entry.ended.timestamp(),
        "completionStartTime": entry.first.timestamp(),
        "response_time": (entry.first - entry.started).total_seconds(),
        "cache_hit": entry.cached or None,
        "error_information": error if entry.told else None,
        "metadata": {"user_api_key_alias": "x", "user_api_key_hash": "88dc28d0"},
    }


def _unpriced(entry: Entry) -> bool:
    """Write the cost 0 of the long answers, as LiteLLM does for a model that it cannot price."""
    return entry.finish == "length"


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


def _not_failed(entry: Entry) -> bool:
    return entry.served or entry.cancelled


def _cheap(entry: Entry) -> bool:
    return entry.cost is not None and entry.cost <= 0.05


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
    {
        "options": {"keyless": "bad", "health_checks": "included"},
        "bad": count(lambda e: not _blamed(e) and e.status != 429 and e.failed) + KEYLESS,
        "total": count(lambda e: not _blamed(e) and e.status != 429) + KEYLESS + HEALTH_CHECKS,
    },
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
        lambda e: not e.cached and not e.cancelled,
        lambda e: e.served and e.latency <= 10,
        threshold="10s",
        options={"failures": "bad"},
    ),
    of(
        lambda e: not e.cached,
        lambda e: e.served and e.latency <= 10,
        threshold="10s",
        options={"failures": "bad", "cancelled": "bad"},
    ),
    {
        "threshold": "10s",
        "options": {"health_checks": "included"},
        "bad": count(lambda e: e.served and not e.cached and e.latency > 10),
        "total": count(lambda e: e.served and not e.cached) + HEALTH_CHECKS,
    },
]
FIRST_TOKEN: list[dict[str, Any]] = [
    of(_streamed, lambda e: e.first_token <= 2, threshold="2s"),
    of(
        lambda e: e.served and not e.cached,
        lambda e: e.first_token <= 2,
        threshold="2000ms",
        options={"streaming": "all"},
    ),
    # Of a stream that failed LiteLLM writes null for "stream".
    of(
        lambda e: e.streaming and not e.cached and not e.cancelled,
        lambda e: e.served and e.first_token <= 2,
        threshold="2s",
        options={"failures": "bad"},
    ),
]
PER_TOKEN: list[dict[str, Any]] = [
    of(
        lambda e: e.streaming and (e.served or e.cancelled) and not e.cached,
        lambda e: e.mean <= 1 / 10,
        threshold="100ms",
    )
]
SAFETY: list[dict[str, Any]] = [
    of(lambda e: e.checked, lambda e: not e.flagged and not e.unguarded),
    of(
        lambda e: e.checked and not e.unguarded,
        lambda e: not e.flagged,
        options={"guardrail_failures": "excluded"},
    ),
]
SPEND: list[dict[str, Any]] = [
    {
        "spent": sum(
            entry.cost or 0 for entry in LOG if _not_failed(entry) and not _unpriced(entry)
        )
        + HEALTH_CHECKS * HEALTH_PRICE
    }
]
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
        of(_not_failed, lambda e: _cheap(e) and not _unpriced(e), threshold="0.05"),
        of(
            lambda e: _not_failed(e) and e.cost is not None and not _unpriced(e),
            _cheap,
            threshold="0.05",
            options={"unpriced": "excluded"},
        ),
        of(
            _not_failed,
            lambda e: _cheap(e) or _unpriced(e),
            threshold="0.05",
            options={"unpriced": "free"},
        ),
    ],
    "spend": SPEND,
    "inference-failures": FAILURES,
}
