"""Phoenix's table spans (src/phoenix/db/models.py) as databases export it."""

from typing import Any

from tests.presets.logs.entries import LOG, OLD, Entry, iso, of

FORMS = ("csv", "jsonl", "parquet")
TYPES = dict.fromkeys(("start_time", "end_time"), "TIMESTAMPTZ")


def rows() -> list[dict[str, Any]]:
    """Return the spans; one is too old, one is an agent's."""
    last = _row(LOG[-1])
    return [
        {**last, "start_time": iso(OLD), "status_code": "ERROR"},
        *map(_row, LOG),
        {**last, "span_kind": "AGENT", "status_code": "ERROR", "llm_token_count_completion": 500},
    ]


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "span_id": f"{entry.number:016x}",
        "parent_id": None,
        "name": "ChatCompletion",
        "span_kind": "LLM",
        "start_time": iso(entry.started),
        "end_time": iso(entry.ended),
        "attributes": {"llm": {"model_name": "x"}},
        "status_code": "ERROR" if entry.failed else "OK",
        "llm_token_count_completion": entry.tokens or None,
    }


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
    "spend": [{"spent": sum(entry.tokens for entry in LOG)}],
}
