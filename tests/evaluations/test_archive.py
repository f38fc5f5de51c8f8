"""Inspect's ``.eval`` files: zip files of JSON documents."""

import io
import json
import sys
import zipfile
from collections.abc import Mapping

import pytest

from gate.evaluations import UnreadableResultsError, archive
from gate.evaluations.reading import read_run
from tests.evaluations.honest import content, outcomes, run_of


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as written:
        for name, text in members.items():
            written.writestr(name, text)
    return file.getvalue()


def small() -> dict[str, bytes]:
    """Return the members of a log of ten samples, uncompressed."""
    document = json.loads(content("inspect/small.json"))
    samples = {f"samples/{s['id']}_epoch_1.json": s for s in document.pop("samples")}
    documents = {"header.json": document, "_journal/start.json": document, **samples}
    return {name: json.dumps(each).encode() for name, each in documents.items()}


def refusal(raw: bytes) -> str:
    with pytest.raises(UnreadableResultsError) as refused:
        read_run(raw, file_name="x", metric="match")
    return str(refused.value)


@pytest.mark.parametrize("name", ["pass", "errors"])
def test_a_log_says_the_same_in_both_forms(name: str) -> None:
    packed, plain = run_of(f"inspect/{name}.eval", "match"), run_of(f"inspect/{name}.json", "match")

    assert packed.rows == plain.rows
    assert (packed.flaws, packed.commit) == ((), plain.commit)
    assert packed.started_at == plain.started_at


def test_an_older_log_is_compressed_otherwise() -> None:
    run = read_run(zipped(small()), file_name="x", metric="match")

    assert (outcomes(run), run.flaws) == ({"passed": 10}, ())


def test_a_run_that_was_killed_has_no_header() -> None:
    run = run_of("inspect/half_KILL.eval", "match")

    assert outcomes(run) == {"passed": 40, "missing": 160}
    assert "the run is not finished: it has no header.json" in run.flaws


def test_a_log_that_lacks_a_sample_is_flawed() -> None:
    members = small()
    del members["samples/q-001_epoch_1.json"]
    run = read_run(zipped(members), file_name="x", metric="match")

    assert outcomes(run) == {"passed": 9, "missing": 1}
    assert "it counts 10 of 10 samples as completed, and has 9 of 9" in run.flaws


def test_without_the_extra_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.version_info >= (3, 14):
        pytest.skip("Python reads Zstandard itself")
    monkeypatch.setitem(sys.modules, "backports.zstd", None)

    assert refusal(content("inspect/pass.eval")) == (
        "it is compressed with Zstandard: install the extra `evaluations`, or let Inspect write"
        " it with --log-format json"
    )
    assert outcomes(read_run(zipped(small()), file_name="x", metric="match")) == {"passed": 10}


def method_of(raw: bytes, method: int) -> bytes:
    """Return a zip file whose members say that they are compressed otherwise."""
    old, new = zipfile.ZIP_DEFLATED.to_bytes(2, "little"), method.to_bytes(2, "little")
    local, central = b"PK\x03\x04", b"PK\x01\x02"
    parts = bytearray(raw)
    for mark, offset in ((local, 8), (central, 10)):
        start = raw.find(mark)
        while start >= 0:
            assert raw[start + offset : start + offset + 2] == old
            parts[start + offset : start + offset + 2] = new
            start = raw.find(mark, start + 4)
    return bytes(parts)


def test_a_method_that_nothing_reads_is_named() -> None:
    assert refusal(method_of(zipped(small()), 97)) == (
        "it is compressed with method 97, which is not supported"
    )


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "not a log of Inspect"),
        ({"word/document.xml": b"<w/>"}, "not a log of Inspect"),
        ({"header.json": b"{}"}, "not that of a log of Inspect"),
        ({"header.json": b"[1]"}, "not that of a log of Inspect"),
        ({"header.json": b"{"}, "not complete JSON"),
        ({"header.json": b"\xff"}, "not text in UTF-8"),
    ],
)
def test_a_zip_file_that_is_not_a_log_is_refused(members: dict[str, bytes], reason: str) -> None:
    assert reason in refusal(zipped(members))


@pytest.mark.parametrize("length", [4, 100, 20_000, 115_000])
def test_a_log_that_is_cut_is_refused(length: int) -> None:
    assert "damaged or encrypted" in refusal(content("inspect/pass.eval")[:length])


def test_a_member_that_is_damaged_is_refused() -> None:
    raw = bytearray(zipped(small()))
    raw[60:90] = bytes(30)

    assert "damaged or encrypted" in refusal(bytes(raw))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_log_with_two_headers_is_refused() -> None:
    file = io.BytesIO(zipped(small()))
    with zipfile.ZipFile(file, "a") as written:
        written.writestr("header.json", b"{}")

    assert refusal(file.getvalue()) == "two of its members have one name"


@pytest.mark.parametrize("limit", ["_MEMBER", "_UNPACKED"])
def test_what_unpacks_to_too_much_is_refused(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, limit, 10_000)
    members = {**small(), "samples/z_epoch_1.json": b" " * 20_000}

    assert refusal(zipped(members)) == "it unpacks to far more data than results have"
