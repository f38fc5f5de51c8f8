"""The columns and types of CSV and Parquet files."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from gate.backends.logs.database import Database, file_list, identifier, literal
from gate.backends.logs.headers import CsvHeader, read_header
from gate.backends.logs.path_columns import PATH, path_option
from gate.backends.logs.source import (
    EXACT,
    LogSource,
    Needed,
    is_number,
    is_whole,
    listed,
    missing_in,
)
from gate.backends.logs.time_formats import iso_instant
from gate.backends.records import Records
from gate.backends.sql.engine import Row
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError

_SAMPLES: Final = (" LIMIT 20000", "")
"""The number of rows that are read to detect types. A later value that does not fit is an error."""
_Groups = Mapping[CsvHeader, list[str]]


@dataclass(frozen=True, slots=True)
class _Learned:
    """The common properties of each column's values; None: it has no value."""

    types: dict[str, str | None]
    exact: frozenset[str]
    """Columns of integers that doubles cannot all distinguish."""
    iso: frozenset[str]
    """Times in ISO 8601."""


def describe_csv(
    database: Database, files: list[str], pattern: str, needed: Needed, records: Records
) -> LogSource:
    """Read all headers. The order of columns may differ between files."""
    groups: dict[CsvHeader, list[str]] = defaultdict(list)
    headers = database.looks(files, lambda file: read_header(database, file))
    for file, header in zip(files, headers, strict=True):
        groups[header].append(file)
    names = list(dict.fromkeys(name for header in groups for name in header.names))
    lacking = {
        name: [f for h, fs in groups.items() if name not in h.names for f in fs] for name in names
    }
    declared = {name.lower() for name in records.columns}
    learned = _learned(database, groups, names, needed.columns - declared, needed)
    if not any(learned.types.values()):
        raise MeasurementError(Cause.NO_DATA, f"there is no row in {listed(files)}")
    # The text itself, for the declared type: a number would first be read as another one.
    texts = {name for name in names if name.lower() in declared} | learned.exact
    types = {name: kind or "VARCHAR" for name, kind in learned.types.items()}
    types |= dict.fromkeys(texts, "VARCHAR")
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
        untyped=lambda: types,
        open_ends=lambda used: _open_ends(groups, types, list(used)),
        iso=learned.iso,
        exact=frozenset(learned.exact),
        texts=lambda used: _relation(quoted, dict.fromkeys(used, "VARCHAR"), used),
        doubles=_doubles(types, needed),
    )


def _doubles(types: Mapping[str, str], needed: Needed) -> frozenset[str]:
    """Return the columns that were not checked yet for numbers that a double cannot represent."""
    doubles = (name for name, kind in types.items() if kind == "DOUBLE")
    return frozenset(name for name in doubles if name.lower() not in needed.numbers.floats)


def _learned(
    database: Database,
    groups: _Groups,
    names: list[str],
    wanted: frozenset[str],
    needed: Needed,
) -> _Learned:
    """Read some rows, and all rows if a requested column has no value in these."""
    quoted = {header: file_list(files) for header, files in groups.items()}
    text = _relation(quoted, dict.fromkeys(names, "VARCHAR"), names)
    rows: list[Row] = []
    kinds: dict[str, str | None] = {}
    for limit in _SAMPLES:
        (row,) = database.query(f"SELECT {_tests(names)} FROM (FROM {text}{limit})")
        rows = [row[_TESTS * place : _TESTS * (place + 1)] for place in range(len(names))]
        kinds = {name: _kind(*row[:3]) for name, row in zip(names, rows, strict=True)}
        if all(kinds[name] is not None or name.lower() not in wanted for name in names):
            break
    tested = dict(zip(names, rows, strict=True))
    return _Learned(
        types=kinds,
        exact=frozenset(
            name
            for name, (values, _, _, whole, large, _) in tested.items()
            if name.lower() in needed.numbers.exact or (large and whole == values)
        ),
        iso=frozenset(name for name, (values, *_, iso) in tested.items() if 0 < values == iso),
    )


_TESTS: Final = 6


