"""CSV as programs write it: line ends in quotes, CR and LF, encodings, pandas' index."""

import bz2
import csv
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gate.measure import Cause
from gate.measure.remedies import hint_for
from gate.slo.indicator import Sli
from tests.backends.logs.written import FAILED, ask, before, counts, refused, write

HEADER = ("ts", "the\nprompt", "status")
ROWS = [
    (before(3), "one\nline", 500),
    (before(2), 'a "quoted"\r\n\r\nword, and a comma', 200),
    (before(1), "", 503),
]


def write_csv(path: Path, header: Sequence[str] = HEADER, **options: Any) -> Path:
    """Write the rows as Python's csv module does: CR and LF at the end of lines."""
    with path.open("w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
        writer = csv.writer(file, **options)
        writer.writerow(header)
        writer.writerows(ROWS)
    return path


@pytest.mark.crossed
@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", [HEADER, ("ts", "prompt", "status")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_ends_within_quotes_are_part_of_a_value(
    tmp_path: Path, end: str, delimiter: str, header: Sequence[str], encoding: str
) -> None:
    log = write_csv(
        tmp_path / "a.csv", header, delimiter=delimiter, lineterminator=end, encoding=encoding
    )

    assert counts(ask(log, FAILED)) == (3, 2)


def test_a_delimiter_within_a_quoted_name_is_part_of_it(tmp_path: Path) -> None:
    log = write_csv(tmp_path / "a.csv", ("ts", "a;b;c;d", "status"), quoting=csv.QUOTE_ALL)

    assert counts(ask(log, Sli(bad='"a;b;c;d" IS NULL'))) == (3, 1)


def test_files_with_other_line_ends_are_read_together(tmp_path: Path) -> None:
    for name, end in (("a", "\r\n"), ("b", "\n")):
        write_csv(tmp_path / f"{name}.csv", lineterminator=end)

    assert counts(ask(tmp_path / "*.csv", FAILED)) == (6, 4)


def test_quoted_line_ends_in_packed_files_are_part_of_a_value(tmp_path: Path) -> None:
    text = write_csv(tmp_path / "plain.csv").read_bytes()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))

    assert counts(ask(tmp_path / "a.csv.gz", FAILED)) == (3, 2)


@pytest.mark.slow
def test_the_index_of_pandas_is_a_column_without_a_name(tmp_path: Path) -> None:
    log = tmp_path / "a.csv"
    log.write_text(f",ts,status\n0,{before(2)},500\n1,{before(1)},200\n")

    assert counts(ask(log, FAILED)) == (2, 1)
    assert counts(ask(log, Sli(bad="unnamed > 0"))) == (2, 1)


def test_a_header_without_rows_is_a_log_without_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ts,status\n")
    (tmp_path / "empty.csv").write_text("")

    assert "there is no row" in refused(ask(tmp_path / "*.csv", FAILED), Cause.NO_DATA)
    write(tmp_path / "b.csv", [{"ts": before(1), "status": 500}])
    assert counts(ask(tmp_path / "*.csv", FAILED)) == (1, 1)


@pytest.mark.parametrize("suffix", ["bz2", "xz", "lz4", "zip"])
def test_another_compression_is_refused_with_those_that_are_read(
    tmp_path: Path, suffix: str
) -> None:
    log = tmp_path / f"a.csv.{suffix}"
    log.write_bytes(bz2.compress(b"ts,status\n"))

    assert refused(ask(log, FAILED)) == (
        f"{log} is packed as .{suffix}, which is not read; unpack it, or pack it as .gz or .zst"
    )


def test_json_in_utf_16_is_refused_with_the_remedy(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text('{"ts": 1}\n', encoding="utf-16")

    assert refused(ask(log, FAILED)) == (
        f"{log} is written in UTF-16; convert it to UTF-8: iconv -f UTF-16 -t UTF-8"
    )


@pytest.mark.parametrize("damage", [slice(None, 20), slice(5, None)])
def test_a_packed_file_whose_beginning_is_damaged_is_refused(tmp_path: Path, damage: slice) -> None:
    log = tmp_path / "a.csv.gz"
    log.write_bytes(gzip.compress(b"ts,status\n" * 99)[damage])

    reason = refused(ask(log, FAILED), Cause.BACKEND_ERROR)

    words = f"the logs cannot be read: a file is cut off or damaged ({log})"
    assert reason == words + hint_for("damaged-log")


def test_rotated_files_keep_their_format(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.jsonl.1", "a.jsonl-20261030", "a.jsonl.2.gz"):
        text = write(tmp_path / "plain.jsonl", [{"ts": before(1), "status": 500}]).read_bytes()
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)

    assert counts(ask(tmp_path / "a.jsonl*", FAILED)) == (4, 4)
