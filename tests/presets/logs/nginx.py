"""nginx's access log in the JSON format that the preset asks for."""

from datetime import timedelta
from typing import Any

from tests.presets.logs.entries import LOG, OLD, Entry, count, of

FORMS = ("jsonl",)
_ROUTES = ("/v1/chat/completions", "/v1/completions?x=1", "/v1/responses")


def rows() -> list[dict[str, Any]]:
    """Return the log's rows; one is too old, some are health checks that fail."""
    last = _row(LOG[-1])
    health = {**last, "request_uri": "/health", "status": 500, "request_time": 99.0}
    return [
        {**last, "time_iso8601": OLD.isoformat(), "status": 500},
        *map(_row, LOG),
        *[health] * 4,
    ]


def status(entry: Entry) -> int:
    """Return the status as nginx logs it."""
    return 499 if entry.cancelled else entry.status


def _row(entry: Entry) -> dict[str, Any]:
    ended = entry.ended.replace(microsecond=0)
    return {
        "time_iso8601": (ended + timedelta(seconds=1)).isoformat(),
        "request_uri": _ROUTES[entry.number % 3],
        "status": status(entry),
        "request_time": entry.latency,
        "upstream_header_time": "0.010",
    }


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "errors": [
        of(lambda e: status(e) not in {400, 429, 499}, lambda e: e.served),
        of(
            lambda e: status(e) not in {400, 499},
            lambda e: e.served,
            options={"rate_limited": "bad"},
        ),
        of(
            lambda e: status(e) != 499,
            lambda e: e.served or status(e) in {400, 429},
            options={"rate_limited": "good", "client_errors": "good"},
        ),
        of(
            lambda _: True,
            lambda e: e.served,
            options={"rate_limited": "bad", "client_errors": "bad", "cancelled": "bad"},
        ),
        {
            "options": {"routes": "all"},
            "bad": count(lambda e: status(e) >= 500 or status(e) == 408) + 4,
            "total": count(lambda e: status(e) not in {400, 429, 499}) + 4,
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
