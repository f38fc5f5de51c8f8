"""JSON documents that hold their rows in a list, as APIs answer and as exports are."""

import gzip
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gate.slo.indicator import Sli
from tests.backends.logs.written import FAILED, ask, before, counts, refused, spent

ROWS = [
    {"ts": before(9 - n), "status": 500 if n % 3 == 0 else 200, "cost": n / 2, "route": f"/{n}"}
    for n in range(9)
]
"""Three of nine failed: 0, 3 and 6."""
FORMS: dict[str, Callable[[Any], Any]] = {
    "data": lambda rows: {"data": rows},
    "with other keys": lambda rows: {"object": "list", "data": rows, "has_more": False},
    "with other lists": lambda rows: {
        "tags": ["a"],
        "meta": {"pages": [{"page": 1}]},
        "data": rows,
    },
    "within a key": lambda rows: {"result": {"count": 9, "items": rows}},
    "within two keys": lambda rows: {"a": {"b c": {'the "rows"': rows}}},
}


@pytest.mark.variants(2)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("form", FORMS)
def test_the_rows_in_a_list_of_a_document_are_counted(
    tmp_path: Path, form: str, indent: int | None
) -> None:
    log = tmp_path / "a.json"
    log.write_text(json.dumps(FORMS[form](ROWS), indent=indent), encoding="utf-8")

    assert counts(ask(log, FAILED)) == (9, 3)
    assert counts(ask(log, Sli(column="cost", threshold=Fraction(2)))) == (9, 4)
    assert spent(ask(log, Sli(spent="cost"))).amount == 18


def test_pages_of_an_export_are_read_together_and_an_empty_one_has_no_row(tmp_path: Path) -> None:
    for page, rows in enumerate((ROWS[:4], ROWS[4:], [])):
        text = json.dumps({"data": rows, "page": page})
        (tmp_path / f"{page}.json").write_text(text, encoding="utf-8")

    assert counts(ask(tmp_path / "*.json", FAILED)) == (9, 3)


@pytest.mark.slow
def test_a_document_a_line_is_read_and_a_packed_one(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"data": rows}) + "\n" for rows in (ROWS[:4], ROWS[4:]))
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(json.dumps({"data": ROWS}).encode()))

    assert counts(ask(tmp_path / "a.jsonl", FAILED)) == (9, 3)
    assert counts(ask(tmp_path / "b.json.gz", FAILED)) == (9, 3)


def test_the_time_may_be_a_field_of_the_items_columns(tmp_path: Path) -> None:
    log = tmp_path / "a.json"
    hits = [{"_id": n, "_source": row} for n, row in enumerate(ROWS)]
    log.write_text(json.dumps({"hits": {"total": 9, "hits": hits}}), encoding="utf-8")

    answer = ask(log, Sli(bad="_source.status >= 500"), timestamp="_source.ts")

    assert counts(answer) == (9, 3)


@pytest.mark.variants(1)
@pytest.mark.parametrize("wrong", [{"error": "rate limited"}, {"data": None}])
def test_a_document_without_the_list_is_not_one_without_rows(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"data": ROWS}), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(wrong), encoding="utf-8")

    assert "1 row has no" in refused(ask(tmp_path / "*.json", FAILED))


def test_of_two_lists_with_a_time_nobody_knows_which_is_meant(tmp_path: Path) -> None:
    log = tmp_path / "a.json"
    log.write_text(json.dumps({"good": ROWS, "bad": ROWS}), encoding="utf-8")

    reason = refused(ask(log, FAILED))

    assert 'both good and bad are lists of rows with "ts"' in reason
    assert "one object per line" in reason


def test_rows_that_hold_lists_are_rows(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    spans = [{"ts": before(5), "status": 500}] * 3
    lines = [json.dumps({**row, "spans": spans}) + "\n" for row in ROWS]
    log.write_text("".join(lines), encoding="utf-8")

    assert counts(ask(log, FAILED)) == (9, 3)


def test_a_key_that_some_items_lack_is_unset_in_them(tmp_path: Path) -> None:
    log = tmp_path / "a.json"
    rows = [{**row, "error": "timeout"} if row["status"] == 500 else row for row in ROWS]
    log.write_text(json.dumps({"data": rows}), encoding="utf-8")

    assert counts(ask(log, Sli(bad="error IS NOT NULL"))) == (9, 3)
