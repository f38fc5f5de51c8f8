"""Which files are read, and what happens when they are not there, not whole or not readable."""

import gzip
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.measure import Cause
from gate.measure.remedies import hint_for
from tests.backends.logs.written import (
    ask,
    ask_all,
    before,
    counts,
    refused,
    request,
    text_of,
    write,
)

ROWS: list[dict[str, Any]] = [
    {"ts": before(n), "status": 500 if n % 10 == 0 else 200, "id": f"request-{n * 7919:x}"}
    for n in range(2_000)
]


@pytest.mark.slow
def test_all_files_that_match_are_read(tmp_path: Path) -> None:
    for name, part in (("a", ROWS[:500]), ("b", ROWS[500:700]), ("sub/c", ROWS[700:])):
        write(tmp_path / f"{name}.jsonl", part)

    assert counts(ask(tmp_path / "*.jsonl")) == (700, 70)
    assert counts(ask(tmp_path / "[bx].jsonl")) == (200, 20)
    assert counts(ask(tmp_path / "sub/c.jsonl")) == (1300, 130)
    for everything in ("**/*.jsonl", "**"):
        assert counts(ask(tmp_path, path=everything, directory=tmp_path)) == (2000, 200)


def test_a_path_may_be_absolute(tmp_path: Path) -> None:
    log = write(tmp_path / "a.csv", ROWS)

    assert counts(ask(log, path=str(log), directory=Path("elsewhere"))) == (2000, 200)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("name", ["a[1]", "a*", "a?", "it's", "sp ace", "ünï", "a,b", '"q"'])
def test_brackets_and_quotes_in_names_of_files_and_folders_mean_themselves(
    tmp_path: Path, form: str, name: str
) -> None:
    folder = tmp_path / f"policy {name}"
    for decoy in ("a1", "ax", "aa"):
        write(folder / f"{decoy}.{form}", [{"ts": before(1), "status": 500}])
    write(folder / f"{name}.{form}", ROWS[:50])

    assert counts(ask(folder / f"*.{form}")) == (53, 8)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_folder_named_like_a_column_changes_no_value(tmp_path: Path, form: str) -> None:
    write(tmp_path / "status=200" / f"a.{form}", [{"ts": before(1), "status": 500}])
    write(tmp_path / "status=201" / f"a.{form}", [{"ts": before(1), "status": 500}])

    assert counts(ask(tmp_path, path=f"*/a.{form}", directory=tmp_path)) == (2, 2)


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.ndjson", "jsonl"),
        ("a.json", "jsonl"),
        ("a.jsonl.gz", "jsonl"),
        ("a.b.csv", "csv"),
    ],
)
def test_the_format_is_reported_by_the_name(tmp_path: Path, name: str, form: str) -> None:
    text = text_of(ROWS, form)
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)

    assert counts(ask(tmp_path / name)) == (2000, 200)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_or_the_policy_says_it(tmp_path: Path, form: str) -> None:
    log = write(tmp_path / f"a.{form}", ROWS).rename(tmp_path / "access.log")

    assert counts(ask(log, format=form)) == (2000, 200)
    assert (
        refused(ask(log))
        == f"the format of {log} is not clear from its name{hint_for('log-format')}"
    )


def test_files_of_several_formats_are_refused(tmp_path: Path) -> None:
    for form in ("jsonl", "csv"):
        write(tmp_path / f"a.{form}", ROWS)

    reason = refused(ask(tmp_path / "a.*"))

    assert (
        reason
        == f"files of several formats match: {tmp_path}/a.csv, {tmp_path}/a.jsonl"
        + hint_for("log-format")
    )


def test_no_file_is_a_backend_error(tmp_path: Path) -> None:
    reason = refused(ask(tmp_path / "*.jsonl"), Cause.BACKEND_ERROR)

    assert reason == f"no file matches {tmp_path}/*.jsonl" + hint_for("no-log-files")


def test_a_folder_is_a_backend_error_that_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()

    reason = refused(ask(tmp_path / "logs"), Cause.BACKEND_ERROR)

    assert reason == (
        f"no file matches {tmp_path}/logs (a folder; write for example folder/*.jsonl)"
        + hint_for("no-log-files")
    )


@pytest.mark.variants(1)
@pytest.mark.parametrize("kind", ["folder", "dangling link", "pipe"])
def test_nothing_that_matches_is_left_out_in_silence(tmp_path: Path, kind: str) -> None:
    write(tmp_path / "a.parquet", ROWS)
    other = tmp_path / "b.parquet"
    if kind == "folder":
        other.mkdir()
    elif kind == "pipe":
        os.mkfifo(other)
    else:
        other.symlink_to(tmp_path / "gone.parquet")

    reason = refused(ask(tmp_path / "*.parquet"), Cause.BACKEND_ERROR)

    assert f"{other} matches and is not a readable file" in reason


