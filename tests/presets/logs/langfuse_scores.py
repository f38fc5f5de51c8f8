"""Langfuse's table scores, as its blob storage export and ClickHouse write it."""

from datetime import timedelta
from typing import Any

from tests.presets.logs.entries import AT, OLD, naive
from tests.presets.logs.scored import SCORES, expected

FORMS = ("jsonl", "csv", "parquet")
TYPES = dict.fromkeys(("timestamp", "updated_at"), "TIMESTAMPTZ")
_SOURCES = {"LLM": "EVAL", "CODE": "API", "HUMAN": "ANNOTATION"}


def rows() -> list[dict[str, Any]]:
    """Return the scores; one is too old, one is replaced, some are texts."""
    made = [_row(place) for place in range(len(SCORES))]
    low = {"value": 0.0, "updated_at": naive(AT - timedelta(hours=5))}
    return [
        {**made[0], "id": "old", "timestamp": naive(OLD), "value": 0.0},
        *made,
        {**made[0], **low},  # an older version
        {**made[0], "id": "text", "value": 0.0, "data_type": "CATEGORICAL", "string_value": "no"},
    ]


def _row(place: int) -> dict[str, Any]:
    score, moment = SCORES[place], AT - timedelta(seconds=30 + place)
    return {
        "id": f"s-{place}",
        "timestamp": naive(moment),
        "project_id": "p",
        "trace_id": "t",
        "name": score.name,
        "value": score.value,
        "source": _SOURCES[score.by],
        "data_type": "BOOLEAN" if score.name == "user-feedback" else "NUMERIC",
        "string_value": None,
        "updated_at": naive(moment),
    }


EXPECTED: dict[str, list[dict[str, Any]]] = expected({"source": "annotation"})
