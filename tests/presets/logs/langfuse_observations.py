"""Langfuse's table observations, as its blob storage export and ClickHouse write it."""

from datetime import timedelta
from typing import Any

from tests.presets.logs.entries import LOG, OLD, Entry, count, iso, naive, of

FORMS = ("jsonl", "csv", "parquet")
TYPES = {
    **dict.fromkeys(("start_time", "end_time", "updated_at", "event_ts"), "TIMESTAMPTZ"),
    "completion_start_time": "TIMESTAMPTZ",
    "usage_details": "MAP(VARCHAR, UBIGINT)",
    "total_cost": "DECIMAL(18, 12)",
    "is_deleted": "UTINYINT",
}


def rows() -> list[dict[str, Any]]:
    """Return the log's rows: with older versions, deleted ones, other types, and an old one."""
    last = _row(LOG[-1])
    later = iso(LOG[-1].ended + timedelta(seconds=5))
    return [
        {**_row(LOG[0]), "id": "old", "start_time": naive(OLD), "level": "ERROR"},
        {**last, "level": "ERROR", "end_time": None},  # replaced by what comes below
        *map(_row, LOG),
        {**last, "level": "ERROR", "total_cost": 99.5},  # as old as the other: by event_ts
        {**last, "id": "gone", "level": "ERROR"},
        {**last, "id": "gone", "level": "ERROR", "event_ts": later, "is_deleted": 1},
        {**last, "id": "span", "type": "SPAN", "level": "ERROR", "total_cost": None},
        {**last, "event_ts": later},
    ]


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "id": f"o-{entry.number}",
        "trace_id": "t",
        "project_id": "p",
        "type": "GENERATION",
        "start_time": naive(entry.started),
        "end_time": naive(entry.ended),
        "completion_start_time": naive(entry.first) if _streamed(entry) else None,
        "level": "ERROR" if entry.failed else "DEFAULT",
        "usage_details": {"input": 10, "output": entry.tokens},
        "total_cost": entry.cost,
        "updated_at": naive(entry.ended),
        "event_ts": naive(entry.ended),
        "is_deleted": 0,
    }


def _streamed(entry: Entry) -> bool:
    return entry.streaming and entry.first_token > 0


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "errors": [of(lambda _: True, lambda e: e.served)],
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
        of(lambda e: e.served and _streamed(e), lambda e: e.first_token <= 2, threshold="2s"),
        of(
            _streamed,
            lambda e: e.served and e.first_token <= 2,
            threshold="2s",
            options={"failures": "bad"},
        ),
    ],
    "inter-token-latency": [
        of(lambda e: e.served and _streamed(e), lambda e: e.mean <= 1 / 10, threshold="100ms")
    ],
    "cost-per-query": [
        {
            "threshold": "0.05",
            "bad": count(lambda e: e.served and (e.cost is None or e.cost > 0.05)),
            "total": count(lambda e: e.served),
        }
    ],
    "spend": [{"spent": sum(entry.cost or 0 for entry in LOG)}],
}
