"""Files that hold again what another one holds are counted once, and every report says so."""

import gzip
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from gate.backends.logs.copies import copies
from gate.measure import Counts
from gate.slo.indicator import Sli
from tests.backends.logs.written import Row, ask, before, counts, text_of, write_parquet

FAILED = Sli(bad="status >= 500")
OLD = [{"ts": before(n), "id": f"a{n}", "status": 500 if n % 9 == 0 else 200} for n in range(90)]
NEW = [{"ts": before(n), "id": f"b{n}", "status": 200} for n in range(60)]
EMPTY_HOUR = b"ts,id,status\n"


def lines(*parts: Sequence[Row]) -> bytes:
    return b"".join(text_of(part, "jsonl") for part in parts)


def table(*parts: Sequence[Row]) -> bytes:
    return text_of([row for part in parts for row in part], "csv")


COPIED: Mapping[str, tuple[str, Mapping[str, bytes]]] = {
    "rotated in two ways": (
        "app.jsonl*",
        {"app.jsonl": lines(NEW), "app.jsonl.1": lines(OLD), "app.jsonl-20261031": lines(OLD)},
    ),
    "packed and not deleted": (
        "app.jsonl*",
        {
            "app.jsonl": lines(NEW),
            "app.jsonl.1": lines(OLD),
            "app.jsonl.1.gz": gzip.compress(lines(OLD)),
        },
    ),
    "copied and not truncated": (
        "app.jsonl*",
        {"app.jsonl": lines(OLD, NEW), "app.jsonl.1": lines(OLD)},
    ),
    "copied by hand": (
        "*.jsonl",
        {"app.jsonl": lines(OLD, NEW), "backup.jsonl": lines(OLD, NEW)},
    ),
    "fetched three times": (
        "*.jsonl",
        {f"{name}.jsonl": lines(OLD, NEW) for name in ("a", "b", "c")},
    ),
    "exported again with more": (
        "app.csv*",
        {"app.csv": table(OLD, NEW), "app.csv.1": table(OLD)},
    ),
}


def put(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return [str(folder / name) for name in files]


@pytest.mark.parametrize("name", COPIED)
def test_rows_of_a_copy_are_counted_once_and_the_report_names_it(tmp_path: Path, name: str) -> None:
    pattern, files = COPIED[name]
    put(tmp_path, files)

    answer = ask(tmp_path / pattern, FAILED)

    assert counts(answer) == (150, 10)
    assert isinstance(answer, Counts)
    notes = [note for note in answer.evidence.notes if "which is left out" in note]
    assert len(notes) == len(files) - (2 if "app.jsonl" in files and len(files) == 3 else 1)
    assert all(str(tmp_path) in note and "take one of them out" in note for note in notes)


def test_of_parquet_a_copy_is_counted_once(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", [*OLD, *NEW])
    shutil.copy(tmp_path / "a.parquet", tmp_path / "b.parquet")

    assert counts(ask(tmp_path / "*.parquet", FAILED)) == (150, 10)


LIKE_COPIES: Mapping[str, tuple[str, Mapping[str, bytes]]] = {
    "rotated as it should be": (
        "jsonl",
        {"app.jsonl": lines(NEW), "app.jsonl.1": lines(OLD), "app.jsonl.2": lines(OLD[1:])},
    ),
    "of the same size": ("jsonl", {"a.jsonl": lines(OLD), "b.jsonl": lines(OLD).swapcase()}),
    "the same first rows": (
        "jsonl",
        {"app.jsonl": lines(OLD, NEW), "app.jsonl.1": lines(OLD, OLD)},
    ),
    "few rows that may be equal by chance": (
        "jsonl",
        {f"{n}.jsonl": b'{"ts": "2026-10-31T11:00:00Z", "status": 200}\n' for n in range(9)},
    ),
    "hours without a row": ("csv", {"a.csv": EMPTY_HOUR, "b.csv": EMPTY_HOUR, "c.csv": table(OLD)}),
    "one header": (
        "csv",
        {"app.csv": b"x" * 2000 + b"\n" + table(OLD), "app.csv.1": b"x" * 2000 + b"\n"},
    ),
    "damaged at its beginning": ("jsonl", {"a.jsonl": lines(OLD), "a.jsonl.1.gz": b"\x1f\x8b no"}),
    "damaged at its end": (
        "jsonl",
        {"a.jsonl": lines(OLD * 30), "a.jsonl.1.gz": gzip.compress(lines(OLD * 30))[:-20]},
    ),
    "of two partitions": (
        "jsonl",
        {"model=a/app.jsonl": lines(OLD), "model=b/app.jsonl": lines(OLD)},
    ),
    "alike on every machine": ("jsonl", {f"{n}/a.jsonl": lines(OLD) for n in range(40)}),
}


@pytest.mark.parametrize("name", LIKE_COPIES)
def test_files_that_only_look_like_copies_are_all_counted(tmp_path: Path, name: str) -> None:
    kind, files = LIKE_COPIES[name]

    assert copies(put(tmp_path, files), kind) == {}


@pytest.mark.parametrize("packed", [lambda text: text, gzip.compress])
def test_the_shorter_of_two_is_the_copy(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    suffix = "" if packed(b"") == b"" else ".gz"
    one, other = f"app.jsonl.1{suffix}", f"app.jsonl.2{suffix}"
    files = put(tmp_path, {one: packed(lines(OLD)), other: packed(lines(OLD, NEW))})

    assert copies(files, "jsonl") == {files[0]: files[1]}
    assert copies(files[::-1], "jsonl") == {files[0]: files[1]}
