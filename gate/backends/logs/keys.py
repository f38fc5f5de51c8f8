"""JSON keys that some file never has: counted as NULL they could hide failures there.

A key that is left out of some rows is NULL in them, as JSON writers do; a file without a single
one is another format, and a refusal.
"""

from dataclasses import dataclass

from gate.backends.logs.database import Database, Row, identifier
from gate.backends.logs.jsonl import files_without
from gate.backends.logs.source import missing_in
from gate.backends.logs.statement import Statement


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the statement's row says which files have what; one bit a file."""

    files: list[str]
    rows: int
    """Files with any row in the time that is looked at."""
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
        rows=statement.aggregate(bits.format(file)),
        values={
            column: statement.aggregate(bits.format(f"CASE WHEN {number} > 0 THEN {file} END"))
            for column, number in values.items()
        },
    )


def missing_keys(database: Database, keys: Keys | None, row: Row) -> dict[str, str]:
    """Return the columns that some files lack, and how that is said.

    Files with rows but no value are looked at closer: null is a value, absence is not.
    """
    if keys is None:
        return {}
    faults: dict[str, str] = {}
    for column, place in keys.values.items():
        suspects = _having(keys.files, row[keys.rows]) - _having(keys.files, row[place])
        if lacking := files_without(database, column, sorted(suspects)):
            faults[column] = missing_in(column, lacking, len(keys.files))
    return faults


def _having(files: list[str], bits: str | None) -> set[str]:
    return {file for file, bit in zip(files, bits or "", strict=False) if bit == "1"}
