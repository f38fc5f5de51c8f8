"""Helicone's ClickHouse table request_response_rmt, exported."""

from datetime import timedelta
from typing import Any

from tests.presets.logs.entries import LOG, OLD, Entry, count, naive, of
from tests.presets.logs.scored import SCORES

FORMS = ("jsonl", "parquet")
TYPES = {
    **dict.fromkeys(("request_created_at", "updated_at"), "TIMESTAMPTZ"),
    "scores": "MAP(VARCHAR, BIGINT)",
}
_PENDING, _CANCELLED, _THREAT, _TIMEOUT = -2, -3, -4, -1
_JUDGED = [score for score in SCORES if score.name == "hallucination"]


def rows() -> list[dict[str, Any]]:
    """Return the log's rows; one is too old, one pending, one has an older version."""
    last = _row(LOG[-1])
    return [
        {**last, "request_id": "old", "request_created_at": naive(OLD), "status": 500},
        {**last, "status": _PENDING, "updated_at": naive(LOG[-1].started)},
        *map(_row, LOG),
        {**last, "request_id": "waits", "status": _PENDING, "scores": {}},
    ]


def _status(entry: Entry) -> int:
    if entry.cancelled:
        return _CANCELLED
    if entry.flagged:
        return _THREAT
    return entry.status if entry.told else _TIMEOUT


def _row(entry: Entry) -> dict[str, Any]:
    streamed = entry.streaming and entry.first_token > 0
    score = _JUDGED[entry.number].value if entry.number < len(_JUDGED) else None
    return {
        "request_id": f"r-{entry.number}",
        "request_created_at": naive(entry.started),
        "latency": round(entry.latency * 1000),
        "status": _status(entry),
        "completion_tokens": entry.tokens,
        "time_to_first_token": round(entry.first_token * 1000) if streamed else None,
        "threat": entry.flagged if entry.checked else None,
        "scores": {} if score is None else {"hallucination": int(score * 100)},
        "cost": round((entry.cost or 0) * 1e9),
        "updated_at": naive(entry.ended + timedelta(seconds=1)),
    }


def _served(entry: Entry) -> bool:
    return 100 <= _status(entry) < 400


def _streamed(entry: Entry) -> bool:
    return _served(entry) and entry.streaming and entry.first_token > 0


def _scored(threshold: str) -> dict[str, Any]:
    bad = sum(score.value != 0 for score in _JUDGED)
    options = {"name": "hallucination", "better": "lower"}
    return {"threshold": threshold, "options": options, "bad": bad, "total": len(_JUDGED)}


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "errors": [
        of(
            lambda e: _status(e) not in {_CANCELLED, _THREAT, 429, 400},
            _served,
        ),
        of(
            lambda e: _status(e) not in {_CANCELLED, _THREAT, 400},
            lambda e: _served(e) or _status(e) == 429,
            options={"rate_limited": "good"},
        ),
        of(
            lambda e: _status(e) != 429,
            lambda e: _served(e) or _status(e) in {_THREAT, 400},
            options={"client_errors": "good", "cancelled": "bad"},
        ),
        of(
            lambda _: True,
            _served,
            options={"client_errors": "bad", "cancelled": "bad", "rate_limited": "bad"},
        ),
    ],
    "latency": [
        of(_served, lambda e: e.latency <= 10, threshold="10s"),
        of(
            lambda _: True,
            lambda e: _served(e) and e.latency <= 10,
            threshold="10s",
            options={"failures": "bad"},
        ),
    ],
    "time-to-first-token": [of(_streamed, lambda e: e.first_token <= 2, threshold="2s")],
    "inter-token-latency": [of(_streamed, lambda e: e.mean <= 1 / 10, threshold="100ms")],
    "content-safety": [of(lambda e: e.checked or e.flagged, lambda e: not e.flagged)],
    "faithfulness": [_scored("50")],
    "user-reported-errors": [_scored("1")],
    "degenerate-output": [_scored("99")],
    "cost-per-query": [of(_served, lambda e: (e.cost or 0) <= 0.05, threshold="0.05")],
    "spend": [{"spent": sum(entry.cost or 0 for entry in LOG) + (LOG[-1].cost or 0)}],
    "inference-failures": [
        {
            "bad": count(lambda e: _status(e) >= 500 or _status(e) in {_TIMEOUT, 408}),
            "total": len(LOG),
        }
    ],
}
