"""Files that are large, deep, damaged or made to harm: they are refused, and in no other way."""

import os
from pathlib import Path
from types import ModuleType

import pytest

from gate.evaluations import UnreadableResultsError, junit, ragas, values
from gate.evaluations.documents import few_of, identity
from gate.evaluations.reading import read_file, read_run
from tests.evaluations.honest import content, outcomes


def refusal(raw: bytes) -> str:
    with pytest.raises(UnreadableResultsError) as refused:
        read_run(raw, file_name="x")
    return str(refused.value)


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(b"1234")

    assert read_file(file) == b"1234"
    assert read_file(str(file), limit=4) == b"1234"


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(b"x" * ((1 << 20) + 1))

    with pytest.raises(UnreadableResultsError, match=r"\Ait has more than 1 MiB\Z"):
        read_file(file, limit=1 << 20)


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)

    for path in (pipe, tmp_path, Path(os.devnull)):
        with pytest.raises(UnreadableResultsError, match=r"not a regular file|Is a directory"):
            read_file(path)


@pytest.mark.parametrize("name", ["absent.json", "nul\0.json"])
def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableResultsError, match="it cannot be read: "):
        read_file(f"{tmp_path}/{name}")


@pytest.mark.parametrize("raw", [b"", b" \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(raw: bytes) -> None:
    assert refusal(raw) == "it is empty"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"a": 1, "a": 2}', "an object in it has two values of one name"),
        (b'{"results": {"results": [{"score": 1, "score": 0}]}}', "two values of one name"),
        (b"{", "not complete JSON"),
        (b'{"a": "\x00"}', "not complete JSON"),
        (b'{"a": "\xff"}', "not text in UTF-8"),
        (b"[" + b"9" * 5000 + b"]", "not complete JSON"),
        (b'{"a": 1}\n{"a": ', "not complete JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[]", "not the result file of a tool that is supported"),
        (b"17", "not the result file of a tool that is supported"),
        (b'{"tests": 3}', "not the result file of a tool that is supported"),
        (b"<testsuites>", "not complete XML"),
        (b"<html/>", "it is XML, and not a JUnit report"),
        (b"<testsuite>\x00</testsuite>", "not complete XML"),
        (b"<testsuite>&nbsp;</testsuite>", "not complete XML"),
        (b"<testsuite>" * 101, "nested too deeply"),
        (b'<?xml version="1.0" encoding="none-such"?><testsuite/>', "not complete XML"),
        (b'<?xml version="1.0" encoding="utf-8"?><testsuite name="\xff"/>', "not complete XML"),
        (b"<testsuite/>".decode().encode("utf-16")[:-3], "not complete XML"),
    ],
)
def test_what_is_not_a_whole_result_file_is_refused(raw: bytes, reason: str) -> None:
    assert reason in refusal(raw)


def test_a_document_type_definition_is_refused() -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><testsuite>&b;</testsuite>'
    outside = b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>'

    assert "document type definition" in refusal(laughs)
    assert "document type definition" in refusal(outside)


@pytest.mark.parametrize("name", ["promptfoo/small.json", "junit/small.xml", "inspect/small.json"])
def test_a_byte_order_mark_makes_no_difference(name: str) -> None:
    run = read_run(b"\xef\xbb\xbf" + content(name), file_name=name)

    assert outcomes(run) == {"passed": 10}


def test_a_report_in_utf_16_is_read() -> None:
    text = content("junit/small.xml").decode().replace('encoding="utf-8"', 'encoding="utf-16"')

    assert outcomes(read_run(text.encode("utf-16"), file_name="x")) == {"passed": 10}


@pytest.mark.parametrize("number", ["1e999999999", "1e99999999999999999999", "1e-999999999"])
def test_a_number_that_takes_much_memory_is_not_a_number(number: str) -> None:
    text = content("promptfoo/small.json").decode()
    raw = text.replace('"faithfulness":1}', f'"faithfulness":{number}}}').encode()
    run = read_run(raw, file_name="x", metric="faithfulness")

    assert number in raw.decode()
    assert "a score is not a finite number" in " ".join(run.flaws)


@pytest.mark.parametrize(
    ("raw", "module", "limit", "reason"),
    [
        (b'{"a": [[], [], [], 1]}', values, "_VALUES", "more values than results have"),
        (b"user_input,m\n" + b"q,1\n" * 7, ragas, "_ROWS", "more than 6 rows"),
        (b"<testsuite>" + b"<a/>" * 6 + b"</testsuite>", junit, "_ELEMENTS", "more elements than"),
    ],
)
def test_what_would_take_all_memory_is_refused(
    raw: bytes, module: ModuleType, limit: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, limit, 6)

    assert reason in refusal(raw)


def test_what_is_too_deep_to_be_written_identifies_no_case() -> None:
    deep: list[object] = [1]
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(UnreadableResultsError, match="nested too deeply"):
        identity(deep)


def test_a_document_of_two_tools_is_refused() -> None:
    passed, failed = content("promptfoo/pass.json"), content("deepeval/fail.latest_test_run.json")

    assert "several tools" in refusal(passed.strip()[:-1] + b"," + failed.strip()[1:])


def test_names_in_messages_are_few_and_short() -> None:
    assert few_of([]) == "none"
    assert few_of(["a", "b"]) == "a, b"
    assert (
        few_of([str(number) for number in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    )
    assert few_of(["x" * 61, "y" * 60]) == f"{'x' * 60}..., {'y' * 60}"
