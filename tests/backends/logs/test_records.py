"""A preset's knowledge of a log's rows: declared types, missing columns, versions, nested lists."""

import json
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gate.backends import open_backend, open_doctor
from gate.backends.logs.settings import LogsSettings
from gate.backends.records import Deduplication, Records
from gate.config.load import load
from gate.measure import Cause, Limits
from gate.measure.diagnosis import Check, CheckedSlo, Level
from gate.slo.indicator import Sli
from tests.backends.logs.written import (
    AT,
    FAILED,
    ask,
    ask_all,
    before,
    counts,
    refused,
    request,
    spent,
    write,
    write_parquet,
)

FORMS = ("jsonl", "csv", "parquet")
ROWS: list[dict[str, Any]] = [{"ts": before(n), "status": 499 + n} for n in range(4)]
CODE: dict[str, Any] = {"columns": {"error": "JSON"}, "optional": frozenset({"error"})}
"""An optional column: why a request failed."""
EXCUSED = Sli(bad="status >= 500 AND coalesce(json_extract_string(error, '$.code') <> '429', true)")


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", FORMS)
def test_an_optional_column_that_no_file_has_is_null(tmp_path: Path, form: str) -> None:
    log = write(tmp_path / f"a.{form}", ROWS)

    assert counts(ask(log, EXCUSED, **CODE)) == (4, 3)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", FORMS)
def test_an_optional_column_that_some_files_lack_is_null_there(tmp_path: Path, form: str) -> None:
    write(tmp_path / f"a.{form}", ROWS)
    error = json.dumps({"code": "429"}) if form == "csv" else {"code": "429"}
    write(tmp_path / f"b.{form}", [{**row, "error": error} for row in ROWS])

    assert counts(ask(tmp_path / f"*.{form}", EXCUSED, **CODE)) == (8, 3)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", FORMS)
def test_a_declared_column_that_is_not_optional_must_be_there(tmp_path: Path, form: str) -> None:
    log = write(tmp_path / f"a.{form}", ROWS)

    answers = ask_all(log, [request(EXCUSED), request()], columns={"error": "JSON"})

    assert refused(answers[0]) == 'no column "error" in the logs; there are: status, ts'
    assert counts(answers[1]) == (4, 3)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", FORMS)
def test_a_declared_column_must_be_in_every_file(tmp_path: Path, form: str) -> None:
    write(tmp_path / f"a.{form}", ROWS)
    write(tmp_path / f"b.{form}", [{**row, "error": "1"} for row in ROWS])

    reason = refused(ask(tmp_path / f"*.{form}", EXCUSED, columns={"error": "JSON"}))

    assert reason.startswith('no column "error" in 1 of 2 files')


@pytest.mark.parametrize("form", FORMS)
def test_numbers_in_texts_are_read_as_what_is_declared(tmp_path: Path, form: str) -> None:
    log = write(tmp_path / f"a.{form}", [{"ts": before(1), "ms": ms} for ms in ("9", "10", "2.5")])

    assert spent(ask(log, Sli(spent="ms"), columns={"ms": "DECIMAL(9,2)"})).amount == 21.5


@pytest.mark.parametrize("form", FORMS)
def test_a_value_that_is_none_of_the_declared_type_is_an_error(tmp_path: Path, form: str) -> None:
    log = write(tmp_path / f"a.{form}", [*ROWS, {"ts": before(1), "status": "oops"}])

    reason = refused(ask(log, FAILED, columns={"status": "DOUBLE"}))

    assert "does not fit its column's type" in reason
    assert "oops" not in reason


@pytest.mark.slow
def test_keys_of_a_declared_json_column_are_found_however_rare(tmp_path: Path) -> None:
    rare = {"ts": before(1), "status": 500, "error": {"code": "429"}}
    plain = {"ts": before(1), "status": 200, "error": {}}
    log = write(tmp_path / "a.jsonl", [*[plain] * 40_000, rare])

    assert counts(ask(log, EXCUSED, **CODE)) == (40_001, 0)
    assert counts(ask(log, Sli(bad="status >= 500"), **CODE)) == (40_001, 1)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", FORMS)
