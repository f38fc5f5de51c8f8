"""The table otel_traces of the collector's ClickHouse exporter, exported."""

from typing import Any

from tests.presets.logs.entries import LOG, OLD, Entry, naive, of

FORMS = ("jsonl", "parquet")
TYPES = {
    "Timestamp": "TIMESTAMP_NS",
    "Duration": "UBIGINT",
    "SpanAttributes": "MAP(VARCHAR, VARCHAR)",
}


def rows() -> list[dict[str, Any]]:
    """Return the spans; one is too old, others are no calls of a model."""
    last = _row(LOG[-1])
    slow = {**last, "StatusCode": "Error", "Duration": 10**12}
    return [
        {**last, "Timestamp": naive(OLD), "StatusCode": "Error"},
        *map(_row, LOG),
        {**slow, "SpanAttributes": {"http.response.status_code": "500"}},
        {**slow, "SpanAttributes": {"gen_ai.operation.name": "execute_tool", "error.type": "X"}},
    ]


def error_type(entry: Entry) -> str:
    """Return what a library says of a failure."""
    if entry.cancelled:
        return "CancelledError"
    return {429: "RateLimitError"}.get(entry.status, str(entry.status))


def attributes(entry: Entry) -> dict[str, str | int | float]:
    """Return the span's GenAI attributes."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.output_tokens": entry.tokens,
        **({"error.type": error_type(entry)} if entry.failed else {}),
        **({"gen_ai.response.time_to_first_chunk": entry.first_token} if streamed(entry) else {}),
    }


def streamed(entry: Entry) -> bool:
    """Return whether it is known when the first chunk came."""
    return entry.streaming and entry.first_token > 0


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "Timestamp": naive(entry.started) + "000000",
        "TraceId": "t",
        "SpanName": "chat llama",
        "SpanKind": "Client",
        "SpanAttributes": {key: str(value) for key, value in attributes(entry).items()},
        "Duration": round(entry.latency * 1e9),
        # The attribute alone marks some failures.
        "StatusCode": "Error" if entry.failed and entry.status != 503 else "Unset",
    }


def _called(entry: Entry) -> bool:
    return entry.served and streamed(entry)


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "errors": [
        of(lambda e: not e.cancelled, lambda e: e.served),
        of(lambda _: True, lambda e: e.served, options={"cancelled": "bad"}),
        of(
            lambda e: not e.cancelled and e.status != 429,
            lambda e: e.served,
            options={"rate_limited": "excluded"},
        ),
        of(
            lambda e: not e.cancelled,
            lambda e: e.served or e.status == 429,
            options={"rate_limited": "good"},
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
    "time-to-first-token": [
        of(_called, lambda e: e.first_token <= 2, threshold="2s"),
        of(
            streamed,
            lambda e: e.served and e.first_token <= 2,
            threshold="2s",
            options={"failures": "bad"},
        ),
    ],
    "inter-token-latency": [of(_called, lambda e: e.mean <= 1 / 10, threshold="100ms")],
    "spend": [{"spent": sum(entry.tokens for entry in LOG)}],
}