def _tests(names: list[str]) -> str:
    """Count values: all, numbers, truth values, whole numbers, large ones, times in ISO 8601."""
    return ", ".join(
        f"count({column}), count(try_cast({column} AS DOUBLE)), "
        f"count(*) FILTER (WHERE lower({column}) IN ('true', 'false')), "
        f"count(*) FILTER (WHERE {is_whole(column)}), "
        f"count(*) FILTER (WHERE abs(try_cast({column} AS DOUBLE)) >= {EXACT}), "
        f"count({iso_instant(column, 'UTC')})"
        for column in map(identifier, names)
    )


def _kind(values: int, numbers: int, booleans: int) -> str | None:
    if not values:
        return None
    if booleans == values:
        return "BOOLEAN"
    # Integers too: DuckDB silently rounds a later 2000.4 to fit a BIGINT.
    return "DOUBLE" if numbers == values else "VARCHAR"


def _relation(
    groups: Mapping[CsvHeader, str], types: Mapping[str, str], used: Iterable[str]
) -> str:
    chosen = list(used)
    parts = [_read(header, files, types, chosen) for header, files in groups.items()]
    return parts[0] if len(parts) == 1 else f"({' UNION ALL BY NAME '.join(parts)})"


def _open_ends(groups: _Groups, types: Mapping[str, str], used: list[str]) -> dict[str, str]:
    """Return statements for files whose last line has no end, without the closing bracket."""
    return {
        file: f"SELECT count(hash({_listed(header, used)})) FROM read_csv({file_list([file])}, "
        f"{header.options}, {_columns(header, types, used)}"
        for header, files in groups.items()
        if header.open_end
        for file in files
    }


def _listed(header: CsvHeader, used: list[str]) -> str:
    return ", ".join(identifier(name) for name in header.names if name in used)


def _columns(header: CsvHeader, types: Mapping[str, str], used: list[str]) -> str:
    read = {name: types[name] if name in used else "VARCHAR" for name in header.names}
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in read.items())
    return f"columns = {{{columns}}}"


def _read(header: CsvHeader, files: str, types: Mapping[str, str], used: list[str]) -> str:
    place = [PATH] if PATH in used else []
    chosen = ", ".join(map(identifier, [*(n for n in used if n in header.names), *place]))
    options = f"{header.options}{path_option(used)}"
    return f"(SELECT {chosen} FROM read_csv({files}, {options}, {_columns(header, types, used)}))"


_READ_PARQUET = "union_by_name = true, hive_partitioning = false"


def describe_parquet(
    database: Database,
    files: list[str],
    pattern: str,
    needed: Needed,  # noqa: ARG001 - the signature that all formats have
    records: Records,
) -> LogSource:
    """Read all footers. Numbers of several types are widened to one that can hold them all."""

    def relation(files: str, used: Iterable[str]) -> str:
        return f"read_parquet({files}, {_READ_PARQUET}{path_option(used)})"

    every = file_list(files)
    rows = database.query(f"DESCRIBE SELECT * FROM {relation(every, ())}")
    types = {row[0]: row[1] for row in rows}
    schema = database.query(
        f"SELECT file_name, name, num_children, duckdb_type FROM parquet_schema({every})"
    )
    kinds = _kinds_by_column(schema)
    return LogSource(
        files=files,
        types=types,
        relation=lambda used: relation(every, used),
        shown=lambda used: relation(literal(pattern), used),
        faults={
            name: fault
            for name in types
            if (fault := _fault(name, kinds[name.lower()], files, records)) is not None
        },
        optional=records.optional,
        untyped=tuple,
        mixed=frozenset(name for name in types if not _agree(kinds[name.lower()].values())),
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
    if _agree(examples):
        return None
    examples_text = ", ".join(f"{kind} in {file}" for kind, file in examples.items())
    return f'the files disagree about "{column}": {examples_text}'


def _agree(kinds: Collection[str]) -> bool:
    """Return whether values of all these types can be read as one type that holds them all."""
    return len(set(kinds)) == 1 or all(map(is_number, kinds))
