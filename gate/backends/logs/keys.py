"""JSON keys that some file never has: counted as NULL they could hide failures there.

A key that is left out of some rows is NULL in them, as JSON writers do; a file without a single
one is another format, and a refusal.
"""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first
from pathlib import Path
from typing import Final

from gate.backends.logs.database import Database, Row, file_list, identifier, literal
from gate.backends.logs.layouts import LINE
from gate.backends.logs.source import missing_in
from gate.backends.logs.statement import Statement
from gate.dataclass import dataclass

_MANY: Final = 50
"""Files of one row each, which a callback writes, and no rotation of logs."""
_SMALL: Final = 1 << 20
"""Bytes of a file that is not worth a query of its own."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the statement's row says which files have what; one bit a file."""

    files: list[str]
    file: str
    """The key of the groups."""
    count: str
    """The number of their rows."""
    rows: int
    """Files with any row in the time that is looked at."""
    always: frozenset[str]
    """Columns without which no row can be judged at all."""
    values: dict[str, int]
    """By column: files with any value of it."""


def ask_for_keys(statement: Statement) -> Keys | None:
    """Ask which files have what; None where the files themselves say it, or there is but one."""
    files = statement.logs.source.files
    if not statement.logs.source.keyed or len(files) == 1:
        return None
    file = statement.key(statement.value("file_index"))
    bits = f"bitstring_agg({{}}, 0, {len(files) - 1})"
    values = {
        column: statement.sum(f"count({statement.value(identifier(column))})")
        for column in sorted(statement.columns - statement.logs.source.optional)
    }
    return Keys(
        files=files,
        file=file,
        count=statement.sum("count(*)"),
        always=statement.logs.source.always,
        rows=statement.aggregate(bits.format(file)),
        values={
            column: statement.aggregate(bits.format(f"CASE WHEN {number} > 0 THEN {file} END"))
            for column, number in values.items()
        },
    )


def missing_keys(database: Database, keys: Keys | None, row: Row) -> dict[str, str]:
    """Return the columns that some files lack, and how that is said.

    Files with rows but no value are looked at closer: null is a value, absence is not. Where there
    are many files of a single row, each says no more than that row, which may leave out a key.
    """
    if keys is None:
        return {}
    rows = database.query(f"SELECT {keys.file} FROM groups GROUP BY 1 HAVING sum({keys.count}) > 1")
    several = {keys.files[int(place)] for (place,) in rows}
    if len(_having(keys.files, row[keys.rows]) - several) <= _MANY:
        several = {*keys.files}
    faults: dict[str, str] = {}
    for column, place in keys.values.items():
        suspects = _having(keys.files, row[keys.rows]) - _having(keys.files, row[place])
        if column not in keys.always:
            suspects &= several
        if lacking := files_without(database, column, sorted(suspects)):
            faults[column] = missing_in(column, lacking, len(keys.files))
    return faults


def _having(files: list[str], bits: str | None) -> set[str]:
    return {file for file, bit in zip(files, bits or "", strict=False) if bit == "1"}


def files_without(database: Database, key: str, files: list[str]) -> list[str]:
    """Return which of the files have the key in no row, not even with null."""
    has = f"list_contains(json_keys(json), {literal(key)})"
    small = [file for file in files if Path(file).stat().st_size < _SMALL]
    having = set[str]()
    if small:
        rows = database.query(f"SELECT DISTINCT file_index FROM {json_objects(small)} WHERE {has}")
        having = {small[place] for (place,) in rows}
    # Of large ones most often the first row has it, and the rest is not read.
    for file in {*files} - {*small}:
        if database.query(f"SELECT 1 FROM {json_objects([file])} WHERE {has} LIMIT 1"):
            having.add(file)
    return [file for file in files if file not in having]


def json_objects(files: list[str]) -> str:
    """Return the FROM part that reads files as values, in the column ``json``."""
    # The scan has seen to it that each line is JSON, but for a last one without an end.
    options = f"format = 'auto', hive_partitioning = false, ignore_errors = true, {LINE}"
    return f"read_json_objects({file_list(files)}, {options})"
