"""CSV and its kin: a header line names the columns; types are learned from the values."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gate.backends.logs.database import Database, identifier, literal
from gate.backends.logs.refusal import Refusal, invalid, unreadable
from gate.backends.logs.source import Source, listed
from gate.slo.measurement import Cause

_DELIMITERS: Final = ",\t;|"
_SAMPLES: Final = (" LIMIT 20000", "")
"""Rows looked at to learn the types. A later value that does not fit is an error."""


@dataclass(frozen=True, slots=True)
class _Header:
    delimiter: str
    names: tuple[str, ...]


def describe_csv(
    database: Database, files: list[str], pattern: str, wanted: frozenset[str], timestamp: str
) -> Source:
    """Read all headers. The columns may stand in another order in some files."""
    groups: dict[_Header, list[str]] = defaultdict(list)
    for file in files:
        groups[_header(file)].append(file)
    names = list(dict.fromkeys(name for header in groups for name in header.names))
    absent = {
        name: lacking
        for name in names
        if (lacking := [f for h, fs in groups.items() if name not in h.names for f in fs])
    }
    types = _types(database, groups, names, wanted, timestamp)
    return Source(
        files=files,
        types=types,
        relation=lambda used: _relation(groups, types, used),
        shown=lambda used: _relation(_short(groups, pattern), types, used),
        absent=absent,
    )


def _header(file: str) -> _Header:
    opener = gzip.open if file.endswith(".gz") else open
    try:
        with opener(file, "rt", encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise unreadable(f"{file} cannot be read: {error}") from error
    delimiter = max(_DELIMITERS, key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    if not all(names) or len({name.lower() for name in names}) < len(names):
        raise invalid(f"{file} has no header line in which every column has a name of its own")
    return _Header(delimiter, tuple(names))


def _short(groups: Mapping[_Header, list[str]], pattern: str) -> Mapping[_Header, list[str]]:
    return groups if len(groups) > 1 else {header: [pattern] for header in groups}


def _types(
    database: Database,
    groups: Mapping[_Header, list[str]],
    names: list[str],
    wanted: frozenset[str],
    timestamp: str,
) -> dict[str, str]:
    text = _relation(groups, dict.fromkeys(names, "VARCHAR"), names)
    types: dict[str, str | None] = {}
    for limit in _SAMPLES:
        types = _learn(database, f"(FROM {text}{limit})", names)
        if all(types[name] is not None or name.lower() not in wanted for name in names):
            break
    if not any(types.values()):
        files = [file for of_header in groups.values() for file in of_header]
        raise Refusal(Cause.NO_DATA, f"there is no value in {listed(files)}")
    return {
        name: "VARCHAR" if name.lower() == timestamp.lower() and kind == "BOOLEAN" else kind
        for name in names
        if (kind := types[name] or "VARCHAR")
    }


def _learn(database: Database, relation: str, names: list[str]) -> dict[str, str | None]:
    """Return BOOLEAN, DOUBLE or VARCHAR for each column; None where it has no value."""
    tests = ", ".join(
        f"count({column}), count(try_cast({column} AS DOUBLE)), "
        f"count(*) FILTER (WHERE lower({column}) IN ('true', 'false'))"
        for column in map(identifier, names)
    )
    (row,) = database.query(f"SELECT {tests} FROM {relation}")
    return {name: _kind(*row[3 * i : 3 * i + 3]) for i, name in enumerate(names)}


def _kind(values: int, numbers: int, booleans: int) -> str | None:
    if not values:
        return None
    if booleans == values:
        return "BOOLEAN"
    # Whole numbers too: DuckDB rounds a later 2000.4 to fit a BIGINT without a word.
    return "DOUBLE" if numbers == values else "VARCHAR"


def _relation(
    groups: Mapping[_Header, list[str]], types: Mapping[str, str], used: Iterable[str]
) -> str:
    chosen = list(used)
    parts = [_read(header, files, types, chosen) for header, files in groups.items()]
    return parts[0] if len(parts) == 1 else f"({' UNION ALL BY NAME '.join(parts)})"


def _read(header: _Header, files: list[str], types: Mapping[str, str], used: list[str]) -> str:
    read = {name: types[name] if name in used else "VARCHAR" for name in header.names}
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in read.items())
    listed = ", ".join(map(identifier, (name for name in used if name in header.names)))
    return (
        f"(SELECT {listed or 'NULL'} FROM read_csv([{', '.join(map(literal, files))}], "
        f"auto_detect = false, header = true, delim = {literal(header.delimiter)}, "
        f"quote = '\"', escape = '\"', columns = {{{columns}}}))"
    )
