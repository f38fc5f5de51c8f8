"""No word of a row is ever in what is said about the logs, whatever is wrong with the row."""

import gzip
import json
from pathlib import Path

import duckdb
import pytest

from gate.backends.logs.refusals import refusal
from gate.measure import Cause
from tests.cli.installed import POLICY
from tests.command import Run

MARKER = "the-user-said"
GOOD = {"ts": "2026-11-20T10:00:00Z", "status": 200, "prompt": "1", "usage": {"tokens": 1}}
BROKEN: dict[str, str] = {
    "a number": json.dumps(GOOD | {"status": MARKER}),
    "a time": json.dumps(GOOD | {"ts": MARKER}),
    "a time like one": json.dumps(GOOD | {"ts": f"2026-11-20T10:00:00 {MARKER}"}),
    "a struct": json.dumps(GOOD | {"usage": MARKER}),
    "a list": json.dumps([MARKER]),
    "a text": json.dumps(MARKER),
    "a key twice": '{"ts": "2026-11-20T10:00:00Z", "status": 1, "status": "' + MARKER + '"}',
    "no JSON": '{"ts": "2026-11-20T10:00:00Z", "status": ' + MARKER + "}",
    "an open quote": '{"ts": "2026-11-20T10:00:00Z", "prompt": "' + MARKER,
    "no UTF-8": '{"prompt": "' + MARKER + '\udcff"}',
    "a prompt": json.dumps(GOOD | {"prompt": MARKER}),
}
EXPRESSIONS = (
    "status >= 500",
    "CAST(prompt AS INTEGER) > 0",
    "prompt::DATE < DATE '2026-01-01'",
    "prompt::TIMESTAMP IS NULL",
    "prompt::JSON IS NULL",
    "prompt::UUID IS NULL",
    "prompt::INTEGER[] IS NULL",
    "prompt::STRUCT(a INTEGER) IS NULL",
    "prompt::BLOB IS NULL AND status > 0",
    "json_extract(prompt, '$.a') IS NULL",
    "strptime(prompt, '%Y') IS NULL",
    "regexp_matches('a', prompt || '(')",
    "from_base64(prompt || '!') IS NULL",
    "unhex(prompt) IS NULL",
    "date_trunc(prompt, ts::TIMESTAMP) IS NULL",
    "date_part(prompt, ts::TIMESTAMP) > 0",
    "timezone(prompt, ts::TIMESTAMP) IS NULL",
    "map_from_entries([(prompt, 1), (prompt, 2)]) IS NULL",
    "error(prompt) IS NULL",
    "prompt::ENUM('1', '2') IS NULL",
    "prompt",
)
COMMANDS = (
    ("check", "--change", "canary", "--format", "json"),
    ("check", "--change", "canary", "--format", "markdown"),
    ("check", "--change", "canary", "--format", "sarif"),
    ("check", "--change", "canary", "--format", "junit"),
    ("check", "--change", "canary", "--format", "github"),
    ("check", "--change", "canary"),
    ("status",),
    ("doctor",),
    ("incidents",),
    ("report", "--format", "terminal"),
    ("forecast",),
    ("validate",),
    ("cohorts", "--by", "CAST(prompt AS INTEGER)"),
)
FEW = (COMMANDS[0], ("doctor",))
EACH_SHOWING = (*FEW, ("report", "--format", "terminal"), COMMANDS[-1])
"""One of each way to show what is wrong with a log."""


def run_without_marker(gate: Run, file: Path, command: tuple[str, ...]) -> None:
    name, *options = command
    at = [] if name == "validate" else ["--at", "2026-11-23T10:00:00Z"]
    result = gate(name, str(file), *options, *at)

    assert MARKER not in result.stdout + result.stderr, command
    if name == "check":
        assert result.exit_code in {3, 10}  # of several SLOs, those that can be counted


def policy(folder: Path, path: str, *expressions: str) -> Path:
    slos = [
        f"  - {{name: s{number}, objective: 99%, window: 30d, sli: {json.dumps({'bad': bad})}}}"
        for number, bad in enumerate(expressions)
    ]
    backend = f"{{type: logs, path: {path}, timestamp: ts}}"
    head, _, rest = POLICY.partition("slos:")
    tiers = "tiers:" + rest.partition("tiers:")[2]
    text = head.replace("{type: static, path: counts.yaml}", backend)
    file = folder / "gate.yaml"
    file.write_text("\n".join([f"{text}slos:", *slos, tiers]), encoding="utf-8")
    return file


