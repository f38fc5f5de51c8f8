"""The logs as a table: their columns and the SQL that reads them."""

from collections.abc import Callable, Iterable, Mapping

# ruff: noqa: S608 - names are quoted, types come from preset files
from dataclasses import field, replace
from typing import Final

from gate.backends.logs.database import Database, identifier
from gate.backends.logs.inner_numbers import InnerNumber
from gate.backends.records import Deduplication, Records
from gate.backends.sql.rows import invalid
from gate.dataclass import dataclass
from gate.errors import nearest_first

_NUMBERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE")
BROKEN: Final = "_broken"
"""A column that is true for a line that is not JSON."""
EXACT: Final = 1 << 53
"""The number from which a double does not distinguish every integer from the next."""
Relation = Callable[[Iterable[str]], str]
"""For given columns, the FROM part that reads (at least) these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberColumns:
    """The facts about columns of numbers from a scan; names are in lower case.

    A number within a column has the name that `InnerNumber` gives it.
    """

    exact: frozenset[str] = frozenset()
    """Columns of integers, some of `EXACT` or more."""
    floats: frozenset[str] = frozenset()
    """Columns with numbers as large, but some with a fraction or an exponent."""


UNKNOWN_NUMBERS: Final = NumberColumns()
"""The facts before any scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """The requirements on the columns."""

    columns: frozenset[str]
    """The required columns, in lower case."""
    numbers: NumberColumns