def test_a_structure_is_json_whatever_the_file_calls_it(tmp_path: Path, form: str) -> None:
    error = {"code": 429, "inner": {"reason": "quota"}}
    log = tmp_path / f"a.{form}"
    if form == "parquet":
        kind = 'STRUCT("code" INTEGER, "inner" STRUCT(reason VARCHAR))'
        write_parquet(log, [{"ts": before(1), "error": error}], {"error": kind})
    else:
        told = json.dumps(error) if form == "csv" else error
        write(log, [{"ts": before(1), "error": told}])
    sli = Sli(
        bad="json_extract_string(error, '$.inner.reason') = 'quota'"
        " AND json_extract_string(error, '$.code') = '429'"
    )

    assert counts(ask(log, sli, **CODE)) == (1, 1)


VERSIONS: list[dict[str, Any]] = [
    {"ts": before(30), "id": "a", "status": 500, "version": 1},
    {"ts": before(30), "id": "a", "status": 200, "version": 3},
    {"ts": before(30), "id": "a", "status": 500, "version": 2},
    {"ts": before(20), "id": "b", "status": 500, "version": 7},
]
NEWEST: dict[str, Any] = {"deduplicate": Deduplication(key=("id",), order_by=("version",))}


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", FORMS)
def test_of_several_versions_of_a_row_only_the_newest_counts(tmp_path: Path, form: str) -> None:
    log = write(tmp_path / f"a.{form}", VERSIONS)

    assert counts(ask(log)) == (4, 3)
    assert counts(ask(log, **NEWEST)) == (2, 1)


@pytest.mark.parametrize("newest", [False, True])
def test_doctor_takes_versions_of_a_row_for_rows_out_of_order_unless_it_knows_them(
    tmp_path: Path, *, newest: bool
) -> None:
    rows = [
        {"ts": before(3 * 3600), "id": "a", "status": 200, "version": 1},
        {"ts": before(60), "id": "b", "status": 200, "version": 1},
        {"ts": before(2 * 3600), "id": "a", "status": 200, "version": 2},
    ]
    records = Records(timestamp="ts", **(NEWEST if newest else {}))
    log = write(tmp_path / "a.jsonl", rows)
    settings = LogsSettings(path=log.name, directory=tmp_path, records=records)
    slo = CheckedSlo(
        name="errors",
        request=replace(request(), probe=True),
        whole=timedelta(days=30),
        max_age=timedelta(hours=1),
        min_coverage=Fraction(1, 2),
    )

    diagnosis = open_doctor(settings, Limits(timeout=timedelta(seconds=60))).examine([slo], AT)

    results = (*diagnosis.backend, *diagnosis.slos[0])
    doubts = {result.check for result in results if result.level is not Level.OK}
    assert (Check.ORDER in doubts) is not newest


@pytest.mark.parametrize("form", FORMS)
def test_the_newest_version_may_stand_in_any_file(tmp_path: Path, form: str) -> None:
    for name, rows in (("a", VERSIONS[1:2]), ("b", VERSIONS[:1]), ("c", VERSIONS[2:])):
        write(tmp_path / f"{name}.{form}", rows)

    assert counts(ask(tmp_path / f"*.{form}", **NEWEST)) == (2, 1)


@pytest.mark.parametrize("form", FORMS)
def test_of_equal_versions_the_next_column_tells_the_newest(tmp_path: Path, form: str) -> None:
    rows = [{**row, "version": 1, "then": row["version"]} for row in VERSIONS]
    log = write(tmp_path / f"a.{form}", rows)
    newest = Deduplication(key=("kind", "id"), order_by=("version", "then"))
    kind: dict[str, Any] = {"columns": {"kind": "VARCHAR"}, "optional": frozenset({"kind"})}

    assert counts(ask(log, deduplicate=newest, **kind)) == (2, 1)


@pytest.mark.parametrize("form", FORMS)
def test_rows_that_do_not_say_what_they_are_about_are_all_counted(
    tmp_path: Path, form: str
) -> None:
    unknown = [{**VERSIONS[3], "id": None}] * 3 + [{**VERSIONS[3], "version": None}] * 2
    log = write(tmp_path / f"a.{form}", [*VERSIONS, *unknown])

    assert counts(ask(log, **NEWEST)) == (7, 6)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", FORMS)
