"""The logs as a table: the columns they have and the SQL that reads them."""

from collections.abc import Callable, Iterable, Mapping

# ruff: noqa: S608 - names are quoted, types come from preset files
from dataclasses import dataclass, field, replace
from typing import Final

from gate.backends.logs.database import Database, identifier
from gate.backends.logs.refusals import invalid
from gate.backends.records import Deduplication, Records
from gate.errors import nearest_first

_NUMBERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE")
Relation = Callable[[Iterable[str]], str]
"""Given columns, the FROM part that reads (at least) these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
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
            MeasurementError: it cannot be used; or there is none, and the reason names those
                that there are, nearest first.
        """
        spelled = {column.lower(): column for column in self.types}
        if name.lower() not in spelled:
            names = ", ".join(nearest_first(name, self.types))
            raise invalid(f'no column "{name}" in the logs; there are: {names}')
        column = spelled[name.lower()]
        if column in self.faults:
            raise invalid(self.faults[column])
        return column


def create_rows(database: Database, source: LogSource) -> None:
    """Create the empty table ``rows``, against which expressions are checked."""
    database.columns = frozenset(source.types)
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


def needed_columns(records: Records) -> frozenset[str]:
    """Return the columns, in lower case, without which no row can be placed."""
    rows = records.deduplicate
    names = (records.timestamp, *rows.key, *rows.order_by) if rows else (records.timestamp,)
    return frozenset(name.lower() for name in names)


def as_declared(source: LogSource, records: Records) -> LogSource:
    """Return the source with its columns in the types that are declared.

    An optional column that no file has is NULL. Of several rows about the same thing only the
    newest is left, in whichever file it stands.

    Raises:
        MeasurementError: there is no column to tell what a row is about, or which is newer.
    """
    declared = {name.lower(): kind for name, kind in records.columns.items()}
    types = {name: declared.get(name.lower(), kind) for name, kind in source.types.items()}
    there = {name.lower() for name in types}
    types |= {name: records.columns[name] for name in records.optional if name.lower() not in there}
    if types != source.types:
        source = replace(
            source,
            types=types,
            relation=_cast(source.relation, source.types, types),
            shown=_cast(source.shown, source.types, types),
        )
    return _newest(source, records.deduplicate) if records.deduplicate else source


def _cast(relation: Relation, names: Mapping[str, str], types: Mapping[str, str]) -> Relation:
    def part(name: str) -> str:
        column = identifier(name)
        if name not in names:
            return f"NULL::{types[name]} AS {column}"
        return column if names[name] == types[name] else f"{column}::{types[name]} AS {column}"

    def cast(used: Iterable[str]) -> str:
        names = list(used)
        return (
            f"(SELECT {', '.join(map(part, names))} "
            f"FROM {relation([name for name in names if name in names])})"
        )

    return cast


def _newest(source: LogSource, rows: Deduplication) -> LogSource:
    same, by = [source.column(n) for n in rows.key], [source.column(n) for n in rows.order_by]
    order = ", ".join(f"{identifier(name)} DESC NULLS LAST" for name in by)
    first = f"row_number() OVER (PARTITION BY {', '.join(map(identifier, same))} ORDER BY {order})"
    # A row that does not say what it is about, or how new it is, may neither hide nor be hidden.
    unknown = [name for name in (*same, *by) if name not in source.optional]
    alone = [f" OR {identifier(name)} IS NULL" for name in unknown]
    place = ["file_index"] if source.keyed else []

    def last(relation: Relation) -> Relation:
        def chosen(used: Iterable[str]) -> str:
            names = list(used)
            columns = ", ".join([*map(identifier, names), *place])
            rows = relation(dict.fromkeys([*names, *same, *by]))
            return f"(SELECT {columns} FROM {rows} QUALIFY {first} = 1{''.join(alone)})"

        return chosen

    return replace(
        source,
        relation=last(source.relation),
        shown=last(source.shown),
        always=frozenset(unknown),
    )
