"""JSON lines: one object a line, only the keys that are used are read."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

import re
from collections.abc import Iterable, Mapping
from typing import Final

from gate.backends.logs.database import Database, literal
from gate.backends.logs.refusal import Refusal
from gate.backends.logs.source import Source, listed
from gate.slo.measurement import Cause

_INTEGERS: Final = re.compile(r"\b(?:U?BIGINT|U?HUGEINT)\b")
_SAMPLES: Final = ((1_000, True), (30_000, False), (-1, False))
"""How many rows are looked at (-1: all), and whether only of the last file. Opening a file for this
costs 40 ms. A later value that does not fit is an error, not a wrong count.
"""
_READ: Final = "format = 'newline_delimited', maximum_object_size = 4194304"
"""A line may have 4 MiB. With DuckDB's own 16 MiB reading takes twice as long (buffers)."""
_UNSETTLED: Final = ("JSON", '"NULL"')
"""What DuckDB takes a key for that has no value, or values of several types, in the sample."""


def describe_jsonl(
    database: Database, files: list[str], pattern: str, wanted: frozenset[str], timestamp: str
) -> Source:
    """Learn the keys and types from a few rows; from more while a wanted key stays unclear."""
    types: dict[str, str] = {}
    for rows, last in _SAMPLES:
        types = _types(database, files[-1:] if last else files, rows)
        if wanted | {timestamp.lower()} <= {
            name.lower() for name, kind in types.items() if kind not in _UNSETTLED
        }:
            break
    if list(types) == ["json"]:
        _check_rows(database, files)
    types = {name: _as_read(name, kind, timestamp) for name, kind in types.items()}
    return Source(
        files=files,
        types=types,
        relation=lambda used: _relation(files, types, used),
        shown=lambda used: _relation([pattern], types, used),
        keyed=True,
    )


def absent_keys(database: Database, suspects: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return which of these columns' files do not even have the key, be it with null."""
    return {
        column: lacking
        for column, files in suspects.items()
        if (lacking := _lacking(database, column, files))
    }


def _lacking(database: Database, column: str, files: list[str]) -> list[str]:
    rows = database.query(
        f"SELECT filename FROM read_ndjson_objects({_list(files)}, filename = true) "
        f"GROUP BY filename HAVING NOT bool_or(list_contains(json_keys(json), {literal(column)})) "
        "ORDER BY filename"
    )
    return [filename for (filename,) in rows]


def _types(database: Database, files: list[str], sample: int) -> dict[str, str]:
    rows = database.query(
        f"DESCRIBE SELECT * FROM read_json({_list(files)}, {_READ}, "
        f"sample_size = {sample}, union_by_name = {sample < 0})"
    )
    return {row[0]: row[1] for row in rows}


def _as_read(name: str, kind: str, timestamp: str) -> str:
    # A key whose sample held whole numbers only would be read as BIGINT, and DuckDB rounds a later
    # 2000.4 to 2000 without a word. Every JSON number is a double (RFC 8259, section 6).
    number = _INTEGERS.sub("DOUBLE", kind)
    # The offset is part of the text, and lost in some of the types that DuckDB guesses.
    is_text = name.lower() == timestamp.lower() and number != "DOUBLE"
    # A value of the type JSON would be cast to whatever it is compared with, and rounded again.
    return "VARCHAR" if is_text or kind in _UNSETTLED else number


def _check_rows(database: Database, files: list[str]) -> None:
    # Without any object DuckDB names a single column "json".
    ((rows,),) = database.query(f"SELECT count(*) FROM read_ndjson_objects({_list(files)})")
    if not rows:
        raise Refusal(Cause.NO_DATA, f"there is no row in {listed(files)}")


def _relation(files: list[str], types: Mapping[str, str], used: Iterable[str]) -> str:
    columns = ", ".join(f"{literal(name)}: {literal(types[name])}" for name in used)
    return f"read_json({_list(files)}, {_READ}, columns = {{{columns}}})"


def _list(files: list[str]) -> str:
    return literal(files[0]) if len(files) == 1 else f"[{', '.join(map(literal, files))}]"