def test_without_a_column_that_tells_the_newest_nothing_is_counted(
    tmp_path: Path, form: str
) -> None:
    write(tmp_path / f"a.{form}", VERSIONS)
    write(tmp_path / f"b.{form}", [{"ts": before(9), "id": "a", "status": 200}])

    assert 'no column "version" in 1 of 2 files' in refused(ask(tmp_path / f"*.{form}", **NEWEST))
    newest = Deduplication(key=("id",), order_by=("versoin",))
    assert 'no column "versoin"' in refused(ask(tmp_path / f"a.{form}", deduplicate=newest))


SPAN: dict[str, Any] = {
    "columns": {"ts": "VARCHAR", "status": "DOUBLE"},
    "unnest": ("groups", "parts", "spans"),
}


def nested(*groups: list[list[dict[str, Any]]]) -> dict[str, Any]:
    return {"groups": [{"parts": [{"spans": spans} for spans in parts]} for parts in groups]}


def test_items_of_nested_lists_are_rows(tmp_path: Path) -> None:
    lines = [nested([ROWS[:1], ROWS[1:3]], [[], ROWS[3:]]), {"others": [1]}, nested([ROWS])]
    write(tmp_path / "a.jsonl", lines)
    write(tmp_path / "b.jsonl.gz", lines[:1])

    assert counts(ask(tmp_path / "a.jsonl", **SPAN)) == (8, 6)
    assert counts(ask(tmp_path / "*.jsonl*", **SPAN)) == (12, 9)


def test_of_a_key_that_a_map_of_an_item_has_twice_the_first_value_counts(tmp_path: Path) -> None:
    attributes = [{"key": "code", "value": code} for code in ("500", "200")]
    spans: list[dict[str, Any]] = [
        {"ts": before(1), "attributes": attributes},
        {"ts": before(2), "attributes": []},
    ]
    log = write(tmp_path / "a.jsonl", [nested([spans])])
    columns = {"ts": "VARCHAR", "attributes": "MAP(VARCHAR, VARCHAR)"}
    sli = Sli(bad="coalesce(attributes['code'] = '500', false)")

    assert counts(ask(log, sli, **{**SPAN, "columns": columns})) == (2, 1)


def test_lists_that_are_missing_on_the_way_hold_no_rows(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"groups": None},
        {"groups": [{}, {"parts": [{"spans": None}]}]},
        nested([ROWS]),
    ]
    log = write(tmp_path / "a.jsonl", lines)

    assert counts(ask(log, **SPAN)) == (4, 3)


def test_a_file_without_such_lists_has_no_data(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", ROWS)

    assert "have no row" in refused(ask(log, **SPAN), Cause.NO_DATA)


def test_an_item_without_its_time_is_an_error(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [nested([[*ROWS, {"status": 200}]])])

    assert refused(ask(log, **SPAN)) == '1 row has no value in "ts"'


def test_of_an_item_only_declared_columns_are_known(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [nested([[{**row, "ms": 5} for row in ROWS]])])

    reason = refused(ask(log, Sli(bad="ms > 4"), **SPAN))

    assert reason == 'no column "ms" in the logs; there are: ts, status'


def test_a_line_of_many_items_may_be_long(tmp_path: Path) -> None:
    rows = [{**row, "x": "y" * 1000} for row in ROWS] * 2500
    log = write(tmp_path / "a.jsonl", [nested([rows])])

    assert log.stat().st_size > 2**23
    assert counts(ask(log, **SPAN)) == (10_000, 7_500)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_policy_may_say_what_only_failures_have(tmp_path: Path, form: str) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text(
        "version: 1\nservice: chat\n"
        f"backend: {{type: logs, path: '*.{form}', timestamp: ts, optional: {{error: VARCHAR}}}}\n"
        "slos: [{name: a, objective: 99%, window: 1d, sli: {bad: error IS NOT NULL}}]\n"
        "tiers: [{name: all, otherwise: true, allow: all}]\n"
    )
    backend = open_backend(load(str(file), {}).settings, Limits(timeout=timedelta(minutes=1)))
    wanted = request(Sli(bad="error IS NOT NULL"))

    write(tmp_path / f"a.{form}", [{"ts": before(2), "status": 200}] * 3)
    assert counts(backend.measure([wanted], AT)[0]) == (3, 0)
    write(tmp_path / f"b.{form}", [{"ts": before(1), "status": 500, "error": "timeout"}])
    assert counts(backend.measure([wanted], AT)[0]) == (4, 1)