def write_broken(folder: Path, broken: str) -> None:
    lines = [json.dumps(GOOD)] * 3 + [BROKEN[broken]]
    text = "\n".join(lines) + "\n"
    (folder / "log.jsonl").write_text(text, encoding="utf-8", errors="surrogateescape")


@pytest.mark.variants(1)
@pytest.mark.parametrize("broken", BROKEN)
def test_no_command_shows_a_word_of_a_broken_row(gate: Run, tmp_path: Path, broken: str) -> None:
    write_broken(tmp_path, broken)
    file = policy(tmp_path, "log.jsonl", *EXPRESSIONS[:3])

    for command in FEW:
        run_without_marker(gate, file, command)


@pytest.mark.slow
@pytest.mark.variants(1)
@pytest.mark.parametrize("command", EACH_SHOWING)
def test_no_command_shows_the_text_that_an_expression_cannot_read(
    gate: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    write_broken(tmp_path, "a prompt")

    run_without_marker(gate, policy(tmp_path, "log.jsonl", *EXPRESSIONS), command)


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN)
def test_no_command_shows_a_word_of_a_broken_row_whatever_expressions_make_of_it(
    gate: Run, tmp_path: Path, broken: str
) -> None:
    write_broken(tmp_path, broken)
    file = policy(tmp_path, "log.jsonl", *EXPRESSIONS)

    for command in COMMANDS if broken == "a prompt" else FEW:
        run_without_marker(gate, file, command)


CSV = "ts,status,prompt\n2026-11-20T10:00:00Z,200,1\n"
FILES = {
    "too many.csv": f"{CSV}2026-11-20T10:00:00Z,200,{MARKER},{MARKER}\n".encode(),
    "too few.csv": f"{CSV}{MARKER}\n".encode(),
    "open quote.csv": f'{CSV}2026-11-20T10:00:00Z,200,"{MARKER}\n'.encode(),
    "a number.csv": (CSV * 9000 + f"2026-11-20T10:00:00Z,{MARKER},1\n").encode(),
    "no UTF-8.csv": f"{CSV}2026-11-20T10:00:00Z,200,{MARKER}\xff\n".encode("latin-1"),
    "no header.csv": f"2026-11-20T10:00:00Z,200,{MARKER}\n2026-11-20T10:00:01Z,200,x\n".encode(),
    "no parquet.parquet": f"PAR1{MARKER}{MARKER}PAR1".encode(),
    "cut.jsonl.gz": gzip.compress(f'{{"ts": "{MARKER}"}}\n'.encode() * 999)[:-9],
    "no gzip.jsonl.gz": MARKER.encode() * 9,
}


@pytest.mark.variants(1)
@pytest.mark.parametrize("name", FILES)
def test_no_command_shows_a_word_of_a_broken_file(gate: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    file = policy(
        tmp_path, json.dumps(name), "status >= 500", "CAST(prompt AS INTEGER) > 0", "promt"
    )

    for command in COMMANDS if name == "too many.csv" else FEW:
        run_without_marker(gate, file, command)


def test_the_column_the_file_and_the_line_are_reported_where_they_are_ours() -> None:
    error = duckdb.ConversionException(
        "Conversion Error: Could not convert string 'a word' to INT32 when casting from source "
        "column prompt\n\nLINE 1: SELECT a word"
    )

    assert '(column "prompt")' in refusal(error, ["prompt"], []).reason
    assert "prompt" not in refusal(error, ["status"], []).reason
    csv_error = duckdb.InvalidInputException(
        "Invalid Input Error: CSV Error on Line: 7\nOriginal Line: a word\nfile = a.csv"
    )
    assert "(a.csv, line 7); " in refusal(csv_error, [], ["a.csv", "b.csv"]).reason
    unheard = duckdb.InternalException("INTERNAL Error: CSV, JSON: a word on line 7")
    assert refusal(unheard, [], []).reason == (
        "the logs cannot be read: DuckDB refuses them (InternalException)"
    )
    assert refusal(unheard, [], []).cause is Cause.BACKEND_ERROR