@pytest.mark.parametrize("path", ["https://host/logs/*.parquet", "hdfs://host/logs/*.csv"])
def test_a_path_of_another_server_is_refused(tmp_path: Path, path: str) -> None:
    reason = refused(ask(tmp_path, path=path))

    assert reason == (
        f"{path} is neither a path of this machine nor in a store that is read: s3://, gs://,"
        " az:// and abfss:// are; fetch the logs first"
    )


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_empty_files_hold_no_rows(tmp_path: Path, form: str) -> None:
    (tmp_path / f"a.{form}").touch()

    reason = refused(ask(tmp_path / f"*.{form}"), Cause.NO_DATA)
    assert reason == f"every file that matches {tmp_path}/*.{form} is empty" + hint_for(
        "empty-logs"
    )

    write(tmp_path / f"b.{form}", ROWS)
    assert counts(ask(tmp_path / f"*.{form}")) == (2000, 200)


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("name", "content", "cause", "reason"),
    [
        ("a.jsonl", b"\n\n", Cause.NO_DATA, "there is no row in"),
        ("a.jsonl.gz", gzip.compress(b"", mtime=0), Cause.NO_DATA, "there is no row in"),
        ("a.csv", b"ts,status\n", Cause.NO_DATA, "there is no row in"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), Cause.INVALID, "has no header line"),
        ("a.csv", b"\n", Cause.INVALID, "has no header line"),
        ("a.parquet", b"", Cause.BACKEND_ERROR, "not a whole Parquet file"),
        ("a.jsonl.gz", b"", Cause.BACKEND_ERROR, "cut off or damaged"),
        ("a.jsonl.zst", b"", Cause.BACKEND_ERROR, "is cut off or damaged"),
        ("a.jsonl.gz", b'{"status": 200}\n', Cause.BACKEND_ERROR, "cut off or damaged"),
        ("a.parquet", b'{"status": 200}\n', Cause.BACKEND_ERROR, "a.parquet"),
        ("a.jsonl.zst", b'{"status": 200}\n', Cause.BACKEND_ERROR, "is cut off or damaged"),
        ("a.csv", b"ts,st\xff\n1,2\n", Cause.BACKEND_ERROR, "a.csv"),
    ],
)
def test_a_file_without_rows_is_distinguished_from_one_that_is_not_whole(
    tmp_path: Path, name: str, content: bytes, cause: Cause, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)

    assert reason in refused(ask(tmp_path / name), cause)


@pytest.mark.variants(2)
@pytest.mark.parametrize("form", ["jsonl.gz", "csv.gz", "jsonl.zst", "csv.zst", "parquet"])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.99, 1])
def test_a_file_that_is_cut_off_anywhere_is_an_error(
    tmp_path: Path, form: str, share: float
) -> None:
    log = write(tmp_path / f"a.{form}", ROWS)
    whole = log.read_bytes()
    log.write_bytes(whole[: min(int(len(whole) * share), len(whole) - 1)])

    answers = ask_all(log, [request(), request(probe=True)])

    for answer in answers:
        refused(answer, Cause.BACKEND_ERROR)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl.gz", "csv.gz"])
def test_a_gzip_file_that_is_cut_off_between_two_lines_is_an_error(
    tmp_path: Path, form: str
) -> None:
    text = text_of(ROWS, form)
    middle = text.index(b"\n", len(text) // 2) + 1
    whole, cut = tmp_path / f"a.{form}", tmp_path / f"cut.{form}"
    with whole.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb") as packer:
        packer.write(text[:middle])
        packer.flush()  # up to here it can all be unpacked
        file.flush()
        shutil.copy(whole, cut)
        packer.write(text[middle:])

    assert counts(ask(whole)) == (2000, 200)
    refused(ask(cut), Cause.BACKEND_ERROR)


def test_gzip_in_several_members_is_read_to_the_end(tmp_path: Path) -> None:
    members = [gzip.compress(text_of(part, "jsonl")) for part in (ROWS[:900], ROWS[900:])]
    log = tmp_path / "a.jsonl.gz"
    log.write_bytes(b"".join(members))

    assert counts(ask(log)) == (2000, 200)

    log.write_bytes(b"".join(members)[:-1])
    refused(ask(log), Cause.BACKEND_ERROR)


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """Give a folder of files to somebody who is not root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    mine = os.geteuid()
    yield folder
    os.seteuid(mine)
    shutil.rmtree(folder)


@pytest.mark.variants(2)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "jsonl.zst"])
def test_a_file_that_may_not_be_read_is_a_backend_error(ordinary_user: Path, form: str) -> None:
    write(ordinary_user / f"a.{form}", ROWS).chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)

    reason = refused(ask(ordinary_user / f"a.{form}"), Cause.BACKEND_ERROR)

    assert "ermission denied" in reason
    assert f"a.{form}" in reason


def test_a_name_that_is_not_a_unicode_is_a_backend_error(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", ROWS).rename(tmp_path / os.fsdecode(b"\xff.jsonl"))

    assert "cannot be read" in refused(ask(tmp_path / "*.jsonl"), Cause.BACKEND_ERROR)
