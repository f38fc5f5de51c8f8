"""Phoenix's table span_annotations (src/phoenix/db/models.py) as databases export it."""

from datetime import timedelta
from typing import Any

from tests.presets.logs.entries import AT, OLD, iso
from tests.presets.logs.scored import SCORES, expected

FORMS = ("csv", "jsonl", "parquet")
TYPES = {"created_at": "TIMESTAMPTZ"}


def rows() -> list[dict[str, Any]]:
    """Return the annotations; one is too old."""
    return [
        {**_row(0), "created_at": iso(OLD), "score": 0.0},
        *map(_row, range(len(SCORES))),
    ]


def _row(place: int) -> dict[str, Any]:
    score = SCORES[place]
    return {
        "id": place,
        "span_rowid": place,
        "name": score.name,
        "label": None,
        "score": score.value,
        "annotator_kind": score.by,
        "created_at": iso(AT - timedelta(seconds=30 + place)),
    }


EXPECTED: dict[str, list[dict[str, Any]]] = expected({"annotator": "human"})
