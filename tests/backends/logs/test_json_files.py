"""JSON as programs write it: arrays, objects over several lines, a file each, and unfinished."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.backends import open_backend
from gate.measure import Cause, Counts, Limits
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.logs.written import (
    AT,
    DAY,
    FAILED,
    ask,
    before,
    counts,
    refused,
    settings,
    watch,
    write,
)

Row = dict[str, Any]


def rows_of(number: int) -> list[Row]:
    return [
        {
            "ts": before(60 * (place + 1)),
            "status": 500 if place % 3 == 0 else 200,
            "usage": {"tokens": place, "models": [{"name": "a"}]},
            "id": 2**53 + place,
            "stream": place % 2 == 0,
        }
        for place in range(number)
    ]


LAYOUTS: dict[str, Callable[[list[Row]], str]] = {
    "an array": json.dumps,
    "an array over several lines": lambda rows: json.dumps(rows, indent=2) + "\n",
    "an array, a row a line": lambda rows: "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]",
    "objects over several lines": lambda rows: "\n".join(json.dumps(row, indent=2) for row in rows),
    "a line each": lambda rows: "".join(json.dumps(row) + "\n" for row in rows),
    "a line each, the last without an end": lambda rows: "\n".join(map(json.dumps, rows)),
}


@pytest.mark.crossed
@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("suffix", ["json", "jsonl", "json.gz"])
def test_every_layout_of_json_is_read(tmp_path: Path, name: str, suffix: str) -> None:
    text = LAYOUTS[name](rows_of(9)).encode()
    log = tmp_path / f"a.{suffix}"
    log.write_bytes(gzip.compress(text) if suffix.endswith(".gz") else text)

    assert counts(ask(log, FAILED)) == (9, 3)
    assert counts(ask(log, Sli(bad="usage.tokens >= 7"))) == (9, 2)
    assert counts(ask(log, Sli(bad="usage.models[1].name = 'a'"))) == (9, 9)
    assert counts(ask(log, Sli(bad=f"id = {2**53 + 1}"))) == (9, 1)
    assert counts(ask(log, Sli(bad="stream"))) == (9, 5)


def test_files_of_several_layouts_are_read_together(tmp_path: Path) -> None:
    for place, name in enumerate(LAYOUTS):
        (tmp_path / f"{place}.json").write_text(LAYOUTS[name](rows_of(3)))

    assert counts(ask(tmp_path / "*.json", FAILED)) == (3 * len(LAYOUTS), len(LAYOUTS))


@pytest.mark.parametrize("indent", [None, 2])
def test_files_of_one_object_each_are_read_in_one_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None
) -> None:
    for place, row in enumerate(rows_of(200)):
        text = json.dumps(row | ({"error": "x"} if row["status"] == 500 else {}), indent=indent)
        (tmp_path / f"{place:03}.json").write_text(text)
    statements: list[str] = []
    watch(monkeypatch, lambda _, sql: statements.append(sql))

    assert counts(ask(tmp_path / "*.json", Sli(bad="error IS NOT NULL"))) == (200, 67)
    reading = [sql for sql in statements if "read_json" in sql and "DESCRIBE" not in sql]
    assert len(reading) == 1


def test_a_key_that_small_files_lack_is_one_more_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(30):
        rows = [{"ts": before(1), "ms": None if place else 5.5}] * 2
        write(tmp_path / f"{place:03}.jsonl", rows)
    statements: list[str] = []
    watch(monkeypatch, lambda _, sql: statements.append(sql))

    assert counts(ask(tmp_path / "*.jsonl", Sli(bad="coalesce(ms > 10, false)"))) == (60, 0)
    assert len([sql for sql in statements if "json_keys" in sql]) == 1


@pytest.mark.parametrize(
    "text",
    ['[{"ts": 1}, 5]', '[{"ts": 1}', '[{"ts": 1}]\n[{"ts": 2}]', '{"data": 5}\n{"data":'],
)
def test_json_that_is_not_a_list_of_rows_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)

    answer = ask(tmp_path / "a.json", Sli(bad="data = 5"))

    assert not isinstance(answer, Counts)


def test_an_empty_array_is_a_log_without_rows(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")

    refused(ask(tmp_path / "a.json", FAILED), Cause.NO_DATA)


UNFINISHED = ("{", '{"ts": "2026-10-31T11:00', '{"ts": "2026-10-31T11:00:00Z", "status": 50')


@pytest.mark.parametrize("end", UNFINISHED)
def test_the_last_line_of_a_file_that_is_being_written_is_left_out_and_reported(
    tmp_path: Path, end: str
) -> None:
    write(tmp_path / "a.jsonl", rows_of(9))
    log = write(tmp_path / "b.jsonl", rows_of(9))
    log.write_text(log.read_text() + end)

    answer = ask(tmp_path / "*.jsonl", FAILED, probe=True)

    assert counts(answer) == (18, 6)
    assert isinstance(answer, Counts)
    note = f"the last line of {log} is not finished, and left out"
    assert answer.evidence.notes == (note,)
    backend = open_backend(settings(log), Limits(timeout=timedelta(minutes=1)))
    (series,) = backend.history(  # type: ignore[attr-defined]
        [SeriesRequest(sli=FAILED, span=Span(AT - DAY, AT), step=DAY)]
    )
    assert isinstance(series, Series)
    assert (series.total, series.bad, series.notes) == ((9.0,), (3.0,), (note,))


def test_a_last_line_cut_within_a_letter_is_left_out(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", rows_of(9))
    log.write_bytes(log.read_bytes() + '{"ts": "\u00e9'.encode()[:-1])

    assert counts(ask(log, FAILED)) == (9, 3)


@pytest.mark.parametrize("end", UNFINISHED)
def test_a_broken_line_before_the_last_is_an_error_at_its_place(tmp_path: Path, end: str) -> None:
    log = write(tmp_path / "a.jsonl", rows_of(9))
    lines = log.read_text().splitlines()
    log.write_text("\n".join([*lines[:4], '{"ts": oops', *lines[4:], end]))

    reason = refused(ask(log, FAILED), Cause.BACKEND_ERROR)

    assert "a line is not valid JSON" in reason
    assert "a.jsonl, line 5" in reason


def test_a_line_that_is_finished_and_is_not_json_is_an_error(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", rows_of(9))
    log.write_text(log.read_text() + '{"ts": \n')

    assert "a line is not valid JSON" in refused(ask(log, FAILED), Cause.BACKEND_ERROR)


def test_a_large_file_that_is_being_written_is_examined_from_its_end(tmp_path: Path) -> None:
    rows = [{**row, "prompt": "x" * 50_000} for row in rows_of(9)]
    log = write(tmp_path / "a.jsonl", rows)
    log.write_text(log.read_text() + '{"ts": "')

    assert counts(ask(log, FAILED)) == (9, 3)


@pytest.mark.parametrize("there", [True, False])
def test_large_files_are_asked_one_by_one_for_a_key_without_a_value(
    tmp_path: Path, *, there: bool
) -> None:
    large = [{**row, "prompt": "x" * 200_000} for row in rows_of(9)]
    write(tmp_path / "a.jsonl", [row | ({"ms": None} if there else {}) for row in large])
    write(tmp_path / "b.jsonl", [row | {"ms": 5.5} for row in rows_of(3)])

    answer = ask(tmp_path / "*.jsonl", Sli(bad="coalesce(ms > 10, false)"))

    if there:
        assert counts(answer) == (12, 0)
    else:
        assert 'no column "ms" in 1 of 2 files' in refused(answer)
