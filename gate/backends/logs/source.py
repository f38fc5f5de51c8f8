"""The logs as a table: the columns they have and the SQL that reads them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from gate.backends.logs.database import Database, identifier
from gate.backends.logs.refusal import invalid

_NUMBERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE")


Relation = Callable[[Iterable[str]], str]
"""Given columns, the FROM part that reads (at least) these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A table over all files. Its columns' names are compared without regard to case, as in SQL."""

    files: list[str]
    types: Mapping[str, str]
    """Column -> DuckDB's type, as read."""
    relation: Relation
    """From all files."""
    shown: Relation
    """The same in short, for people."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """Column -> why it cannot be used: not in every file, or not of one type."""
    keyed: bool = False
    """Every row has its own columns (JSON): a column that a file lacks shows only in its rows."""
    optional: frozenset[str] = frozenset()
    """Columns that are NULL where a file lacks them."""
    always: frozenset[str] = frozenset()
    """Columns that every indicator depends on."""

    def column(self, name: str) -> str:
        """Return the column's name as the files spell it.

        Raises:
            Refusal: it cannot be used; or there is none, and the reason names those that there
                are, nearest first.
        """
        spelled = {column.lower(): column for column in self.types}
        if name.lower() not in spelled:
            near = get_close_matches(name.lower(), spelled, n=3, cutoff=0.5)
            names = [spelled[key] for key in near] + [
                c for c in self.types if c.lower() not in near
            ]
            raise invalid(f'no column "{name}" in the logs; there are: {", ".join(names)}')
        column = spelled[name.lower()]
        if column in self.faults:
            raise invalid(self.faults[column])
        return column


def create_rows(database: Database, source: Source) -> None:
    """Create the empty table ``rows``, against which expressions are checked."""
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in source.types.items())
    database.query(f"CREATE TEMP TABLE rows ({columns})")


def missing_in(column: str, lacking: list[str], files: int) -> str:
    """Say that some files lack a column. Counting it as NULL there could hide failures."""
    return (
        f'no column "{column}" in {len(lacking)} of {files} files (for example {lacking[0]}); '
        "every file must have it, be it with null"
    )


def listed(files: list[str]) -> str:
    """Name a few files in a sentence."""
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more files"


def is_number(kind: str) -> bool:
    """Return whether a DuckDB type is a number."""
    return kind.removeprefix("U") in _NUMBERS or kind.startswith("DECIMAL")
