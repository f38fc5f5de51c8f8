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
        *[{**_row(LOG[0]), "response_flags": flags} for flags in (*CUT, *LEFT)],
    ]


CUT = ("UT", "UC", "UF", "UR", "DPE", "UPE", "LR", "SI", "UMSDR", "DT", "OM", "DC,UT", "UC,URX")
"""Flags with which Envoy says that it, or the server behind it, ended a stream after its 200."""
LEFT = ("DC", "-")
"""The client ended it; nobody did before its end."""


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


def _also_cut(case: dict[str, Any]) -> dict[str, Any]:
    """Add the streams that ended after their 200, of which those that were cut are bad."""
    more = len(CUT) + len(LEFT)
    return {**case, "bad": case["bad"] + len(CUT), "total": case["total"] + more}


def _left(case: dict[str, Any]) -> dict[str, Any]:
    return {**case, "total": case["total"] + len(LEFT)}


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "errors": [
        _also_cut(case)
        for case in (
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
        )
    ],
    "latency": [
        _left(of(lambda e: e.served, lambda e: e.latency <= 10, threshold="10s")),
        _also_cut(
            of(
                lambda _: True,
                lambda e: e.served and e.latency <= 10,
                threshold="10s",
                options={"failures": "bad"},
            )
        ),
    ],
    "inference-failures": [_also_cut({"bad": count(lambda e: e.status >= 500), "total": len(LOG)})],
}
