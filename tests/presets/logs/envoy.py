"""Envoy's access log as Envoy Gateway writes it (internal/xds/translator/accesslog.go)."""

from typing import Any

from tests.presets.logs.entries import LOG, OLD, Entry, count, of

FORMS = ("jsonl",)


def rows() -> list[dict[str, Any]]:
    """Return the log's rows; one is too old, some are health checks that fail."""
    last = _row(LOG[-1])
    health = {**last, "x-envoy-origin-path": "/health", "response_code": 500, "duration": 99_000}
    return [
        {**last, "start_time": OLD.isoformat(), "response_code": 500},
        *map(_row, LOG),
        *[health] * 4,
    ]


def _code(entry: Entry) -> int:
    return 0 if entry.cancelled or not entry.told else entry.status


def _row(entry: Entry) -> dict[str, Any]:
    moment = entry.started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    flags = "DC" if entry.cancelled else "UF,URX" if not entry.told else None
    return {
        "start_time": moment,
        "method": "POST",
        "x-envoy-origin-path": "/v1/chat/completions",
        "protocol": "HTTP/1.1",
        "response_code": _code(entry),
        "response_flags": flags,
        "duration": round(entry.latency * 1000),
    }


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "errors": [
        of(lambda e: not e.cancelled and e.status not in {400, 429}, lambda e: e.served),
        of(
            lambda e: e.status not in {400, 429},
            lambda e: e.served,
            options={"cancelled": "bad"},
        ),
        of(
            lambda e: not e.cancelled,
            lambda e: e.served or e.status in {400, 429},
            options={"rate_limited": "good", "client_errors": "good"},
        ),
        {
            "options": {"routes": "all"},
            "bad": count(lambda e: e.status >= 500 or e.status == 408) + 4,
            "total": count(lambda e: not e.cancelled and e.status not in {400, 429}) + 4,
        },
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
    "inference-failures": [{"bad": count(lambda e: e.status >= 500), "total": len(LOG)}],
}
