"""Columns that are missing, of several types or spelled otherwise, and rows that do not parse."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gate.measure import Cause, Unmeasured
from gate.slo.indicator import Sli
from tests.backends.logs.written import (
    DAY,
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

ROWS: list[dict[str, Any]] = [{"ts": before(n), "status": 200 + n} for n in range(1, 4)]
SLOW = Sli(column="ms", threshold=Fraction(10))


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize(
    "sli", [Sli(bad="ms > 10"), SLOW, Sli(spent="ms"), Sli(bad="false", total="ms > 1")]
)
def test_a_column_that_some_file_lacks_is_an_error_and_no_null(
    tmp_path: Path, form: str, sli: Sli
) -> None:
    write(tmp_path / f"b.{form}", ROWS)
    write(tmp_path / f"a.{form}", [{**row, "ms": 5.5} for row in ROWS])
    write(tmp_path / f"c.{form}", [{**row, "ms": 5.5} for row in ROWS])

    answers = ask_all(tmp_path / f"*.{form}", [request(sli), request()])

    assert refused(answers[0]) == (
        f'no column "ms" in 1 of 3 files (for example {tmp_path}/b.{form}); '
        "every file must have it, even with null"
    )
    assert counts(answers[1]) == (9, 0)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_column_that_no_file_has_is_an_error_that_names_the_nearest(
    tmp_path: Path, form: str
) -> None:
    log = write(tmp_path / f"a.{form}", ROWS)

    reason = refused(ask(log, Sli(bad="stats >= 500")))

    assert reason == 'no column "stats" in the logs; there are: status, ts'


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_the_timestamp_must_be_in_every_file(tmp_path: Path, form: str) -> None:
    write(tmp_path / f"a.{form}", [{"status": 200}])
    write(tmp_path / f"b.{form}", ROWS)

    assert '"ts"' in refused(ask(tmp_path / f"*.{form}"))
    assert refused(ask(tmp_path / f"a.{form}")) == ('no column "ts" in the logs; there are: status')


def test_null_in_a_whole_json_file_is_a_value_like_any_other(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{**row, "ms": None} for row in ROWS])
    write(tmp_path / "b.jsonl", [{**row, "ms": 5.5} for row in ROWS])

    assert counts(ask(tmp_path / "*.jsonl", SLOW)) == (6, 3)


def test_a_json_key_may_be_left_out_of_rows_but_not_of_a_file(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{**ROWS[0], "ms": 5.5}, *ROWS[1:]])
    write(tmp_path / "b.jsonl", [*ROWS[1:], {**ROWS[0], "ms": 5.5}])

    assert counts(ask(tmp_path / "*.jsonl", SLOW)) == (6, 4)


def test_an_old_json_file_outside_the_window_may_lack_the_key(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"ts": before(90_000), "status": 500}])
    write(tmp_path / "b.jsonl", [{**row, "ms": 5.5} for row in ROWS])

    answers = ask_all(tmp_path / "*.jsonl", [request(SLOW), request(SLOW, DAY / 2)])
    assert [counts(answer) for answer in answers] == [(3, 0), (3, 0)]
    refused(ask(tmp_path / "*.jsonl", SLOW, 2 * DAY))


def test_a_json_key_in_another_spelling_is_another_key(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"ts": row["ts"], "Status": 500} for row in ROWS])
    write(tmp_path / "b.jsonl", ROWS)

    assert 'no column "status" in 1 of 2 files' in refused(ask(tmp_path / "*.jsonl"))


@pytest.mark.variants(1)
@pytest.mark.parametrize("rare", [1_500, 29_999, 45_000])
def test_a_json_key_that_is_rare_is_found(tmp_path: Path, rare: int) -> None:
    rows: list[dict[str, Any]] = [{"ts": before(1), "ms": None}] * rare
    log = write(tmp_path / "a.jsonl", [*rows, {"ts": before(1), "ms": 10.5}])

    assert counts(ask(log, Sli(bad="coalesce(ms > 10, false)"))) == (rare + 1, 1)


@pytest.mark.parametrize("rare", [1_500, 45_000])
def test_a_csv_column_that_is_seldom_filled_is_found(tmp_path: Path, rare: int) -> None:
    rows: list[dict[str, Any]] = [{"ts": before(1), "ms": None}] * rare
    log = write(tmp_path / "a.csv", [*rows, {"ts": before(1), "ms": 10.5}])

    assert counts(ask(log, Sli(bad="coalesce(ms > 10, false)"))) == (rare + 1, 1)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_fraction_after_many_whole_numbers_is_not_rounded(tmp_path: Path, form: str) -> None:
    rows = [{"ts": before(1), "ms": 2000}] * 40_000 + [{"ts": before(1), "ms": 2000.4}]
    log = write(tmp_path / f"a.{form}", rows)

    assert counts(ask(log, Sli(column="ms", threshold=Fraction(2000)))) == (40_001, 1)
    assert spent(ask(log, Sli(spent="ms"))).amount == Fraction("80002000.4")


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_text_after_many_numbers_is_an_error_that_shows_its_line_but_not_the_text(
    tmp_path: Path, form: str
) -> None:
    rows = [{"ts": before(1), "ms": 1.5}] * 40_000 + [{"ts": before(1), "ms": "slow"}]
    log = write(tmp_path / f"a.{form}", rows)

    answers = ask_all(log, [request(SLOW), request(Sli(bad="ts IS NULL"))])

    assert "line 4000" in refused(answers[0])
    assert "slow" not in refused(answers[0])
    assert counts(answers[1]) == (40_001, 0)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_column_of_numbers_and_texts_is_text(tmp_path: Path, form: str) -> None:
    rows = [{"ts": before(1), "ms": ms} for ms in (1, "slow")]
    log = write(tmp_path / f"a.{form}", rows)

    assert "is of type VARCHAR; a threshold needs a number" in refused(ask(log, SLOW))
    assert counts(ask(log, Sli(bad="ms = 'slow'"))) == (2, 1)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_truth_values_are_conditions_by_themselves(tmp_path: Path, form: str) -> None:
    rows = [{"ts": before(1), "failed": failed} for failed in (True, False, None, False)]

    assert counts(ask(write(tmp_path / f"a.{form}", rows), Sli(bad="failed"))) == (4, 2)


@pytest.mark.parametrize(
    "line",
    [
        *(
            "5",
            "[]",
            '"text"',
            '[{"status": 1}]',
            '{"status": 1}}',
            "{'status': 1}",
            "oops",
            "\x00",
        ),
        *('{"status": 1}{"status": 2}', '{"status": 1},', '{"status": 1, "status": 2}'),
    ],
)
def test_a_json_line_that_is_not_an_object_is_an_error(tmp_path: Path, line: str) -> None:
    log = tmp_path / "a.jsonl"
    good = [json.dumps(row) for row in ROWS]
    log.write_text("\n".join([*good, line, *good]))

    answer = ask(log)

    assert isinstance(answer, Unmeasured)
    assert answer.cause in {Cause.INVALID, Cause.BACKEND_ERROR}
    assert "a.jsonl" in answer.reason


@pytest.mark.parametrize("line", ["null", "{}", '{"status": 500}', '{"ts": null}'])
def test_a_json_line_without_its_time_is_an_error(tmp_path: Path, line: str) -> None:
    log = write(tmp_path / "a.jsonl", ROWS)
    log.write_text(log.read_text() + line)

    assert refused(ask(log)) == '1 row has no value in "ts"'


def test_blank_lines_are_not_rows(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", ROWS)
    log.write_text(log.read_text().replace("\n", "\n\n   \n"))

    assert counts(ask(log)) == (3, 0)


def test_a_json_file_of_lists_has_no_columns(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("[1]\n[2]\n")

    refused(ask(tmp_path / "a.jsonl"))


def test_a_line_that_is_much_longer_than_4_mib_is_an_error(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [*ROWS, {"ts": before(1), "status": 1, "x": "y" * 2**25}])

    assert "a line of JSON is longer than 4 MiB" in refused(ask(log), Cause.BACKEND_ERROR)


@pytest.mark.parametrize(
    "line", [f"{before(1)}", f"{before(1)},200,more", f'{before(1)},"20', f'{before(1)},"2"0']
)
def test_a_csv_line_with_other_columns_is_an_error(tmp_path: Path, line: str) -> None:
    log = write(tmp_path / "a.csv", ROWS)
    log.write_text(log.read_text() + line + "\n" + f"{before(1)},200\n")

    assert "line 5" in refused(ask(log), Cause.BACKEND_ERROR)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_reported_by_the_header(tmp_path: Path, delimiter: str) -> None:
    log = write(tmp_path / "a.csv", [{**row, "route": "/chat"} for row in ROWS])
    log.write_text(log.read_text().replace(",", delimiter))

    assert counts(ask(log, Sli(bad="status > 202"))) == (3, 1)


def test_windows_files_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    log = write(tmp_path / "a.csv", ROWS)
    log.write_bytes(b"\xef\xbb\xbf" + log.read_bytes().replace(b"\n", b"\r\n"))

    assert counts(ask(log, Sli(bad="status > 202"))) == (3, 1)


@pytest.mark.parametrize("header", ["ts,,status", "ts,status,status", "ts,status,STATUS", ",,", ""])
def test_a_csv_file_needs_a_name_for_every_column(tmp_path: Path, header: str) -> None:
    (tmp_path / "a.csv").write_text(f"{header}\n{before(1)},1,2\n")

    assert refused(ask(tmp_path / "a.csv")) == (
        f"{tmp_path}/a.csv has no header line in which every column has a name of its own"
    )


def test_csv_columns_may_stand_in_another_order_in_some_files(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [{"ts": before(1), "status": 500, "ms": 5}])
    write(tmp_path / "b.csv", [{"ms": 50, "status": 200, "ts": before(1)}])

    answers = ask_all(tmp_path / "*.csv", [request(), request(SLOW)])

    assert [counts(answer) for answer in answers] == [(2, 1), (2, 1)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("INTEGER", 1), ("BIGINT", 9_000_000_000)),
        (("INTEGER", 1), ("DOUBLE", 20.5)),
        (("DECIMAL(9,3)", 1), ("UBIGINT", 20)),
    ],
)
def test_parquet_numbers_of_several_types_are_widened(
    tmp_path: Path, first: tuple[str, Any], second: tuple[str, Any]
) -> None:
    for name, (kind, value) in (("a", first), ("b", second)):
        rows = [{"ts": before(1), "ms": value}]
        write_parquet(tmp_path / f"{name}.parquet", rows, {"ms": kind})

    assert counts(ask(tmp_path / "*.parquet", SLOW)) == (2, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("INTEGER", 200), ("VARCHAR", "500")),
        (("DOUBLE", 200.5), ("VARCHAR", "500")),
        (("INTEGER", 200), ("BOOLEAN", True)),
        (("INTEGER", 200), ("STRUCT(code INTEGER)", {"code": 500})),
        (("DATE", "2026-10-31"), ("VARCHAR", "2026-10-31")),
    ],
)
def test_parquet_files_that_disagree_about_a_column_that_is_used_are_refused(
    tmp_path: Path, first: tuple[str, Any], second: tuple[str, Any]
) -> None:
    for name, (kind, value) in (("a", first), ("b", second)):
        rows = [{"ts": before(1), "ok": True, "status": value}]
        write_parquet(tmp_path / f"{name}.parquet", rows, {"status": kind})

    answers = ask_all(
        tmp_path / "*.parquet", [request(Sli(bad="status = '500'")), request(Sli(good="ok"))]
    )

    assert refused(answers[0]) == (
        f'the files disagree about "status": {first[0]} in {tmp_path}/a.parquet, '
        f"{second[0]} in {tmp_path}/b.parquet"
    )
    assert counts(answers[1]) == (2, 0)


def test_parquet_with_nested_columns_has_only_its_outermost_ones(tmp_path: Path) -> None:
    rows = [{"ts": before(1), "usage": {"ms": [1, 2], "x": {"y": 1}}, "ms": 5.5}]
    log = write_parquet(tmp_path / "a.parquet", rows)

    assert counts(ask(log, SLOW)) == (1, 0)
    assert counts(ask(log, Sli(bad="usage.x.y = 1"))) == (1, 1)
    assert 'no column "x"' in refused(ask(log, Sli(bad="x = 1")))
