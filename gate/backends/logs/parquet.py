"""Parquet: every file says what columns and types it has."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from collections import defaultdict

from gate.backends.logs.database import Database, Row, literal
from gate.backends.logs.refusal import invalid
from gate.backends.logs.source import Source


def describe_parquet(
    database: Database,
    files: list[str],
    pattern: str,
    wanted: frozenset[str],  # noqa: ARG001 - the signature that all formats have
    timestamp: str,
) -> Source:
    """Read all footers. Numbers of several types are widened to one that holds them all."""
    names = f"[{', '.join(map(literal, files))}]"
    relation = f"read_parquet({names}, union_by_name = true)"
    rows = database.query(f"DESCRIBE SELECT * FROM {relation}")
    columns = _columns_by_file(
        database.query(
            "SELECT file_name, name, num_children, concat_ws(' ', type, logical_type) "
            f"FROM parquet_schema({names})"
        )
    )
    _check_timestamp(columns, timestamp)
    return Source(
        files=files,
        types={row[0]: row[1] for row in rows},
        relation=lambda _: relation,
        shown=lambda _: f"read_parquet({literal(pattern)}, union_by_name = true)",
        absent={
            row[0]: lacking
            for row in rows
            if (lacking := [file for file in files if row[0].lower() not in columns[file]])
        },
    )


def _columns_by_file(schema: list[Row]) -> dict[str, dict[str, str]]:
    """Return each file's top-level columns; the schema is a tree written in preorder."""
    columns: dict[str, dict[str, str]] = defaultdict(dict)
    inside: dict[str, int] = {}
    for file, name, children, kind in schema:
        if file not in inside:  # the root
            inside[file] = 0
        elif inside[file]:
            inside[file] += (children or 0) - 1
        else:
            columns[file][name.lower()] = kind
            inside[file] = children or 0
    return columns


def _check_timestamp(columns: dict[str, dict[str, str]], timestamp: str) -> None:
    # Naive and zoned timestamps would be widened to one type by guessing a zone for the naive.
    kinds: dict[str, str] = {}
    for file, of_file in columns.items():
        kinds.setdefault(of_file.get(timestamp.lower(), "missing"), file)
    if len(kinds) > 1:
        found = ", ".join(f"{kind} in {file}" for kind, file in kinds.items())
        raise invalid(f'the files disagree about "{timestamp}": {found}')
