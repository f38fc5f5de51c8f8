"""Parquet: every file says what columns and types it has."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from collections import defaultdict
from collections.abc import Mapping

from gate.backends.logs.database import Database, Row, file_list, literal
from gate.backends.logs.source import Source, is_number, missing_in
from gate.settings import Records

_READ = "union_by_name = true, hive_partitioning = false"


def describe_parquet(
    database: Database,
    files: list[str],
    pattern: str,
    wanted: frozenset[str],  # noqa: ARG001 - the signature that all formats have
    records: Records,
) -> Source:
    """Read all footers. Numbers of several types are widened to one that holds them all."""
    relation = f"read_parquet({file_list(files)}, {_READ})"
    types = {row[0]: row[1] for row in database.query(f"DESCRIBE SELECT * FROM {relation}")}
    schema = database.query(
        f"SELECT file_name, name, num_children, duckdb_type FROM parquet_schema({file_list(files)})"
    )
    kinds = _kinds_by_column(schema)
    return Source(
        files=files,
        types=types,
        relation=lambda _: relation,
        shown=lambda _: f"read_parquet({literal(pattern)}, {_READ})",
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
    found = ", ".join(f"{kind} in {file}" for kind, file in examples.items())
    return f'the files disagree about "{column}": {found}'