class LargeNumbers(Exception):
    """Some columns that were read as doubles have numbers of `EXACT` or more."""

    def __init__(self, columns: Iterable[str], inner: Iterable[InnerNumber] = ()) -> None:
        super().__init__()
        self.columns, self.inner = frozenset(columns), frozenset(inner)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """A table over all files. Its columns' names are compared without regard to case, as in SQL."""

    files: list[str]
    types: Mapping[str, str]
    """DuckDB's type of each column as it is read."""
    relation: Relation
    """The rows of all files."""
    shown: Relation
    """The rows in short, for people."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """By column, why it cannot be used: it is not in every file, or has several types."""
    keyed: bool = False
    """Whether every row has its own columns (JSON): a column that a file lacks shows only in its
    rows."""
    unfinished: tuple[str, ...] = ()
    """The files whose last line is left out since it has no end: its row has `BROKEN`, and no
    values."""
    open_ends: Callable[[Iterable[str]], Mapping[str, str]] = lambda _: {}
    """For given columns, the CSV files whose last line has no end, and for each a statement that
    reads these columns, without its closing bracket."""
    optional: frozenset[str] = frozenset()
    """The columns that are NULL if a file lacks them."""
    iso: frozenset[str] = frozenset()
    """Text columns with a sample that is written as ISO 8601."""
    exact: frozenset[str] = frozenset()
    """Texts of integers that must be distinguished exactly."""
    doubles: frozenset[str] = frozenset()
    """Columns of numbers that were read as doubles, whatever the file has."""
    inner_doubles: frozenset[InnerNumber] = frozenset()
    """Numbers within columns that were read as doubles."""
    texts: Relation | None = None
    """The rows with every column as text; None: the types are the file's own."""
    always: frozenset[str] = frozenset()
    """The columns that every indicator depends on."""
    mixed: frozenset[str] = frozenset()
    """The columns whose type in some files fits no value of the other files."""
    untyped: Callable[[], Iterable[str]] | None = None
    """Returns the columns that any row has and whose type is only guessed; it reads all rows if
    only a sample is known. None: a row is a part of an object."""
    remarks: Callable[[], tuple[str, ...]] = tuple
    """Returns the remarks about the files, once they are read."""

    @property
    def places(self) -> tuple[str, ...]:
        """The further columns of every relation, beside the requested ones."""
        return (*(["file_index"] if self.keyed else []), *([BROKEN] if self.unfinished else []))

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes that every report of a count must have."""
        return (*map(left_out, self.unfinished), *self.remarks())

    def column(self, name: str) -> str:
        """Return the column's name as the files spell it.

        Raises:
            MeasurementError: it cannot be used, or does not exist; the reason then names the
                existing ones, nearest first.
        """
        spelled = {column.lower(): column for column in self.types}
        if name.lower() not in spelled:
            names = ", ".join(nearest_first(name, self.types))
            raise invalid(f'no column "{name}" in the logs; there are: {names}')
        column = spelled[name.lower()]
        if column in self.faults:
            raise invalid(self.faults[column])
        return column


def left_out(file: str) -> str:
    """Say that the last line of a file is not counted."""
    return f"the last line of {file} is not finished, and left out"


def settle(
    database: Database, source: LogSource, large: LargeNumbers, numbers: NumberColumns
) -> NumberColumns:
    """Read how columns with large numbers are written; return all facts."""
    written = {name: is_whole(identifier(name)) for name in sorted(large.columns)}
    written |= {number.name: number.all_texts(is_whole) for number in large.inner}
    used = large.columns | {number.column for number in large.inner}
    texts = source.texts or source.relation
    tests = ", ".join(f"bool_and({whole})" for whole in written.values())
    (row,) = database.query(f"SELECT {tests} FROM {texts(sorted(used))}")
    names = {name.lower(): is_exact for name, is_exact in zip(written, row, strict=True)}
    whole = {name for name, is_exact in names.items() if is_exact}
    floats = numbers.floats | (names.keys() - whole)
    return NumberColumns(exact=numbers.exact | whole, floats=floats)


def create_rows(database: Database, source: LogSource) -> None:
    """Create the empty table ``rows``, against which expressions are checked."""
    database.columns = frozenset(source.types)
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in source.types.items())
    database.query(f"CREATE OR REPLACE TEMP TABLE rows ({columns})")


def missing_in(column: str, lacking: list[str], files: int) -> str:
    """Say that some files lack a column. Counting it as NULL there could hide failures."""
    return (
        f'no column "{column}" in {len(lacking)} of {files} files (for example {lacking[0]}); '
        "every file must have it, even with null"
    )


def listed(files: list[str]) -> str:
    """Name a few files in a sentence."""
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more files"


def is_number(kind: str) -> bool:
    """Return whether a DuckDB type is a number."""
    return kind.removeprefix("U") in _NUMBERS or kind.startswith("DECIMAL")


def needed_columns(records: Records) -> frozenset[str]:
    """Return the columns, in lower case, without which a row has no place."""
    rows = records.deduplicate
    names = (records.timestamp, *rows.key, *rows.order_by) if rows else (records.timestamp,)
    return frozenset(name.lower() for name in names)


def as_declared(source: LogSource, records: Records) -> LogSource:
    """Return the source with its columns in the declared types.

    An optional column that no file has is NULL. Of several rows about the same thing only the
    newest counts, in whichever file it is.

    Raises:
        MeasurementError: no column identifies the thing, or the newer row.
    """
    declared = {name.lower(): kind for name, kind in records.columns.items()}
    types = {name: declared.get(name.lower(), kind) for name, kind in source.types.items()}
    there = {name.lower() for name in types}
    types |= {name: records.columns[name] for name in records.optional if name.lower() not in there}
    types |= dict.fromkeys(source.exact, "HUGEINT")
    if types != source.types:
        relation, shown = (_cast(own, source, types) for own in (source.relation, source.shown))
        source = replace(source, types=types, relation=relation, shown=shown)
    return _newest(source, records.deduplicate) if records.deduplicate else source


def _cast(relation: Relation, source: LogSource, types: Mapping[str, str]) -> Relation:
    names = source.types

    def part(name: str) -> str:
        column = identifier(name)
        if name not in names:
            return f"NULL::{types[name]} AS {column}"
        if name in source.exact:
            # DuckDB would round 2000.4, so a value that is not an integer must fail.
            whole = f"CASE WHEN {is_whole(column)} OR {column} IS NULL THEN {column} ELSE '-' END"
            return f"{whole}::HUGEINT AS {column}"
        return column if names[name] == types[name] else f"{column}::{types[name]} AS {column}"

    def cast(used: Iterable[str]) -> str:
        chosen = list(used)
        columns = ", ".join([*map(part, chosen), *source.places])
        rows = relation([name for name in chosen if name in names])
        return f"(SELECT {columns} FROM {rows})"

    return cast


def is_whole(text: str) -> str:
    """Return SQL for whether a text is an integer; NULL for NULL."""
    return f"regexp_full_match({text}, '[+-]?[0-9]+([.]0*)?')"


def _newest(source: LogSource, rows: Deduplication) -> LogSource:
    same, by = [source.column(n) for n in rows.key], [source.column(n) for n in rows.order_by]
    order = ", ".join(f"{identifier(name)} DESC NULLS LAST" for name in by)
    first = f"row_number() OVER (PARTITION BY {', '.join(map(identifier, same))} ORDER BY {order})"
    # A row without its thing, or without its version, must neither hide others nor be hidden.
    unknown = [name for name in (*same, *by) if name not in source.optional]
    alone = [f" OR {identifier(name)} IS NULL" for name in unknown]

    def last(relation: Relation) -> Relation:
        def chosen(used: Iterable[str]) -> str:
            names = list(used)
            columns = ", ".join([*map(identifier, names), *source.places])
            rows = relation(dict.fromkeys([*names, *same, *by]))
            return f"(SELECT {columns} FROM {rows} QUALIFY {first} = 1{''.join(alone)})"

        return chosen

    relation, shown = last(source.relation), last(source.shown)
    return replace(source, relation=relation, shown=shown, always=frozenset(unknown))
