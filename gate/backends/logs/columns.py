"""What columns and types CSV and Parquet files have."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first
from gate.backends.logs.database import Database, Row, file_list, identifier, literal
from gate.backends.logs.refusals import invalid
from gate.backends.logs.source import LogSource, is_number, listed, missing_in
from gate.backends.records import Records
from gate.measure import Cause, MeasurementError

_DELIMITERS: Final = ",\t;|"
_VALUE: Final = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?$|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SAMPLES: Final = (" LIMIT 20000", "")
"""Rows looked at to learn the types. A later value that does not fit is an error."""
_READ: Final = "auto_detect = false, hive_partitioning = false"
_QUOTED: Final = f"{_READ}, header = true, quote = '\"', escape = '\"'"
_FIRST_LINE: Final = (
    f"{_READ}, header = false, delim = '\x01', quote = '', escape = '', "
    "columns = {'line': 'VARCHAR'}, max_line_size = 65536, buffer_size = 262144"
)
"""Small buffers: of a compressed file only the beginning is unpacked."""


@dataclass(frozen=True, slots=True)
class _Header:
    delimiter: str
    names: tuple[str, ...]


_Groups = Mapping[_Header, list[str]]


def describe_csv(
    database: Database,
    files: list[str],
    pattern: str,
    wanted: frozenset[str],
    records: Records,
) -> LogSource:
    """Read all headers. The columns may stand in another order in some files."""
    groups: dict[_Header, list[str]] = defaultdict(list)
    for file in files:
        groups[_header(database, file)].append(file)
    names = list(dict.fromkeys(name for header in groups for name in header.names))
    lacking = {
        name: [f for h, fs in groups.items() if name not in h.names for f in fs] for name in names
    }
    declared = {name.lower() for name in records.columns}
    types = _types(database, groups, names, wanted - declared)
    if types is None:
        raise MeasurementError(Cause.NO_DATA, f"there is no row in {listed(files)}")
    # The text itself, for the declared type: a number would be read as another one first.
    types |= dict.fromkeys((name for name in names if name.lower() in declared), "VARCHAR")
    quoted = {header: file_list(of_header) for header, of_header in groups.items()}
    short = {header: literal(pattern) for header in groups} if len(groups) == 1 else quoted
    return LogSource(
        files=files,
        types=types,
        relation=lambda used: _relation(quoted, types, used),
        shown=lambda used: _relation(short, types, used),
        faults={
            name: missing_in(name, fs, len(files))
            for name, fs in lacking.items()
            if fs and name not in records.optional
        },
        optional=records.optional,
    )


def _header(database: Database, file: str) -> _Header:
    rows = database.query(f"SELECT line FROM read_csv({file_list([file])}, {_FIRST_LINE}) LIMIT 1")
    first = rows[0][0] or "" if rows else ""
    delimiter = max(_DELIMITERS, key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    # A line with a number or a date in it is a row; its values must not be shown as names.
    alike = len({name.lower() for name in names}) < len(names)
    if not names or not all(names) or alike or any(map(_VALUE.match, names)):
        raise invalid(f"{file} has no header line in which every column has a name of its own")
    return _Header(delimiter, tuple(names))


def _types(
    database: Database, groups: _Groups, names: list[str], wanted: frozenset[str]
) -> dict[str, str] | None:
    """Return each column's type; None when there is no value at all."""
    quoted = {header: file_list(files) for header, files in groups.items()}
    text = _relation(quoted, dict.fromkeys(names, "VARCHAR"), names)
    types: dict[str, str | None] = {}
    for limit in _SAMPLES:
        types = _learn(database, f"(FROM {text}{limit})", names)
        if all(types[name] is not None or name.lower() not in wanted for name in names):
            break
    if not any(types.values()):
        return None
    return {name: kind or "VARCHAR" for name, kind in types.items()}


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


def _relation(groups: Mapping[_Header, str], types: Mapping[str, str], used: Iterable[str]) -> str:
    chosen = list(used)
    parts = [_read(header, files, types, chosen) for header, files in groups.items()]
    return parts[0] if len(parts) == 1 else f"({' UNION ALL BY NAME '.join(parts)})"


def _read(header: _Header, files: str, types: Mapping[str, str], used: list[str]) -> str:
    read = {name: types[name] if name in used else "VARCHAR" for name in header.names}
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in read.items())
    chosen = ", ".join(map(identifier, (name for name in used if name in header.names)))
    delimiter = literal(header.delimiter)
    options = f"{_QUOTED}, delim = {delimiter}, columns = {{{columns}}}"
    return f"(SELECT {chosen} FROM read_csv({files}, {options}))"


_READ_PARQUET = "union_by_name = true, hive_partitioning = false"


def describe_parquet(
    database: Database,
    files: list[str],
    pattern: str,
    wanted: frozenset[str],  # noqa: ARG001 - the signature that all formats have
    records: Records,
) -> LogSource:
    """Read all footers. Numbers of several types are widened to one that holds them all."""
    relation = f"read_parquet({file_list(files)}, {_READ_PARQUET})"
    types = {row[0]: row[1] for row in database.query(f"DESCRIBE SELECT * FROM {relation}")}
    schema = database.query(
        f"SELECT file_name, name, num_children, duckdb_type FROM parquet_schema({file_list(files)})"
    )
    kinds = _kinds_by_column(schema)
    return LogSource(
        files=files,
        types=types,
        relation=lambda _: relation,
        shown=lambda _: f"read_parquet({literal(pattern)}, {_READ_PARQUET})",
        faults={
            name: fault
            for name in types
            if (fault := _fault(name, kinds[name.lower()], files, records)) is not None
        },
        optional=records.optional,
    )


def _kinds_by_column(schema: list[Row]) -> dict[str, dict[str, str]]:
    """Return each top-level column's type in each file; the schema is a tree in preorder."""
    kinds: dict[str, dict[str, str]] = defaultdict(dict)
    inside: dict[str, int] = {}
    for file, name, children, kind in schema:
        if file not in inside:  # the root
            inside[file] = 0
        elif inside[file]:
            inside[file] += (children or 0) - 1
        else:
            kinds[name.lower()][file] = kind
            inside[file] = children or 0
    return kinds


def _fault(column: str, kinds: Mapping[str, str], files: list[str], records: Records) -> str | None:
    lacking = [file for file in files if file not in kinds]
    if lacking and column not in records.optional:
        return missing_in(column, lacking, len(files))
    examples = {kind: file for file, kind in kinds.items()}
    # Anything else would be widened by a guess: true to 1, naive timestamps to some zone.
    if len(examples) == 1 or all(map(is_number, examples)):
        return None
    examples_text = ", ".join(f"{kind} in {file}" for kind, file in examples.items())
    return f'the files disagree about "{column}": {examples_text}'
